//! Two parties, their keys and their frames' fields.

use symbolon_core::wire::Reader;
use symbolon_core::{PartyId, Role, SecretBytes};
use symbolon_session::{Identity, IdentityKey, Pair, Storable, StorageKey};
use symbolon_testkit::siege::{Curve, Field, Kind};

pub(crate) const ROLES: [Role; 2] = [Role::Server, Role::Client];
pub(crate) const POINT: Kind = Kind::Point(Curve::Secp256k1);
pub(crate) const SCALAR: Kind = Kind::Scalar(Curve::Secp256k1);
pub(crate) const HASH: Kind = Kind::Bytes(32);
const BLOCK: Kind = Kind::Bytes(16);

/// The key of a party, the same in every case: only the run tells frames apart.
pub(crate) fn identity_key(member: PartyId) -> IdentityKey {
    let mut seed = [3; 32];
    seed[..2].copy_from_slice(&member.get().to_be_bytes());
    IdentityKey::from_seed(SecretBytes::new(seed))
}

pub(crate) fn identity(member: PartyId) -> Identity {
    identity_key(member).identity()
}

pub(crate) fn role(member: PartyId) -> Role {
    if member == Role::Server.id() { Role::Server } else { Role::Client }
}

pub(crate) const fn slot(role: Role) -> usize {
    match role {
        Role::Server => 0,
        Role::Client => 1,
    }
}

pub(crate) fn pair(role: Role) -> Pair {
    Pair::new(role, identity(Role::Server.id()), identity(Role::Client.id())).unwrap()
}

pub(crate) fn both() -> Vec<PartyId> {
    ROLES.map(Role::id).to_vec()
}

pub(crate) fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([9; 32]))
}

/// Secrets are not copied; tests may open them twice.
pub(crate) fn again<T: Storable>(value: &T) -> T {
    T::decode(&mut Reader::new(&value.to_secret_bytes())).unwrap()
}

/// A proof of knowledge.
pub(crate) fn schnorr() -> Vec<Field> {
    vec![Field::one("pi: K", POINT), Field::one("pi: z", SCALAR)]
}

/// An extension message for `count` multiplications.
pub(crate) fn extension(names: [&'static str; 3], blocks: usize) -> Vec<Field> {
    vec![
        Field::many(names[0], Kind::Bytes(16 * (blocks + 1)), 32),
        Field::one(names[1], BLOCK),
        Field::one(names[2], HASH),
    ]
}

pub(crate) const EXTENSION: [&str; 3] = ["U", "x~", "extension hash"];

/// A multiplication message of one item.
pub(crate) fn multiplication(ell: usize) -> Vec<Field> {
    vec![Field::many("a~ matrix", SCALAR, 768 * (ell + 1)), Field::one("eta", SCALAR), Field::one("mu", HASH)]
}

/// The body of message `round` of a pair setup (docs/spec/mta.md).
pub(crate) fn pair_setup(round: u8) -> Vec<Field> {
    let pprf = || {
        let tree = [Field::many("PPRF correction", BLOCK, 6), Field::one("t~", HASH)];
        [tree.repeat(32), vec![Field::one("PPRF hash", HASH)]].concat()
    };
    match round {
        1 => [vec![Field::one("base OT B", POINT)], schnorr(), vec![Field::one("zero com", HASH)]].concat(),
        2 => vec![Field::many("A_j", POINT, 128), Field::one("zero half", HASH)],
        3 => vec![
            Field::many("e_j", HASH, 128),
            Field::one("zero half", HASH),
            Field::one("zero opening", HASH),
            Field::one("zero check", HASH),
        ],
        4 => vec![Field::many("responses", HASH, 128)],
        5 => [vec![Field::many("openings", HASH, 256)], pprf(), extension(["boot U", "boot x~", "boot hash"], 1)]
            .concat(),
        6 => pprf(),
        _ => Vec::new(),
    }
}

/// Step 3 of a signature.
pub(crate) fn step_3() -> Vec<Field> {
    vec![
        Field::one("R", POINT),
        Field::one("gamma_k", SCALAR),
        Field::one("gamma_x", SCALAR),
        Field::one("Gamma_k", POINT),
        Field::one("Gamma_x", POINT),
    ]
}

/// Step 3 of the server, with its opening, and step 4.
pub(crate) fn server_signs() -> Vec<Field> {
    let step_4 = vec![Field::one("u", SCALAR), Field::one("w", SCALAR), Field::one("view hash", HASH)];
    [vec![Field::one("opening", HASH)], step_3(), step_4].concat()
}

/// docs/spec/mta.md, mta 2: a changed correction is seen exactly if it is on the side that the sender uses.
pub(crate) const UNUSED: &str = "of the two corrections of a level one is used, and the other is never read";
