//! Protocols of more than two parties: pair setups of a committee, key generation, resharing, t-of-n signing.

use crate::{
    frost,
    memcheck::declassify,
    run::{Secret, Table, run_all},
};
use std::collections::BTreeMap;
use symbolon::{
    DerivationPath, Group, Identity, IdentityKey, KeyShare, PairSetup, PartyId, Payload, Roster, Secp256k1,
    SecretBytes, SecretScalar, Storable, Suite, Threshold, wire::Reader,
};
use symbolon_core::Ed25519;
use symbolon_ecdsa::{
    QuorumFull, QuorumFullSetup, QuorumOnline, QuorumPreprocess, QuorumPreprocessSetup, QuorumRequest, SignerShare,
};
use symbolon_mta::{CommitteeSetup, CommitteeTerms};
use symbolon_sharing::{
    Consent, Dkg, DkgSetup, Factors, HandOver, Import, Imports, Plan, Refreshes, Reshare, Scheme, hand_over, import,
    refresh,
};

type Setups = BTreeMap<PartyId, BTreeMap<PartyId, PairSetup>>;
type Shares<G> = BTreeMap<PartyId, KeyShare<G>>;

fn members() -> [(PartyId, Identity); 3] {
    [1u8, 2, 3].map(|i| {
        let id = PartyId::new(i.into()).expect("not zero");
        (id, IdentityKey::from_seed(SecretBytes::new([i; 32])).identity())
    })
}

/// Runs all of them.
pub fn all(table: &mut Table) {
    let shares = shared::<Ed25519>(table, "Ed25519", Scheme::Frost);
    frost::all(table, &shares);
    moved(table, "Ed25519", &shares);
    frost::seed(table);
    let shares = shared::<Secp256k1>(table, "secp256k1 for FROST", Scheme::Frost);
    frost::all(table, &shares);
    let shares = shared::<Secp256k1>(table, "secp256k1", Scheme::Ecdsa);
    let setups = pair_setups(table);
    sign(table, &shares, setups);
    moved(table, "secp256k1", &shares);
}

fn pair_setups(table: &mut Table) -> Setups {
    let terms: Vec<_> = members()
        .iter()
        .map(|member| CommitteeTerms::new(member.0, members(), Suite::Blake3, 0).expect("three members"))
        .collect();
    let made = run_all::<CommitteeSetup>(table, "pair setups of three", terms.iter().map(|terms| (terms, &(), ())));
    made.into_iter().map(|(id, (setups, ()))| (id, setups)).collect()
}

/// Key generation and a refresh.
fn shared<G: Group>(table: &mut Table, curve: &str, scheme: Scheme) -> Shares<G> {
    let threshold = Threshold::new(3, 3).expect("three of three");
    let setups: Vec<_> = members()
        .iter()
        .map(|member| {
            let roster = Roster::new(member.0, members()).expect("a committee");
            DkgSetup::<G>::new(roster, threshold, scheme).expect("three of three")
        })
        .collect();
    let name = format!("key generation of three on {curve}");
    let made = run_all::<Dkg<G>>(table, &name, setups.iter().map(|setup| (setup, &(), ())));
    let shares: Vec<_> = made.into_values().map(|(share, ())| reload(table, curve, &share)).collect();
    let dealers = members().map(|member| member.0);
    let ready: Vec<_> =
        shares.iter().map(|share| refresh(share, &dealers, 1, Factors::Gone).expect("a later epoch")).collect();
    let name = format!("refresh of three on {curve}");
    let parties = ready.iter().map(|(setup, source)| (setup, source, ()));
    let made = run_all::<Reshare<G, Refreshes>>(table, &name, parties);
    let share = |(id, (reshared, ())): (PartyId, _)| {
        let reshared: symbolon_sharing::Reshared<G> = reshared;
        (id, reload(table, curve, &reshared.share.expect("a member")))
    };
    made.into_iter().map(share).collect()
}

/// A hand-over to a committee of another threshold, and the import of a key.
fn moved<G: Group>(table: &mut Table, curve: &str, shares: &Shares<G>) {
    let (dealers, threshold) = (members().map(|member| member.0), Threshold::new(2, 3).expect("two of three"));
    let ready = shares.iter().map(|(me, share)| {
        let plan = Plan::of(share, &dealers, share.epoch() + 1, Factors::Gone).change_threshold(threshold);
        let plan = plan.expect("another threshold");
        let consent = Consent::new(plan.changes());
        hand_over(*me, Some(share), plan, &consent).expect("as agreed")
    });
    let ready: Vec<_> = ready.collect();
    let parties = ready.iter().map(|(setup, source)| (setup, source, ()));
    run_all::<Reshare<G, HandOver>>(table, &format!("hand-over of three on {curve}"), parties);

    let key = SecretScalar::<G>::random(&mut Secret::new(80));
    // as the caller knows it
    let mut public_key =
        table.step(format!("public key on {curve}"), || G::point_to_bytes(&key.public()).as_ref().to_vec());
    declassify(&mut public_key);
    let plan = Import {
        dealer: members()[0],
        new: members().into(),
        threshold,
        scheme: shares.values().next().expect("three shares").scheme(),
        public_key: G::point_from_bytes(&public_key).expect("encoded"),
    };
    let mut key = Some((key, [4; 32]));
    let ready = members().map(|(me, _)| import(me, key.take(), plan.clone()).expect("the first has the key"));
    let parties = ready.iter().map(|(setup, source)| (setup, source, ()));
    run_all::<Reshare<G, Imports>>(table, &format!("import of three on {curve}"), parties);
}

/// As it comes back from the store: all but the secret share is public.
fn reload<G: Group>(table: &mut Table, curve: &str, share: &KeyShare<G>) -> KeyShare<G> {
    let mut bytes = table.step(format!("KeyShare on {curve}: encode"), || share.to_secret_bytes());
    let public = bytes.len() - 32;
    declassify(&mut bytes[..public]);
    table.step(format!("KeyShare on {curve}: decode"), || KeyShare::decode(&mut Reader::new(&bytes))).expect("encoded")
}

fn sign(table: &mut Table, shares: &Shares<Secp256k1>, setups: Setups) {
    let signers: Vec<_> = shares.keys().copied().collect();
    let request = |share: &KeyShare<Secp256k1>| {
        let (payload, path) = (Payload::personal_message("a message to sign"), "m/0/5".parse::<DerivationPath>());
        let request = QuorumRequest::new(share, &signers, payload, path.expect("a path")).expect("this key");
        let signer = request.signer(share).expect("its share");
        (request, signer)
    };

    let mut setups = setups;
    let batch = |(me, setups): (&PartyId, &mut BTreeMap<PartyId, PairSetup>)| {
        QuorumPreprocessSetup::new(*me, &members(), setups, 1).expect("runs left")
    };
    let terms: Vec<_> = setups.iter_mut().map(batch).collect();
    let inputs = terms.iter().zip(setups.into_values()).map(|(terms, setups)| (terms, &(), setups));
    let made = run_all::<QuorumPreprocess>(table, "pre-processing of three", inputs);
    let (mut setups, mut online) = (Setups::new(), Vec::new());
    for (me, (mut items, left)) in made {
        setups.insert(me, left);
        let item = items.pop().expect("one item");
        let (request, signer) = request(&shares[&me]);
        online.push((symbolon_ecdsa::QuorumOnlineSetup::new(request, &item).expect("these signers"), signer, item));
    }
    let (values, items): (Vec<_>, Vec<_>) =
        online.into_iter().map(|(setup, signer, item)| ((setup, signer), item)).unzip();
    let parties = values.iter().zip(items).map(|((setup, signer), item)| (setup, signer, item));
    run_all::<QuorumOnline>(table, "signing of three from the bank", parties);

    let full = |(me, setups): (&PartyId, &mut BTreeMap<PartyId, PairSetup>)| {
        let (request, signer) = request(&shares[me]);
        (QuorumFullSetup::new(request, setups).expect("runs left"), signer)
    };
    let values: Vec<(QuorumFullSetup, SignerShare)> = setups.iter_mut().map(full).collect();
    let parties = values.iter().zip(setups.into_values()).map(|((setup, signer), setups)| (setup, signer, setups));
    run_all::<QuorumFull>(table, "signing of three from scratch", parties);
}
