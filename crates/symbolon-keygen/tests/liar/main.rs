//! A lying party against an honest one, both behind sessions with signed frames: every check of this crate ends the run
//! with its own fault, names the liar where the class says so, and burns the pair setup where the class says so.

#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    reason = "a test"
)]

mod convert;
mod keygen;
mod pinned;
mod refresh;

use symbolon_core::{Group, KeyId, PartyId, Role, Secp256k1, SecretBytes, SecretScalar, SeedRng, Sid, wire::Writer};
use symbolon_keygen::{Keygen, KeygenSetup};
use symbolon_mta::{PairSetup, PairSetupRun, PairSetupTerms, Suite};
use symbolon_proofs::SchnorrProof;
use symbolon_session::{Auth, IdentityKey, Label, Outgoing, Pair, Protocol, Session, StorageKey};
use symbolon_sharing::PairFactor;
use symbolon_testkit::{Duo, Lie, Lying, Script, Scripted, Telling, seeded};

pub(crate) type Point = <Secp256k1 as Group>::Point;
pub(crate) type Scalar = <Secp256k1 as Group>::Scalar;
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

pub(crate) fn scripted<P: Protocol>(
    role: Role,
    setup: P::Setup,
    seed: u64,
    script: impl FnMut(&symbolon_session::Run, Option<symbolon_core::wire::Reader<'_>>, &mut SeedRng) -> Option<Vec<u8>>
    + 'static,
) -> Started<Scripted<P>> {
    let script: Script = Box::new(script);
    start(role, setup, &(), script, seed)
}

/// Two honest factors of one key: server, client.
pub(crate) fn factors(seed: u64) -> [PairFactor; 2] {
    let one = |role| start::<Keygen>(role, KeygenSetup::new(pair(role)), &(), (), seed + u64::from(role.id().get()));
    Duo::new(one(Role::Server), one(Role::Client)).run().0.map(|end| end.output)
}

/// A factor of the client's key with another secret: consistent in itself, so that honest code runs with it.
pub(crate) fn factor(role: Role, secret: Scalar, peer_point: Point) -> PairFactor {
    let public_key = Secp256k1::mul(&peer_point, &secret);
    let key_id = KeyId::from_bytes([9; 16]);
    PairFactor::new(pair(role), key_id, 0, SecretScalar::new(secret), peer_point, public_key, [8; 32]).unwrap()
}

/// An honest pair setup: server, client.
pub(crate) fn pair_setups(seed: u64) -> [PairSetup; 2] {
    let one = |role: Role| {
        let terms = PairSetupTerms { pair: pair(role), suite: Suite::Blake3, serial: 0 };
        start::<PairSetupRun>(role, terms, &(), (), seed + u64::from(role.id().get()))
    };
    Duo::new(one(Role::Server), one(Role::Client)).run().0.map(|end| end.output)
}

pub(crate) fn scalar(n: u64) -> Scalar {
    Scalar::from(n)
}

pub(crate) fn point(n: u64) -> Point {
    Secp256k1::mul_base(&scalar(n))
}

pub(crate) fn encoded(point: &Point) -> [u8; 33] {
    Secp256k1::point_to_bytes(point).as_ref().try_into().unwrap()
}

pub(crate) fn read_point(bytes: &[u8]) -> Point {
    Secp256k1::point_from_bytes(bytes).unwrap()
}

pub(crate) fn read_scalar(bytes: &[u8]) -> Scalar {
    Secp256k1::scalar_from_bytes(bytes.try_into().unwrap()).unwrap()
}

/// Adds one to the scalar at `at`.
pub(crate) fn bump(body: &mut [u8], at: usize) {
    let more = read_scalar(&body[at..at + 32]) + scalar(1);
    body[at..at + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&more));
}

/// Adds `G` to the point at `at`.
pub(crate) fn shift(body: &mut [u8], at: usize) {
    let other = read_point(&body[at..at + 33]) + Secp256k1::generator();
    body[at..at + 33].copy_from_slice(&encoded(&other));
}

/// The bytes of a proof of `x` under `context`.
pub(crate) fn proof(context: &symbolon_core::Transcript, x: Scalar) -> Vec<u8> {
    let x = SecretScalar::<Secp256k1>::new(x);
    let mut w = Writer::new();
    SchnorrProof::publish(context, &x, &mut SeedRng::new(&[3; 32])).1.encode(&mut w);
    w.finish()
}

pub(crate) const SERVER: Option<PartyId> = Some(PartyId::SERVER);
pub(crate) const CLIENT: Option<PartyId> = Some(PartyId::CLIENT);

/// Bad encodings of a point, and what each is refused for.
pub(crate) fn bad_points() -> Vec<([u8; 33], symbolon_core::wire::DecodeError)> {
    use symbolon_core::wire::DecodeError;
    let mut x_too_large = [0xff; 33];
    x_too_large[0] = 2;
    let mut off_curve = [0; 33];
    // x = 5 has no y on secp256k1
    (off_curve[0], off_curve[32]) = (2, 5);
    let mut tag_05 = encoded(&point(7));
    tag_05[0] = 5;
    vec![
        ([0; 33], DecodeError::Identity),
        (x_too_large, DecodeError::Point),
        (off_curve, DecodeError::Point),
        (tag_05, DecodeError::Point),
    ]
}

/// Encodings of scalars that are not below the order: `q`, `q + 1`, `2^256 - 1`.
pub(crate) fn bad_scalars() -> [[u8; 32]; 3] {
    let minus_one = Secp256k1::scalar_to_bytes(&-scalar(1));
    let (mut q, mut q_plus_1) = (minus_one, minus_one);
    q[31] += 1;
    q_plus_1[31] += 2;
    [q, q_plus_1, [0xff; 32]]
}

/// A pair setup that a test uses many times, as no caller of the library can: sealed once, opened for each use.
pub(crate) fn sealed(setup: PairSetup) -> Vec<u8> {
    setup.seal(&key(), &mut seeded(5)).unwrap()
}

pub(crate) fn opened(sealed: &[u8]) -> PairSetup {
    PairSetup::open(sealed, &key()).unwrap()
}

fn key() -> StorageKey {
    StorageKey::new(SecretBytes::new([5; 32]))
}

pub(crate) fn sid(n: u8) -> Sid {
    Sid::from_bytes([n; 32])
}
