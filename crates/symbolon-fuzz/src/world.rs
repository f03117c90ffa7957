//! Valid values for the targets to start from: every run here is honest, and drawn from fixed seeds.

use std::{collections::BTreeMap, sync::LazyLock};
use symbolon_core::{Group, KeyId, PartyId, Role, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold};
use symbolon_ecdsa::{Preprocess, PreprocessSetup};
use symbolon_mta::{PairSetup, PairSetupRun, PairSetupTerms, Suite};
use symbolon_seal::DeviceKey;
use symbolon_session::{Auth, Identity, IdentityKey, Label, Pair, Protocol, Session, StorageKey};
use symbolon_sharing::{
    Factors, Imported, Imports, KeyShare, Marks, Member, PairFactor, Parts, Plan, Reshare, Reshared, Scheme, SealTo,
    refresh, split,
};
use symbolon_testkit::{Crowd, Duo, seeded};

pub(crate) fn id(id: u16) -> PartyId {
    PartyId::new(id).expect("not zero")
}

pub(crate) fn identity_key(of: u16) -> IdentityKey {
    let mut seed = [3; 32];
    seed[..2].copy_from_slice(&of.to_be_bytes());
    IdentityKey::from_seed(SecretBytes::new(seed))
}

pub(crate) fn signed(of: u16) -> Auth {
    Auth::Signed(identity_key(of))
}

pub(crate) fn members(ids: impl IntoIterator<Item = u16>) -> Vec<(PartyId, Identity)> {
    ids.into_iter().map(|i| (id(i), identity_key(i).identity())).collect()
}

pub(crate) fn label() -> Label {
    Label::new("a run").expect("a label")
}

pub(crate) fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([77; 32]))
}

/// The shares of a key, dealt here.
pub(crate) fn dealt<G: Group>(t: u16, n: u16, scheme: Scheme, seed: u64) -> Vec<KeyShare<G>> {
    let mut rng = seeded(seed);
    let secret = SecretScalar::<G>::random(&mut rng);
    let indices: Vec<_> = (1..=n).map(|i| G::Scalar::from(u64::from(i))).collect();
    let threshold = Threshold::new(t, n.into()).expect("t of n");
    let (shares, _) = split(&secret, threshold, &indices, &mut rng).expect("indices are distinct");
    let public_shares: Vec<_> = shares.iter().map(|share| share.value.public()).collect();
    let member = |i: u16| Member {
        id: id(i),
        identity: identity_key(i).identity(),
        public_share: public_shares[usize::from(i) - 1],
    };
    let one = |(i, share): (u16, symbolon_sharing::Share<G>)| Parts {
        scheme,
        key_id: KeyId::from_bytes([1; 16]),
        sharing_id: SharingId::from_bytes([2; 16]),
        epoch: 0,
        members: (1..=n).map(member).collect(),
        threshold,
        me: id(i),
        x: share.value,
        public_key: secret.public(),
        chain_code: [4; 32],
        marks: Marks::default(),
    };
    (1..).zip(shares).map(one).map(|parts| KeyShare::new(parts).expect("a share")).collect()
}

pub(crate) fn pair(role: Role) -> Pair {
    let [server, client] = [1, 2].map(|i| identity_key(i).identity());
    Pair::new(role, server, client).expect("two identities")
}

/// One side's factor of a two-party key.
pub(crate) fn factor(role: Role, named: bool) -> PairFactor {
    let [a, b] = [2u64, 3].map(|number| SecretScalar::<Secp256k1>::new(number.into()));
    let public_key = Secp256k1::mul(&b.public(), a.expose());
    let (own, peer) = if role == Role::Server { (a, b.public()) } else { (b, a.public()) };
    let pair = if named { pair(role) } else { role.into() };
    PairFactor::new(pair, KeyId::from_bytes([1; 16]), 1, own, peer, public_key, [3; 32]).expect("a factor")
}

/// The client's session and the server's, each with its first frames.
pub(crate) fn both<P: Protocol>(
    setup: impl Fn(Role) -> P::Setup,
    secrets: impl Fn(Role) -> P::LongTerm,
    input: impl Fn(Role) -> P::Input,
) -> Duo<P> {
    let one = |role: Role| {
        let seed = 100 + u64::from(role.id().get());
        Session::start(setup(role), &secrets(role), input(role), label(), Auth::Channel, &mut seeded(seed))
            .expect("the run starts")
    };
    Duo::new(one(Role::Server), one(Role::Client))
}

fn pair_setups() -> [PairSetup; 2] {
    let terms = |role| PairSetupTerms { pair: pair(role), suite: Suite::Blake3, serial: 0 };
    let (ends, _) = both::<PairSetupRun>(terms, |_| (), |_| ()).run();
    ends.map(|end| end.output)
}

/// Sealed by [`storage`]: pair setups and bank items, of the server and of the client.
pub(crate) struct Stores {
    pub(crate) setups: [Vec<u8>; 2],
    pub(crate) items: [Vec<u8>; 2],
}

pub(crate) static STORES: LazyLock<Stores> = LazyLock::new(|| {
    let [mut server, mut client] = pair_setups();
    let refill = [&mut server, &mut client].map(|setup| PreprocessSetup::new(setup, 1).expect("a run"));
    let [one, two] = refill;
    let one = Session::<Preprocess>::start(one, &(), server, label(), Auth::Channel, &mut seeded(3)).expect("starts");
    let two = Session::<Preprocess>::start(two, &(), client, label(), Auth::Channel, &mut seeded(4)).expect("starts");
    let (ends, _) = Duo::new(one, two).run();
    let sealed = ends.map(|end| {
        let item = end.output.into_iter().next().expect("one item");
        let item = symbolon_ecdsa::hazmat::seal_item(item, &storage(), &mut seeded(5)).expect("sealed");
        let setup = end.held.expect("it comes back").seal(&storage(), &mut seeded(6)).expect("sealed");
        (setup, item)
    });
    let [(s, i), (t, j)] = sealed;
    Stores { setups: [s, t], items: [i, j] }
});

/// A refresh of 2 of 3 by 1 and 2 while 3 is not there, with everything that was said.
pub(crate) struct Refreshed<G: Group> {
    pub(crate) old: Vec<KeyShare<G>>,
    pub(crate) absent: Vec<(PartyId, SealTo)>,
    pub(crate) outputs: BTreeMap<PartyId, Reshared<G>>,
    /// The signed confirmations of the members that were there.
    pub(crate) confirmations: Vec<Vec<u8>>,
}

pub(crate) fn device() -> DeviceKey {
    DeviceKey::derive(&SecretBytes::new([9; 32]))
}

pub(crate) fn refreshed<G: Group>(scheme: Scheme, to: SealTo) -> Refreshed<G> {
    let old = dealt::<G>(2, 3, scheme, 11);
    let absent = vec![(id(3), to)];
    let dealers = [id(1), id(2)];
    let start = |share: &KeyShare<G>| {
        let (setup, source) = refresh(share, &dealers, 1, Factors::Gone).expect("a plan");
        let setup = setup.with_offline(&absent).expect("one may be offline");
        let (me, mut rng) = (share.me(), seeded(u64::from(share.me().get())));
        let auth = signed(me.get());
        (me, Session::<Reshare<G, _>>::start(setup, &source, (), label(), auth, &mut rng).expect("the run starts"))
    };
    let crowd = Crowd::new(old.iter().take(2).map(start)).run();
    let last = |bytes: &Vec<u8>| bytes[2] == <Reshare<G, symbolon_sharing::Refreshes> as Protocol>::ROUNDS;
    let confirmations = crowd.sent.iter().map(|(_, frame)| frame.bytes.clone()).filter(last).collect();
    let outputs = crowd.outputs().into_iter().map(|(id, (output, _))| (id, output)).collect();
    Refreshed { old, absent, outputs, confirmations }
}

/// What two nodes have of a key that the first of them has imported.
pub(crate) fn imported<G: Group>(scheme: Scheme) -> Vec<Imported<G>> {
    let key = SecretScalar::<G>::random(&mut seeded(20));
    let plan = symbolon_sharing::Import {
        dealer: members([1])[0],
        new: members([1, 2]),
        threshold: Threshold::TWO,
        scheme,
        public_key: key.public(),
    };
    let mut key = Some((key, [6; 32]));
    let mut start = |me: u16| {
        let (setup, source) = symbolon_sharing::import(id(me), key.take(), plan.clone()).expect("a plan");
        let mut rng = seeded(u64::from(me));
        let started = Session::<Reshare<G, Imports>>::start(setup, &source, (), label(), signed(me), &mut rng);
        (id(me), started.expect("the run starts"))
    };
    let crowd = Crowd::new([start(1), start(2)]);
    crowd.outputs().into_values().map(|(output, _)| output).collect()
}

/// The plan that brings a newcomer, 4, into the committee of the old shares.
pub(crate) fn hand_over_plan<G: Group>(share: &KeyShare<G>) -> Plan<G> {
    let dealers: Vec<_> = (1..=share.threshold().get()).map(id).collect();
    let mut plan = Plan::of(share, &dealers, 1, Factors::Gone);
    plan.new = members([1, 2, 4]);
    plan
}
