//! Bytes that a signing session holds between messages, and those of a banked item. Both count the value itself and all of
//! the heap that it owns, as the allocator sees it when it is dropped; frames that were handed out are the transport's.

use crate::{Meter, Started, World, full, index, pair_setup};
use std::{collections::VecDeque, mem::size_of};
use symbolon::{Preprocessed, Role, Session, SignFull, Step, Suite};
use symbolon_testkit::seeded;

/// Bytes of `value`: itself, and what dropping it gives back to the heap.
fn owned<T>(meter: &Meter, value: T) -> usize {
    let before = meter.heap.current_usage();
    drop(value);
    size_of::<T>() + before.saturating_sub(meter.heap.current_usage())
}

/// Bytes of a session that signs from scratch, its pair setup inside: after its start, and after each frame that it reads. By
/// the last the pair setup has left, and the session is kept only as long as its last frames may have to be repeated.
///
/// # Panics
/// If an honest run fails.
#[must_use]
pub fn sign_full(meter: &Meter, suite: Suite, role: Role) -> Vec<usize> {
    let mut rng = seeded(1);
    let wallets = World::new(2, suite).wallets;
    let mut points = Vec::new();
    loop {
        let ots = pair_setup(&mut rng, suite).0;
        let mut started = wallets.iter().zip(ots).map(|(wallet, ots)| full(wallet, ots, &mut rng));
        let started = [started.next().expect("the server's"), started.next().expect("the client's")];
        let (session, done) = paused(started, role, points.len());
        points.push(owned(meter, session));
        if done {
            return points;
        }
    }
}

/// The session of `role` when it has read `reads` frames, and whether it is done.
fn paused(started: [Started<SignFull>; 2], role: Role, reads: usize) -> (Session<SignFull>, bool) {
    let [(server, to_client), (client, to_server)] = started;
    let mut sessions = [server, client];
    let mut mail = [VecDeque::from(to_server), VecDeque::from(to_client)];
    let (mut read, mut done) = (0, false);
    loop {
        for turn in [role.peer(), role] {
            if turn == role && read == reads {
                let [server, client] = sessions;
                return (if role == Role::Server { server } else { client }, done);
            }
            let Some(frame) = mail[index(turn)].pop_front() else { continue };
            let step = sessions[index(turn)].handle(turn.peer().id(), &frame.bytes).expect("an honest run");
            if turn == role {
                read += 1;
                done = matches!(step, Step::Done(..));
            }
            if let Step::Continue(frames) | Step::Done(.., frames) = step {
                mail[index(turn.peer())].extend(frames);
            }
        }
    }
}

/// Items of a batch.
const BATCH: usize = 64;

/// Bytes of one banked item of each side, server and client, with its part of what all items of the batch share.
///
/// # Panics
/// If an honest run fails.
#[must_use]
pub fn items(meter: &Meter, suite: Suite) -> [usize; 2] {
    let each = |items: Vec<Preprocessed>| {
        let items: [Preprocessed; BATCH] = items.try_into().ok().expect("as many as were asked for");
        owned(meter, items).div_ceil(BATCH)
    };
    World::new(3, suite).preprocess(64).0.map(each)
}
