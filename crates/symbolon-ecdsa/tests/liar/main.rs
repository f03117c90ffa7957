//! A lying party against an honest one while pre-processing and signing, both behind sessions with signed frames: every
//! check ends the run with its own fault, names the liar where the class says so, and burns the pair setup where the
//! class says so. The checks that only a peer with all secrets can reach are in `src/tests.rs`.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod agreement;
mod online;
mod pinned;
mod preprocess;
mod scratch;
mod stored;

use std::sync::OnceLock;
use symbolon_core::{Group, KeyId, PartyId, Role, Secp256k1, SecretBytes, SecretScalar, SetupId, SharingId, Threshold};
use symbolon_ecdsa::{
    Bank, DerivationPath, FullSetup, OnlineSetup, Payload, Preprocess, PreprocessSetup, Preprocessed, SignFull,
    SignOnline,
};
use symbolon_mta::{PairSetup, PairSetupRun, PairSetupTerms, Suite};
use symbolon_session::{Auth, Fault, FloorId, IdentityKey, Label, Outgoing, Pair, Protocol, Session, StorageKey};
use symbolon_sharing::{KeyShare, Marks, Member, Parts, Scheme};
use symbolon_testkit::{Duo, Fate, Lie, Lying, Telling, seeded};

pub(crate) type Point = <Secp256k1 as Group>::Point;
pub(crate) type Scalar = <Secp256k1 as Group>::Scalar;
pub(crate) type Share = KeyShare<Secp256k1>;
pub(crate) type Started<P> = (Session<P>, Vec<Outgoing>);

pub(crate) fn identity(role: Role) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(role.id().get()).unwrap(); 32]))
}

pub(crate) fn pair(role: Role) -> Pair {
    Pair::new(role, identity(Role::Server).identity(), identity(Role::Client).identity()).unwrap()
}

pub(crate) fn start<P: Protocol>(
    role: Role,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    seed: u64,
) -> Started<P> {
    let label = Label::new("liar").unwrap();
    Session::start(setup, secrets, input, label, Auth::Signed(identity(role)), &mut seeded(seed)).unwrap()
}

pub(crate) fn lying<P: Protocol>(
    role: Role,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    seed: u64,
    lie: impl FnMut(&mut Telling<'_>) + 'static,
) -> Started<Lying<P>> {
    let lie: Lie = Box::new(lie);
    start(role, setup, secrets, (input, lie), seed)
}

/// A 2-of-2 share of the key `secret`.
pub(crate) fn share(role: Role, secret: u64) -> Share {
    let x = |index: u64| Scalar::from(secret) + Scalar::from(1_000_003 * index);
    let member = |role: Role| Member {
        id: role.id(),
        identity: *pair(role).identity(role),
        public_share: Secp256k1::mul_base(&x(role.id().get().into())),
    };
    KeyShare::new(Parts {
        scheme: Scheme::Ecdsa,
        key_id: KeyId::from_bytes([u8::try_from(secret).unwrap(); 16]),
        sharing_id: SharingId::from_bytes([2; 16]),
        epoch: 0,
        members: vec![member(Role::Server), member(Role::Client)],
        threshold: Threshold::TWO,
        me: role.id(),
        x: SecretScalar::new(x(role.id().get().into())),
        public_key: Secp256k1::mul_base(&Scalar::from(secret)),
        chain_code: [4; 32],
        marks: Marks::default(),
    })
    .unwrap()
}

pub(crate) const KEY: u64 = 200;

/// The pair setups of these tests, made once, sealed, and opened for each use, as no caller of the library can.
pub(crate) fn setup(role: Role) -> PairSetup {
    static MADE: OnceLock<[Vec<u8>; 2]> = OnceLock::new();
    let key = || StorageKey::new(SecretBytes::new([5; 32]));
    let one = |role: Role| {
        let terms = PairSetupTerms { pair: pair(role), suite: Suite::Blake3, serial: 0 };
        start::<PairSetupRun>(role, terms, &(), (), 90 + u64::from(role.id().get()))
    };
    let made = MADE.get_or_init(|| {
        let made = Duo::new(one(Role::Server), one(Role::Client)).run().0;
        made.map(|end| end.output.seal(&key(), &mut seeded(5)).unwrap())
    });
    PairSetup::open(&made[if role == Role::Server { 0 } else { 1 }], &key()).unwrap()
}

pub(crate) fn setup_id() -> SetupId {
    setup(Role::Server).id()
}

pub(crate) fn preprocess(role: Role, count: u16, seed: u64) -> Started<Preprocess> {
    let mut ots = setup(role);
    start(role, PreprocessSetup::new(&mut ots, count).unwrap(), &(), ots, seed)
}

/// Two items of each side: the server's, the client's. The same seed gives the same items.
pub(crate) fn items(seed: u64) -> [Vec<Preprocessed>; 2] {
    Duo::new(preprocess(Role::Server, 2, seed), preprocess(Role::Client, 2, seed + 1)).run().0.map(|end| end.output)
}

/// The first item of a side.
pub(crate) fn item(role: Role, seed: u64) -> Preprocessed {
    let [server, client] = items(seed);
    if role == Role::Server { server } else { client }.remove(0)
}

pub(crate) fn payload() -> Payload {
    Payload::personal_message("pay 1")
}

pub(crate) fn path() -> DerivationPath {
    "m/0/5".parse().unwrap()
}

pub(crate) fn online(role: Role, seed: u64) -> Started<SignOnline> {
    let (share, item) = (share(role, KEY), item(role, seed));
    start(role, OnlineSetup::new(&share, &item, payload(), path()).unwrap(), &share, item, 1)
}

pub(crate) fn online_liar(
    role: Role,
    seed: u64,
    lie: impl FnMut(&mut Telling<'_>) + 'static,
) -> Started<Lying<SignOnline>> {
    let (share, item) = (share(role, KEY), item(role, seed));
    lying(role, OnlineSetup::new(&share, &item, payload(), path()).unwrap(), &share, item, 1, lie)
}

pub(crate) fn full(role: Role, seed: u64) -> Started<SignFull> {
    let (share, mut ots) = (share(role, KEY), setup(role));
    start(role, FullSetup::new(&share, &mut ots, payload(), path()).unwrap(), &share, ots, seed)
}

pub(crate) fn full_liar(
    role: Role,
    seed: u64,
    lie: impl FnMut(&mut Telling<'_>) + 'static,
) -> Started<Lying<SignFull>> {
    let (share, mut ots) = (share(role, KEY), setup(role));
    lying(role, FullSetup::new(&share, &mut ots, payload(), path()).unwrap(), &share, ots, seed, lie)
}

/// Changes one message of the liar.
pub(crate) fn at(message: usize, change: impl Fn(&mut Vec<u8>) + 'static) -> impl FnMut(&mut Telling<'_>) + 'static {
    move |telling| {
        if telling.message == message {
            change(telling.body);
        }
    }
}

pub(crate) type Change = fn(&mut [u8], usize);

/// Adds one to the scalar at `at`.
pub(crate) fn bump(body: &mut [u8], at: usize) {
    let field: [u8; 32] = body[at..at + 32].try_into().unwrap();
    let more = Secp256k1::scalar_from_bytes(&field).unwrap() + Scalar::from(1u64);
    body[at..at + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&more));
}

/// Adds `G` to the point at `at`.
pub(crate) fn shift(body: &mut [u8], at: usize) {
    add(body, at, &Secp256k1::generator());
}

pub(crate) fn add(body: &mut [u8], at: usize, other: &Point) {
    let sum = Secp256k1::point_from_bytes(&body[at..at + 33]).unwrap() + *other;
    body[at..at + 33].copy_from_slice(Secp256k1::point_to_bytes(&sum).as_ref());
}

/// Bad encodings of a point, and what each is refused for.
pub(crate) fn bad_points() -> Vec<([u8; 33], symbolon_core::wire::DecodeError)> {
    use symbolon_core::wire::DecodeError;
    let (mut off_curve, mut tag_05) = ([0; 33], [0; 33]);
    // x = 5 has no y on secp256k1
    (off_curve[0], off_curve[32]) = (2, 5);
    tag_05.copy_from_slice(Secp256k1::point_to_bytes(&Secp256k1::generator()).as_ref());
    tag_05[0] = 5;
    vec![([0; 33], DecodeError::Identity), (off_curve, DecodeError::Point), (tag_05, DecodeError::Point)]
}

/// `q`, `q + 1`, `2^256 - 1`.
pub(crate) fn bad_scalars() -> [[u8; 32]; 3] {
    let minus_one = Secp256k1::scalar_to_bytes(&-Scalar::from(1u64));
    let (mut q, mut q_plus_1) = (minus_one, minus_one);
    q[31] += 1;
    q_plus_1[31] += 2;
    [q, q_plus_1, [0xff; 32]]
}

pub(crate) const SERVER: Option<PartyId> = Some(PartyId::SERVER);
pub(crate) const CLIENT: Option<PartyId> = Some(PartyId::CLIENT);

pub(crate) fn failure<P: Protocol>(fate: &Fate<P>) -> (Fault, Option<PartyId>, Vec<SetupId>) {
    let (fault, culprit, setups) = fate.failure();
    (fault, culprit, setups.to_vec())
}

/// The verdict of a burn by `by`.
pub(crate) fn burned(fault: Fault, by: Option<PartyId>) -> (Fault, Option<PartyId>, Vec<SetupId>) {
    (fault, by, vec![setup_id()])
}

// attacks.md row 43: an item leaves the bank once; there is no way to put it back, and no copy of it
#[test]
fn row_43_a_bank_item_is_taken_once() {
    let [server, _] = items(500);
    let ids: Vec<_> = server.iter().map(Preprocessed::id).collect();
    assert_ne!(ids[0], ids[1]);
    let mut bank = Bank::new();
    bank.put(server);
    assert_eq!(bank.left(&setup_id()), 2);
    assert!(bank.take(&ids[1]).is_some());
    assert!(bank.take(&ids[1]).is_none(), "taken for good");
    assert_eq!(bank.take_any(&setup_id()).map(|item| item.id()), Some(ids[0]));
    assert!(bank.take_any(&setup_id()).is_none());
    // a burned setup takes its items along, and only its own
    let [server, _] = items(500);
    bank.put(server);
    bank.burn(&SetupId::from_bytes([9; 16]));
    assert_eq!(bank.left(&setup_id()), 2);
    bank.burn(&setup_id());
    assert_eq!(bank.left(&setup_id()), 0);
    // and so does a raised floor of the pair
    let [server, _] = items(500);
    bank.put(server);
    let floor = pair(Role::Server).floor();
    bank.destroy_below(&FloorId::key(&KeyId::from_bytes([9; 16])), 1);
    assert_eq!(bank.left(&setup_id()), 2, "another floor");
    bank.destroy_below(&floor, 0);
    assert_eq!(bank.left(&setup_id()), 2);
    bank.destroy_below(&floor, 1);
    assert_eq!(bank.left(&setup_id()), 0);
}

// attacks.md row 56: scalars come from 512 bits. (2^512 - 1) mod q, computed by other means; a 256-bit reduction of the
// same stream would give 2^256 - 1 - q
#[test]
fn row_56_scalars_are_reduced_from_64_bytes() {
    struct Ones;
    impl rand_core::TryRng for Ones {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::MAX)
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::MAX)
        }
        fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Self::Error> {
            dst.fill(0xff);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Ones {}
    let k = Secp256k1::random_scalar(&mut Ones);
    let expected = "9d671cd581c69bc5e697f5e45bcd07c6741496c20e7cf878896cf21467d7d13f";
    assert_eq!(hex::encode(Secp256k1::scalar_to_bytes(&k)), expected);
}

// attacks.md row 76: whatever can be formatted tells nothing of a share, whole or in part
#[test]
fn row_76_nothing_formatted_holds_a_secret() {
    let mut text = String::new();
    let mut say = |value: &dyn core::fmt::Debug| {
        text += &format!("{value:?} {value:#?}\n");
    };
    let secrets = [Role::Server, Role::Client].map(|role| *share(role, KEY).secret().to_bytes().expose());
    let (mut server, _) = online(Role::Server, 100);
    let (mut client, frames) = online(Role::Client, 100);
    say(&server);
    say(&client);
    say(&frames);
    let step = server.handle(PartyId::CLIENT, &frames[0].bytes).unwrap();
    say(&step);
    let symbolon_session::Step::Done(output, _, frames) = step else { panic!("one round trip") };
    say(&output);
    let step = client.handle(PartyId::SERVER, &frames[0].bytes).unwrap();
    say(&step);
    let item = item(Role::Client, 100);
    let setup = OnlineSetup::new(&share(Role::Client, KEY), &item, payload(), path()).unwrap();
    say(&setup);
    say(setup.request());
    say(setup.request().terms());
    say(&PreprocessSetup::new(&mut self::setup(Role::Server), 1).unwrap());
    // a failure and its cause
    let lie = at(1, |body| bump(body, 33));
    let fate = symbolon_testkit::duel(
        online(Role::Server, 100),
        online_liar(Role::Client, 100, lie),
        PartyId::SERVER,
        PartyId::CLIENT,
    );
    let Fate::Failed(error) = fate else { panic!("a lie") };
    say(&error);
    text += &error.to_string();
    assert!(text.len() > 1000);
    let text = text.to_lowercase().replace(char::is_whitespace, "");
    for secret in secrets {
        // the shares of these tests are small numbers: their last bytes are what tells them
        let tail = &secret[28..];
        assert!(!text.contains(&hex::encode(tail)));
        let numbers = tail.iter().map(u8::to_string).collect::<Vec<_>>().join(",");
        assert!(!text.contains(&numbers));
        let mut reversed = tail.to_vec();
        reversed.reverse();
        assert!(!text.contains(&hex::encode(reversed)));
    }
}

// attacks.md row 71: eight sessions side by side on the items of one setup; one is cheated
#[test]
fn row_71_one_cheated_session_of_eight() {
    use symbolon_session::{Error, Step};
    let sessions = |share: &Share, items: Vec<Preprocessed>| -> Vec<Started<SignOnline>> {
        let one = |item| {
            let setup = OnlineSetup::new(share, &item, payload(), path()).unwrap();
            start::<SignOnline>(pair_role(share), setup, share, item, 1)
        };
        items.into_iter().map(one).collect()
    };
    let ends = Duo::new(preprocess(Role::Server, 12, 7), preprocess(Role::Client, 12, 8)).run().0;
    let [mut server, mut client] = ends.map(|end| end.output);
    // eight are started, four wait in the bank
    let mut bank = Bank::new();
    bank.put(server.split_off(8));
    let waiting: Vec<_> = client.split_off(8).iter().map(Preprocessed::id).collect();
    let mut servers = sessions(&share(Role::Server, KEY), server);
    // the fifth client is a liar: it has the share of another key
    let liar = client.remove(4);
    let mut clients = sessions(&share(Role::Client, KEY), client);
    let setup = OnlineSetup::new(&share(Role::Client, KEY), &liar, payload(), path()).unwrap();
    let liar = lying::<SignOnline>(Role::Client, setup, &share(Role::Client, KEY + 1), liar, 1, |_| ());
    // the lie is met first
    let Err(Error::Burned(burned)) = servers.remove(4).0.handle(PartyId::CLIENT, &liar.1[0].bytes) else { panic!() };
    assert_eq!((burned.fault, burned.culprit, burned.setups.as_slice()), (Fault::Exponent, CLIENT, &[setup_id()][..]));
    bank.burn(&burned.setups[0]);
    assert!(waiting.iter().all(|id| bank.take(id).is_none()), "items that have not started are refused");
    assert_eq!((servers.len(), clients.len()), (7, 7));
    for ((server, _), (client, first)) in servers.iter_mut().zip(&mut clients) {
        let Ok(Step::Done(_, _, frames)) = server.handle(PartyId::CLIENT, &first[0].bytes) else { panic!() };
        let done = client.handle(PartyId::SERVER, &frames[0].bytes);
        assert!(matches!(done, Ok(Step::Done(..))), "what has started finishes");
    }
    // a new setup works
    let one = |role: Role| {
        let terms = PairSetupTerms { pair: pair(role), suite: Suite::Blake3, serial: 0 };
        start::<PairSetupRun>(role, terms, &(), (), 190 + u64::from(role.id().get()))
    };
    let made = Duo::new(one(Role::Server), one(Role::Client)).run().0.map(|end| end.output);
    assert_ne!(made[0].id(), setup_id());
    let [server, client] = made;
    let full = |role, mut ots: PairSetup| {
        let setup = FullSetup::new(&share(role, KEY), &mut ots, payload(), path()).unwrap();
        start::<SignFull>(role, setup, &share(role, KEY), ots, 1)
    };
    Duo::new(full(Role::Server, server), full(Role::Client, client)).run();
}

fn pair_role(share: &Share) -> Role {
    symbolon_ecdsa::pair_of(share).unwrap().role()
}
