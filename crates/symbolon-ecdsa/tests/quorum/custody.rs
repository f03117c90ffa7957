//! Split custody: the server's half of a two-party key moves to nodes, which sign with the client.

use crate::world::{Scalar, Share, holders, id, identity, ids, path, payload, start};
use std::collections::BTreeMap;
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretScalar, SharingId, Threshold,
    wire::{Reader, Writer},
};
use symbolon_ecdsa::{QuorumFull, QuorumFullSetup, QuorumRequest, Setups, SignError, derive};
use symbolon_mta::{CommitteeSetup, CommitteeTerms, Suite};
use symbolon_session::{Identity, Outgoing, Session, Setup, Storable, Terms};
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
    wallet_of(seed, [8; 16], 0)
}

fn wallet_of(seed: u64, sharing: [u8; 16], epoch: u32) -> BTreeMap<PartyId, Share> {
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
            sharing_id: SharingId::from_bytes(sharing),
            epoch,
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

impl Split {
    /// What the nodes sign once they are done with their refresh.
    fn words(&self) -> BTreeMap<PartyId, [u8; 64]> {
        let word = |(id, share): (&PartyId, &Share)| (*id, self.health.confirmation(share, &identity(*id)).unwrap());
        self.nodes.iter().map(word).collect()
    }
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
}

// attacks.md rows 63, 103: the half is erased only when all nodes of this very half have signed that they are done
#[test]
fn rows_63_103_the_servers_half_is_erased_on_the_signed_word_of_every_node() {
    let (mut split, other) = (turned(8), turned(9));
    let (words, theirs) = (split.words(), other.words());
    let mut share = split.wallet.remove(&id(SERVER)).unwrap();
    let (custody, mine) = (&split.custody, &split.imported[&id(SERVER)]);
    assert!(mine.public_key().is_none(), "the dealer is no node");
    let consent = Consent::new([Change::Retires(custody.key_id(), 0)]);
    let (early, foreign) = (mine.health().clone(), &other.imported[&id(SERVER)]);
    let fewer = words.iter().skip(1).map(|(id, word)| (*id, *word)).collect();
    let mut swapped = words.clone();
    swapped.insert(id(11), words[&id(12)]);
    let mut later = split.health.clone();
    later.epoch = 2;
    let mut outcome = split.health.clone();
    outcome.outcome[0] ^= 1;
    let mut alone = split.health.clone();
    alone.members.retain(|node, _| *node == id(11));
    let nothing = BTreeMap::new();
    let cases = [
        ("the import", mine, &early, &words, CustodyError::NotRefreshed),
        ("another key's nodes", mine, &other.health, &theirs, CustodyError::OtherNodes),
        ("another key's import", foreign, &split.health, &words, CustodyError::OtherNodes),
        ("another key altogether", foreign, &other.health, &theirs, CustodyError::OtherNodes),
        ("fewer nodes", mine, &alone, &words, CustodyError::OtherNodes),
        ("a struct and no word", mine, &split.health, &nothing, CustodyError::Unconfirmed),
        ("a node that said nothing", mine, &split.health, &fewer, CustodyError::Unconfirmed),
        ("another node's word", mine, &split.health, &swapped, CustodyError::Unconfirmed),
        ("words about another epoch", mine, &later, &words, CustodyError::Unconfirmed),
        ("words about another outcome", mine, &outcome, &words, CustodyError::Unconfirmed),
        ("words of other nodes", mine, &split.health, &theirs, CustodyError::Unconfirmed),
    ];
    for (name, imported, nodes, words, expected) in cases {
        let (back, error) = custody.retire(share, imported, nodes, words, &consent).err().unwrap();
        assert_eq!(error, expected, "{name}");
        share = back;
    }
    let (share, error) = custody.retire(share, mine, &split.health, &words, &Consent::new([])).err().unwrap();
    assert_eq!(error, CustodyError::Consent);
    assert!(custody.retire(share, mine, &split.health, &words, &consent).is_ok());
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

// what all signers must mean alike, the nodes and the client
#[test]
fn the_terms_name_the_custody_and_the_sharing_of_the_nodes() {
    let split = turned(10);
    let signing = ids(&[11, 12]);
    let nodes = Nodes::of(&split.nodes[&id(11)]);
    let mut extra = Writer::new();
    split.custody.encode_terms(&nodes, &mut extra);
    let expected = Terms {
        curve: Secp256k1::ID,
        scheme: "ecdsa",
        threshold: Some(Threshold::TWO),
        key_id: Some(split.custody.key_id()),
        sharing_id: Some(split.nodes[&id(12)].sharing_id()),
        epoch: Some(1),
        path: path().indices().to_vec(),
        digest: Some(payload().sid_digest()),
        extra: extra.finish(),
        ..Terms::default()
    };
    let all = [&signing[..], &[id(CLIENT)]].concat();
    let mut setups = setups(&all);
    for me in all {
        let mut setups = setups.remove(&me).unwrap();
        let terms = QuorumFullSetup::new(request(&split, me, &signing).unwrap(), &mut setups).unwrap().terms();
        assert_eq!(Terms { parameters: terms.parameters, ..expected.clone() }, terms);
        assert!(!terms.parameters.is_empty());
    }
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
    // the client's half of another two-party sharing or epoch of the same wallet
    let at_client = self::request(&split, id(CLIENT), &ids(&[11, 12])).unwrap();
    assert!(at_client.client(&split.client).is_ok());
    let of =
        |share: &Share| Custody::of(share, id(CLIENT)).unwrap().with_client_identity(identity(id(CLIENT)).identity());
    for (sharing, epoch, seed) in [([9; 16], 0, 3), ([8; 16], 1, 3), ([8; 16], 0, 4)] {
        let old = &wallet_of(seed, sharing, epoch)[&id(CLIENT)];
        assert_eq!(old.key_id(), split.custody.key_id());
        let stale = of(old).client_share(old).unwrap();
        assert_eq!(at_client.client(&stale).err(), Some(SignError::Signers), "{sharing:?} {epoch} {seed}");
    }
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
    // and so has its public side, which a node gets
    let bytes = split.custody.to_secret_bytes();
    let mut r = Reader::new(&bytes);
    assert_eq!(Custody::<Secp256k1>::decode(&mut r), Ok(split.custody.clone()));
    r.finish().unwrap();
    assert!(Custody::<Secp256k1>::decode(&mut Reader::new(&split.client.to_secret_bytes())).is_err(), "another kind");
    for len in 0..bytes.len() {
        assert!(Custody::<Secp256k1>::decode(&mut Reader::new(&bytes[..len])).is_err());
    }
    let point = bytes.len() - 32 - 2 * 33;
    let mut degenerate = bytes.to_vec();
    degenerate.copy_within(point + 33..point + 66, point);
    assert!(Custody::<Secp256k1>::decode(&mut Reader::new(&degenerate)).is_err(), "Y_C = P");
    // T nodes alone have the server's half, and no more: with the client's it is the key
    let weights = split.nodes[&id(11)].lambdas(&ids(&[11, 12])).unwrap();
    let half = [11, 12].iter().zip(weights).map(|(i, w)| w * *split.nodes[&id(*i)].secret().expose());
    let half = SecretScalar::<Secp256k1>::new(half.sum());
    assert_eq!(half.public() + split.client.secret().public(), *split.custody.public_key());
    assert_ne!(half.public(), *split.custody.public_key());
    assert!(!Secp256k1::is_identity(&half.public()));
}
