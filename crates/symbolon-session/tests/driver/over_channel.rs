//! `run` over a blocking channel between two threads.

use crate::net::*;
use crate::toys::*;
use std::sync::mpsc::{Receiver, RecvError, Sender, channel};
use symbolon_core::{PartyId, Role};
use symbolon_session::*;

struct Pipe(Sender<Vec<u8>>, Receiver<Vec<u8>>);

fn pipes() -> (Pipe, Pipe) {
    let ((a, b), (c, d)) = (channel(), channel());
    (Pipe(a, d), Pipe(c, b))
}

impl Channel for Pipe {
    type Error = RecvError;
    fn send(&mut self, frame: &[u8]) -> Result<(), RecvError> {
        self.0.send(frame.to_vec()).map_err(|_| RecvError)
    }
    fn receive(&mut self) -> Result<Vec<u8>, RecvError> {
        self.1.recv()
    }
}

type Ran<K> = Result<Finished<Toy<K>, RecvError>, RunError<RecvError, SealError, Cargo>>;

fn party_run<K: Kind>(role: Role, pipe: &mut Pipe, saved: &mut usize) -> Ran<K> {
    let (me, cargo): (PartyId, _) = (role.id(), Cargo(u64::from(role.id().get())));
    let mut rng = rng(u8::try_from(me.get()).unwrap());
    let save = |pending: &Pending<Key>| {
        *saved += 1;
        pending.seal(&storage(), &mut crate::net::rng(3)).map(|sealed| sealed.stored())
    };
    let setup = ToySetup::two(role);
    run::<Toy<K>, _, _>(setup, &secret(me), cargo, label(), Auth::Channel, &mut rng, pipe, save)
}

fn both<K: Kind>() -> usize {
    let (mut server, mut client) = pipes();
    let (mut saved_s, mut saved_c) = (0, 0);
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(|| party_run::<K>(Role::Server, &mut server, &mut saved_s).unwrap());
        let b = scope.spawn(|| party_run::<K>(Role::Client, &mut client, &mut saved_c).unwrap());
        (a.join().unwrap(), b.join().unwrap())
    });
    assert_eq!(a.output, b.output);
    assert_eq!((a.held, b.held), (Some(Cargo(1)), Some(Cargo(2))));
    assert_eq!((a.undelivered, b.undelivered), (None, None));
    saved_s + saved_c
}

#[test]
fn two_threads_finish() {
    assert_eq!(both::<Ping>(), 0);
    assert_eq!(both::<FromBank>(), 0);
    assert_eq!(both::<Keys>(), 2);
}

/// A channel that ends in the peer's session, and is cut after some frames.
struct Cut<K: Kind> {
    net: Net<K>,
    me: PartyId,
    sends: usize,
}

impl<K: Kind> Channel for Cut<K> {
    type Error = &'static str;
    fn send(&mut self, frame: &[u8]) -> Result<(), Self::Error> {
        self.sends = self.sends.checked_sub(1).ok_or("cut")?;
        let peer = *self.net.parties.keys().next().unwrap();
        self.net.give(self.me, peer, frame).map_err(|_| "rejected")
    }
    fn receive(&mut self) -> Result<Vec<u8>, Self::Error> {
        self.net.queue.pop_front().map(|mail| mail.2).ok_or("nothing there")
    }
}

impl<K: Kind> Cut<K> {
    /// The peer is at the other end; `me` can send that many frames.
    fn new(me: Role, sends: usize) -> Self {
        let mut net = Net::new([]);
        let (peer, frames) = two::<K>(me.peer(), 50);
        net.parties.insert(me.peer().id(), peer);
        let frames = frames.into_iter().map(|frame| (me.peer().id(), me.id(), frame.bytes));
        net.queue.extend(frames);
        Self { net, me: me.id(), sends }
    }

    fn run(&mut self, me: Role, sealed: &mut Vec<u8>) -> Finished<Toy<K>, &'static str> {
        let save = |pending: &Pending<Key>| {
            let value = pending.seal(&storage(), &mut rng(3))?;
            sealed.extend_from_slice(value.as_bytes());
            Ok::<_, SealError>(value.stored())
        };
        let (setup, secret, mut rng) = (ToySetup::two(me), secret(me.id()), rng(1));
        run::<Toy<K>, _, _>(setup, &secret, Cargo(9), label(), Auth::Channel, &mut rng, self, save).unwrap()
    }
}

/// safety.md S4: who released its share has signed, whatever becomes of the frame.
#[test]
fn row_86_a_failed_last_send_does_not_take_the_output_back() {
    let mut wire = Cut::<FromBank>::new(Role::Server, 0);
    let finished = wire.run(Role::Server, &mut vec![]);
    assert_eq!((finished.undelivered, finished.held), (Some("cut"), Some(Cargo(9))));
    assert_eq!(finished.last.len(), 1);
    // over another connection
    wire.net.give(S, C, &finished.last[0].bytes).unwrap();
    assert_eq!(wire.net.outputs.get(&C), Some(&finished.output));

    // key material: the stored value has the frame too
    for resumed in [false, true] {
        let (mut wire, mut sealed) = (Cut::<Keys>::new(Role::Client, 1), vec![]);
        let finished = wire.run(Role::Client, &mut sealed);
        assert_eq!((finished.undelivered, finished.held), (Some("cut"), Some(Cargo(9))));
        assert!(wire.net.outputs.is_empty(), "the server is in doubt");
        let last = if resumed {
            match Session::<Toy<Keys>>::resume_ending(&sealed, &storage(), Auth::Channel).unwrap().1 {
                Step::Done(output, None, frames) if output == finished.output => frames,
                _ => panic!(),
            }
        } else {
            finished.last
        };
        assert_eq!(last.len(), 1);
        wire.net.give(C, S, &last[0].bytes).unwrap();
        assert_eq!(wire.net.outputs.get(&S), Some(&finished.output));
    }
    // a cut in between is no result
    let mut wire = Cut::<Keys>::new(Role::Client, 0);
    let save = |_: &Pending<Key>| Err(());
    let (setup, secret, mut rng) = (ToySetup::two(Role::Client), secret(C), rng(1));
    let ran = run::<Toy<Keys>, _, _>(setup, &secret, Cargo(9), label(), Auth::Channel, &mut rng, &mut wire, save);
    assert!(matches!(ran, Err(RunError::Channel { error: "cut", held: Some(Cargo(9)) })));
}

#[test]
fn garbage_is_ignored_up_to_a_limit() {
    let (mut server, client) = pipes();
    for _ in 0..=1000 {
        client.0.send(vec![1, 2, 3]).unwrap();
    }
    let ran = party_run::<Ping>(Role::Server, &mut server, &mut 0);
    assert!(matches!(ran, Err(RunError::Garbage { last: Rejected::Length, held: Some(Cargo(1)) })));
}

#[test]
fn a_lost_channel_gives_back_what_was_held() {
    let (mut server, client) = pipes();
    drop(client);
    let ran = party_run::<Ping>(Role::Server, &mut server, &mut 0);
    assert!(matches!(ran, Err(RunError::Channel { error: RecvError, held: Some(Cargo(1)) })));
}

#[test]
fn a_failed_store_confirms_nothing() {
    let (mut server, mut client) = pipes();
    let (a, b) = std::thread::scope(|scope| {
        let a = scope.spawn(move || {
            let save = |_: &Pending<Key>| Err("disk full");
            let setup = ToySetup::two(Role::Server);
            let (secret, mut rng) = (secret(S), rng(1));
            run::<Toy<Keys>, _, _>(setup, &secret, Cargo(1), label(), Auth::Channel, &mut rng, &mut server, save)
        });
        let b = scope.spawn(move || party_run::<Keys>(Role::Client, &mut client, &mut 0));
        (a.join().unwrap(), b.join().unwrap())
    });
    assert!(matches!(a, Err(RunError::Save { error: "disk full", held: Some(Cargo(1)) })));
    assert!(matches!(b, Err(RunError::Channel { held: Some(Cargo(2)), .. })));
}

#[test]
fn one_channel_joins_two_parties() {
    let (mut server, _client) = pipes();
    let save = |_: &Pending<Key>| Err(());
    let ran =
        run::<Toy<Talk>, _, _>(keyed(S, 3), &secret(S), Cargo(1), label(), signed(S), &mut rng(1), &mut server, save);
    assert!(matches!(ran, Err(RunError::Start(StartError::TwoParties))));
}
