//! Split custody: the server's half of a two-party key moves to nodes, which sign with the client.

use crate::world::{Scalar, Share, holders, id, identity, ids, path, payload, start};
use std::collections::BTreeMap;
use symbolon_core::{Group, KeyId, PartyId, Secp256k1, SecretScalar, SharingId, Threshold, wire::Reader};
use symbolon_ecdsa::{QuorumFull, QuorumFullSetup, QuorumRequest, Setups, SignError, derive};
use symbolon_mta::{CommitteeSetup, CommitteeTerms, Suite};
use symbolon_session::{Identity, Outgoing, Session, Storable};
use symbolon_sharing::{
    Change, ClientShare, Consent, Custody, CustodyError, Imported, Imports, KeyHealth, KeyShare, Marks, Member, Nodes,
    Parts, Refreshes, Reshare, Scheme, import, split,
};
use symbolon_testkit::{Crowd, seeded};

const SERVER: u16 = 1;
const CLIENT: u16 = 2;
const NODES: [u16; 4] = [11, 12, 13, 14];

/// The two-party wallet, with opaque names as over a channel.
fn wallet(seed: u64) -> BTreeMap<PartyId, Share> {
    let mut rng = seeded(seed);
    let secret = SecretScalar::<Secp256k1>::random(&mut rng);
    let indices = [1u64, 2].map(Scalar::from);
    let (dealt, _) = split(&secret, Threshold::TWO, &indices, &mut rng).unwrap();
    let both = ids(&[SERVER, CLIENT]);
    let member = |i: usize| Member {
        id: both[i],
        identity: Identity::name(["server", "client"][i]),
        public_share: dealt[i].value.public(),
    };
    let one = |i: usize| {
        let share = KeyShare::new(Parts {
            scheme: Scheme::Ecdsa,
            key_id: KeyId::from_bytes([7; 16]),
            sharing_id: SharingId::from_bytes([8; 16]),
            epoch: 0,
            members: vec![member(0), member(1)],
            threshold: Threshold::TWO,
            me: both[i],
            x: SecretScalar::new(*dealt[i].value.expose()),
            public_key: secret.public(),
            chain_code: [4; 32],
            marks: Marks::default(),
        });
        (both[i], share.unwrap())
    };
    BTreeMap::from([one(0), one(1)])
}

/// The server deals its half among the nodes.
fn imported(server: &Share, custody: &Custody<Secp256k1>) -> BTreeMap<PartyId, Imported<Secp256k1>> {
    let (dealer, nodes) = (id(SERVER), ids(&NODES));
    let plan = custody.plan(holders(&[dealer])[0], holders(&nodes), Threshold::TWO).unwrap();
    let one = |me: &PartyId| {
        let half = (*me == dealer).then(|| custody.server_half(server).unwrap());
        let (setup, source) = import(*me, half, plan.clone()).unwrap();
        (*me, start::<Reshare<Secp256k1, Imports>>(*me, setup, &source, (), 1))
    };
    let all = [&[dealer][..], &nodes].concat();
    let made = Crowd::new(all.iter().map(one)).outputs();
    made.into_iter().map(|(id, (imported, _))| (id, imported)).collect()
}

/// The refresh that an import forces, dealt by two nodes.
fn refreshed(imported: &BTreeMap<PartyId, Imported<Secp256k1>>) -> (BTreeMap<PartyId, Share>, KeyHealth) {
    let one = |me: &PartyId| {
        let (setup, source) = imported[me].refresh(&ids(&[12, 14]), 1).unwrap();
        (*me, start::<Reshare<Secp256k1, Refreshes>>(*me, setup, &source, (), 2))
    };
    let made = Crowd::new(ids(&NODES).iter().map(one)).outputs();
    let health = made[&id(11)].0.health.clone();
    (made.into_iter().map(|(id, (reshared, _))| (id, reshared.share.unwrap())).collect(), health)
}

struct Split {
    wallet: BTreeMap<PartyId, Share>,
    custody: Custody<Secp256k1>,
    client: ClientShare<Secp256k1>,
    imported: BTreeMap<PartyId, Imported<Secp256k1>>,
    nodes: BTreeMap<PartyId, Share>,
    health: KeyHealth,
}

fn turned(seed: u64) -> Split {
    let wallet = wallet(seed);
    let (server, client) = (&wallet[&id(SERVER)], &wallet[&id(CLIENT)]);
    let keyed = |custody: Custody<Secp256k1>| custody.with_client_identity(identity(id(CLIENT)).identity());
    let custody = keyed(Custody::of(server, id(CLIENT)).unwrap());
    assert_eq!(custody, keyed(Custody::of(client, id(CLIENT)).unwrap()), "both sides see one structure");
    let imported = imported(server, &custody);
    let (nodes, health) = refreshed(&imported);
    let client = custody.clone().client_share(client).unwrap();
    Split { wallet, custody, client, imported, nodes, health }
}

fn setups(signers: &[PartyId]) -> BTreeMap<PartyId, Setups> {
    let one = |me: &PartyId| {
        let terms = CommitteeTerms::new(*me, holders(signers), Suite::Blake3, 0).unwrap();
        (*me, start::<CommitteeSetup>(*me, terms, &(), (), 3))
    };
    Crowd::new(signers.iter().map(one)).outputs().into_iter().map(|(id, (setups, _))| (id, setups)).collect()
}

fn request(split: &Split, me: PartyId, signing: &[PartyId]) -> Result<QuorumRequest, SignError> {
    let nodes = Nodes::of(&split.nodes[&signing[0]]);
    QuorumRequest::custody(&split.custody, &nodes, split.nodes.get(&me), signing, payload(), path())
}

fn signer(split: &Split, me: PartyId, signing: &[PartyId], mut setups: Setups) -> (Session<QuorumFull>, Vec<Outgoing>) {
    let request = request(split, me, signing).unwrap();
    let secret = match split.nodes.get(&me) {
        Some(share) => request.signer(share).unwrap(),
        None => request.client(&split.client).unwrap(),
    };
    let setup = QuorumFullSetup::new(request, &mut setups).unwrap();
    start(me, setup, &secret, setups, 4)
}

#[test]
fn the_client_and_any_two_of_four_nodes_sign_and_nobody_has_the_servers_half() {
    let split = turned(1);
    assert_eq!(split.nodes[&id(11)].public_key(), &split.custody.server_point());
    let child = derive(split.custody.public_key(), split.custody.chain_code(), &path()).unwrap();
    for pair in [[11, 12], [13, 11], [14, 13]] {
        let signing = ids(&pair);
        let all = [&signing[..], &[id(CLIENT)]].concat();
        let mut setups = setups(&all);
        let made = Crowd::new(
            all.iter().map(|me| (*me, signer(&split, *me, &signing, setups.remove(me).unwrap()))).collect::<Vec<_>>(),
        )
        .outputs();
        for (signature, _) in made.values() {
            signature.verify(&child.public_key, &payload().digest()).unwrap();
        }
    }
    // the server's share is erased only after the refresh, and only with consent
    let Split { mut wallet, custody, imported, health, .. } = split;
    let share = wallet.remove(&id(SERVER)).unwrap();
    let consent = Consent::new([Change::Retires(custody.key_id(), 0)]);
    let (share, error) = custody.retire(share, imported[&id(11)].health(), &consent).err().unwrap();
    assert_eq!(error, CustodyError::NotRefreshed);
    let (share, error) = custody.retire(share, &health, &Consent::new([])).err().unwrap();
    assert_eq!(error, CustodyError::Consent);
    assert!(custody.retire(share, &health, &consent).is_ok());
}

#[test]
fn row_36_the_client_and_exactly_t_nodes() {
    let split = turned(2);
    for set in [&[11][..], &[11, 12, 13], &[11, 11], &[11, CLIENT], &[11, 99]] {
        assert_eq!(request(&split, id(11), &ids(set)).err(), Some(SignError::Signers), "{set:?}");
    }
    // a node that does not sign
    assert_eq!(request(&split, id(14), &ids(&[11, 12])).err(), Some(SignError::Signers));
}

#[test]
fn row_67_nodes_of_another_epoch_or_key() {
    let split = turned(3);
    let other = turned(4);
    let node = &split.nodes[&id(11)];
    let ask = |nodes: &Nodes, share| {
        QuorumRequest::custody(&split.custody, nodes, share, &ids(&[11, 12]), payload(), path()).err()
    };
    let now = Nodes::of(node);
    assert_eq!(ask(&now, Some(node)), None);
    let before = Nodes { epoch: 0, ..now.clone() };
    assert_eq!(ask(&before, None), Some(SignError::Custody(CustodyError::NotRefreshed)));
    let foreign = &other.nodes[&id(11)];
    assert_eq!(ask(&Nodes::of(foreign), Some(foreign)), Some(SignError::Custody(CustodyError::OtherNodes)));
    let later = Nodes { epoch: 2, ..now.clone() };
    assert_eq!(ask(&later, Some(node)), Some(SignError::Custody(CustodyError::OtherNodes)));
    let mut with_client = now.clone();
    with_client.members.push((id(CLIENT), identity(id(50)).identity()));
    assert_eq!(ask(&with_client, None), Some(SignError::Custody(CustodyError::ClientIsNode(id(CLIENT)))));
    // the share of another wallet does not fit the request
    let request = request(&split, id(11), &ids(&[11, 12])).unwrap();
    assert_eq!(request.signer(foreign).err(), Some(SignError::Signers));
    assert_eq!(request.client(&split.client).err(), Some(SignError::Signers), "a node is not the client");
}

#[test]
fn shares_of_other_holders_are_refused() {
    let split = turned(5);
    let (server, client) = (&split.wallet[&id(SERVER)], &split.wallet[&id(CLIENT)]);
    assert_eq!(split.custody.server_half(client).err(), Some(CustodyError::OtherShare));
    assert_eq!(split.custody.clone().client_share(server).err(), Some(CustodyError::OtherShare));
    let another = wallet(6);
    assert_eq!(Custody::of(&another[&id(SERVER)], id(3)).err(), Some(CustodyError::NotTwoParty));
    assert_eq!(Custody::of(&split.nodes[&id(11)], id(11)).err(), Some(CustodyError::NotTwoParty));
    let holders = holders(&ids(&[CLIENT, 12]));
    let plan = split.custody.plan(holders[1], holders.clone(), Threshold::TWO);
    assert_eq!(plan.err(), Some(CustodyError::ClientIsNode(id(CLIENT))));
}

#[test]
fn row_75_the_clients_share_has_one_checked_encoding() {
    let split = turned(7);
    let bytes = split.client.to_secret_bytes();
    let mut r = Reader::new(&bytes);
    let again = ClientShare::<Secp256k1>::decode(&mut r).unwrap();
    r.finish().unwrap();
    assert_eq!(*again.to_secret_bytes(), *bytes);
    for len in 0..bytes.len() {
        assert!(ClientShare::<Secp256k1>::decode(&mut Reader::new(&bytes[..len])).is_err());
    }
    for at in (bytes.len() - 32)..bytes.len() {
        let mut spoilt = bytes.to_vec();
        spoilt[at] ^= 1;
        assert!(ClientShare::<Secp256k1>::decode(&mut Reader::new(&spoilt)).is_err(), "byte {at}");
    }
    // T nodes alone have the server's half, and no more: with the client's it is the key
    let weights = split.nodes[&id(11)].lambdas(&ids(&[11, 12])).unwrap();
    let half = [11, 12].iter().zip(weights).map(|(i, w)| w * *split.nodes[&id(*i)].secret().expose());
    let half = SecretScalar::<Secp256k1>::new(half.sum());
    assert_eq!(half.public() + split.client.secret().public(), *split.custody.public_key());
    assert_ne!(half.public(), *split.custody.public_key());
    assert!(!Secp256k1::is_identity(&half.public()));
}
