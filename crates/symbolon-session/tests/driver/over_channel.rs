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

type Ran = Result<(Key, Option<Cargo>), RunError<RecvError, SealError, Cargo>>;

fn party_run<K: Kind>(role: Role, pipe: &mut Pipe, saved: &mut usize) -> Ran {
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
    assert_eq!(a.0, b.0);
    assert_eq!((a.1, b.1), (Some(Cargo(1)), Some(Cargo(2))));
    saved_s + saved_c
}

#[test]
fn two_threads_finish() {
    assert_eq!(both::<Ping>(), 0);
    assert_eq!(both::<Bank>(), 0);
    assert_eq!(both::<Keys>(), 2);
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
