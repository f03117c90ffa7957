//! Whatever arrives: a typed error, never a panic, and an honest session that finishes afterwards. Also what strangers
//! and honest parties with other arguments can not do: name anybody, or burn anything.

use crate::world::{self, ROLES, World, identity, label, pair, slot};
use rand_core::Rng;
use std::time::Duration;
use symbolon::{
    Agreed, Auth, Class, DerivationPath, Error, Failures, Fault, Header, Keygen, KeygenSetup, Ledger, MemoryLedger,
    Outgoing, Pair, PartyId, Payload, Protocol, Rejected, Role, Roster, RosterError, Session, StartError, Step, Suite,
    Terms,
    wallet::{Create, CreateSetup},
};
use symbolon_ecdsa::{FullSetup, OnlineSetup, SignFull, SignOnline, hazmat};
use symbolon_testkit::{Duo, FailingRng, seeded};

type Started<P> = (Session<P>, Vec<Outgoing>);

fn create(role: Role, text: &str, seed: u64, auth: Auth) -> Started<Create> {
    Session::start(CreateSetup::new(pair(role)), &(), (), label(text), auth, &mut seeded(seed)).unwrap()
}

fn rejected<P: Protocol>(session: &mut Session<P>, from: Role, frame: &[u8]) -> Rejected {
    match session.handle(from.id(), frame) {
        Err(Error::Rejected(why)) => why,
        other => panic!("{:?}", other.map(|step| format!("{step:?}"))),
    }
}

/// `(fault, culprit)` of an abort that gave back what it held.
fn aborted<P: Protocol>(session: &mut Session<P>, from: Role, frame: &[u8]) -> (Fault, Option<PartyId>) {
    match session.handle(from.id(), frame) {
        Err(Error::Aborted(aborted)) => (aborted.fault, aborted.culprit),
        other => panic!("{:?}", other.map(|step| format!("{step:?}"))),
    }
}

#[test]
fn frames_that_are_none() {
    for with_signature in [false, true] {
        let auth = |role| if with_signature { world::signed(role) } else { Auth::Channel };
        let (mut server, _) = create(Role::Server, "bad", 1, auth(Role::Server));
        let (client, frames) = create(Role::Client, "bad", 2, auth(Role::Client));
        let frame = frames[0].bytes.clone();
        let mut refuse = |frame: &[u8]| rejected(&mut server, Role::Client, frame);
        assert_eq!(refuse(&[]), Rejected::Length);
        // without a signature a shorter body is what the authenticated peer sent, and its fault
        let header_and_ids = Header::LEN + 64;
        for len in 1..if with_signature { frame.len() } else { header_and_ids } {
            assert!(matches!(refuse(&frame[..len]), Rejected::Length | Rejected::Size | Rejected::Signature), "{len}");
        }
        // where a signed frame has its position, ones say that it left alone, and zeros that it is none
        for (extra, byte, signed) in [
            (66, 1, Rejected::Size),
            (1 << 20, 1, Rejected::Size),
            (66, 0, Rejected::Signature),
            (1 << 20, 0, Rejected::Signature),
        ] {
            let long = [&frame[..], &vec![byte; extra]].concat();
            assert_eq!(refuse(&long), if with_signature { signed } else { Rejected::Size });
        }
        for extra in 1..16 {
            let long = [&frame[..], &vec![1; extra]].concat();
            let why = refuse(&long);
            assert!(why == Rejected::Size || with_signature && why == Rejected::Signature, "{extra}: {why}");
        }
        // 100 MB, neither hashed nor copied
        let mut huge = frame.clone();
        huge.resize(100_000_000, 1);
        assert_eq!(refuse(&huge), Rejected::Size);
        assert_eq!(refuse(&vec![0; 100_000_000]), Rejected::Version(0));
        for version in (0..=u8::MAX).filter(|version| *version != Header::VERSION) {
            assert_eq!(refuse(&[&[version], &frame[1..]].concat()), Rejected::Version(version));
        }
        for protocol in (0..=u8::MAX).filter(|id| *id != Create::ID) {
            assert_eq!(refuse(&[&frame[..1], &[protocol], &frame[2..]].concat()), Rejected::Protocol(protocol));
        }
        for round in (0..=u8::MAX).filter(|round| *round != 1) {
            let why = refuse(&[&frame[..2], &[round], &frame[3..]].concat());
            assert!(matches!(why, Rejected::Slot | Rejected::Size | Rejected::Run), "{round}: {why}");
        }
        for sender in [0, 1, 3, u16::MAX] {
            let why = refuse(&[&frame[..3], &u16::to_be_bytes(sender)[..], &frame[5..]].concat());
            assert_eq!(why, Rejected::Sender, "party {sender}");
        }
        for recipient in [2, 3, u16::MAX] {
            let why = refuse(&[&frame[..5], &u16::to_be_bytes(recipient)[..], &frame[7..]].concat());
            assert_eq!(why, Rejected::Recipient, "party {recipient}");
        }
        assert_eq!(refuse(&[&frame[..5], &[0, 0], &frame[7..]].concat()), Rejected::Slot, "no broadcasts here");
        // row 61: garbage under the right header
        let mut rng = seeded(3);
        if with_signature {
            for _ in 0..1000 {
                let mut garbage = frame.clone();
                rng.fill_bytes(&mut garbage[Header::LEN + 32..]);
                assert_eq!(refuse(&garbage), Rejected::Signature);
            }
        }
        // and after all that the run goes on to its end
        Duo::new((server, Vec::new()), (client, frames)).run();
    }
}

#[test]
fn both_are_the_same_role() {
    let (mut one, frames_one) = create(Role::Client, "bad", 1, Auth::Channel);
    let (_, frames_two) = create(Role::Client, "bad", 2, Auth::Channel);
    assert_eq!(rejected(&mut one, Role::Client, &frames_two[0].bytes), Rejected::Sender);
    assert_eq!(rejected(&mut one, Role::Server, &frames_two[0].bytes), Rejected::Sender);
    // own frames, reflected
    assert_eq!(rejected(&mut one, Role::Client, &frames_one[0].bytes), Rejected::Sender);
    assert_eq!(rejected(&mut one, Role::Server, &frames_one[0].bytes), Rejected::Sender);
    // two servers: nobody sends, and both say whom they wait for
    let (server, frames) = create(Role::Server, "bad", 1, Auth::Channel);
    assert!(frames.is_empty());
    assert_eq!(server.waiting_for().into_iter().collect::<Vec<_>>(), [PartyId::CLIENT]);
    // one role twice in one roster, party 0
    assert_eq!(PartyId::new(0).ok(), None);
    let twice = [(PartyId::SERVER, identity(Role::Server)), (PartyId::SERVER, identity(Role::Client))];
    assert_eq!(Roster::new(PartyId::SERVER, twice), Err(RosterError::Duplicate(PartyId::SERVER)));
    assert!(Pair::new(Role::Server, identity(Role::Server), identity(Role::Server)).is_err());
}

#[test]
fn a_failing_generator_is_an_error() {
    let start = |rng: &mut FailingRng| {
        Session::<Create>::start(CreateSetup::new(pair(Role::Client)), &(), (), label("rng"), Auth::Channel, rng)
    };
    assert_eq!(start(&mut FailingRng::after(0)).err(), Some(StartError::Rng));
    assert!(start(&mut FailingRng::after(1)).is_ok(), "one draw is all the randomness of a run");
}

/// Scalars at and above the order, points off the curve, at infinity, with other tags: an encoding fault of the sender.
#[test]
fn values_that_are_none() {
    let world = World::new(110);
    let order = hex::decode("fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141").unwrap();
    let mut off_curve = [0; 33];
    (off_curve[0], off_curve[32]) = (2, 5);
    let point = |tag: u8| [&[tag][..], &[0x11; 32]].concat();
    let points =
        [vec![0; 33], off_curve.to_vec(), point(0), point(4), point(5), point(6), [&[2][..], &[0xff; 32]].concat()];
    let scalars = [order.clone(), vec![0xff; 32]];
    // header, sid, R, gamma_k, gamma_x, Gamma_k, Gamma_x
    let start = Header::LEN + 32;
    let cases = points
        .iter()
        .map(|value| (start, value))
        .chain(scalars.iter().flat_map(|value| [start + 33, start + 65].map(|at| (at, value))));
    let cases: Vec<_> = cases.collect();
    let [server_items, client_items] = world.items(111, u16::try_from(cases.len()).unwrap());
    let payload = Payload::personal_message("bad");
    for ((at, value), (s, c)) in cases.into_iter().zip(server_items.into_iter().zip(client_items)) {
        let start = |role: Role, item| {
            let rng = &mut seeded(1);
            world.wallet(role).sign_banked(item, payload, DerivationPath::root(), Auth::Channel, rng).unwrap()
        };
        let (mut server, _) = start(Role::Server, s);
        let (_, mut frames) = start(Role::Client, c);
        frames[0].bytes[at..at + value.len()].copy_from_slice(value);
        let (fault, culprit) = aborted(&mut server, Role::Client, &frames[0].bytes);
        assert!(matches!(fault, Fault::Encoding(_)), "{fault} at {at}");
        assert_eq!(culprit, Some(PartyId::CLIENT));
    }
    assert_eq!(order.len(), 32);
}

/// Row 62: early frames are kept, earlier ones are refused, and a second one for a slot convicts.
#[test]
fn row_62_early_again_and_different() {
    let start = |role: Role, seed| {
        let setup = KeygenSetup::new(pair(role));
        Session::<Keygen>::start(setup, &(), (), label("order"), world::signed(role), &mut seeded(seed)).unwrap()
    };
    let (server, m1) = start(Role::Server, 1);
    let (mut client, _) = start(Role::Client, 2);
    let Step::Continue(_) = client.handle(PartyId::SERVER, &m1[0].bytes).unwrap() else { panic!("goes on") };
    assert!(matches!(client.handle(PartyId::SERVER, &m1[0].bytes), Ok(Step::Continue(frames)) if frames.is_empty()));
    // the same server, the same round, another nonce: another run, nobody is framed
    let (_, other) = start(Role::Server, 3);
    assert_eq!(rejected(&mut client, Role::Server, &other[0].bytes), Rejected::Run);
    let (mut fresh, _) = start(Role::Client, 4);
    assert_eq!(rejected(&mut fresh, Role::Server, &client.resend()[0].bytes), Rejected::Sender);
    assert!(server.waiting_for().contains(&PartyId::CLIENT));
}

/// Rows 58 and 105: every frame of an older run with the same label, at every moment after the first true frame.
#[test]
fn row_58_and_105_frames_of_an_older_run_are_refused() {
    for with_signature in [false, true] {
        let auth = |role| if with_signature { world::signed(role) } else { Auth::Channel };
        let run = |seed: u64, old: &[(Role, Vec<u8>)]| {
            let mut sessions = ROLES.map(|role| create(role, "same", seed + u64::from(role.id().get()), auth(role)));
            let mut queue: std::collections::VecDeque<_> =
                sessions[1].1.iter().map(|frame| (Role::Server, frame.bytes.clone())).collect();
            let (mut all, mut done, mut heard) = (Vec::new(), 0, [false; 2]);
            while let Some((to, frame)) = queue.pop_front() {
                let session = &mut sessions[slot(to)].0;
                for (old_to, old) in old.iter().filter(|(old_to, _)| *old_to == to && heard[slot(to)]) {
                    let why = rejected(session, old_to.peer(), old);
                    assert!(matches!(why, Rejected::Run), "{why}");
                    // and with a flipped bit, wherever it is
                    let mut flipped = old.clone();
                    let at = flipped.len() / 2;
                    flipped[at] ^= 1;
                    rejected(session, old_to.peer(), &flipped);
                }
                let mut step = session.handle(to.peer().id(), &frame).unwrap();
                heard[slot(to)] = true;
                all.push((to, frame));
                if let Step::Prepared(pending, _) = &step {
                    step = session.stored(symbolon_testkit::duo::stored(pending));
                }
                match step {
                    Step::Continue(frames) => queue.extend(frames.into_iter().map(|f| (to.peer(), f.bytes))),
                    Step::Done(_, _, frames) => {
                        done += 1;
                        queue.extend(frames.into_iter().map(|f| (to.peer(), f.bytes)));
                    }
                    Step::Prepared(..) => unreachable!(),
                }
            }
            assert_eq!(done, 2);
            all
        };
        let old = run(200, &[]);
        assert_eq!(old.len(), 9);
        run(300, &old);
    }
}

/// Row 109: an old commitment, opening and proof of the server, sent again to a client that starts anew.
#[test]
fn row_109_an_old_proof_is_of_an_old_run() {
    let start = |role: Role, seed| {
        let setup = KeygenSetup::new(pair(role));
        Session::<Keygen>::start(setup, &(), (), label("same"), Auth::Channel, &mut seeded(seed)).unwrap()
    };
    let (mut server, m1) = start(Role::Server, 1);
    let (mut first, _) = start(Role::Client, 2);
    let Step::Continue(m2) = first.handle(PartyId::SERVER, &m1[0].bytes).unwrap() else { panic!("goes on") };
    let Step::Prepared(pending, ()) = server.handle(PartyId::CLIENT, &m2[0].bytes).unwrap() else { panic!("prepared") };
    let Step::Continue(m3) = server.stored(symbolon_testkit::duo::stored(&pending)) else { panic!("waits") };
    let (mut second, _) = start(Role::Client, 3);
    assert!(second.handle(PartyId::SERVER, &m1[0].bytes).is_ok(), "a first frame alone tells nothing");
    assert_eq!(aborted(&mut second, Role::Server, &m3[0].bytes), (Fault::Mismatch(Agreed::Sid), None));
}

/// Rows 94 and 106: two honest callers that mean different things. Nobody is named, nothing burns, and the setup comes
/// back; there is no way to take the message from the peer.
#[test]
fn row_94_and_106_honest_differences_end_as_mismatch() {
    let (world, other) = (World::new(120), World::new(121));
    let path = |text: &str| text.parse::<DerivationPath>().unwrap();
    let hello = || Payload::personal_message("hello");
    let server_of = |world: &World, payload, path, text: &str| -> Started<SignFull> {
        let (mut ots, share) = (world.setup(Role::Server), world.wallet(Role::Server).share());
        let setup = FullSetup::new(share, &mut ots, payload, path).unwrap();
        Session::start(setup, share, ots, label(text), Auth::Channel, &mut seeded(1)).unwrap()
    };
    let client_of = |setup_of: &World| -> Started<SignFull> {
        let (mut ots, share) = (setup_of.setup(Role::Client), world.wallet(Role::Client).share());
        let setup = FullSetup::new(share, &mut ots, hello(), path("m/0/5")).unwrap();
        Session::start(setup, share, ots, label("x"), Auth::Channel, &mut seeded(2)).unwrap()
    };
    // the same digest under another name of what it is
    let same_digest = hazmat::prehash(hello().digest().as_bytes()).unwrap();
    assert_eq!(same_digest.digest(), hello().digest());
    let differences = [
        (server_of(&world, Payload::personal_message("hullo"), path("m/0/5"), "x"), client_of(&world)),
        (server_of(&world, same_digest, path("m/0/5"), "x"), client_of(&world)),
        (server_of(&world, hello(), path("m/0/6"), "x"), client_of(&world)),
        (server_of(&other, hello(), path("m/0/5"), "x"), client_of(&world)),
        (server_of(&world, hello(), path("m/0/5"), "x"), client_of(&other)),
    ];
    for (i, ((mut server, _), (_, frames))) in differences.into_iter().enumerate() {
        let Err(Error::Aborted(aborted)) = server.handle(PartyId::CLIENT, &frames[0].bytes) else { panic!("{i}") };
        assert_eq!((aborted.fault, aborted.culprit), (Fault::Mismatch(Agreed::Sid), None), "{i}");
        assert_eq!(aborted.fault.class(), Class::Mismatch);
        assert!(aborted.held.is_some(), "{i}: the setup comes back");
    }
    // another label does not even meet
    let (mut server, _) = server_of(&world, hello(), path("m/0/5"), "y");
    let (_, frames) = client_of(&world);
    assert_eq!(rejected(&mut server, Role::Client, &frames[0].bytes), Rejected::Label);
    // two banked items: another run
    let [mut server_items, mut client_items] = world.items(122, 2);
    let (one, two) = (server_items.pop().unwrap(), client_items.swap_remove(0));
    let rng = &mut seeded(1);
    let (mut s, _) = world.wallet(Role::Server).sign_banked(one, hello(), path("m"), Auth::Channel, rng).unwrap();
    let (_, frames) = world.wallet(Role::Client).sign_banked(two, hello(), path("m"), Auth::Channel, rng).unwrap();
    assert_eq!(rejected(&mut s, Role::Client, &frames[0].bytes), Rejected::Run);
    // one item, two messages: mismatch, the item is gone on both sides
    let (item_s, item_c) = (server_items.pop().unwrap(), client_items.swap_remove(0));
    let _ = (item_s.id(), item_c.id());
    let [mut server_items, mut client_items] = world.items(123, 1);
    let (s, c) = (server_items.pop().unwrap(), client_items.pop().unwrap());
    let online = |role: Role, item, text| -> Started<SignOnline> {
        let share = world.wallet(role).share();
        let setup = OnlineSetup::new(share, &item, Payload::personal_message(text), path("m")).unwrap();
        Session::start(setup, share, item, label("x"), Auth::Channel, &mut seeded(1)).unwrap()
    };
    let (mut server, _) = online(Role::Server, s, "pay one");
    let (_, frames) = online(Role::Client, c, "pay a thousand");
    assert_eq!(aborted(&mut server, Role::Client, &frames[0].bytes), (Fault::Mismatch(Agreed::Sid), None));
    // creations with other suites, serials, banks
    for setup in [
        CreateSetup::new(pair(Role::Server)).suite(Suite::Aes),
        CreateSetup::new(pair(Role::Server)).serial(1),
        CreateSetup::new(pair(Role::Server)).bank(1),
    ] {
        let (mut server, _) =
            Session::<Create>::start(setup, &(), (), label("bad"), Auth::Channel, &mut seeded(1)).unwrap();
        let (_, frames) = create(Role::Client, "bad", 2, Auth::Channel);
        assert_eq!(aborted(&mut server, Role::Client, &frames[0].bytes), (Fault::Mismatch(Agreed::Sid), None));
    }
}

/// Row 82: lists that contain each other are different lists.
#[test]
fn row_82_included_is_not_equal() {
    let encoded = |terms: Terms| {
        let mut w = symbolon_core::wire::Writer::new();
        terms.encode(&mut w);
        w.finish()
    };
    let id = |n| symbolon::SetupId::from_bytes([n; 16]);
    let of = |setups: &[u8]| encoded(Terms { setups: setups.iter().copied().map(id).collect(), ..Terms::default() });
    let all = [of(&[]), of(&[1]), of(&[1, 2]), of(&[2, 1]), of(&[1, 1])];
    for (i, one) in all.iter().enumerate() {
        assert!(all.iter().skip(i + 1).all(|other| other != one));
    }
}

/// Row 111: what a stranger sends is not counted; what is counted slows down and never freezes; the owner lifts it.
#[test]
fn row_111_strangers_freeze_nobody() {
    let world = World::new(130);
    let (mut ledger, key) = (MemoryLedger::default(), world.wallet(Role::Server).key_id());
    let (mut server, _) = create(Role::Server, "bad", 1, world::signed(Role::Server));
    let (_, frames) = create(Role::Client, "bad", 2, world::signed(Role::Client));
    let mut rng = seeded(5);
    for _ in 0..1000 {
        let mut garbage = frames[0].bytes.clone();
        let at = usize::try_from(rng.next_u64() % u64::try_from(garbage.len()).unwrap()).unwrap();
        garbage[at] ^= 1;
        let Err(error) = server.handle(PartyId::CLIENT, &garbage) else { panic!("refused") };
        // what an application counts: failures that call for an answer
        if error.response().is_some() {
            ledger.count_failure(&key).unwrap();
        }
    }
    assert_eq!(ledger.failures(&key).unwrap().count(), 0);
    assert!(server.handle(PartyId::CLIENT, &frames[0].bytes).is_ok(), "the run goes on");
    // authenticated failures slow down, up to an hour and no further
    for _ in 0..10_000 {
        ledger.count_failure(&key).unwrap();
    }
    assert_eq!(ledger.failures(&key).unwrap().delay(), Duration::from_secs(3600));
    assert_eq!(Failures::new(u32::MAX).delay(), Duration::from_secs(3600));
    ledger.lift(&key).unwrap();
    assert_eq!(ledger.failures(&key).unwrap().delay(), Duration::ZERO);
}
