//! Two honest sessions and a queue between them.

use std::collections::VecDeque;
use symbolon_core::{PartyId, Role, SecretBytes};
use symbolon_session::{Outgoing, Pending, Protocol, Session, Step, StorageKey, Stored};

/// What crossed the wire.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Traffic {
    /// Frames, both ways.
    pub messages: usize,
    /// Bytes sent by the server and by the client.
    pub bytes: [usize; 2],
}

/// How one side ended.
pub struct Ended<P: Protocol> {
    /// The result.
    pub output: P::Output,
    /// What moved out, at `Prepared` or with the result.
    pub held: Option<P::Held>,
}

/// Two sessions of one run. Index 0 is the server, 1 the client.
pub struct Duo<P: Protocol> {
    /// The sessions.
    pub sessions: [Session<P>; 2],
    queue: VecDeque<(Role, Vec<u8>)>,
    held: [Option<P::Held>; 2],
    /// What crossed the wire so far.
    pub traffic: Traffic,
}

const fn slot(role: Role) -> usize {
    match role {
        Role::Server => 0,
        Role::Client => 1,
    }
}

/// Seals a pending value under a fixed key and throws it away: the store of tests that are about something else.
///
/// # Panics
/// If sealing fails, which it does not.
pub fn stored<O>(pending: &Pending<O>) -> Stored {
    let key = StorageKey::new(SecretBytes::new([7; 32]));
    pending.seal(&key, &mut crate::seeded(7)).expect("sealing a small value").stored()
}

impl<P: Protocol> Duo<P> {
    /// From two started sessions.
    pub fn new(server: (Session<P>, Vec<Outgoing>), client: (Session<P>, Vec<Outgoing>)) -> Self {
        let mut duo = Self {
            sessions: [server.0, client.0],
            queue: VecDeque::new(),
            held: [None, None],
            traffic: Traffic::default(),
        };
        duo.post(Role::Server, server.1);
        duo.post(Role::Client, client.1);
        duo
    }

    fn post(&mut self, from: Role, frames: Vec<Outgoing>) {
        for frame in frames {
            self.traffic.messages += 1;
            self.traffic.bytes[slot(from)] += frame.bytes.len();
            self.queue.push_back((from.peer(), frame.bytes));
        }
    }

    /// Runs to the end.
    ///
    /// # Panics
    /// If an honest run does not end with both results.
    pub fn run(mut self) -> ([Ended<P>; 2], Traffic) {
        let mut outputs = [None, None];
        while let Some((to, bytes)) = self.queue.pop_front() {
            let from: PartyId = to.peer().id();
            let i = slot(to);
            let mut step =
                self.sessions[i].handle(from, &bytes).unwrap_or_else(|e| panic!("{} at {to:?}: {e}", P::NAME));
            loop {
                match step {
                    Step::Continue(frames) => break self.post(to, frames),
                    Step::Prepared(pending, held) => {
                        self.held[i] = Some(held);
                        step = self.sessions[i].stored(stored(&pending));
                    }
                    Step::Done(output, held, frames) => {
                        self.post(to, frames);
                        outputs[i] = Some(Ended { output, held: held.or(self.held[i].take()) });
                        break;
                    }
                }
            }
        }
        (outputs.map(|o| o.expect("both sides end")), self.traffic)
    }
}
