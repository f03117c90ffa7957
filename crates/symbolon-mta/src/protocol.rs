//! The two protocols of this crate as pure state machines for the driver.

use crate::{
    Exhausted, MulReceiver, MulSender, PairSetup, Purpose, Suite, extension_len, multiplication_len,
    setup::{
        M1_LEN, M2_LEN, M3_LEN, M4_LEN, M5_LEN, M6_LEN, SetupClient1, SetupClient2, SetupClient3, SetupServer1,
        SetupServer2,
    },
};
use alloc::{vec, vec::Vec};
use symbolon_core::{
    Group, PartyId, Role, Secp256k1, SecretBytes, SecretScalar, SeedRng, SetupId, Transcript,
    wire::{Reader, Writer},
};
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Inbox, LongTerm, Next, Pair, Protocol, Roster, Run, Sends, Setup, Terms, To,
};

/// Runs a step over the one frame of the peer and a body to send; the frame must be read to its end.
fn step<T>(
    pair: &Pair,
    inbox: &Inbox,
    len: usize,
    step: impl FnOnce(&mut Reader<'_>, &mut Writer) -> Result<T, Fault>,
) -> Result<(T, Vec<Draft>), Fault> {
    let mut r = inbox.private(pair.peer());
    let mut w = Writer::with_capacity(len);
    let state = step(&mut r, &mut w)?;
    r.finish()?;
    let drafts = if len == 0 { Vec::new() } else { vec![(To::One(pair.peer()), w.finish())] };
    Ok((state, drafts))
}

/// What two parties agree on before a pair setup.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "the three things that a pair setup is made for")]
pub struct PairSetupTerms {
    /// The local role and both identities.
    pub pair: Pair,
    /// The pad suite, fixed for the setup.
    pub suite: Suite,
    /// The pair's serial (safety.md S6).
    pub serial: u32,
}

impl Setup for PairSetupTerms {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        Terms {
            curve: Secp256k1::ID,
            scheme: "mta",
            parameters: self.suite.parameters(),
            extra: self.serial.to_be_bytes().to_vec(),
            ..Terms::default()
        }
    }
}

/// Makes a [`PairSetup`]: six messages, the client sends the first. A failed run leaves nothing; run it again from the
/// start.
pub struct PairSetupRun(Making);

/// One side of a pair setup in the making.
pub(crate) enum Making {
    Client1(SetupClient1),
    Client2(SetupClient2),
    Client3(SetupClient3),
    Server0,
    Server1(SetupServer1),
    Server2(SetupServer2),
    Done(PairSetup),
}

/// Bytes of the message of a round.
pub(crate) const fn setup_message_len(round: u8) -> usize {
    match round {
        1 => M1_LEN,
        2 => M2_LEN,
        3 => M3_LEN,
        4 => M4_LEN,
        5 => M5_LEN,
        6 => M6_LEN,
        _ => 0,
    }
}

impl Making {
    /// The client writes M1.
    pub(crate) fn start(terms: &PairSetupTerms, run: &Run, w: &mut Writer, rng: &mut SeedRng) -> Self {
        let PairSetupTerms { pair, suite, serial } = *terms;
        match pair.role() {
            Role::Server => Self::Server0,
            Role::Client => Self::Client1(SetupClient1::start(run.sid0(), pair, suite, serial, rng, w)),
        }
    }

    /// Reads the peer's message, writes the next one.
    pub(crate) fn step(
        self,
        terms: &PairSetupTerms,
        run: &Run,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut SeedRng,
    ) -> Result<Self, Fault> {
        let PairSetupTerms { pair, suite, serial } = *terms;
        match self {
            Self::Server0 => {
                let sid0 = run.sid0_of(pair.peer());
                SetupServer1::choose(run.sid(), sid0, pair, suite, serial, r, w, rng).map(Self::Server1)
            }
            Self::Client1(state) => state.challenge(run.sid(), r, w).map(Self::Client2),
            Self::Server1(state) => state.respond(r, w).map(Self::Server2),
            Self::Client2(state) => state.open(r, w, rng).map(Self::Client3),
            Self::Server2(state) => state.finish(r, w).map(Self::Done),
            Self::Client3(state) => state.finish(r).map(Self::Done),
            Self::Done(setup) => Ok(Self::Done(setup)),
        }
    }
}

impl Protocol for PairSetupRun {
    const NAME: &'static str = "pair-setup";
    const ID: u8 = 4;
    const ROUNDS: u8 = 6;
    type Setup = PairSetupTerms;
    type LongTerm = ();
    type Input = ();
    type Held = ();
    type Output = PairSetup;

    fn sends(setup: &PairSetupTerms, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Client, round, from)
    }

    fn max_body(_: &PairSetupTerms, round: u8) -> usize {
        setup_message_len(round)
    }

    fn start(setup: &PairSetupTerms, (): &(), (): (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let mut w = Writer::with_capacity(M1_LEN);
        let state = Making::start(setup, run, &mut w, rng);
        let drafts = match setup.pair.role() {
            Role::Server => Vec::new(),
            Role::Client => vec![(To::One(setup.pair.peer()), w.finish())],
        };
        (Self(state), drafts)
    }

    fn advance(
        self,
        setup: &PairSetupTerms,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let peer = setup.pair.peer();
        let mut w = Writer::with_capacity(M5_LEN);
        let state = inbox
            .private(peer)
            .whole(|r| self.0.step(setup, run, r, &mut w, rng))
            .map_err(|fault| Failed::new(peer, fault))?;
        let drafts = if w.is_empty() { Vec::new() } else { vec![(To::One(peer), w.finish())] };
        Ok(match state {
            Making::Done(output) => Next::Done(output, drafts, ()),
            state => Next::Round(Self(state), drafts),
        })
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

/// The own factors of a batch of products: secret scalars, wiped on drop.
pub struct MtaFactors(Vec<SecretScalar<Secp256k1>>);

/// Why a batch of products was refused before any message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum MtaError {
    /// None, or too many.
    #[error("a batch has 1 to {max} products, not {0}", max = MtaFactors::MAX)]
    Count(usize),
    /// The setup has served all its runs.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

impl MtaFactors {
    /// The most products of a batch, which bounds a frame to 13 MB.
    pub const MAX: u16 = 256;

    /// One factor for each product.
    ///
    /// # Errors
    /// [`MtaError::Count`] unless there are 1 to 256.
    pub fn new(factors: Vec<SecretScalar<Secp256k1>>) -> Result<Self, MtaError> {
        match factors.len() {
            len if (1..=usize::from(Self::MAX)).contains(&len) => Ok(Self(factors)),
            len => Err(MtaError::Count(len)),
        }
    }
}

impl LongTerm for MtaFactors {
    fn digest(&self) -> SecretBytes<32> {
        let t = Transcript::new("mta", "factors");
        SecretBytes::new(self.0.iter().fold(t, |t, factor| t.part(factor.to_bytes().expose())).finish())
    }
}

/// What two parties agree on before multiplying.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct MtaSetup {
    pair: Pair,
    suite: Suite,
    setup: SetupId,
    count: u16,
}

impl MtaSetup {
    /// As many products as there are own factors, over this setup, which counts the run.
    ///
    /// # Errors
    /// [`MtaError::Exhausted`].
    pub fn new(setup: &mut PairSetup, factors: &MtaFactors) -> Result<Self, MtaError> {
        let count = u16::try_from(factors.0.len()).map_err(|_| MtaError::Count(factors.0.len()))?;
        setup.begin_run()?;
        Ok(Self { pair: *setup.pair(), suite: setup.suite(), setup: setup.id(), count })
    }
}

impl Setup for MtaSetup {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        Terms {
            curve: Secp256k1::ID,
            scheme: "mta",
            parameters: self.suite.parameters(),
            setups: vec![self.setup],
            extra: self.count.to_be_bytes().to_vec(),
            ..Terms::default()
        }
    }
}

/// Multiplication: the server holds `a_k`, the client `b_k`; they end with additive shares of every `a_k * b_k`. Four
/// messages: the server's nonce, the client's extension, the server's multiplication messages with `a_k - alpha_k`, the
/// client's `b_k - beta_k`.
///
/// # Security
/// Nothing here proves that the peer's factor is the one that it claims. Who needs that MUST check the shares in the
/// exponent, with a proof of knowledge of the peer's point, as the conversion of a two-party key does.
pub struct Mta(Multiplying);

enum Multiplying {
    /// The setup or the factors are not those that the run was made for; said at the first chance.
    Refused(PairSetup),
    Server1(PairSetup, Vec<SecretScalar<Secp256k1>>),
    Server2(PairSetup, Vec<ServerProduct>),
    Client1(PairSetup, Vec<SecretScalar<Secp256k1>>),
    Client2(PairSetup, Vec<SecretScalar<Secp256k1>>, MulReceiver),
}

/// The server's side of one product until the client's `delta` arrives.
struct ServerProduct {
    a: SecretScalar<Secp256k1>,
    t: SecretScalar<Secp256k1>,
}

type Scalar = <Secp256k1 as Group>::Scalar;

fn copy(secret: &SecretScalar<Secp256k1>) -> SecretScalar<Secp256k1> {
    SecretScalar::new(*secret.expose())
}

/// mta 6.3, at the server: the batch's messages, then every `gamma = a - alpha`.
fn multiply(
    sender: MulSender,
    factors: Vec<SecretScalar<Secp256k1>>,
    w: &mut Writer,
    rng: &mut SeedRng,
) -> Vec<ServerProduct> {
    let shares = sender.multiply::<1>(w, rng);
    let products = factors.into_iter().zip(shares).map(|(a, share)| {
        let ([alpha], [t]) = (share.alpha(), share.t());
        w.scalar::<Secp256k1>(&(*a.expose() - *alpha.expose()));
        ServerProduct { a, t: copy(t) }
    });
    products.collect()
}

/// mta 6.4, at the client: the shares `r + gamma*beta`; writes every `delta = b - beta`.
fn finish_client(
    receiver: MulReceiver,
    factors: &[SecretScalar<Secp256k1>],
    r: &mut Reader<'_>,
    w: &mut Writer,
) -> Result<Vec<SecretScalar<Secp256k1>>, Fault> {
    let shares = receiver.multiply::<1>(r)?;
    let gammas = factors.iter().map(|_| r.scalar::<Secp256k1>()).collect::<Result<Vec<Scalar>, _>>()?;
    let outputs = factors.iter().zip(shares.iter().zip(gammas)).map(|(b, (share, gamma))| {
        w.scalar::<Secp256k1>(&(*b.expose() - *share.beta().expose()));
        let [r] = share.r();
        SecretScalar::new(*r.expose() + gamma * *share.beta().expose())
    });
    Ok(outputs.collect())
}

/// mta 6.4, at the server: the shares `t + a*delta`.
fn finish_server(products: &[ServerProduct], r: &mut Reader<'_>) -> Result<Vec<SecretScalar<Secp256k1>>, Fault> {
    let outputs = products.iter().map(|product| {
        let delta = r.scalar::<Secp256k1>()?;
        Ok(SecretScalar::new(*product.t.expose() + *product.a.expose() * delta))
    });
    outputs.collect()
}

impl Protocol for Mta {
    const NAME: &'static str = "mta";
    const ID: u8 = 8;
    const ROUNDS: u8 = 4;
    type Setup = MtaSetup;
    type LongTerm = MtaFactors;
    type Input = PairSetup;
    type Held = PairSetup;
    /// One share for each product, in the order of the factors.
    type Output = Vec<SecretScalar<Secp256k1>>;

    fn sends(setup: &MtaSetup, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Server, round, from)
    }

    fn max_body(setup: &MtaSetup, round: u8) -> usize {
        match round {
            2 => extension_len(setup.count),
            3 => usize::from(setup.count) * (multiplication_len(1) + 32),
            4 => usize::from(setup.count) * 32,
            _ => 0,
        }
    }

    fn start(setup: &MtaSetup, secrets: &MtaFactors, input: PairSetup, _: &Run, _: &mut SeedRng) -> (Self, Vec<Draft>) {
        let pair = setup.pair;
        let first = || vec![(To::One(pair.peer()), Vec::new())];
        let fits = input.id() == setup.setup
            && *input.pair() == pair
            && input.suite() == setup.suite
            && secrets.0.len() == usize::from(setup.count);
        let factors = || secrets.0.iter().map(copy).collect();
        match pair.role() {
            Role::Server if fits => (Self(Multiplying::Server1(input, factors())), first()),
            Role::Server => (Self(Multiplying::Refused(input)), first()),
            Role::Client if fits => (Self(Multiplying::Client1(input, factors())), Vec::new()),
            Role::Client => (Self(Multiplying::Refused(input)), Vec::new()),
        }
    }

    fn advance(
        self,
        setup: &MtaSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<PairSetup>> {
        let (pair, count) = (&setup.pair, setup.count);
        match self.0 {
            Multiplying::Refused(held) => Err(held.failed(Fault::Mismatch(Agreed::Setup))),
            Multiplying::Client1(held, b) => {
                match step(pair, inbox, extension_len(count), |_, w| {
                    Ok(MulReceiver::extend(held.receiver(), run.sid(), Purpose::Mta, count, w, rng))
                }) {
                    Ok((receiver, drafts)) => Ok(Next::Round(Self(Multiplying::Client2(held, b, receiver)), drafts)),
                    Err(fault) => Err(held.failed(fault)),
                }
            }
            Multiplying::Server1(held, a) => {
                match step(pair, inbox, Self::max_body(setup, 3), |r, w| {
                    let sender = MulSender::extend(held.sender(), run.sid(), Purpose::Mta, count, r)?;
                    Ok(multiply(sender, a, w, rng))
                }) {
                    Ok((products, drafts)) => Ok(Next::Round(Self(Multiplying::Server2(held, products)), drafts)),
                    Err(fault) => Err(held.failed(fault)),
                }
            }
            Multiplying::Client2(held, b, receiver) => {
                match step(pair, inbox, Self::max_body(setup, 4), |r, w| finish_client(receiver, &b, r, w)) {
                    Ok((output, drafts)) => Ok(Next::Done(output, drafts, held)),
                    Err(fault) => Err(held.failed(fault)),
                }
            }
            Multiplying::Server2(held, products) => match step(pair, inbox, 0, |r, _| finish_server(&products, r)) {
                Ok((output, drafts)) => Ok(Next::Done(output, drafts, held)),
                Err(fault) => Err(held.failed(fault)),
            },
        }
    }

    fn cancel(self) -> Option<PairSetup> {
        let (Multiplying::Refused(held)
        | Multiplying::Server1(held, _)
        | Multiplying::Server2(held, _)
        | Multiplying::Client1(held, _)
        | Multiplying::Client2(held, ..)) = self.0;
        Some(held)
    }
}
