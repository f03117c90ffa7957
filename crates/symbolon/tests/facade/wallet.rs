//! A wallet's life with honest parties.

use symbolon::{
    Agreed, Auth, Bank, Convert, ConvertSetup, DerivationPath, FloorId, Identity, Keygen, KeygenSetup, Label, Ledger,
    MemoryLedger, Pair, PairFactor, PairRefresh, PairSetup, Payload, Preprocess, PreprocessSetup, RefreshSetup, Role,
    SecretBytes, Session, Signed, StartError, StorageKey, Suite, Token,
    store::{self, PutError, TakeError, put_setup, retire, serial, take_item, take_setup},
    wallet::{self, Create, CreateSetup, Made, Wallet},
};
use symbolon_ecdsa::hazmat::{ItemError, open_item, seal_item};
use symbolon_testkit::{Duo, Traffic, seeded};

fn label() -> Label {
    Label::new("test wallet").unwrap()
}

fn create(setup: impl Fn(Role) -> CreateSetup, seed: u64) -> ([(Wallet, Made); 2], Traffic) {
    let mut rng = seeded(seed);
    let mut start = |role| wallet::create(setup(role), label(), Auth::Channel, &mut rng).unwrap();
    let (ends, traffic) = Duo::<Create>::new(start(Role::Server), start(Role::Client)).run();
    (ends.map(|end| (end.output, end.held.unwrap())), traffic)
}

#[test]
fn create_then_sign_in_every_way() {
    let ([(server, made_s), (client, made_c)], traffic) = create(|role| CreateSetup::new(role).bank(2), 1);
    assert_eq!(traffic.messages, 9);
    assert_eq!(server.address(), client.address());
    assert_eq!(made_s.items.len(), 2);
    let payload = || Payload::personal_message("hello");
    let path: DerivationPath = "m/0/5".parse().unwrap();
    let key = client.address_at(&path).unwrap();
    let mut rng = seeded(2);

    // from the bank
    let ids: Vec<_> = made_s.items.iter().map(symbolon::Preprocessed::id).collect();
    assert_eq!(ids, made_c.items.iter().map(symbolon::Preprocessed::id).collect::<Vec<_>>());
    for (item_s, item_c) in made_s.items.into_iter().zip(made_c.items) {
        let s = server.sign_banked(item_s, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let c = client.sign_banked(item_c, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let ([s, c], traffic) = Duo::new(s, c).run();
        assert_eq!(traffic.messages, 2);
        assert!(traffic.bytes.iter().all(|n| *n <= 512), "{traffic:?}");
        check(&c.output, &s.output, &payload(), &key);
    }

    // from scratch, twice over one setup
    let (mut ots_s, mut ots_c) = (made_s.setup, made_c.setup);
    for _ in 0..2 {
        let s = server.sign_with(ots_s, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let c = client.sign_with(ots_c, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let ([s, c], traffic) = Duo::new(s, c).run();
        assert_eq!(traffic.messages, 4);
        assert!(traffic.bytes.iter().all(|n| *n <= 82_000), "{traffic:?}");
        check(&c.output, &s.output, &payload(), &key);
        (ots_s, ots_c) = (s.held.unwrap(), c.held.unwrap());
    }

    // a refill
    let mut start = |mut ots: PairSetup| {
        let setup = PreprocessSetup::new(&mut ots, 3).unwrap();
        Session::<Preprocess>::start(setup, &(), ots, label(), Auth::Channel, &mut rng).unwrap()
    };
    let ([s, c], traffic) = Duo::new(start(ots_s), start(ots_c)).run();
    assert_eq!((traffic.messages, s.output.len(), c.output.len()), (4, 3, 3));

    // with nothing kept
    let s = server.sign(payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
    let c = client.sign(payload(), path, Auth::Channel, &mut rng).unwrap();
    let ([s, c], traffic) = Duo::new(s, c).run();
    assert_eq!(traffic.messages, 8);
    check(&c.output, &s.output, &payload(), &key);
}

fn check(client: &Signed, server: &Signed, payload: &Payload, address: &symbolon::EthereumAddress) {
    let (Signed::Signature(signature), Signed::Released(released)) = (client, server) else {
        panic!("the client has the signature, the server a record")
    };
    assert!(released.is_completed_by(signature));
    let recovered = signature.recover(&payload.digest()).unwrap();
    assert_eq!(symbolon::EthereumAddress::from_public_key(&recovered), *address);
}

// attacks.md row 98: a persistent bank comes alive once for each item, whatever copies of it exist
#[test]
fn row_98_a_bank_restored_from_an_old_copy_is_refused() {
    let ([(server, made_s), (client, made_c)], _) = create(|role| CreateSetup::new(role).bank(3), 3);
    let (key, mut rng) = (StorageKey::new(SecretBytes::new([1; 32])), seeded(4));
    let mut ledger = MemoryLedger::default();
    let setup = made_s.setup.id();
    let sealed: Vec<_> = made_s.items.into_iter().map(|item| seal_item(item, &key, &mut rng).unwrap()).collect();
    let old_copy = sealed.clone();

    // the item that comes back signs
    let item_s = open_item(&sealed[0], &key, &mut ledger).unwrap();
    let mut items_c = made_c.items.into_iter();
    let (payload, path) = (Payload::personal_message("x"), DerivationPath::root());
    let s = server.sign_banked(item_s, payload, path.clone(), Auth::Channel, &mut rng).unwrap();
    let c = client.sign_banked(items_c.next().unwrap(), payload, path, Auth::Channel, &mut rng).unwrap();
    let ([s, c], _) = Duo::new(s, c).run();
    check(&c.output, &s.output, &payload, &client.address());

    assert!(matches!(open_item(&old_copy[0], &key, &mut ledger), Err(ItemError::Used)));
    assert!(open_item(&old_copy[1], &key, &mut ledger).is_ok());
    for len in 0..sealed[2].len() {
        assert!(open_item(&sealed[2][..len], &key, &mut ledger).is_err());
    }
    // burned with its setup; and stale after a refresh
    let floor = FloorId::pair(&Identity::name("server"), &Identity::name("client"));
    let mut refreshed = MemoryLedger::default();
    refreshed.raise_floor(&floor, 1).unwrap();
    assert!(matches!(open_item(&sealed[2], &key, &mut refreshed), Err(ItemError::Stale)));
    ledger.burn(&setup).unwrap();
    assert!(matches!(open_item(&sealed[2], &key, &mut ledger), Err(ItemError::Used)));
}

fn both<P: symbolon::Protocol>(start: impl FnMut(Role) -> (Session<P>, Vec<symbolon::Outgoing>)) -> [P::Output; 2] {
    let mut start = start;
    let (ends, _) = Duo::new(start(Role::Server), start(Role::Client)).run();
    ends.map(|end| end.output)
}

// the parts one by one, with identities and the aes suite: keygen, pair setup through the ledger, refresh, conversion,
// signing; attacks.md rows 85, 90, 95 for what the ledger keeps
#[test]
fn the_parts_one_by_one() {
    let mut rng = seeded(5);
    let key = StorageKey::new(SecretBytes::new([1; 32]));
    let pair = |role| Pair::new(role, Identity::name("server of a bank"), Identity::name("alice's phone")).unwrap();
    let [factor_s, factor_c]: [PairFactor; 2] = both::<Keygen>(|role| {
        Session::start(KeygenSetup::new(pair(role)), &(), (), label(), Auth::Channel, &mut rng).unwrap()
    });
    assert_eq!(factor_s.public_key(), factor_c.public_key());

    // refresh: same key, other factors
    let mut refresh = |old: [&PairFactor; 2]| -> [PairFactor; 2] {
        both::<PairRefresh>(|role| {
            let old = old[usize::from(role == Role::Client)];
            let setup = RefreshSetup::new(old, old.generation() + 1).unwrap();
            Session::start(setup, old, (), label(), Auth::Channel, &mut rng).unwrap()
        })
    };
    let [new_s, new_c] = refresh([&factor_s, &factor_c]);
    assert_eq!((new_s.generation(), new_s.public_key()), (1, factor_s.public_key()));
    assert_ne!(new_s.peer_point(), factor_s.peer_point());
    assert!(RefreshSetup::new(&new_s, 1).is_err());

    // a setup made before the refresh is confirmed is stale afterwards
    let mut rng = seeded(6);
    let mut setups = |serial: u32| -> [PairSetup; 2] {
        both::<symbolon::PairSetupRun>(|role| {
            let terms = symbolon::PairSetupTerms { pair: pair(role), suite: Suite::Aes, serial };
            Session::start(terms, &(), (), label(), Auth::Channel, &mut rng).unwrap()
        })
    };
    let mut ledger = MemoryLedger::default();
    let [old, _] = setups(serial(&mut ledger, &pair(Role::Server)).unwrap());
    let id = put_setup(&mut ledger, &key, old, &mut seeded(7)).unwrap();
    let old = take_setup(&mut ledger, &key, &id).unwrap();
    assert!(matches!(take_setup(&mut ledger, &key, &id), Err(TakeError::Gone)), "taken is gone");
    put_setup(&mut ledger, &key, old, &mut seeded(8)).unwrap();
    let (foreign, _) = (refresh([&new_s, &new_c]), ());
    let mut bank = Bank::new();
    assert!(retire(&mut ledger, &mut bank, foreign.into_iter().next().unwrap(), &new_s).is_err(), "not a successor");
    let again = store::open::<PairFactor>(&store::seal(&factor_s, &key, &mut seeded(7)).unwrap(), &key).unwrap();
    let next = retire(&mut ledger, &mut bank, factor_s, &new_s).unwrap();
    assert_eq!(next, 1);
    // a crash between the floor and the caller's own erasure: the second call changes nothing
    assert_eq!(retire(&mut ledger, &mut bank, again, &new_s).unwrap(), 1);
    assert_eq!(serial(&mut ledger, &pair(Role::Server)).unwrap(), 1);
    assert!(matches!(take_setup(&mut ledger, &key, &id), Err(TakeError::Stale)));
    assert!(matches!(take_setup(&mut ledger, &key, &id), Err(TakeError::Gone)));

    // conversion: twice, which gives two sharings that never meet
    let mut rng = seeded(9);
    let mut ots = setups(next).map(Some);
    let mut convert = |ots: &mut [Option<PairSetup>; 2], epoch| {
        let mut start = |role: Role| {
            let factor = if role == Role::Server { &new_s } else { &new_c };
            let mut own = ots[usize::from(role == Role::Client)].take().unwrap();
            let setup = ConvertSetup::new(factor, &mut own, epoch).unwrap();
            Session::<Convert>::start(setup, factor, own, label(), Auth::Channel, &mut rng).unwrap()
        };
        let ([s, c], _) = Duo::new(start(Role::Server), start(Role::Client)).run();
        *ots = [s.held, c.held];
        [s.output, c.output].map(Wallet::from_share)
    };
    let [first_s, first_c] = convert(&mut ots, 0);
    let [second_s, second_c] = convert(&mut ots, 1);
    assert_eq!(first_s.address(), second_c.address());
    assert_ne!(first_s.share().sharing_id(), second_s.share().sharing_id());
    let payload = Payload::personal_message("x");
    let mut rng = seeded(10);
    for (s, c) in [(&first_s, &first_c), (&second_s, &second_c)] {
        let [own_s, own_c] = ots.map(Option::unwrap);
        let s = s.sign_with(own_s, payload, DerivationPath::root(), Auth::Channel, &mut rng).unwrap();
        let address = c.address();
        let c = c.sign_with(own_c, payload, DerivationPath::root(), Auth::Channel, &mut rng).unwrap();
        let ([s, c], _) = Duo::new(s, c).run();
        check(&c.output, &s.output, &payload, &address);
        ots = [s.held, c.held];
    }

    // row 90: shares of two conversions are a mismatch; nothing burns, nobody is named, the setup comes back
    let [own_s, own_c] = ots.map(Option::unwrap);
    let id = own_s.id();
    let (mut s, _) = first_s.sign_with(own_s, payload, DerivationPath::root(), Auth::Channel, &mut rng).unwrap();
    let (_, f1) = second_c.sign_with(own_c, payload, DerivationPath::root(), Auth::Channel, &mut rng).unwrap();
    match s.handle(symbolon::PartyId::CLIENT, &f1[0].bytes) {
        Err(symbolon::Error::Aborted(aborted)) => {
            assert_eq!(aborted.fault, symbolon::Fault::Mismatch(Agreed::Sid));
            assert_eq!(aborted.culprit, None);
            assert_eq!(aborted.held.unwrap().id(), id);
        }
        other => panic!("{:?}", other.err()),
    }
}

// safety.md S6: what is filed by pair needs parties with names, or one user's refresh would touch every other user's setups
#[test]
fn setups_of_unnamed_parties_are_not_filed() {
    let ([(server, made), _], _) = create(CreateSetup::new, 11);
    let (key, mut ledger) = (StorageKey::new(SecretBytes::new([1; 32])), MemoryLedger::default());
    assert!(matches!(put_setup(&mut ledger, &key, made.setup, &mut seeded(1)), Err(PutError::Unnamed)));
    let (_, factor) = server.into_parts();
    assert!(!factor.unwrap().pair().is_named());
}

// safety.md S1, S6: an item outside any bank is still refused once its setup is burned, stale, or it was claimed
#[test]
fn row_95_items_are_taken_through_the_ledger() {
    let pair = |role| Pair::new(role, Identity::name("a"), Identity::name("b")).unwrap();
    let ([(_, mut made), _], _) = create(|role| CreateSetup::new(pair(role)).bank(4), 12);
    let (mut ledger, mut bank) = (MemoryLedger::default(), Bank::new());
    let setup = made.setup.id();
    let last = made.items.pop().unwrap();
    bank.put(made.items);
    let ids: Vec<_> = bank.ids(&setup).collect();
    // another process with a copy of this bank has claimed the first
    assert_eq!(ledger.claim(&Token::Item { item: ids[0], setup }), Ok(symbolon::Claimed::Fresh));
    assert!(matches!(take_item(&mut ledger, &mut bank, &ids[0]), Err(TakeError::Gone)));
    assert!(take_item(&mut ledger, &mut bank, &ids[1]).is_ok());
    assert!(matches!(take_item(&mut ledger, &mut bank, &ids[1]), Err(TakeError::Gone)));
    // burned elsewhere
    ledger.burn(&setup).unwrap();
    assert!(matches!(take_item(&mut ledger, &mut bank, &ids[2]), Err(TakeError::Gone)));
    // refreshed elsewhere
    let mut ledger = MemoryLedger::default();
    ledger.raise_floor(&FloorId::pair(&Identity::name("a"), &Identity::name("b")), 1).unwrap();
    let id = last.id();
    bank.put([last]);
    assert!(matches!(take_item(&mut ledger, &mut bank, &id), Err(TakeError::Stale)));
}

// attacks.md row 94: a caller that mixes up its own arguments gets an error of its own before any frame; inside the run it
// would look like a lie of the peer, and burn
#[test]
fn row_94_resources_of_another_run_are_a_usage_error() {
    let ([(wallet, one), _], _) = create(|role| CreateSetup::new(role).bank(2), 13);
    let ([(other, mut two), _], _) = create(CreateSetup::new, 14);
    let (mut rng, path) = (seeded(15), DerivationPath::root());
    let payload = Payload::personal_message("x");
    let items: Vec<_> = one.items;
    let online = symbolon::OnlineSetup::new(wallet.share(), &items[0], payload, path.clone()).unwrap();
    let full = symbolon::FullSetup::new(wallet.share(), &mut two.setup, payload, path).unwrap();
    let mut items = items.into_iter();
    let (first, second) = (items.next().unwrap(), items.next().unwrap());
    let why = |started: Result<_, StartError>| match started {
        Err(StartError::Mismatch(what)) => what,
        Err(other) => panic!("{other}"),
        Ok(()) => panic!("started"),
    };
    let start = |share, item, rng: &mut _| {
        Session::<symbolon::SignOnline>::start(online.clone(), share, item, label(), Auth::Channel, rng).map(drop)
    };
    assert_eq!(why(start(wallet.share(), second, &mut rng)), Agreed::Item);
    assert_eq!(why(start(other.share(), first, &mut rng)), Agreed::Sharing);
    let start = |share, ots, rng: &mut _| {
        Session::<symbolon::SignFull>::start(full.clone(), share, ots, label(), Auth::Channel, rng).map(drop)
    };
    assert_eq!(why(start(other.share(), two.setup, &mut rng)), Agreed::Sharing);
    let mut ots = one.setup;
    let batch = PreprocessSetup::new(&mut ots, 1).unwrap();
    let convert = ConvertSetup::new(wallet.factor().unwrap(), &mut ots, 1).unwrap();
    assert_eq!(why(start(wallet.share(), ots, &mut rng)), Agreed::Setup);
    let ([(_, three), _], _) = create(CreateSetup::new, 16);
    let started = Session::<Preprocess>::start(batch, &(), three.setup, label(), Auth::Channel, &mut rng);
    assert_eq!(why(started.map(drop)), Agreed::Setup);
    let ([(_, four), _], _) = create(CreateSetup::new, 17);
    let factor = wallet.factor().unwrap();
    let started = Session::<Convert>::start(convert, factor, four.setup, label(), Auth::Channel, &mut rng);
    assert_eq!(why(started.map(drop)), Agreed::Setup);
}

// a wallet is stored and read back; its marks survive refresh and conversion
#[test]
fn wallets_are_sealed_and_marks_are_carried_on() {
    let ([(server, made_s), (client, made_c)], _) = create(CreateSetup::new, 18);
    let (key, mut rng) = (StorageKey::new(SecretBytes::new([1; 32])), seeded(19));
    let sealed = store::seal(&server, &key, &mut rng).unwrap();
    let server: Wallet = store::open(&sealed, &key).unwrap();
    assert_eq!(server.address(), client.address());
    assert!(store::open::<PairFactor>(&sealed, &key).is_err(), "another type");
    assert!(store::open::<Wallet>(&sealed, &StorageKey::new(SecretBytes::new([2; 32]))).is_err());

    let (kept_s, factor_s) = server.keep_factor();
    let (kept_c, factor_c) = client.keep_factor();
    assert!(kept_s.share().marks().factor_kept && kept_c.factor().is_none());
    let factors = [factor_s.unwrap(), factor_c.unwrap()];
    assert!(factors[0].marks().factor_kept);
    let refreshed = both::<PairRefresh>(|role| {
        let old = &factors[usize::from(role == Role::Client)];
        Session::start(RefreshSetup::new(old, 1).unwrap(), old, (), label(), Auth::Channel, &mut rng).unwrap()
    });
    assert!(refreshed.iter().all(|factor| factor.marks().factor_kept));
    let mut ots = [Some(made_s.setup), Some(made_c.setup)];
    let converted = both::<Convert>(|role| {
        let i = usize::from(role == Role::Client);
        let mut own = ots[i].take().unwrap();
        let setup = ConvertSetup::new(&refreshed[i], &mut own, 1).unwrap();
        Session::start(setup, &refreshed[i], own, label(), Auth::Channel, &mut rng).unwrap()
    });
    assert!(converted.iter().all(|share| share.marks().factor_kept && share.epoch() == 1));
}

// attacks.md rows 47, 106: another message at the responder is a mismatch at once, not a wait
#[test]
fn row_106_another_message_is_a_mismatch() {
    let ([(server, made_s), (client, made_c)], _) = create(|role| CreateSetup::new(role).bank(1), 20);
    let (mut rng, path) = (seeded(21), DerivationPath::root());
    let (Some(item_s), Some(item_c)) = (made_s.items.into_iter().next(), made_c.items.into_iter().next()) else {
        panic!("one item each")
    };
    let pay = Payload::personal_message;
    let (mut s, _) = server.sign_banked(item_s, pay("pay 1"), path.clone(), Auth::Channel, &mut rng).unwrap();
    let (_, f) = client.sign_banked(item_c, pay("pay 2"), path, Auth::Channel, &mut rng).unwrap();
    let error = s.handle(symbolon::PartyId::CLIENT, &f[0].bytes).err().unwrap();
    assert_eq!(error.fault(), Some(symbolon::Fault::Mismatch(Agreed::Sid)));
    assert_eq!((error.culprit(), error.burned(), error.is_over()), (None, &[][..], true));
}

// every blocking call, between two threads
#[test]
fn blocking_calls() {
    use symbolon::channel::MemoryChannel;
    let ([s, c], _) = create(|role| CreateSetup::new(role).bank(1), 22);
    let (mut to_c, mut to_s) = MemoryChannel::pair(core::time::Duration::from_secs(20));
    let (payload, path) = (Payload::personal_message("x"), || "m/7".parse::<DerivationPath>().unwrap());
    let address = c.0.address_at(&path()).unwrap();
    let side = |(wallet, made): (Wallet, Made), channel: &mut MemoryChannel, seed| {
        let mut rng = seeded(seed);
        let item = made.items.into_iter().next().unwrap();
        let banked = wallet.sign_banked_over(channel, item, payload, path(), &mut rng).unwrap();
        let (full, setup) = wallet.sign_with_over(channel, made.setup, payload, path(), &mut rng).unwrap();
        assert!(setup.is_some(), "the setup comes back");
        [banked, full, wallet.sign_over(channel, payload, path(), &mut rng).unwrap()]
    };
    let (client, server) = std::thread::scope(|scope| {
        let server = scope.spawn(|| side(s, &mut to_c, 1));
        (side(c, &mut to_s, 2), server.join().unwrap())
    });
    client.iter().zip(&server).for_each(|(c, s)| check(c, s, &payload, &address));
}
