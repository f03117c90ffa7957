//! Many sessions on one key and one pair; one lie, and what is left of the pair's setup.

use crate::world::{ROLES, World, created, label, slot, storage};
use rand_core::Rng;
use std::collections::BTreeMap;
use symbolon::{
    Auth, Bank, Claimed, DerivationPath, Error, Fault, Ledger, MemoryLedger, Outgoing, Payload, Preprocess,
    PreprocessSetup, Preprocessed, Role, Session, SetupId, Signed, Step, Token, item_of, store,
};
use symbolon_ecdsa::SignOnline;
use symbolon_testkit::{Duo, seeded};

/// Items of one batch, in the banks of both sides.
fn banks(world: &World, seed: u64, count: u16) -> [Bank; 2] {
    world.items(seed, count).map(|items| {
        let mut bank = Bank::new();
        bank.put(items);
        bank
    })
}

fn payload(i: usize) -> Payload {
    Payload::personal_message(i.to_be_bytes())
}

fn start(world: &World, role: Role, item: Preprocessed, i: usize) -> (Session<SignOnline>, Vec<Outgoing>) {
    let rng = &mut seeded(1);
    world.wallet(role).sign_banked(item, payload(i), DerivationPath::root(), Auth::Channel, rng).unwrap()
}

/// The client of run `i` starts; the server takes the item that the frame names.
fn request(world: &World, banks: &mut [Bank; 2], setup: &SetupId, i: usize) -> (Session<SignOnline>, Vec<u8>) {
    let item = banks[slot(Role::Client)].take_any(setup).unwrap();
    let (session, frames) = start(world, Role::Client, item, i);
    (session, frames[0].bytes.clone())
}

fn serve(world: &World, banks: &mut [Bank; 2], frame: &[u8], i: usize) -> Option<Session<SignOnline>> {
    let item = banks[slot(Role::Server)].take(&item_of(frame).unwrap())?;
    Some(start(world, Role::Server, item, i).0)
}

#[test]
fn sixty_four_interleaved_signatures() {
    let world = World::new(90);
    let setup = world.setup(Role::Server).id();
    for order in 0..4 {
        let (mut rng, mut banks) = (seeded(order), banks(&world, 91 + order, 64));
        let mut clients: BTreeMap<usize, Session<SignOnline>> = BTreeMap::new();
        let (mut servers, mut released) = (BTreeMap::new(), BTreeMap::new());
        let mut mail: Vec<(Role, usize, Vec<u8>)> = Vec::new();
        let mut waiting: Vec<usize> = (0..64).collect();
        let mut signed = 0;
        while !waiting.is_empty() || !mail.is_empty() {
            let pick = usize::try_from(rng.next_u64() % u64::try_from(waiting.len() + mail.len()).unwrap()).unwrap();
            if pick < waiting.len() {
                let i = waiting.swap_remove(pick);
                let (session, frame) = request(&world, &mut banks, &setup, i);
                clients.insert(i, session);
                mail.push((Role::Server, i, frame));
                continue;
            }
            let (to, i, frame) = mail.swap_remove(pick - waiting.len());
            if to == Role::Server {
                let session = serve(&world, &mut banks, &frame, i).unwrap();
                let session = servers.entry(i).or_insert(session);
                let Step::Done(output, _, frames) = session.handle(Role::Client.id(), &frame).unwrap() else {
                    panic!("the server answers at once")
                };
                released.insert(i, output);
                mail.push((Role::Client, i, frames[0].bytes.clone()));
            } else {
                // the frame of another session changes nothing
                for other in clients.keys().copied().filter(|other| *other != i).take(2).collect::<Vec<_>>() {
                    let error = clients.get_mut(&other).unwrap().handle(Role::Server.id(), &frame);
                    assert!(matches!(error, Err(Error::Rejected(_))));
                }
                let mut session = clients.remove(&i).unwrap();
                let Step::Done(output, ..) = session.handle(Role::Server.id(), &frame).unwrap() else {
                    panic!("the client has its signature")
                };
                world.check_signed([&released[&i], &output], &payload(i));
                signed += 1;
            }
        }
        assert_eq!(signed, 64);
        assert!(banks.iter().all(|bank| bank.left(&setup) == 0));
    }
}

#[test]
fn row_71_one_lie_burns_the_setup_and_nothing_else() {
    let world = World::new(92);
    let (setup, other) = (world.setup(Role::Server).id(), World::new(93));
    let mut all = banks(&world, 94, 16);
    // an item of another setup of the same two parties
    let more = banks(&other, 95, 1);
    for (bank, more) in all.iter_mut().zip(more) {
        let mut more = more;
        bank.put(more.drain());
    }
    let mut ledger = MemoryLedger::default();
    store::put_setup(&mut ledger, &storage(), world.setup(Role::Server), &mut seeded(1)).unwrap();

    // eight started on both sides
    let mut started: Vec<_> = (0..8)
        .map(|i| {
            let (client, frame) = request(&world, &mut all, &setup, i);
            let server = serve(&world, &mut all, &frame, i).unwrap();
            (i, client, server, frame)
        })
        .collect();
    // the client of the first lies: Gamma_x is the last field of its frame
    let (_, _, mut cheated, mut frame) = started.remove(0);
    let at = frame.len() - 1;
    let Err(Error::Burned(burned)) = (1..=u8::MAX)
        .find_map(|change| {
            // x of a point: any value of x that is on the curve or not is refused, as encoding or as exponent
            let mut lie = frame.clone();
            lie[at] ^= change;
            let point = &lie[lie.len() - 33..];
            symbolon_core::wire::Reader::new(point).point::<symbolon::Secp256k1>().is_ok().then_some(lie)
        })
        .map(|lie| {
            frame = lie;
            cheated.handle(Role::Client.id(), &frame)
        })
        .unwrap()
    else {
        panic!("a failed check in the exponent burns")
    };
    assert_eq!((burned.fault, burned.culprit), (Fault::Exponent, Some(Role::Client.id())));
    assert_eq!(burned.setups, [setup]);
    assert_eq!(burned.response(), symbolon::Response::NewSetup);

    // the caller's duty: ledger and bank
    assert_eq!(all[0].left(&setup), 8);
    store::burn(&mut ledger, &mut all[0], &Error::Burned(burned)).unwrap();
    assert_eq!(all[0].left(&setup), 0);
    assert_eq!(all[0].left(&other.setup(Role::Server).id()), 1, "another setup's items stay");

    // sessions already started finish
    for (i, mut client, mut server, frame) in started {
        let Ok(Step::Done(released, _, frames)) = server.handle(Role::Client.id(), &frame) else { panic!("finishes") };
        let Ok(Step::Done(signature, ..)) = client.handle(Role::Server.id(), &frames[0].bytes) else { panic!("signs") };
        world.check_signed([&released, &signature], &payload(i));
    }
    // unstarted ones are refused, by the bank and by the ledger
    let (_, frame) = request(&world, &mut all, &setup, 99);
    assert!(serve(&world, &mut all, &frame, 99).is_none());
    let token = Token::Item { item: item_of(&frame).unwrap(), setup };
    assert_eq!(ledger.claim(&token), Ok(Claimed::Again), "an item of a burned setup is as good as used");
    // the setup is gone, and does not come back
    let gone = |ledger: &mut MemoryLedger| {
        matches!(store::take_setup(ledger, &storage(), &setup), Err(store::TakeError::Gone))
    };
    assert!(gone(&mut ledger));
    store::put_setup(&mut ledger, &storage(), world.setup(Role::Server), &mut seeded(2)).unwrap();
    assert!(gone(&mut ledger), "burn beats put");

    // a new setup works, with the same peer and the same key
    let fresh = created(96, |setup| setup).map(|(_, made)| made.setup);
    let refill = |mut ots: symbolon::PairSetup| {
        let setup = PreprocessSetup::new(&mut ots, 1).unwrap();
        Session::<Preprocess>::start(setup, &(), ots, label("refill"), Auth::Channel, &mut seeded(97)).unwrap()
    };
    let [s, c] = fresh;
    let (ends, _) = Duo::new(refill(s), refill(c)).run();
    let [s, c] = ends.map(|mut end| end.output.pop().unwrap());
    let ([s, c], _) = Duo::new(start(&world, Role::Server, s, 5), start(&world, Role::Client, c, 5)).run();
    world.check_signed([&s.output, &c.output], &payload(5));
}

#[test]
fn row_98_an_item_is_handed_out_once() {
    let world = World::new(98);
    let mut banks = banks(&world, 99, 2);
    let setup = world.setup(Role::Server).id();
    let (_, frame) = request(&world, &mut banks, &setup, 0);
    let id = item_of(&frame).unwrap();
    assert!(banks[0].take(&id).is_some());
    assert!(banks[0].take(&id).is_none(), "the second answer has nothing to answer with");
    // two tasks with one ledger: one wins
    let mut ledger = MemoryLedger::default();
    let token = Token::Item { item: id, setup };
    assert_eq!([0; 2].map(|_| ledger.claim(&token).unwrap()), [Claimed::Fresh, Claimed::Again]);
}

#[test]
fn row_84_and_85_a_setup_is_taken_once() {
    let world = World::new(100);
    let (id, mut ledger) = (world.setup(Role::Client).id(), MemoryLedger::default());
    store::put_setup(&mut ledger, &storage(), world.setup(Role::Client), &mut seeded(1)).unwrap();
    // two processes: one wins
    let setup = store::take_setup(&mut ledger, &storage(), &id).unwrap();
    assert!(matches!(store::take_setup(&mut ledger, &storage(), &id), Err(store::TakeError::Gone)));
    // 500 malformed extension messages prepared side by side: the first one that is checked takes the setup with it
    let payload = payload(0);
    let mut frames = Vec::new();
    for i in 0..500u64 {
        let rng = &mut seeded(i);
        let server = world.wallet(Role::Server);
        frames.push(
            server.sign_with(world.setup(Role::Server), payload, DerivationPath::root(), Auth::Channel, rng).unwrap(),
        );
    }
    let rng = &mut seeded(1);
    let (mut client, first) =
        world.wallet(Role::Client).sign_with(setup, payload, DerivationPath::root(), Auth::Channel, rng).unwrap();
    let (mut checked, mut burned) = (0, Vec::new());
    for (mut server, _) in frames {
        let Step::Continue(mut answer) = server.handle(Role::Client.id(), &first[0].bytes).unwrap() else {
            panic!("the server answers")
        };
        let len = answer[0].bytes.len();
        answer[0].bytes[len - 1] ^= 1;
        match client.handle(Role::Server.id(), &answer[0].bytes) {
            Err(Error::Burned(failed)) => {
                assert_eq!(failed.fault, Fault::Extension);
                assert!(failed.held.is_none(), "the setup is not given back");
                checked += 1;
                burned.extend(failed.setups);
            }
            Err(Error::Rejected(symbolon::Rejected::Finished)) => (),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!((checked, burned.as_slice()), (1, &[id][..]));
    burned.iter().for_each(|id| ledger.burn(id).unwrap());
    assert!(matches!(store::take_setup(&mut ledger, &storage(), &id), Err(store::TakeError::Gone)));
    // a crash after the take loses a setup in the same way; the cure is a new one
    let [(_, server), (_, client)] = created(101, |setup| setup);
    let sign = |role: Role, ots| {
        world.wallet(role).sign_with(ots, payload, DerivationPath::root(), Auth::Channel, &mut seeded(7)).unwrap()
    };
    let ([s, c], _) = Duo::new(sign(Role::Server, server.setup), sign(Role::Client, client.setup)).run();
    world.check_signed([&s.output, &c.output], &payload);
    assert!(ROLES.len() == 2 && matches!(c.output, Signed::Signature(_)));
}
