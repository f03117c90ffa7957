//! Two honest parties, step by step: each call of `Protocol::start` and `Protocol::advance` is one step of the table.

use crate::memcheck::{classify, declassify, reports};
use core::convert::Infallible;
use rand_core::{TryCryptoRng, TryRng};
use std::collections::BTreeMap;
use symbolon::{Draft, Inbox, Next, PartyId, Protocol, Role, Run};
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

/// How one side ended: the result, and what moved out.
pub type End<P> = (<P as Protocol>::Output, <P as Protocol>::Held);

/// Server and client, in this order.
pub type Both<T> = [T; 2];

/// Runs a two-party protocol; every frame becomes public when it leaves.
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
    let roles = [Role::Server, Role::Client];
    let number = table.0.len() as u64;
    let sid = |part: &str| Sid::from_bytes(Transcript::new("ct", "sid").part(part).number(number).finish());
    let sid0 = BTreeMap::from([(PartyId::SERVER, sid("server")), (PartyId::CLIENT, sid("client"))]);
    let start = |role: Role| Run::new(role.id(), sid0.clone(), None);
    let later = |role: Role| Run::new(role.id(), sid0.clone(), Some(sid("both")));
    // a protocol without nonces knows the sid at once
    let first = |role: Role| if P::NONCES { start(role) } else { later(role) };

    let mut sides: Both<Option<P>> = [None, None];
    let mut ends: Both<Option<End<P>>> = [None, None];
    let mut drafts: Vec<(usize, Draft)> = Vec::new();
    for (i, input) in inputs.into_iter().enumerate() {
        let mut rng = Secret::new(2 * number + i as u64);
        let (state, sent) = table.step(format!("{name}: {:?} starts", roles[i]), || {
            P::start(&setups[i], secrets[i], input, &first(roles[i]), rng.seed_rng())
        });
        sides[i] = Some(state);
        drafts.extend(sent.into_iter().map(|draft| (i, draft)));
    }
    for round in 1..=P::ROUNDS {
        let Some((from, (_, mut body))) = drafts.pop() else { break };
        assert!(drafts.is_empty(), "two parties take turns");
        declassify(&mut body);
        let to = 1 - from;
        // after its result a party only waits for a confirmation, which is the session's
        let Some(state) = sides[to].take() else { break };
        let mut inbox = Inbox::default();
        inbox.insert(roles[from].id(), false, body.into());
        let mut rng = Secret::new(1000 * number + u64::from(round));
        let next = table.step(format!("{name}: {:?} after message {round}", roles[to]), || {
            state.advance(&setups[to], &later(roles[to]), &inbox, rng.seed_rng())
        });
        let sent = match next {
            Ok(Next::Round(state, sent)) => {
                sides[to] = Some(state);
                sent
            }
            Ok(Next::Prepared { output, drafts, held, .. }) | Ok(Next::Done(output, drafts, held)) => {
                ends[to] = Some((output, held));
                drafts
            }
            Err(failed) => panic!("{name}: {:?} after message {round}: {:?}", roles[to], failed.fault),
        };
        drafts.extend(sent.into_iter().map(|draft| (to, draft)));
    }
    ends.map(|end| end.expect("an honest run ends on both sides"))
}
