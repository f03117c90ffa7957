//! Items that were stored (`hazmat`): one that comes back signs, and it comes back once.

use crate::*;
use symbolon_ecdsa::hazmat::{ItemError, open_item, seal_item};
use symbolon_session::{Ledger, MemoryLedger};

fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([9; 32]))
}

/// A pair setup of this suite and serial, made by both, and an item of each side from it.
fn items_of(suite: Suite, serial: u32) -> [Preprocessed; 2] {
    let setup = |role: Role| {
        let terms = PairSetupTerms { pair: pair(role), suite, serial };
        start::<PairSetupRun>(role, terms, &(), (), 190 + u64::from(role.id().get()))
    };
    let [server, client] = Duo::new(setup(Role::Server), setup(Role::Client)).run().0.map(|end| end.output);
    let item = |role: Role, mut ots: PairSetup| {
        start::<Preprocess>(role, PreprocessSetup::new(&mut ots, 1).unwrap(), &(), ots, 7)
    };
    let ends = Duo::new(item(Role::Server, server), item(Role::Client, client)).run().0;
    ends.map(|end| end.output.into_iter().next().unwrap())
}

fn stored(item: Preprocessed) -> Vec<u8> {
    seal_item(item, &storage(), &mut seeded(3)).unwrap()
}

fn signs(role: Role, item: Preprocessed) -> Started<SignOnline> {
    let share = share(role, KEY);
    start(role, OnlineSetup::new(&share, &item, payload(), path()).unwrap(), &share, item, 1)
}

// one side's item is stored, the other's is not: they still agree about everything, the suite and the serial too
#[test]
fn a_stored_item_is_the_same_item() {
    for (suite, serial) in [(Suite::Blake3, 0), (Suite::Aes, 3)] {
        for stores in [Role::Server, Role::Client] {
            let [server, client] = items_of(suite, serial);
            let again = |role, item: Preprocessed| {
                if role != stores {
                    return item;
                }
                let (id, setup) = (item.id(), item.setup());
                let item = open_item(&stored(item), &storage(), &mut MemoryLedger::default()).unwrap();
                assert!(item.id() == id && item.setup() == setup && item.serial() == serial);
                item
            };
            let (server, client) = (again(Role::Server, server), again(Role::Client, client));
            let ends = Duo::new(signs(Role::Server, server), signs(Role::Client, client)).run().0;
            let [server, client] = ends.map(|end| end.output);
            let (symbolon_ecdsa::Signed::Released(released), symbolon_ecdsa::Signed::Signature(signature)) =
                (server, client)
            else {
                panic!("the server releases, the client signs")
            };
            assert!(released.is_completed_by(&signature));
        }
    }
}

// attacks.md row 98
#[test]
fn row_98_a_stored_item_comes_alive_once_and_not_below_the_floor() {
    let floor = FloorId::pair(pair(Role::Server).identity(Role::Server), pair(Role::Server).identity(Role::Client));
    for role in [Role::Server, Role::Client] {
        let item = |serial| {
            let [server, client] = items_of(Suite::Blake3, serial);
            stored(if role == Role::Server { server } else { client })
        };
        let sealed = item(5);
        let at = |serial: u64| {
            let mut ledger = MemoryLedger::default();
            ledger.raise_floor(&floor, serial).unwrap();
            ledger
        };
        assert!(matches!(open_item(&sealed, &storage(), &mut at(6)), Err(ItemError::Stale)));
        for serial in [0, 4, 5] {
            let mut ledger = at(serial);
            assert!(open_item(&sealed, &storage(), &mut ledger).is_ok());
            assert!(matches!(open_item(&sealed, &storage(), &mut ledger), Err(ItemError::Used)));
        }
        let mut ledger = at(0);
        ledger.burn(&open_item(&sealed, &storage(), &mut at(0)).unwrap().setup()).unwrap();
        assert!(matches!(open_item(&sealed, &storage(), &mut ledger), Err(ItemError::Used)));
        // nothing of it opens in part, or under another key, and what does not open claims nothing
        let mut ledger = at(0);
        for len in 0..sealed.len() {
            assert!(matches!(open_item(&sealed[..len], &storage(), &mut ledger), Err(ItemError::Open(_))));
        }
        let other = StorageKey::new(SecretBytes::new([8; 32]));
        assert!(matches!(open_item(&sealed, &other, &mut ledger), Err(ItemError::Open(_))));
        assert!(open_item(&sealed, &storage(), &mut ledger).is_ok());
    }
}
