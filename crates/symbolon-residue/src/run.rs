//! Runs of real sessions, entry by entry.

use crate::{
    report::{Pass, Report},
    secrets::{Recording, Secrets},
    watched::{Watched, deals},
};
use std::collections::{BTreeMap, VecDeque};
use symbolon::{
    Auth, Error, Header, Label, MemoryLedger, Outgoing, PartyId, Pending, Protocol, Session, Setup, Step, Storable,
    StorageKey, Stored, Suspend, To,
};
use symbolon_core::SecretBytes;
use symbolon_testkit::Lying;
use zeroize::Zeroizing;

/// What goes wrong.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Twist {
    /// Nothing.
    Honest,
    /// In the frame of this number a byte is another one: its sender lies. A part of the body in percent.
    Flip(usize, usize),
    /// Everybody cancels when this many frames were delivered.
    Cancel(usize),
}

/// The key of everything that is sealed here.
#[must_use]
pub fn storage() -> StorageKey {
    StorageKey::new(SecretBytes::new([6; 32]))
}

/// What an entry gives.
pub enum Taken<O, H> {
    /// Frames to send.
    More(Vec<Outgoing>),
    /// A value to store, and what moved out.
    Prepared(Pending<O>, H),
    /// The result.
    Done(O, Option<H>, Vec<Outgoing>),
}

fn taken<P: Protocol>(step: Step<P>) -> Taken<P::Output, P::Held> {
    match step {
        Step::Continue(frames) => Taken::More(frames),
        Step::Prepared(pending, held) => Taken::Prepared(pending, held),
        Step::Done(output, held, frames) => Taken::Done(output, held, frames),
    }
}

/// A session of some kind.
pub trait Party<O, H> {
    /// Takes a frame.
    ///
    /// # Errors
    /// The session's.
    fn handle(&mut self, r: &mut Report, from: PartyId, frame: &[u8]) -> Result<Taken<O, H>, Error<H>>;
    /// The value is stored.
    fn stored(&mut self, r: &mut Report, receipt: Stored) -> Taken<O, H>;
    /// Ends it.
    fn cancel(self: Box<Self>, r: &mut Report) -> Option<H>;
}

impl<P: Protocol> Party<P::Output, P::Held> for Session<Watched<P>> {
    fn handle(
        &mut self,
        r: &mut Report,
        from: PartyId,
        frame: &[u8],
    ) -> Result<Taken<P::Output, P::Held>, Error<P::Held>> {
        r.entry("Session::handle", || Self::handle(self, from, frame)).map(taken)
    }

    fn stored(&mut self, r: &mut Report, receipt: Stored) -> Taken<P::Output, P::Held> {
        taken(r.entry("Session::stored", || Self::stored(self, receipt)))
    }

    fn cancel(self: Box<Self>, r: &mut Report) -> Option<P::Held> {
        r.entry("Session::cancel", || Self::cancel(*self))
    }
}

/// A liar's session: what it leaves is its own.
impl<P: Protocol> Party<P::Output, P::Held> for Session<Lying<P>> {
    fn handle(
        &mut self,
        _: &mut Report,
        from: PartyId,
        frame: &[u8],
    ) -> Result<Taken<P::Output, P::Held>, Error<P::Held>> {
        Self::handle(self, from, frame).map(taken)
    }

    fn stored(&mut self, _: &mut Report, receipt: Stored) -> Taken<P::Output, P::Held> {
        taken(Self::stored(self, receipt))
    }

    fn cancel(self: Box<Self>, _: &mut Report) -> Option<P::Held> {
        Self::cancel(*self)
    }
}

/// A session that is stored between two entries.
pub struct Napping<'a, P: Suspend> {
    /// Its sealed form.
    pub sealed: Vec<u8>,
    /// What it is given at each resume.
    pub secrets: &'a P::LongTerm,
    /// The same.
    pub auth: Box<dyn Fn() -> Auth + 'a>,
    /// Its ledger.
    pub ledger: MemoryLedger,
    /// Its generator.
    pub rng: Recording,
}

impl<P: Suspend> Napping<'_, P> {
    fn awake<T>(&mut self, r: &mut Report, work: impl FnOnce(&mut Report, &mut Session<Watched<P>>) -> T) -> T {
        let (key, ledger) = (storage(), &mut self.ledger);
        let auth = (self.auth)();
        let mut session = r
            .entry("Session::resume", || {
                Session::<Watched<P>>::resume(&self.sealed, &key, self.secrets, auth, ledger).ok()
            })
            .expect("it comes back once");
        let result = work(r, &mut session);
        let rng = &mut self.rng;
        self.sealed = r.entry("Session::suspend", || session.suspend(&key, rng)).unwrap_or_default();
        r.publish(&self.sealed);
        result
    }
}

impl<P: Suspend> Party<P::Output, P::Held> for Napping<'_, P> {
    fn handle(
        &mut self,
        r: &mut Report,
        from: PartyId,
        frame: &[u8],
    ) -> Result<Taken<P::Output, P::Held>, Error<P::Held>> {
        self.awake(r, |r, session| Party::handle(session, r, from, frame))
    }

    fn stored(&mut self, r: &mut Report, receipt: Stored) -> Taken<P::Output, P::Held> {
        self.awake(r, |r, session| Party::stored(session, r, receipt))
    }

    fn cancel(self: Box<Self>, _: &mut Report) -> Option<P::Held> {
        None
    }
}

/// A party and its first frames.
pub type Joined<'a, O, H> = (PartyId, Box<dyn Party<O, H> + 'a>, Vec<Outgoing>);

/// Starts a session.
///
/// # Panics
/// If it does not start.
pub fn start<'a, P: Protocol + 'a>(
    r: &mut Report,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    auth: Auth,
    seed: u64,
) -> Joined<'a, P::Output, P::Held> {
    let me = setup.roster().me();
    let mut rng = Recording::new(seed * 1000 + u64::from(me.get()));
    let label = Label::new("residue").expect("short");
    let started =
        r.entry("Session::start", || Session::<Watched<P>>::start(setup, secrets, input, label, auth, &mut rng));
    let (session, frames) = started.expect("it starts");
    (me, Box::new(session), frames)
}

struct Mail {
    from: PartyId,
    to: PartyId,
    frame: Zeroizing<Vec<u8>>,
}

/// How a party ended: the result and what it held, or what it held when it failed or was cancelled.
pub struct End<O, H> {
    /// The result.
    pub output: Option<O>,
    /// What came back.
    pub held: Option<H>,
    /// The pending value as it was stored.
    pub sealed: Option<Vec<u8>>,
    /// The public frames that it sent.
    pub sent: Vec<Vec<u8>>,
}

/// Runs sessions until nobody has anything to say. `dealt` are private frames with shares, which are no public bytes.
pub fn run<O: Secrets, H: Secrets>(
    r: &mut Report,
    parties: Vec<Joined<'_, O, H>>,
    twist: Twist,
    dealt: bool,
) -> BTreeMap<PartyId, End<O, H>> {
    let ids: Vec<_> = parties.iter().map(|party| party.0).collect();
    let mut mail = VecDeque::new();
    let (mut sealed_by, mut sent) = (BTreeMap::new(), BTreeMap::<_, Vec<_>>::new());
    let mut post = |r: &mut Report, mail: &mut VecDeque<Mail>, from: PartyId, frames: Vec<Outgoing>| {
        for Outgoing { to, bytes } in frames {
            let bytes = Zeroizing::new(bytes);
            if !(dealt && matches!(to, To::One(_))) {
                r.publish(&bytes);
                sent.entry(from).or_default().push(bytes.to_vec());
            }
            for other in ids.iter().filter(|id| **id != from && (to == To::All || to == To::One(**id))) {
                mail.push_back(Mail { from, to: *other, frame: bytes.clone() });
            }
        }
    };
    let mut sessions = BTreeMap::new();
    let mut ends = BTreeMap::new();
    let mut held = BTreeMap::new();
    for (id, session, frames) in parties {
        sessions.insert(id, session);
        post(r, &mut mail, id, frames);
    }
    let mut delivered = 0;
    while let Some(mut next) = mail.pop_front() {
        if twist == Twist::Cancel(delivered) {
            break;
        }
        delivered += 1;
        if let Twist::Flip(number, percent) = twist
            && number == delivered
        {
            let body = next.frame.len() - Header::LEN;
            if let Some(byte) = next.frame.get_mut(Header::LEN + (body * percent / 100).min(body.saturating_sub(1))) {
                *byte ^= 1;
            }
        }
        let Some(session) = sessions.get_mut(&next.to) else { continue };
        let mut step = session.handle(r, next.from, &next.frame);
        loop {
            match step {
                Ok(Taken::More(frames)) => break post(r, &mut mail, next.to, frames),
                Ok(Taken::Prepared(pending, moved)) => {
                    held.insert(next.to, moved);
                    let (key, mut rng) = (storage(), Recording::new(7));
                    let sealed = r.entry("Pending::seal", || pending.seal(&key, &mut rng)).expect("it seals");
                    r.publish(sealed.as_bytes());
                    sealed_by.insert(next.to, sealed.as_bytes().to_vec());
                    let receipt = sealed.stored();
                    r.entry("drop", || drop(pending));
                    step = Ok(session.stored(r, receipt));
                }
                Ok(Taken::Done(output, moved, frames)) => {
                    let held = moved.or(held.remove(&next.to));
                    if r.pass == Pass::Learn {
                        output.watch();
                        held.watch();
                    }
                    ends.insert(next.to, End { output: Some(output), held, sealed: None, sent: Vec::new() });
                    post(r, &mut mail, next.to, frames);
                    break;
                }
                Err(error) => {
                    let kept = match error {
                        Error::Aborted(aborted) => aborted.held,
                        Error::Burned(burned) => burned.held,
                        Error::Rejected(_) => break,
                    };
                    ends.insert(next.to, End { output: None, held: kept, sealed: None, sent: Vec::new() });
                    break;
                }
            }
        }
    }
    for (id, session) in sessions {
        if let std::collections::btree_map::Entry::Vacant(end) = ends.entry(id) {
            let held = session.cancel(r).or(held.remove(&id));
            end.insert(End { output: None, held, sealed: None, sent: Vec::new() });
        } else {
            r.entry("drop", || drop(session));
        }
    }
    r.entry("drop", || drop(held));
    for (id, end) in &mut ends {
        end.sealed = sealed_by.remove(id);
        end.sent = sent.remove(id).unwrap_or_default();
    }
    ends
}

/// A stored pending value comes back.
pub fn resume_ending<P: Protocol>(r: &mut Report, sealed: &[u8], auth: Auth)
where
    P::Output: Storable,
{
    let key = storage();
    let back = r.entry("Session::resume_ending", || Session::<Watched<P>>::resume_ending(sealed, &key, auth).ok());
    let (session, step) = back.expect("it was stored");
    r.entry("drop", || drop((session, step)));
}

/// What a party starts with.
pub type Given<'a, P> = (<P as Protocol>::Setup, &'a <P as Protocol>::LongTerm, <P as Protocol>::Input, Auth);

/// Runs `P` between these parties.
pub fn play<P: Protocol>(
    r: &mut Report,
    parties: Vec<Given<'_, P>>,
    twist: Twist,
    seed: u64,
) -> BTreeMap<PartyId, End<P::Output, P::Held>>
where
    P::Output: Secrets,
    P::Held: Secrets,
{
    let mut joined = Vec::new();
    for (setup, secrets, input, auth) in parties {
        joined.push(start::<P>(r, setup, secrets, input, auth, seed));
    }
    run(r, joined, twist, deals::<P>())
}
