//! The runs that are measured: honest parties in one thread, every frame as bytes.

mod committee;
mod dero;
mod frost;

pub use committee::Committee;
pub use dero::Dero;

macro_rules! report {
    ($($item:item)*) => {
        $(#[cfg(feature = "report")] $item)*
    };
}

// the other libraries, tables and plots: `count` of symbolon-ct does without them and without what they need
report! {
    mod backup;
    pub mod memory;
    mod meter;
    pub mod network;
    mod plot;
    mod sessions;
    pub mod sweep;
    mod table;
    mod zcash;

    pub use backup::Backups;
    pub use meter::{Meter, Sample, Unit, median, ms};
    pub use plot::plot;
    pub use sessions::sessions;
    pub use table::Table;
    pub use zcash::Zcash;
}

use rand_chacha::ChaCha12Rng;
use std::time::Duration;
use symbolon::{
    Auth, Convert, ConvertSetup, DerivationPath, Keygen, KeygenSetup, Label, Outgoing, PairSetup, PairSetupRun,
    PairSetupTerms, PartyId, Payload, Preprocess, PreprocessSetup, Preprocessed, Protocol, Role, Session, SignFull,
    SignOnline, Signature, Signed, Step, Suite, To,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};
use symbolon_testkit::{duo::stored, seeded};

/// CPU time of this thread.
#[must_use]
pub fn cpu() -> Duration {
    clock(rustix::time::ClockId::ThreadCPUTime)
}

/// Time since some fixed moment.
#[cfg(feature = "report")]
pub(crate) fn wall() -> Duration {
    clock(rustix::time::ClockId::Monotonic)
}

fn clock(id: rustix::time::ClockId) -> Duration {
    let t = rustix::time::clock_gettime(id);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// What one run cost. Party `i + 1` has index `i`: of two parties 0 is the server, 1 the client.
#[derive(Clone, Default, Debug)]
pub struct Cost {
    /// CPU time of each party.
    pub cpu: Vec<Duration>,
    /// Bytes sent by each party; a broadcast counts once.
    pub bytes: Vec<usize>,
    /// Frames of all parties; a broadcast counts once.
    pub messages: usize,
    /// Bytes sent by each party in each flight. Frames are of one flight if the longest chains of frames that had to be read
    /// before they could be made are equally long; those of the first needed none.
    pub flights: Vec<Vec<usize>>,
    /// The number of flights.
    pub rounds: usize,
}

impl Cost {
    /// What `party` sends once it has read frames of the first `flight` flights.
    fn sends(&mut self, party: usize, flight: usize, frames: &[Outgoing]) {
        let bytes = frames.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        self.messages += frames.len();
        self.bytes[party] += bytes;
        if bytes > 0 {
            while self.flights.len() <= flight {
                self.flights.push(vec![0; self.bytes.len()]);
            }
            self.rounds = self.flights.len();
            self.flights[flight][party] += bytes;
        }
    }
}

/// The result of one party, with what it held.
pub type End<P> = (<P as Protocol>::Output, Option<<P as Protocol>::Held>);

/// The results of both sides of one run.
pub struct Ends<P: Protocol>(pub [End<P>; 2]);

/// Runs two sessions; `start` makes the session of a role and is part of the cost.
///
/// # Panics
/// If an honest run fails.
pub fn measure<P: Protocol>(mut start: impl FnMut(Role) -> (Session<P>, Vec<Outgoing>)) -> (Ends<P>, Cost) {
    let role = |id| if id == PartyId::SERVER { Role::Server } else { Role::Client };
    let (ends, cost) = measure_all(2, |id| start(role(id)));
    (Ends(ends.try_into().ok().expect("two parties")), cost)
}

/// Runs the sessions of parties `1..=n`; `start` makes the session of a party and is part of the cost.
///
/// # Panics
/// If an honest run fails.
pub fn measure_all<P: Protocol>(
    n: u16,
    mut start: impl FnMut(PartyId) -> (Session<P>, Vec<Outgoing>),
) -> (Vec<End<P>>, Cost) {
    let ids: Vec<PartyId> = (1..=n).map(id).collect();
    let mut cost = Cost { cpu: vec![Duration::ZERO; ids.len()], bytes: vec![0; ids.len()], ..Cost::default() };
    let mut sessions = Vec::new();
    let mut held: Vec<Option<P::Held>> = ids.iter().map(|_| None).collect();
    let mut outputs: Vec<Option<End<P>>> = ids.iter().map(|_| None).collect();
    // how many flights each party has read, and what it has to read, with the number of its flight
    let mut flights = vec![0; ids.len()];
    let mut mail: Vec<Vec<(usize, PartyId, Vec<u8>)>> = ids.iter().map(|_| Vec::new()).collect();
    let post = |mail: &mut [Vec<_>], cost: &mut Cost, from: usize, flight: usize, frames: Vec<Outgoing>| {
        cost.sends(from, flight, &frames);
        for frame in frames {
            match frame.to {
                To::One(to) => mail[usize::from(to.get()) - 1].push((flight + 1, ids[from], frame.bytes)),
                To::All => (0..ids.len())
                    .filter(|to| *to != from)
                    .for_each(|to| mail[to].push((flight + 1, ids[from], frame.bytes.clone()))),
            }
        }
    };
    for (i, id) in ids.iter().enumerate() {
        let before = cpu();
        let (session, frames) = start(*id);
        cost.cpu[i] += cpu() - before;
        sessions.push(session);
        post(&mut mail, &mut cost, i, 0, frames);
    }
    while let Some(i) = (0..ids.len()).max_by_key(|i| mail[*i].len()).filter(|i| !mail[*i].is_empty()) {
        let mut out = Vec::new();
        let read = std::mem::take(&mut mail[i]);
        let before = cpu();
        for (flight, from, frame) in &read {
            flights[i] = flights[i].max(*flight);
            let mut step = sessions[i].handle(*from, frame).unwrap_or_else(|e| panic!("{}: {e}", P::NAME));
            loop {
                match step {
                    Step::Continue(frames) => {
                        out.push((flights[i], frames));
                        break;
                    }
                    Step::Prepared(pending, made) => {
                        held[i] = Some(made);
                        step = sessions[i].stored(stored(&pending));
                    }
                    Step::Done(output, made, frames) => {
                        outputs[i] = Some((output, made.or(held[i].take())));
                        out.push((flights[i], frames));
                        break;
                    }
                }
            }
        }
        cost.cpu[i] += cpu() - before;
        for (flight, frames) in out {
            post(&mut mail, &mut cost, i, flight, frames);
        }
    }
    (outputs.into_iter().map(|end| end.expect("every party ends")).collect(), cost)
}

fn id(id: u16) -> PartyId {
    PartyId::new(id).expect("not zero")
}

/// Two parties with everything that a run may need.
pub struct World {
    rng: ChaCha12Rng,
    /// Server's and client's wallet.
    pub wallets: [Wallet; 2],
    setups: [Option<PairSetup>; 2],
}

fn index(role: Role) -> usize {
    usize::from(role == Role::Client)
}

fn label() -> Label {
    Label::new("bench").expect("a short label")
}

/// What two parties sign.
#[must_use]
pub fn payload() -> Payload {
    Payload::personal_message("a message to sign")
}

impl World {
    /// A fresh wallet with a pair setup of the given suite.
    #[must_use]
    pub fn new(seed: u64, suite: Suite) -> Self {
        let mut rng = seeded(seed);
        let (Ends([s, c]), _) = create(&mut rng, suite);
        let made = |held: Option<Made>| held.map(|made| made.setup);
        Self { rng, wallets: [s.0, c.0], setups: [made(s.1), made(c.1)] }
    }

    fn take(&mut self, role: Role) -> PairSetup {
        self.setups[index(role)].take().expect("one run at a time")
    }

    /// *Create a wallet ready to sign.*
    pub fn create_wallet(&mut self) -> Cost {
        create(&mut self.rng, Suite::Blake3).1
    }

    /// The OT correlation in both directions alone.
    pub fn pair_setup(&mut self) -> Cost {
        pair_setup(&mut self.rng, Suite::Blake3).1
    }

    /// Key generation alone.
    pub fn keygen(&mut self) -> Cost {
        measure::<Keygen>(|role| {
            Session::start(KeygenSetup::new(role), &(), (), label(), Auth::Channel, &mut self.rng).expect("starts")
        })
        .1
    }

    /// The conversion to additive shares over an existing pair setup.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn convert(&mut self) -> Cost {
        let (ends, cost) = measure::<Convert>(|role| {
            let mut ots = self.setups[index(role)].take().expect("one run at a time");
            let factor = self.wallets[index(role)].factor().expect("not erased");
            let setup = ConvertSetup::new(factor, &mut ots, 1).expect("runs left");
            Session::start(setup, factor, ots, label(), Auth::Channel, &mut self.rng).expect("starts")
        });
        self.setups = ends.0.map(|end| end.1);
        cost
    }

    /// Pre-processing of `count` items.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn preprocess(&mut self, count: u16) -> ([Vec<Preprocessed>; 2], Cost) {
        let (Ends([s, c]), cost) = measure::<Preprocess>(|role| {
            let mut ots = self.take(role);
            let setup = PreprocessSetup::new(&mut ots, count).expect("runs left");
            Session::start(setup, &(), ots, label(), Auth::Channel, &mut self.rng).expect("starts")
        });
        self.setups = [s.1, c.1];
        ([s.0, c.0], cost)
    }

    /// A signature from scratch over the pair setup.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn sign_full(&mut self) -> Cost {
        self.signed().1
    }

    /// The same, with the client's signature.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn signed(&mut self) -> (Signature, Cost) {
        let (ends, cost) = measure(|role| {
            let ots = self.take(role);
            full(&self.wallets[index(role)], ots, &mut self.rng)
        });
        let [s, c] = ends.0;
        self.setups = [s.1, c.1];
        (signature(c.0), cost)
    }

    /// A signature with a pair setup made and dropped inside the run.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn sign_stateless(&mut self) -> Cost {
        measure(|role| {
            let wallet = &self.wallets[index(role)];
            wallet.sign(payload(), DerivationPath::root(), Auth::Channel, &mut self.rng).expect("starts")
        })
        .1
    }

    /// A signature from one banked item of each side.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn sign_online(&mut self, items: [Preprocessed; 2]) -> Cost {
        self.signed_online(items).1
    }

    /// The same, with the client's signature.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn signed_online(&mut self, items: [Preprocessed; 2]) -> (Signature, Cost) {
        let mut items = items.map(Some);
        let (Ends([_, c]), cost) = measure(|role| {
            let item = items[index(role)].take().expect("one item a side");
            online(&self.wallets[index(role)], item, &mut self.rng)
        });
        (signature(c.0), cost)
    }
}

/// What the client ends with.
fn signature(signed: Signed) -> Signature {
    match signed {
        Signed::Signature(signature) => signature,
        Signed::Released(_) => panic!("the client has the signature"),
    }
}

/// What a session begins with.
pub(crate) type Started<P> = (Session<P>, Vec<Outgoing>);

pub(crate) fn full(wallet: &Wallet, ots: PairSetup, rng: &mut ChaCha12Rng) -> Started<SignFull> {
    wallet.sign_with(ots, payload(), DerivationPath::root(), Auth::Channel, rng).expect("starts")
}

pub(crate) fn online(wallet: &Wallet, item: Preprocessed, rng: &mut ChaCha12Rng) -> Started<SignOnline> {
    wallet.sign_banked(item, payload(), DerivationPath::root(), Auth::Channel, rng).expect("starts")
}

pub(crate) fn pair_setup(rng: &mut ChaCha12Rng, suite: Suite) -> ([PairSetup; 2], Cost) {
    let (Ends([s, c]), cost) = measure::<PairSetupRun>(|role| {
        let terms = PairSetupTerms { pair: role.into(), suite, serial: 0 };
        Session::start(terms, &(), (), label(), Auth::Channel, rng).expect("starts")
    });
    ([s.0, c.0], cost)
}

fn create(rng: &mut ChaCha12Rng, suite: Suite) -> (Ends<Create>, Cost) {
    measure(|role| wallet::create(CreateSetup::new(role).suite(suite), label(), Auth::Channel, rng).expect("starts"))
}
