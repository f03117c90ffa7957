//! A network in memory: it carries frames between sessions as bytes, and counts.

use super::party::Party;
use crate::wallet::Failure;
use cpu_time::ThreadTime;
use std::{
    collections::{BTreeMap, VecDeque},
    time::{Duration, Instant},
};
use symbolon::{
    Error, Outgoing, PartyId, Protocol, Session, Step, SysRng, To,
    committee::{Joint, JointStep, Paths},
};

/// What a run cost.
#[derive(Clone, Debug)]
pub(super) struct Cost {
    pub(super) what: String,
    pub(super) parties: usize,
    /// Frames sent; a broadcast is one.
    pub(super) messages: usize,
    /// Bytes sent, by party.
    pub(super) bytes: BTreeMap<PartyId, usize>,
    /// Processor time, by party.
    pub(super) cpu: BTreeMap<PartyId, Duration>,
    pub(super) time: Duration,
}

/// What a session wants next.
pub(super) enum Turn<O, H> {
    Send(Vec<Outgoing>),
    Done(O, Option<H>, Vec<Outgoing>),
}

/// A session of either kind.
pub(super) trait Run {
    type Output;
    type Held;
    /// `party` is whose session it is: it stores what is pending before the session confirms.
    fn handle(&mut self, from: PartyId, frame: &[u8], party: &mut Party) -> Went<Self::Output, Self::Held>;
    fn cancel(self) -> Option<Self::Held>;
}

/// The next turn, or why there is none.
pub(super) type Went<O, H> = Result<Turn<O, H>, Stop<H>>;

/// Why a session did not go on.
pub(super) enum Stop<H> {
    /// The session says so.
    Run(Error<H>),
    /// The party's store failed.
    Store(Failure),
}

impl<P: Protocol> Run for Session<P> {
    type Output = P::Output;
    type Held = P::Held;

    fn handle(&mut self, from: PartyId, frame: &[u8], party: &mut Party) -> Went<P::Output, P::Held> {
        let mut step = self.handle(from, frame).map_err(Stop::Run)?;
        loop {
            step = match step {
                Step::Continue(frames) => return Ok(Turn::Send(frames)),
                Step::Done(output, held, frames) => return Ok(Turn::Done(output, held, frames)),
                Step::Prepared(pending, _) => {
                    // beside the old share, before anybody is told
                    let sealed = pending.seal(party.storage(), &mut SysRng).map_err(|why| Stop::Store(why.into()))?;
                    party.write("pending", sealed.as_bytes().to_vec());
                    self.stored(sealed.stored())
                }
            };
        }
    }

    fn cancel(self) -> Option<P::Held> {
        self.cancel()
    }
}

impl<V: Paths> Run for Joint<V> {
    type Output = V::Output;
    type Held = V::Held;

    fn handle(&mut self, from: PartyId, frame: &[u8], _: &mut Party) -> Went<V::Output, V::Held> {
        match self.handle(from, frame).map_err(Stop::Run)? {
            JointStep::Continue(frames) => Ok(Turn::Send(frames)),
            JointStep::Done(output, held, frames) => Ok(Turn::Done(output, held, frames)),
        }
    }

    fn cancel(self) -> Option<V::Held> {
        self.cancel()
    }
}

/// How a session ended; `None` for one that waits for frames which never come.
pub(super) type End<R> = Option<Result<(<R as Run>::Output, Option<<R as Run>::Held>), Error<<R as Run>::Held>>>;
/// All ends of a run, and what was held by those that wait.
pub(super) type Ends<R> = BTreeMap<PartyId, (End<R>, Option<<R as Run>::Held>)>;

/// Starts a session at each of these parties, and carries frames until nobody has anything to say.
#[allow(clippy::disallowed_methods, reason = "a program may look at the clock")]
pub(super) fn carry<R: Run>(
    what: &str,
    parties: &mut BTreeMap<PartyId, Party>,
    who: &[PartyId],
    mut start: impl FnMut(&mut Party) -> Result<(R, Vec<Outgoing>), Failure>,
) -> Result<(Ends<R>, Cost), Failure> {
    let clock = Instant::now();
    let mut cost = Cost {
        what: what.to_owned(),
        parties: who.len(),
        messages: 0,
        bytes: BTreeMap::new(),
        cpu: BTreeMap::new(),
        time: Duration::ZERO,
    };
    let (mut sessions, mut mail, mut ends) = (BTreeMap::new(), VecDeque::new(), BTreeMap::new());
    let post = |cost: &mut Cost, mail: &mut VecDeque<_>, from: PartyId, frames: Vec<Outgoing>| {
        for Outgoing { to, bytes } in frames {
            cost.messages += 1;
            *cost.bytes.entry(from).or_default() += bytes.len();
            let to = who.iter().filter(|id| if let To::One(one) = to { one == **id } else { from != **id });
            mail.extend(to.map(|to| (from, *to, bytes.clone())));
        }
    };
    for me in who {
        let party = parties.get_mut(me).ok_or_else(|| format!("{me} does not exist"))?;
        let clock = ThreadTime::now();
        let (session, frames) = start(party).map_err(|why| format!("{what}, {}: {why}", party.name))?;
        cost.cpu.insert(*me, clock.elapsed());
        sessions.insert(*me, session);
        post(&mut cost, &mut mail, *me, frames);
    }
    while let Some((from, to, frame)) = mail.pop_front() {
        let (Some(session), Some(party)) = (sessions.get_mut(&to), parties.get_mut(&to)) else { continue };
        let clock = ThreadTime::now();
        let turn = session.handle(from, &frame, party);
        *cost.cpu.entry(to).or_default() += clock.elapsed();
        match turn {
            Ok(Turn::Send(frames)) => post(&mut cost, &mut mail, to, frames),
            Ok(Turn::Done(output, held, frames)) => {
                ends.insert(to, Ok((output, held)));
                post(&mut cost, &mut mail, to, frames);
            }
            // not used; the session waits for the right one, or is over
            Err(Stop::Run(Error::Rejected(_))) => (),
            Err(Stop::Run(error)) => drop(ends.insert(to, Err(error))),
            Err(Stop::Store(why)) => return Err(why),
        }
    }
    cost.time = clock.elapsed();
    let end = |(me, session): (PartyId, R)| match ends.remove(&me) {
        Some(end) => (me, (Some(end), None)),
        None => (me, (None, session.cancel())),
    };
    Ok((sessions.into_iter().map(end).collect(), cost))
}

/// Result and what was held, by party.
pub(super) type Outputs<R> = BTreeMap<PartyId, (<R as Run>::Output, Option<<R as Run>::Held>)>;

/// The results, if all have one.
pub(super) fn results<R: Run>(ends: Ends<R>, what: &str) -> Result<Outputs<R>, Failure> {
    let result = |(me, (end, _)): (PartyId, _)| match end {
        Some(Ok(done)) => Ok((me, done)),
        Some(Err(error)) => Err(format!("{what}: {me}: {error}").into()),
        None => Err(format!("{what}: {me} still waits for the others").into()),
    };
    ends.into_iter().map(result).collect()
}
