//! Stored objects: what is read is valid and has one encoding, sealed or not.

use crate::{
    bytes::Bytes,
    memory::bounded,
    world::{self, STORES, storage},
};
use std::sync::LazyLock;
use symbolon::wallet::Wallet;
use symbolon_core::{Ed25519, Group, PartyId, Role, Secp256k1, SecretBytes, Threshold, wire::Reader};
use symbolon_eddsa::FrostRequest;
use symbolon_keygen::{Keygen, KeygenSetup, RefreshSetup};
use symbolon_mta::PairSetup;
use symbolon_session::{Auth, MemoryLedger, Session, Storable};
use symbolon_sharing::{
    Batch, Custody, Dkg, DkgSetup, KeyHealth, KeyShare, Package, PairFactor, Refreshes, ReshareSetup, Reshared,
    ResharedBatch, Scheme, SealTo, refresh, refresh_batch, split_factor,
};
use symbolon_testkit::{Crowd, seeded};

/// A kind of object: some valid ones, and what reads and checks one.
struct Kind {
    valid: Vec<Vec<u8>>,
    read: fn(&[u8]) -> bool,
}

fn of<T: Storable>(values: impl IntoIterator<Item = T>) -> Kind {
    Kind { valid: values.into_iter().map(|value| value.to_secret_bytes().to_vec()).collect(), read: plain::<T> }
}

/// What lies under the seal of these.
fn sealed_as(kind: &[u8; 8], sealed: &[Vec<u8>], read: fn(&[u8]) -> bool) -> Kind {
    let open = |bytes: &Vec<u8>| storage().open(kind, bytes).expect("sealed here").to_vec();
    Kind { valid: sealed.iter().map(open).collect(), read }
}

static KINDS: LazyLock<Vec<Kind>> = LazyLock::new(|| {
    let ecdsa = || world::dealt::<Secp256k1>(2, 2, Scheme::Ecdsa, 1);
    let frost = || world::dealt::<Ed25519>(2, 3, Scheme::Frost, 2);
    let wider = || world::dealt::<Secp256k1>(3, 5, Scheme::Ecdsa, 3);
    let custody = |share: &KeyShare<Secp256k1>| Custody::of(share, PartyId::CLIENT).expect("2 of 2");
    let client = ecdsa().into_iter().find(|share| share.me() == PartyId::CLIENT).expect("the client's");
    let client_share = custody(&client).client_share(&client).map_err(|_| ()).expect("its own");
    let nodes = [3, 7, 40].map(world::id);
    let pieces =
        split_factor(&world::factor(Role::Server, true), Threshold::new(3, 3).expect("3 of 3"), &nodes, &mut seeded(1));
    let one = world::refreshed::<Ed25519>(Scheme::Frost, SealTo::Device(*world::device().public()));
    let two = world::refreshed::<Secp256k1>(Scheme::Ecdsa, SealTo::OldShare);
    let packages: Vec<Package> = one.outputs.values().filter_map(|out| out.package.clone()).take(1).collect();
    let healths: Vec<KeyHealth> = two.outputs.values().map(|out| out.health.clone()).take(1).collect();
    let batches = |outputs: Vec<Reshared<Secp256k1>>| {
        let of = |mut out: Reshared<Secp256k1>| ResharedBatch {
            package: out.package.take(),
            done: vec![out],
            kept: Vec::new(),
        };
        outputs.into_iter().map(of).take(1).collect::<Vec<_>>()
    };
    let plans = [world::hand_over_plan(&wider()[0]), world::hand_over_plan(&ecdsa()[0])];
    let dkg = DkgSetup::<Secp256k1>::new(
        symbolon_session::Roster::new(world::id(1), world::members([1, 2, 3])).expect("three"),
        Threshold::TWO,
        Scheme::Ecdsa,
    );
    let setup = |share: &KeyShare<Ed25519>| {
        let setup =
            refresh(share, &[world::id(1), world::id(2)], 1, symbolon_sharing::Factors::Kept).expect("a plan").0;
        setup.with_offline(&one.absent).expect("one may be offline")
    };
    let refreshes: Vec<ReshareSetup<Ed25519, Refreshes>> = frost().iter().take(1).map(setup).collect();
    let keys = frost();
    let batch: ReshareSetup<Ed25519, Batch<Refreshes>> =
        refresh_batch(&[(&keys[1], 4, symbolon_sharing::Factors::Gone)], &[world::id(2), world::id(3)])
            .expect("a plan")
            .0;
    let newcomer = symbolon_sharing::hand_over(
        world::id(4),
        None,
        plans[0].clone(),
        &symbolon_sharing::Consent::new(plans[0].changes()),
    );
    let imports = {
        let plan = symbolon_sharing::Import::<Ed25519> {
            dealer: world::members([5])[0],
            new: world::members([1, 2]),
            threshold: Threshold::TWO,
            scheme: Scheme::Frost,
            public_key: Ed25519::generator(),
        };
        symbolon_sharing::import(world::id(1), None, plan).expect("a plan").0
    };
    let request = FrostRequest::<Ed25519>::new(&frost()[0], &[world::id(1), world::id(3)], "message").expect("signers");
    vec![
        of([world::factor(Role::Server, true), world::factor(Role::Client, false)]),
        of(ecdsa().into_iter().chain(wider())),
        of(frost()),
        of([client_share]),
        of([custody(&client)]),
        of(pieces.expect("three nodes")),
        of(plans),
        of(packages),
        of(healths),
        of(world::imported::<Secp256k1>(Scheme::Ecdsa)),
        of(one.outputs.into_values()),
        of(batches(two.outputs.into_values().collect())),
        of(ecdsa().into_iter().map(Wallet::from_share)),
        of([dkg.expect("a committee")]),
        of(refreshes),
        of([batch]),
        of([newcomer.map_err(|_| ()).expect("a plan").0]),
        of([imports]),
        of([request]),
        of([KeygenSetup::new(world::pair(Role::Client)), KeygenSetup::new(Role::Server)]),
        of([RefreshSetup::new(&world::factor(Role::Client, true), 5).expect("a later generation")]),
        sealed_as(b"pairsetp", &STORES.setups, pair_setup),
        sealed_as(b"bankitem", &STORES.items, bank_item),
        sealed_as(b"session\0", &[suspended::<false>(), suspended::<true>()], session),
        sealed_as(b"pending\0", &[pending()], ending),
    ]
});

/// The target. Gives whether something was read.
pub fn run(data: &[u8]) -> bool {
    let mut input = Bytes(data);
    let (way, kind) = (input.byte(), usize::from(input.byte()));
    let kind = &KINDS[kind % KINDS.len()];
    match way % 4 {
        // these bytes
        1 => (kind.read)(input.rest()),
        // a valid object with fields overwritten
        2 => {
            let mut object = kind.valid[usize::from(input.byte()) % kind.valid.len()].clone();
            let changed = input.overwrite(&mut object);
            let read = (kind.read)(&object);
            assert!(read || changed, "a valid object is read");
            read
        }
        // of another kind
        3 => {
            let other = &KINDS[usize::from(input.byte()) % KINDS.len()];
            (kind.read)(&other.valid[usize::from(input.byte()) % other.valid.len()])
        }
        _ => envelope(&mut input),
    }
}

/// Whether an object is read.
#[cfg(test)]
pub(crate) type Reads = fn(&[u8]) -> bool;

/// How many kinds there are, each with its valid objects: for the tests.
#[cfg(test)]
pub(crate) fn kinds() -> Vec<(usize, Reads, Vec<Vec<u8>>)> {
    KINDS.iter().enumerate().map(|(i, kind)| (i, kind.read, kind.valid.clone())).collect()
}

/// A point in memory has five times its bytes, and lists that grow by doubling are copied once.
const FACTOR: usize = 32;

fn plain<T: Storable>(bytes: &[u8]) -> bool {
    let read = bounded(FACTOR, bytes, || Reader::new(bytes).whole(T::decode));
    let Ok(value) = read else { return false };
    assert!(bytes.len() <= value.max_len(), "the stated bound holds");
    assert_eq!(*value.to_secret_bytes(), *bytes, "one encoding");
    true
}

/// Opens what the storage key has sealed: the seal is no protection from whoever has the key.
fn resealed(kind: &[u8; 8], bytes: &[u8]) -> Vec<u8> {
    storage().seal(kind, bytes, &mut seeded(9)).expect("sealed")
}

fn pair_setup(bytes: &[u8]) -> bool {
    let sealed = resealed(b"pairsetp", bytes);
    // its leaves and their digests, and a copy under the seal
    let Ok(setup) = bounded(FACTOR, bytes, || PairSetup::open(&sealed, &storage())) else { return false };
    let again = setup.seal(&storage(), &mut seeded(8)).expect("sealed");
    assert_eq!(*storage().open(b"pairsetp", &again).expect("sealed here"), *bytes, "one encoding");
    true
}

fn bank_item(bytes: &[u8]) -> bool {
    let sealed = resealed(b"bankitem", bytes);
    let mut ledger = MemoryLedger::default();
    let item = bounded(FACTOR, bytes, || symbolon_ecdsa::hazmat::open_item(&sealed, &storage(), &mut ledger));
    let Ok(item) = item else { return false };
    // it comes alive once
    assert!(symbolon_ecdsa::hazmat::open_item(&sealed, &storage(), &mut ledger).is_err());
    let again = symbolon_ecdsa::hazmat::seal_item(item, &storage(), &mut seeded(8)).expect("sealed");
    assert_eq!(*storage().open(b"bankitem", &again).expect("sealed here"), *bytes, "one encoding");
    true
}

/// A key generation of two, or of three, that was suspended after some frames.
fn suspended<const COMMITTEE: bool>() -> Vec<u8> {
    if COMMITTEE {
        let start = |me: u16| {
            let roster = symbolon_session::Roster::new(world::id(me), world::members([1, 2, 3])).expect("three");
            let setup = DkgSetup::<Ed25519>::new(roster, Threshold::TWO, Scheme::Frost).expect("2 of 3");
            let mut rng = seeded(u64::from(me));
            Session::<Dkg<Ed25519>>::start(setup, &(), (), world::label(), world::signed(me), &mut rng).expect("starts")
        };
        let (mut session, _) = start(1);
        for other in [2, 3] {
            for frame in start(other).1 {
                drop(session.handle(world::id(other), &frame.bytes).map_err(|_| ()).expect("honest"));
            }
        }
        session.suspend(&storage(), &mut seeded(1)).expect("it may be")
    } else {
        let start = |role: Role| {
            let setup = KeygenSetup::new(world::pair(role));
            Session::<Keygen>::start(setup, &(), (), world::label(), Auth::Channel, &mut seeded(2)).expect("starts")
        };
        let ((mut client, _), (_, frames)) = (start(Role::Client), start(Role::Server));
        for frame in frames {
            drop(client.handle(PartyId::SERVER, &frame.bytes).map_err(|_| ()).expect("honest"));
        }
        client.suspend(&storage(), &mut seeded(1)).expect("it may be")
    }
}

/// Replays whatever log it holds.
fn session(bytes: &[u8]) -> bool {
    let key = storage();
    let sealed = resealed(b"session\0", bytes);
    let mut ledger = MemoryLedger::default();
    // what a session has, and what its rounds compute
    let room = vec![0; 4096];
    let two = bounded(FACTOR, &[bytes, &room].concat(), || {
        Session::<Keygen>::resume(&sealed, &key, &(), Auth::Channel, &mut ledger)
    });
    let three = bounded(FACTOR, &[bytes, &room].concat(), || {
        Session::<Dkg<Ed25519>>::resume(&sealed, &key, &(), world::signed(1), &mut ledger)
    });
    assert!(two.is_err() || three.is_err(), "the protocol is named inside");
    let again = match (two, three) {
        (Ok(session), _) => {
            let again = Session::<Keygen>::resume(&sealed, &key, &(), Auth::Channel, &mut ledger);
            assert!(again.is_err(), "once");
            session.suspend(&key, &mut seeded(1)).expect("it was")
        }
        (_, Ok(session)) => session.suspend(&key, &mut seeded(1)).expect("it was"),
        _ => return false,
    };
    // a frame that stands twice in the log is left out: what is written is never longer, and is written the same again
    let written = key.open(b"session\0", &again).expect("sealed here");
    assert!(written.len() <= bytes.len());
    assert!(written.len() < bytes.len() || *written == *bytes, "one encoding");
    true
}

/// A key generation of three that the first has stored.
fn pending() -> Vec<u8> {
    let roster = |me: u16| symbolon_session::Roster::new(world::id(me), world::members([1, 2, 3])).expect("three");
    let setup = |me: u16| DkgSetup::<Ed25519>::new(roster(me), Threshold::TWO, Scheme::Frost).expect("2 of 3");
    let start = |me: u16| {
        let mut rng = seeded(u64::from(me));
        Session::<Dkg<Ed25519>>::start(setup(me), &(), (), world::label(), world::signed(me), &mut rng).expect("starts")
    };
    let crowd = Crowd::new([1, 2, 3].map(|me| (world::id(me), start(me)))).run();
    let (mut session, _) = start(1);
    for (from, frame) in crowd.sent.iter().filter(|(from, _)| *from != world::id(1)) {
        let mine = matches!(frame.to, symbolon_session::To::All) || frame.to == symbolon_session::To::One(world::id(1));
        let step = mine.then(|| session.handle(*from, &frame.bytes).map_err(|_| ()).expect("honest"));
        if let Some(symbolon_session::Step::Prepared(pending, ())) = step {
            return pending.seal(&storage(), &mut seeded(1)).expect("sealed").as_bytes().to_vec();
        }
    }
    panic!("it prepares")
}

fn ending(bytes: &[u8]) -> bool {
    let sealed = resealed(b"pending\0", bytes);
    let read = bounded(FACTOR, bytes, || Session::<Dkg<Ed25519>>::resume_ending(&sealed, &storage(), world::signed(1)));
    let Ok((session, _)) = read else { return false };
    if let Some(pending) = session.pending() {
        let again = pending.seal(&storage(), &mut seeded(8)).expect("sealed");
        assert_eq!(*storage().open(b"pending\0", again.as_bytes()).expect("sealed here"), *bytes, "one encoding");
    }
    true
}

/// The seal itself: only what was sealed opens, and what is wrong is said as the layout has it.
fn envelope(input: &mut Bytes<'_>) -> bool {
    let kind = *b"a kind\0\0";
    let content = input.array::<8>();
    let mut sealed = storage().seal(&kind, &content, &mut seeded(1)).expect("sealed");
    let changed = input.overwrite(&mut sealed);
    let opened = bounded(2, &sealed, || storage().open(&kind, &sealed));
    assert_eq!(opened.is_ok(), !changed);
    match opened {
        Ok(opened) => assert_eq!(*opened, content),
        Err(symbolon_session::OpenError::Format) => assert!(sealed.len() < 41 + 16 || sealed[..4] != *b"SYMB"),
        Err(symbolon_session::OpenError::Version(version)) => assert!(version != 1 && version == sealed[4]),
        Err(symbolon_session::OpenError::Kind) => assert!(sealed[5..13] != kind),
        Err(_) => assert!(sealed[..4] == *b"SYMB" && sealed[4] == 1 && sealed[5..13] == kind),
    }
    let other = symbolon_session::StorageKey::new(SecretBytes::new([78; 32]));
    assert!(other.open(&kind, &sealed).is_err(), "another key opens nothing");
    // a wallet under its seal
    symbolon::store::open::<PairFactor>(&sealed, &storage()).is_ok() || !changed
}
