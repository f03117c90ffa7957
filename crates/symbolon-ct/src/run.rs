//! Honest parties, step by step: each call of `Protocol::start` and `Protocol::advance` is one step of the table.

use crate::memcheck::{classify, declassify, reports};
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
use std::collections::BTreeMap;
use symbolon::{Draft, Inbox, Next, PartyId, Protocol, Run, Sends, Setup, To};
use symbolon_core::{SeedRng, Sid, Transcript};

/// A generator whose output is secret.
pub struct Secret(SeedRng);

impl Secret {
    /// Everything that it gives is secret, a different stream for each number.
    #[must_use]
    pub fn new(number: u64) -> Self {
        let mut key = Transcript::new("ct", "seed").number(number).finish();
        classify(&mut key);
        Self(SeedRng::new(&key))
    }

    /// As the driver of a session gives it to a step.
    pub fn seed_rng(&mut self) -> &mut SeedRng {
        &mut self.0
    }
}

impl TryRng for Secret {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        self.0.try_next_u32()
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        self.0.try_next_u64()
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.try_fill_bytes(bytes)
    }
}

impl TryCryptoRng for Secret {}

/// One line of the table.
pub struct Line {
    /// Protocol, side and round, or the operation.
    pub step: String,
    /// Branches and addresses that depended on a secret.
    pub reports: u64,
}

/// What was measured so far.
#[derive(Default)]
pub struct Table(pub Vec<Line>);

impl Table {
    /// Runs one step and counts its reports.
    pub fn step<T>(&mut self, step: impl Into<String>, work: impl FnOnce() -> T) -> T {
        let step = step.into();
        if std::env::var_os("CT_TRACE").is_some() {
            eprintln!("--- {step}");
        }
        let before = reports();
        let result = core::hint::black_box(work());
        self.0.push(Line { step, reports: reports() - before });
        result
    }

    /// Prints it.
    pub fn print(&self) {
        for line in &self.0 {
            println!("{:>8}  {}", line.reports, line.step);
        }
    }
}

/// How one party ended: the result, and what moved out.
pub type End<P> = (<P as Protocol>::Output, <P as Protocol>::Held);

/// Server and client, in this order.
pub type Both<T> = [T; 2];

/// One party of a run: setup value, long-term secrets, what moves in.
pub type Party<'a, P> = (&'a <P as Protocol>::Setup, &'a <P as Protocol>::LongTerm, <P as Protocol>::Input);

/// A party in the middle of a run.
struct Side<'a, P: Protocol> {
    setup: &'a P::Setup,
    state: Option<P>,
    end: Option<End<P>>,
}

/// A body becomes public when it leaves. The private ones of a dealing stay secret: they are the receiver's shares, in a resharing
/// each with the chain code behind it, which all holders know.
fn leaves<P: Protocol>(to: To, body: &mut [u8]) {
    match (to, P::NAME) {
        (To::One(_), "dkg") => (),
        (To::One(_), "refresh" | "refresh batch" | "hand-over" | "hand-over batch" | "import") => {
            body.chunks_mut(64).filter_map(|dealt| dealt.get_mut(32..)).for_each(declassify);
        }
        _ => declassify(body),
    }
}

/// Runs a protocol of two parties or more; every frame becomes public when it leaves, but for dealt shares.
///
/// # Panics
/// If an honest run fails.
pub fn run_all<'a, P: Protocol>(
    table: &mut Table,
    name: &str,
    parties: impl IntoIterator<Item = Party<'a, P>>,
) -> BTreeMap<PartyId, End<P>>
where
    P::Setup: 'a,
    P::LongTerm: 'a,
{
    let parties: Vec<Party<'a, P>> = parties.into_iter().collect();
    let number = table.0.len() as u64;
    let sid = |part: u16| Sid::from_bytes(Transcript::new("ct", "sid").number(part).number(number).finish());
    let ids: Vec<PartyId> = parties.iter().map(|(setup, ..)| setup.roster().me()).collect();
    let sid0: BTreeMap<_, _> = ids.iter().map(|id| (*id, sid(id.get()))).collect();
    let later = |me: PartyId| Run::new(me, sid0.clone(), Some(sid(0)));
    // a protocol without nonces knows the sid at once
    let first = |me: PartyId| if P::NONCES { Run::new(me, sid0.clone(), None) } else { later(me) };

    let mut sides: BTreeMap<PartyId, Side<'a, P>> = BTreeMap::new();
    let mut drafts: Vec<(PartyId, Draft)> = Vec::new();
    for (me, (setup, secrets, input)) in ids.iter().copied().zip(parties) {
        let mut rng = Secret::new(100 * number + u64::from(me.get()));
        let (state, sent) =
            table.step(format!("{name}: {me} starts"), || P::start(setup, secrets, input, &first(me), rng.seed_rng()));
        sides.insert(me, Side { setup, state: Some(state), end: None });
        drafts.extend(sent.into_iter().map(|draft| (me, draft)));
    }
    for round in 1..=P::ROUNDS {
        let mut inboxes: BTreeMap<PartyId, Inbox> = ids.iter().map(|id| (*id, Inbox::default())).collect();
        for (from, (to, mut body)) in core::mem::take(&mut drafts) {
            leaves::<P>(to, &mut body);
            for (me, inbox) in &mut inboxes {
                match to {
                    To::One(one) if one == *me => inbox.insert(from, false, body.clone().into()),
                    To::All if from != *me => inbox.insert(from, true, body.clone().into()),
                    _ => (),
                }
            }
        }
        for (me, inbox) in inboxes {
            let side = sides.get_mut(&me).expect("a party");
            let heard = ids.iter().any(|from| *from != me && P::sends(side.setup, round, *from) != Sends::Nothing);
            // after its result a party only waits for a confirmation, which is the session's
            let Some(state) = side.state.take_if(|_| heard) else { continue };
            let mut rng = Secret::new(100_000 * number + 1000 * u64::from(round) + u64::from(me.get()));
            let next = table.step(format!("{name}: {me} after round {round}"), || {
                state.advance(side.setup, &later(me), &inbox, rng.seed_rng())
            });
            let sent = match next {
                Ok(Next::Round(state, sent)) => {
                    side.state = Some(state);
                    sent
                }
                Ok(Next::Prepared { output, drafts, held, .. }) | Ok(Next::Done(output, drafts, held)) => {
                    side.end = Some((output, held));
                    drafts
                }
                Err(failed) => panic!("{name}: {me} after round {round}: {:?}", failed.fault),
            };
            drafts.extend(sent.into_iter().map(|draft| (me, draft)));
        }
    }
    sides.into_iter().map(|(id, side)| (id, side.end.expect("an honest run ends at everybody"))).collect()
}

/// A two-party run.
///
/// # Panics
/// If an honest run fails.
pub fn run<P: Protocol>(
    table: &mut Table,
    name: &str,
    setups: &Both<P::Setup>,
    secrets: Both<&P::LongTerm>,
    inputs: Both<P::Input>,
) -> Both<End<P>> {
    let parties = setups.iter().zip(secrets).zip(inputs).map(|((setup, secrets), input)| (setup, secrets, input));
    let ends = run_all::<P>(table, name, parties).into_values().collect::<Vec<_>>();
    ends.try_into().ok().expect("two parties")
}
