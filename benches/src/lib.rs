//! The runs that are measured: two honest parties in one thread, every frame as bytes.

use rand_chacha::ChaCha12Rng;
use std::time::Duration;
use symbolon::{
    Auth, Convert, ConvertSetup, DerivationPath, Keygen, KeygenSetup, Label, Outgoing, PairSetup, PairSetupRun,
    PairSetupTerms, Payload, Preprocess, PreprocessSetup, Preprocessed, Protocol, Role, Session, Step, Suite,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};
use symbolon_testkit::{duo::stored, seeded};

/// CPU time of this thread.
#[must_use]
pub fn cpu() -> Duration {
    let t = rustix::time::clock_gettime(rustix::time::ClockId::ThreadCPUTime);
    Duration::new(t.tv_sec.unsigned_abs(), u32::try_from(t.tv_nsec).unwrap_or(0))
}

/// What one run cost. Index 0 is the server, 1 the client.
#[derive(Clone, Copy, Default, Debug)]
pub struct Cost {
    /// CPU time of each party.
    pub cpu: [Duration; 2],
    /// Bytes sent by each party.
    pub bytes: [usize; 2],
    /// Frames, both ways.
    pub messages: usize,
}

/// The results of both sides of one run.
pub struct Ends<P: Protocol>(pub [(P::Output, Option<P::Held>); 2]);

/// Runs two sessions; `start` makes the session of a role and is part of the cost.
///
/// # Panics
/// If an honest run fails.
pub fn measure<P: Protocol>(mut start: impl FnMut(Role) -> (Session<P>, Vec<Outgoing>)) -> (Ends<P>, Cost) {
    let mut cost = Cost::default();
    let timed = |cost: &mut Cost, role: Role, work: &mut dyn FnMut() -> Vec<Vec<u8>>| {
        let before = cpu();
        let frames = work();
        let i = usize::from(role == Role::Client);
        cost.cpu[i] += cpu() - before;
        cost.messages += frames.len();
        cost.bytes[i] += frames.iter().map(Vec::len).sum::<usize>();
        frames
    };
    let bytes = |frames: Vec<Outgoing>| frames.into_iter().map(|f| f.bytes).collect::<Vec<_>>();
    let mut sessions = [None, None];
    let mut held = [None, None];
    let mut outputs = [None, None];
    let mut queue = std::collections::VecDeque::new();
    for role in [Role::Server, Role::Client] {
        let i = usize::from(role == Role::Client);
        let frames = timed(&mut cost, role, &mut || {
            let (session, frames) = start(role);
            sessions[i] = Some(session);
            bytes(frames)
        });
        queue.extend(frames.into_iter().map(|f| (role.peer(), f)));
    }
    while let Some((to, frame)) = queue.pop_front() {
        let i = usize::from(to == Role::Client);
        let session = sessions[i].as_mut().expect("started above");
        let frames = timed(&mut cost, to, &mut || {
            let mut step = session.handle(to.peer().id(), &frame).unwrap_or_else(|e| panic!("{}: {e}", P::NAME));
            loop {
                match step {
                    Step::Continue(frames) => return bytes(frames),
                    Step::Prepared(pending, made) => {
                        held[i] = Some(made);
                        step = session.stored(stored(&pending));
                    }
                    Step::Done(output, made, frames) => {
                        outputs[i] = Some((output, made.or(held[i].take())));
                        return bytes(frames);
                    }
                }
            }
        });
        queue.extend(frames.into_iter().map(|f| (to.peer(), f)));
    }
    (Ends(outputs.map(|o| o.expect("both sides end"))), cost)
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
