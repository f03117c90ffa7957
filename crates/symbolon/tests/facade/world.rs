//! Two parties with identity keys, their wallet and their pair setups, for tests of every kind.

#![allow(dead_code, unreachable_pub, reason = "every test uses its own part of it")]

use symbolon::{
    Auth, Identity, IdentityKey, Label, Pair, PairSetup, Payload, Preprocess, PreprocessSetup, Preprocessed, Role,
    SecretBytes, Session, Signed, StorageKey,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};
use symbolon_testkit::{Duo, Wire, seeded};

pub const ROLES: [Role; 2] = [Role::Server, Role::Client];

pub const fn slot(role: Role) -> usize {
    match role {
        Role::Server => 0,
        Role::Client => 1,
    }
}

pub fn label(text: &str) -> Label {
    Label::new(text).unwrap()
}

fn identity_key(role: Role) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([if role == Role::Server { 101 } else { 102 }; 32]))
}

pub fn identity(role: Role) -> Identity {
    identity_key(role).identity()
}

pub fn signed(role: Role) -> Auth {
    Auth::Signed(identity_key(role))
}

pub fn auth(wire: Wire, role: Role) -> Auth {
    if wire == Wire::Hostile { signed(role) } else { Auth::Channel }
}

pub fn pair(role: Role) -> Pair {
    Pair::new(role, identity(Role::Server), identity(Role::Client)).unwrap()
}

pub fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([9; 32]))
}

/// A wallet on both sides, and a pair setup that every run gets a copy of: tests may, nobody else.
pub struct World {
    pub wallets: [Wallet; 2],
    setups: [Vec<u8>; 2],
}

pub fn created(seed: u64, setup: impl Fn(CreateSetup) -> CreateSetup) -> [(Wallet, Made); 2] {
    let mut rng = seeded(seed);
    let mut start =
        |role| wallet::create(setup(CreateSetup::new(pair(role))), label("world"), Auth::Channel, &mut rng).unwrap();
    let (ends, _) = Duo::<Create>::new(start(Role::Server), start(Role::Client)).run();
    ends.map(|end| (end.output, end.held.unwrap()))
}

impl World {
    pub fn new(seed: u64) -> Self {
        let [(server, s), (client, c)] = created(seed, |setup| setup);
        let seal = |made: Made| made.setup.seal(&storage(), &mut seeded(seed)).unwrap();
        Self { wallets: [server, client], setups: [seal(s), seal(c)] }
    }

    pub fn wallet(&self, role: Role) -> &Wallet {
        &self.wallets[slot(role)]
    }

    pub fn setup(&self, role: Role) -> PairSetup {
        PairSetup::open(&self.setups[slot(role)], &storage()).unwrap()
    }

    /// A batch of bank items, the same for the same seed.
    pub fn items(&self, seed: u64, count: u16) -> [Vec<Preprocessed>; 2] {
        let mut rng = seeded(seed);
        let mut start = |role| {
            let mut ots = self.setup(role);
            let setup = PreprocessSetup::new(&mut ots, count).unwrap();
            Session::<Preprocess>::start(setup, &(), ots, label("refill"), Auth::Channel, &mut rng).unwrap()
        };
        let (ends, _) = Duo::new(start(Role::Server), start(Role::Client)).run();
        ends.map(|end| end.output)
    }

    /// The signature is the one that the server released, and recovers to the wallet's address.
    pub fn check_signed(&self, [server, client]: [&Signed; 2], payload: &Payload) {
        let (Signed::Signature(signature), Signed::Released(released)) = (client, server) else {
            panic!("the client has the signature, the server a record")
        };
        assert!(released.is_completed_by(signature));
        assert_eq!(released.payload(), payload);
        let recovered = signature.recover(&payload.digest()).unwrap();
        assert_eq!(symbolon::EthereumAddress::from_public_key(&recovered), self.wallets[0].address());
    }
}
