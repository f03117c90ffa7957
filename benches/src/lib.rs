//! The runs that are measured: honest parties in one thread, every frame as bytes.

mod backup;
mod committee;
mod dero;
mod frost;
mod zcash;

pub use backup::Backups;
pub use committee::Committee;
pub use dero::Dero;
pub use zcash::Zcash;

use rand_chacha::ChaCha12Rng;
use std::time::Duration;
use symbolon::{
    Auth, Convert, ConvertSetup, DerivationPath, Keygen, KeygenSetup, Label, Outgoing, PairSetup, PairSetupRun,
    PairSetupTerms, PartyId, Payload, Preprocess, PreprocessSetup, Preprocessed, Protocol, Role, Session, Step, Suite,
    To,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};
use symbolon_testkit::{duo::stored, seeded};

/// CPU time of this thread.
#[must_use]
pub fn cpu() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
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
    let mut cost = Cost { cpu: vec![Duration::ZERO; ids.len()], bytes: vec![0; ids.len()], messages: 0 };
    let mut sessions = Vec::new();
    let mut held: Vec<Option<P::Held>> = ids.iter().map(|_| None).collect();
    let mut outputs: Vec<Option<End<P>>> = ids.iter().map(|_| None).collect();
    // what each party has to read
    let mut mail: Vec<Vec<(PartyId, Vec<u8>)>> = ids.iter().map(|_| Vec::new()).collect();
    let post = |mail: &mut [Vec<_>], cost: &mut Cost, from: usize, frames: Vec<Outgoing>| {
        cost.messages += frames.len();
        cost.bytes[from] += frames.iter().map(|frame| frame.bytes.len()).sum::<usize>();
        for frame in frames {
            let is_for = |i: &usize| *i != from && [To::All, To::One(ids[*i])].contains(&frame.to);
            (0..ids.len()).filter(is_for).for_each(|i| mail[i].push((ids[from], frame.bytes.clone())));
        }
    };
    for (i, id) in ids.iter().enumerate() {
        let before = cpu();
        let (session, frames) = start(*id);
        cost.cpu[i] += cpu() - before;
        sessions.push(session);
        post(&mut mail, &mut cost, i, frames);
    }
    while let Some(i) = (0..ids.len()).max_by_key(|i| mail[*i].len()).filter(|i| !mail[*i].is_empty()) {
        let mut out = Vec::new();
        let read = std::mem::take(&mut mail[i]);
        let before = cpu();
        for (from, frame) in &read {
            let mut step = sessions[i].handle(*from, frame).unwrap_or_else(|e| panic!("{}: {e}", P::NAME));
            loop {
                match step {
                    Step::Continue(frames) => {
                        out.extend(frames);
                        break;
                    }
                    Step::Prepared(pending, made) => {
                        held[i] = Some(made);
                        step = sessions[i].stored(stored(&pending));
                    }
                    Step::Done(output, made, frames) => {
                        outputs[i] = Some((output, made.or(held[i].take())));
                        out.extend(frames);
                        break;
                    }
                }
            }
        }
        cost.cpu[i] += cpu() - before;
        post(&mut mail, &mut cost, i, out);
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

fn payload() -> Payload {
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
        measure::<PairSetupRun>(|role| {
            let terms = PairSetupTerms { pair: role.into(), suite: Suite::Blake3, serial: 0 };
            Session::start(terms, &(), (), label(), Auth::Channel, &mut self.rng).expect("starts")
        })
        .1
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
        let (ends, cost) = measure(|role| {
            let ots = self.take(role);
            let wallet = &self.wallets[index(role)];
            wallet.sign_with(ots, payload(), DerivationPath::root(), Auth::Channel, &mut self.rng).expect("starts")
        });
        self.setups = ends.0.map(|end| end.1);
        cost
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
        let mut items = items.map(Some);
        measure(|role| {
            let item = items[index(role)].take().expect("one item a side");
            let wallet = &self.wallets[index(role)];
            wallet.sign_banked(item, payload(), DerivationPath::root(), Auth::Channel, &mut self.rng).expect("starts")
        })
        .1
    }
}

fn create(rng: &mut ChaCha12Rng, suite: Suite) -> (Ends<Create>, Cost) {
    measure(|role| wallet::create(CreateSetup::new(role).suite(suite), label(), Auth::Channel, rng).expect("starts"))
}
