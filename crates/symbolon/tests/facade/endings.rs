//! Crash and lost frame at every message of a creation, a conversion and a pair refresh, for both parties and for both at
//! once. A small application stores what is pending, reconnects, resends, and answers `closed` for runs that it lost.
//! Afterwards both hold the new value or both the old one, what they hold works, and no address was shown early.

use crate::world::{self, ROLES, World, label, pair, slot, storage};
use std::collections::VecDeque;
use symbolon::{
    Auth, Claimed, Convert, ConvertSetup, DerivationPath, Error, Fault, Header, KeyShare, Ledger, MemoryLedger,
    Outgoing, PairFactor, PairRefresh, PairSetup, PairSetupRun, PairSetupTerms, Payload, Protocol, RefreshSetup, Role,
    Secp256k1, Session, Setup, Step, Storable, Suite, close,
    wallet::{Create, CreateSetup, Wallet},
};
use symbolon_core::Group;
use symbolon_testkit::{Duo, seeded};

/// When a party loses its memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum When {
    /// A frame was there and not yet looked at: it is gone too.
    Before,
    /// The frame was used; what followed was neither stored nor sent.
    After,
    /// The pending value is on the disk; `stored` was not yet called, nothing was sent.
    Stored,
    /// `stored` was called; what it released was not sent.
    Released,
}

/// What goes wrong, at a message (from 0).
#[derive(Clone, Copy, Debug)]
enum Accident {
    Lost(usize),
    /// The receiver of the message crashes.
    Receiver(usize, When),
    /// Its sender crashes once the message has left.
    Sender(usize),
    Both(usize, When),
}

/// One party's application.
struct App<P: Protocol> {
    role: Role,
    session: Option<Session<P>>,
    /// The sealed pending value.
    disk: Option<Vec<u8>>,
    ledger: MemoryLedger,
    /// The confirmed value: from here on its address is shown.
    done: Option<P::Output>,
    /// What moved out.
    held: Option<P::Held>,
}

struct Pairing<P: Protocol> {
    apps: [App<P>; 2],
    queue: VecDeque<(Role, Vec<u8>)>,
}

impl<P: Protocol<Output: Storable>> Pairing<P> {
    fn new(start: &impl Fn(Role) -> (Session<P>, Vec<Outgoing>)) -> Self {
        let mut queue = VecDeque::new();
        let apps = ROLES.map(|role| {
            let (session, frames) = start(role);
            queue.extend(frames.into_iter().map(|frame| (role.peer(), frame.bytes)));
            App { role, session: Some(session), disk: None, ledger: MemoryLedger::default(), done: None, held: None }
        });
        Self { apps, queue }
    }

    fn crash(&mut self, role: Role) {
        let app = &mut self.apps[slot(role)];
        // the confirmed value is on the disk as well
        (app.session, app.held) = (None, None);
    }

    fn post(&mut self, from: Role, frames: Vec<Outgoing>) {
        self.queue.extend(frames.into_iter().map(|frame| (from.peer(), frame.bytes)));
    }

    fn take(&mut self, role: Role, mut step: Step<P>, crash: Option<When>) {
        loop {
            if crash == Some(When::After) {
                return self.crash(role);
            }
            let app = &mut self.apps[slot(role)];
            match step {
                Step::Continue(frames) => {
                    return if crash.is_some() && app.disk.is_some() {
                        self.crash(role)
                    } else {
                        self.post(role, frames)
                    };
                }
                Step::Prepared(pending, held) => {
                    app.held = Some(held);
                    // one transaction: the value, and that this run was not closed
                    for token in pending.run_ends() {
                        assert_eq!(app.ledger.claim(token), Ok(Claimed::Fresh));
                    }
                    let sealed = pending.seal(&storage(), &mut seeded(1)).unwrap();
                    app.disk = Some(sealed.as_bytes().to_vec());
                    if crash == Some(When::Stored) {
                        return self.crash(role);
                    }
                    step = app.session.as_mut().unwrap().stored(sealed.stored());
                }
                Step::Done(output, _, frames) => {
                    app.done = Some(output);
                    assert!(self.apps.iter().all(|app| app.disk.is_some()), "shown before both have stored");
                    if crash.is_some() {
                        self.crash(role);
                    } else {
                        self.post(role, frames);
                    }
                    return;
                }
            }
        }
    }

    fn give(&mut self, to: Role, frame: &[u8], crash: Option<When>) {
        let app = &mut self.apps[slot(to)];
        let Some(session) = &mut app.session else { return self.answer_closed(to, frame) };
        match session.handle(to.peer().id(), frame) {
            Ok(step) => self.take(to, step, crash),
            Err(Error::Rejected(_)) => (),
            Err(Error::Aborted(aborted)) => {
                // the peer has lost the run, and will never finish it
                assert_eq!((aborted.fault, aborted.culprit), (Fault::Closed, None));
                app.held = app.held.take().or(aborted.held);
                assert!(app.done.is_none(), "what is confirmed stays");
                (app.session, app.disk) = (None, None);
            }
            Err(Error::Burned(burned)) => panic!("an accident burned {:?}", burned.setups),
        }
    }

    fn answer_closed(&mut self, role: Role, frame: &[u8]) {
        let app = &mut self.apps[slot(role)];
        // a `closed` answer is not answered
        let asks = Header::parse(frame).is_ok_and(|header| header.round != Header::CLOSED);
        if asks && app.disk.is_none() {
            let roster = pair(role).roster();
            let answer = close::<P, _>(role.peer().id(), frame, &roster, Auth::Channel, &mut app.ledger);
            self.post(role, answer.into_iter().collect());
        }
    }

    fn deliver_all(&mut self) {
        while let Some((to, frame)) = self.queue.pop_front() {
            self.give(to, &frame, None);
        }
    }

    /// Runs with one accident, then lets the two reconnect until nothing changes.
    fn play(mut self, accident: Accident) -> [App<P>; 2] {
        let mut count = 0;
        while let Some((to, frame)) = self.queue.pop_front() {
            match accident {
                Accident::Lost(at) if at == count => (),
                Accident::Receiver(at, When::Before) if at == count => self.crash(to),
                Accident::Receiver(at, when) if at == count => self.give(to, &frame, Some(when)),
                Accident::Sender(at) if at == count => {
                    self.crash(to.peer());
                    if self.apps[slot(to)].session.is_some() {
                        self.give(to, &frame, None);
                    }
                    // what was on its way reaches nobody: the connection broke
                    self.queue.clear();
                }
                Accident::Both(at, when) if at == count => {
                    match when {
                        When::Before => (),
                        _ => self.give(to, &frame, Some(when)),
                    }
                    ROLES.into_iter().for_each(|role| self.crash(role));
                    self.queue.clear();
                }
                _ => self.give(to, &frame, None),
            }
            count += 1;
        }
        for _ in 0..3 {
            for role in ROLES {
                let app = &mut self.apps[slot(role)];
                if let (None, Some(sealed)) = (&app.session, &app.disk) {
                    let (session, step) = Session::resume_ending(sealed, &storage(), Auth::Channel).unwrap();
                    app.session = Some(session);
                    self.take(role, step, None);
                }
                let app = &mut self.apps[slot(role)];
                let frames = app.session.as_ref().map_or(Vec::new(), Session::resend);
                self.post(role, frames);
                self.deliver_all();
            }
        }
        self.apps
    }
}

/// Every accident at every one of `messages` messages.
fn accidents(messages: usize) -> Vec<Accident> {
    let at = |at| {
        let whens = [When::Before, When::After, When::Stored, When::Released];
        let receiver = whens.map(|when| Accident::Receiver(at, when));
        let both = whens.map(|when| Accident::Both(at, when));
        [&receiver[..], &both[..], &[Accident::Lost(at), Accident::Sender(at)]].concat()
    };
    (0..messages).flat_map(at).collect()
}

/// How many accidents left the new value, and how many the old one.
type Left = (usize, usize);

/// `both(new values)` if both are new; `None`: both old, with what came back.
#[allow(clippy::type_complexity, reason = "two results and two resources")]
fn settle<P: Protocol<Output: Storable>>(
    messages: usize,
    start: impl Fn(Role) -> (Session<P>, Vec<Outgoing>),
    mut check: impl FnMut(Option<[&P::Output; 2]>),
) -> Left {
    let mut left = (0, 0);
    for accident in accidents(messages) {
        let apps = Pairing::new(&start).play(accident);
        match apps.each_ref().map(|app| app.done.as_ref()) {
            [Some(server), Some(client)] => {
                check(Some([server, client]));
                left.0 += 1;
            }
            [None, None] => {
                assert!(apps.iter().all(|app| app.disk.is_none()), "{accident:?}: somebody stays in doubt");
                check(None);
                left.1 += 1;
            }
            [_, client] => panic!("{accident:?}: one has the new value, and the client is it: {}", client.is_some()),
        }
        for app in apps {
            // what is left on the disk after all is the value that was confirmed
            assert_eq!(app.disk.is_some(), app.done.is_some(), "{accident:?} at {:?}", app.role);
        }
    }
    left
}

fn seed(role: Role) -> u64 {
    80 + u64::from(role.id().get())
}

fn signs([server, client]: [&Wallet; 2]) {
    let payload = Payload::personal_message("still here");
    let mut rng = seeded(5);
    let mut start = |wallet: &Wallet| wallet.sign(payload, DerivationPath::root(), Auth::Channel, &mut rng).unwrap();
    let ([s, c], _) = Duo::new(start(server), start(client)).run();
    let (symbolon::Signed::Released(released), symbolon::Signed::Signature(signature)) = (s.output, c.output) else {
        panic!("the client has the signature")
    };
    assert!(released.is_completed_by(&signature));
    let recovered = signature.recover(&payload.digest()).unwrap();
    assert_eq!(symbolon::EthereumAddress::from_public_key(&recovered), server.address());
    assert_eq!(server.address(), client.address());
}

fn wallet_of(share: &KeyShare<Secp256k1>) -> Wallet {
    let bytes = share.to_secret_bytes();
    Wallet::from_share(KeyShare::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap())
}

/// `a*b*G = P`.
fn rebuilds([server, client]: [&PairFactor; 2]) {
    let key = *server.secret().expose() * *client.secret().expose();
    assert!(Secp256k1::mul_base(&key) == *server.public_key());
    assert!(server.public_key() == client.public_key());
    assert_eq!(server.generation(), client.generation());
}

#[test]
fn row_86_creation_with_every_accident() {
    let start = |role| {
        let rng = &mut seeded(seed(role));
        Session::<Create>::start(CreateSetup::new(pair(role)), &(), (), label("create"), Auth::Channel, rng).unwrap()
    };
    // nothing was made: a new creation makes something
    let again = || {
        let [(server, _), (client, _)] = world::created(81, |setup| setup);
        signs([&server, &client]);
    };
    let mut tried = false;
    let left = settle(9, start, |new| match new {
        Some(wallets) => signs(wallets),
        None if !tried => {
            tried = true;
            again();
        }
        None => (),
    });
    assert_eq!(left.0 + left.1, 90);
    assert!(left.0 >= 20 && left.1 >= 20, "{left:?}");
}

fn factors(world: &World) -> [&PairFactor; 2] {
    ROLES.map(|role| world.wallet(role).factor().unwrap())
}

fn refresh(world: &World, generation: u32, role: Role) -> (Session<PairRefresh>, Vec<Outgoing>) {
    let factor = factors(world)[slot(role)];
    let setup = RefreshSetup::new(factor, generation).unwrap();
    let rng = &mut seeded(seed(role) + u64::from(generation));
    Session::start(setup, factor, (), label("refresh"), Auth::Channel, rng).unwrap()
}

#[test]
fn row_86_pair_refresh_with_every_accident() {
    let world = World::new(82);
    let left = settle(
        4,
        |role| refresh(&world, 1, role),
        |new| {
            // the old generation is untouched in any case: only `retire` erases it
            rebuilds(factors(&world));
            if let Some(new) = new {
                rebuilds(new);
                assert_eq!(new[0].generation(), 1);
                assert!(new[0].public_key() == factors(&world)[0].public_key());
                assert!(new[0].secret().expose() != factors(&world)[0].secret().expose());
            }
        },
    );
    assert_eq!(left.0 + left.1, 40);
    assert!(left.0 >= 10 && left.1 >= 10, "{left:?}");
}

#[test]
fn row_88_a_lost_opening_costs_no_key() {
    let world = World::new(83);
    // message 2 is the opening; the server is in doubt, the client has lost its run
    for accident in [Accident::Lost(2), Accident::Receiver(2, When::Before), Accident::Receiver(2, When::After)] {
        let apps = Pairing::new(&|role| refresh(&world, 1, role)).play(accident);
        let new = apps.each_ref().map(|app| app.done.as_ref());
        match accident {
            // the pending value keeps the opening frame, so that it was sent again
            Accident::Lost(_) => rebuilds(new.map(Option::unwrap)),
            // the client answered that the run is closed; nobody has generation 1
            _ => assert!(new.iter().all(Option::is_none)),
        }
        rebuilds(factors(&world));
        signs([world.wallet(Role::Server), world.wallet(Role::Client)]);
        // the next refresh takes the next number
        let ([server, client], _) = Duo::new(refresh(&world, 2, Role::Server), refresh(&world, 2, Role::Client)).run();
        rebuilds([&server.output, &client.output]);
        assert_eq!(server.output.generation(), 2);
    }
}

fn convert(world: &World, epoch: u32, role: Role, mut ots: PairSetup) -> (Session<Convert>, Vec<Outgoing>) {
    let factor = factors(world)[slot(role)];
    let setup = ConvertSetup::new(factor, &mut ots, epoch).unwrap();
    let rng = &mut seeded(seed(role) + 10 * u64::from(epoch));
    Session::start(setup, factor, ots, label("convert"), Auth::Channel, rng).unwrap()
}

fn new_setups(seed: u64) -> [PairSetup; 2] {
    let mut rng = seeded(seed);
    let mut start = |role| {
        let terms = PairSetupTerms { pair: pair(role), suite: Suite::Blake3, serial: 0 };
        Session::<PairSetupRun>::start(terms, &(), (), label("setup"), Auth::Channel, &mut rng).unwrap()
    };
    let (ends, _) = Duo::new(start(Role::Server), start(Role::Client)).run();
    ends.map(|end| end.output)
}

/// A second conversion of a funded key, with the same epoch number or another.
fn converted(world: &World, epoch: u32, setups: [PairSetup; 2]) -> [KeyShare<Secp256k1>; 2] {
    let [s, c] = setups;
    let server = convert(world, epoch, Role::Server, s);
    let client = convert(world, epoch, Role::Client, c);
    let (ends, _) = Duo::new(server, client).run();
    ends.map(|end| end.output)
}

#[test]
fn row_89_conversion_with_every_accident() {
    let world = World::new(84);
    let funded = || {
        rebuilds(factors(&world));
        signs([world.wallet(Role::Server), world.wallet(Role::Client)]);
    };
    let mut after = 0;
    let left = settle(
        6,
        |role| convert(&world, 1, role, world.setup(role)),
        |new| {
            rebuilds(factors(&world));
            match new {
                Some([server, client]) => {
                    assert_eq!((server.epoch(), client.epoch()), (1, 1));
                    assert!(server.public_key() == factors(&world)[0].public_key());
                    let wallets = [wallet_of(server), wallet_of(client)];
                    signs([&wallets[0], &wallets[1]]);
                }
                None => after += 1,
            }
        },
    );
    assert_eq!(left.0 + left.1, 60);
    assert!(left.0 >= 10 && left.1 >= 10, "{left:?}");
    assert_eq!(after, left.1);
    funded();
    // the setup that a crash took with it is replaced, and the next conversion takes the next number
    let [server, client] = converted(&world, 2, new_setups(85)).map(|share| wallet_of(&share));
    signs([&server, &client]);
    funded();
}

#[test]
fn row_90_shares_of_two_conversions_do_not_mix() {
    let world = World::new(86);
    let [first, _] = converted(&world, 1, ROLES.map(|role| world.setup(role)));
    // the same epoch number, another sharing
    let [_, second] = converted(&world, 1, new_setups(87));
    let (server, client) = (wallet_of(&first), wallet_of(&second));
    assert_eq!(server.key_id(), client.key_id());
    assert_ne!(server.share().sharing_id(), client.share().sharing_id());
    let mut rng = seeded(6);
    let mut start = |wallet: &Wallet, role| {
        let payload = Payload::personal_message("mixed");
        wallet.sign_with(world.setup(role), payload, DerivationPath::root(), Auth::Channel, &mut rng).unwrap()
    };
    let (mut s, _) = start(&server, Role::Server);
    let (_, first_frames) = start(&client, Role::Client);
    let Err(Error::Aborted(aborted)) = s.handle(Role::Client.id(), &first_frames[0].bytes) else {
        panic!("two sharings are a mismatch")
    };
    assert_eq!((aborted.fault, aborted.culprit), (Fault::Mismatch(symbolon::Agreed::Sid), None));
    assert_eq!(aborted.held.unwrap().id(), world.setup(Role::Server).id(), "nothing burned");
    // an older generation against a newer one is a mismatch too
    let ([s, _], _) = Duo::new(refresh(&world, 1, Role::Server), refresh(&world, 1, Role::Client)).run();
    let newer = RefreshSetup::new(&s.output, 2).unwrap();
    let (mut server, frames) =
        Session::<PairRefresh>::start(newer, &s.output, (), label("refresh"), Auth::Channel, &mut rng).unwrap();
    let (mut client, _) = refresh(&world, 2, Role::Client);
    let error = client.handle(Role::Server.id(), &frames[0].bytes).err().unwrap();
    assert!(
        matches!(error, Error::Aborted(a) if a.culprit.is_none() && a.fault == Fault::Mismatch(symbolon::Agreed::Sid))
    );
    assert_eq!(server.waiting_for().len(), 1);
    assert!(server.handle(Role::Client.id(), &[]).is_err());
}

#[test]
fn row_110_a_claimed_epoch_ends_only_this_run() {
    let world = World::new(88);
    let (server, _) = convert(&world, 1, Role::Server, world.setup(Role::Server));
    let (mut client, _) = convert(&world, u32::MAX, Role::Client, world.setup(Role::Client));
    let (_, frames) = convert(&world, 1, Role::Server, world.setup(Role::Server));
    let Err(Error::Aborted(aborted)) = client.handle(Role::Server.id(), &frames[0].bytes) else { panic!("a mismatch") };
    assert_eq!((aborted.fault, aborted.culprit), (Fault::Mismatch(symbolon::Agreed::Sid), None));
    assert!(aborted.held.is_some(), "nothing burned");
    let ots = server.cancel().unwrap();
    // nothing was stored from the claim: the next run takes the number that it would have taken
    let setup = ConvertSetup::new(factors(&world)[0], &mut world.setup(Role::Server), 1).unwrap();
    assert_eq!(setup.terms().epoch, Some(1));
    let (mut server, frames) = convert(&world, 1, Role::Server, ots);
    let (mut client, _) = convert(&world, 1, Role::Client, aborted.held.unwrap());
    let Ok(Step::Continue(answer)) = client.handle(Role::Server.id(), &frames[0].bytes) else { panic!("goes on") };
    assert!(matches!(server.handle(Role::Client.id(), &answer[0].bytes), Ok(Step::Continue(_))));
    // the same for a generation
    let (_, frames) = refresh(&world, u32::MAX, Role::Server);
    let (mut client, _) = refresh(&world, 1, Role::Client);
    assert!(matches!(
        client.handle(Role::Server.id(), &frames[0].bytes),
        Err(Error::Aborted(aborted)) if aborted.culprit.is_none()
    ));
    let ([s, c], _) = Duo::new(refresh(&world, 1, Role::Server), refresh(&world, 1, Role::Client)).run();
    rebuilds([&s.output, &c.output]);
}

/// Two parties that both lost a run must not answer each other for ever.
#[test]
fn a_closed_answer_is_not_answered() {
    let world = World::new(89);
    let (_, frames) = refresh(&world, 1, Role::Server);
    let mut ledgers = [MemoryLedger::default(), MemoryLedger::default()];
    let [server, client] = &mut ledgers;
    let roster = |role| pair(role).roster();
    let answer =
        close::<PairRefresh, _>(Role::Server.id(), &frames[0].bytes, &roster(Role::Client), Auth::Channel, client)
            .unwrap();
    let again = close::<PairRefresh, _>(Role::Client.id(), &answer.bytes, &roster(Role::Server), Auth::Channel, server);
    assert!(again.is_err(), "a `closed` answer was answered");
}
