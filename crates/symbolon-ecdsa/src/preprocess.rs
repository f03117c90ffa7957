//! Key- and message-independent pre-processing (docs/spec/ecdsa.md, steps 1 and 2), banked in memory.
//!
//! A banked item is not a presignature: the server's `R_S` stays committed until message, key and path are fixed.

use crate::item::{Halves, Nonces, OwnHalf, Preprocessed};
use alloc::{vec, vec::Vec};
use symbolon_core::{
    Group, PartyId, Role, Secp256k1, SeedRng, SetupId, Sid,
    wire::{Reader, Writer},
};
use symbolon_mta::{
    Exhausted, MulReceiver, MulSender, PairSetup, Purpose, SenderShare, extension_len, multiplication_len,
};
use symbolon_proofs::Commitment;
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Terms, To,
};

/// The most items of one run.
pub const MAX_BATCH: u16 = 256;

/// How many items, over which pair setup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct PreprocessSetup {
    pair: Pair,
    setup: SetupId,
    parameters: &'static str,
    count: u16,
}

/// A run of pre-processing that cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PreprocessError {
    /// The batch is empty or too large.
    #[error("a batch has 1 to {MAX_BATCH} items, not {0}")]
    Count(u16),
    /// The batch is too large for this many signers: a round of it would hold more than [`MAX_BATCH`] multiplications, 19 MB.
    #[error("a quorum's batch has at most {MAX_BATCH} multiplications, not {count} with each of {peers} peers")]
    Multiplications {
        /// Items of the batch.
        count: u16,
        /// Other signers.
        peers: usize,
    },
    /// The pair setup has served all its runs.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
    /// The signers of a quorum: three or more, each once, the local party among them.
    #[error("a quorum has three or more distinct signers, the local party among them")]
    Signers,
    /// The pair setups are not exactly those with the other signers, under their identities, with one suite.
    #[error("exactly one pair setup with each other signer is needed, under its identity, all with one suite")]
    Pair,
}

impl PreprocessSetup {
    /// A batch of `count` items over `setup`, of which it counts one run.
    ///
    /// # Errors
    /// [`PreprocessError`].
    pub fn new(setup: &mut PairSetup, count: u16) -> Result<Self, PreprocessError> {
        if !(1..=MAX_BATCH).contains(&count) {
            return Err(PreprocessError::Count(count));
        }
        setup.begin_run()?;
        Ok(Self { pair: *setup.pair(), setup: setup.id(), parameters: setup.suite().parameters(), count })
    }
}

impl Setup for PreprocessSetup {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            parameters: self.parameters,
            setups: vec![self.setup],
            digest: Some(*b"preprocess, without any message "),
            extra: self.count.to_be_bytes().to_vec(),
            ..Terms::default()
        }
    }
}

/// Step 1 of the server: draws nonces, writes `Com(R_S)` of each item, then the extension message.
pub fn server_commits(
    setup: &PairSetup,
    sid: &Sid,
    count: u16,
    w: &mut Writer,
    rng: &mut SeedRng,
) -> (Nonces, MulReceiver) {
    let nonces = Nonces::committed(setup.pair(), sid, count, w, rng);
    let receiver = MulReceiver::extend(setup.receiver(), *sid, Purpose::Preprocess, count, w, rng);
    (nonces, receiver)
}

/// The server's commitments, as the client reads them.
///
/// # Errors
/// [`Fault::Encoding`].
pub fn read_commitments(count: u16, r: &mut Reader<'_>) -> Result<Vec<Commitment>, Fault> {
    (0..count).map(|_| Commitment::decode(r).map_err(Fault::from)).collect()
}

/// Step 2: checks the peer's extension message, then writes the multiplication messages with random
/// `(alpha_k, alpha_x)`.
///
/// # Errors
/// [`Fault::Extension`], [`Fault::Encoding`].
pub fn multiply(
    setup: &PairSetup,
    sid: &Sid,
    count: u16,
    r: &mut Reader<'_>,
    w: &mut Writer,
    rng: &mut SeedRng,
) -> Result<Vec<SenderShare<2>>, Fault> {
    Ok(MulSender::extend(setup.sender(), *sid, Purpose::Preprocess, count, r)?.multiply::<2>(w, rng))
}

/// Bytes of the server's commitments and extension message.
#[must_use]
pub fn commit_len(count: u16) -> usize {
    Commitment::LEN * usize::from(count) + extension_len(count)
}

/// Bytes of the multiplication messages of a batch.
#[must_use]
pub fn multiply_len(count: u16) -> usize {
    multiplication_len(2) * usize::from(count)
}

/// Pre-processing as a run of its own: four messages. The pair setup moves in and out; the items are the output.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
pub enum Preprocess {
    /// Client: has sent its nonce.
    Greeted(PairSetup),
    /// Server: waits for the nonce.
    Waiting(PairSetup),
    /// Server: committed to its `R_S`, sent its extension message.
    Committed(PairSetup, Nonces, MulReceiver),
    /// Client: sent its extension and multiplication messages.
    Multiplied(PairSetup, Halves, MulReceiver),
}

impl Protocol for Preprocess {
    const NAME: &'static str = "preprocess";
    const ID: u8 = 5;
    const ROUNDS: u8 = 4;
    type Setup = PreprocessSetup;
    type LongTerm = ();
    type Input = PairSetup;
    type Held = PairSetup;
    type Output = Vec<Preprocessed>;

    fn sends(setup: &PreprocessSetup, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Client, round, from)
    }

    fn max_body(setup: &PreprocessSetup, round: u8) -> usize {
        match round {
            2 => commit_len(setup.count),
            3 => extension_len(setup.count) + multiply_len(setup.count),
            4 => multiply_len(setup.count),
            _ => 0,
        }
    }

    fn fits(setup: &PreprocessSetup, _: &(), input: &PairSetup) -> Result<(), Agreed> {
        let fits = (input.id(), *input.pair()) == (setup.setup, setup.pair);
        if fits && input.suite().parameters() == setup.parameters { Ok(()) } else { Err(Agreed::Setup) }
    }

    fn start(setup: &PreprocessSetup, _: &(), input: PairSetup, _: &Run, _: &mut SeedRng) -> (Self, Vec<Draft>) {
        match setup.pair.role() {
            Role::Client => (Self::Greeted(input), vec![(To::One(setup.pair.peer()), vec![])]),
            Role::Server => (Self::Waiting(input), vec![]),
        }
    }

    fn advance(
        self,
        setup: &PreprocessSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<PairSetup>> {
        let (sid, count, to) = (run.sid(), setup.count, To::One(setup.pair.peer()));
        let r = inbox.private(setup.pair.peer());
        let mut w = Writer::new();
        match self {
            Self::Waiting(ots) => match r.finish() {
                Ok(()) => {
                    let (nonces, receiver) = server_commits(&ots, &sid, count, &mut w, rng);
                    Ok(Next::Round(Self::Committed(ots, nonces, receiver), vec![(to, w.finish())]))
                }
                Err(error) => Err(ots.failed(error.into())),
            },
            Self::Greeted(ots) => {
                let step = r.whole(|r| {
                    let commitments = read_commitments(count, r)?;
                    let nonces = Nonces::open(count, rng);
                    let receiver = MulReceiver::extend(ots.receiver(), sid, Purpose::Preprocess, count, &mut w, rng);
                    let sender = multiply(&ots, &sid, count, r, &mut w, rng)?;
                    Ok((OwnHalf::batch(&ots, &sid, nonces, commitments, sender)?, receiver))
                });
                match step {
                    Ok((halves, receiver)) => {
                        Ok(Next::Round(Self::Multiplied(ots, halves, receiver), vec![(to, w.finish())]))
                    }
                    Err(fault) => Err(ots.failed(fault)),
                }
            }
            Self::Committed(ots, nonces, receiver) => {
                let step = r.whole(|r| {
                    let sender = multiply(&ots, &sid, count, r, &mut w, rng)?;
                    let halves = OwnHalf::batch(&ots, &sid, nonces, vec![], sender)?;
                    Preprocessed::batch(halves, receiver.multiply::<2>(r)?)
                });
                match step {
                    Ok(items) => Ok(Next::Done(items, vec![(to, w.finish())], ots)),
                    Err(fault) => Err(ots.failed(fault)),
                }
            }
            Self::Multiplied(ots, halves, receiver) => {
                match r.whole(|r| Preprocessed::batch(halves, receiver.multiply::<2>(r)?)) {
                    Ok(items) => Ok(Next::Done(items, vec![], ots)),
                    Err(fault) => Err(ots.failed(fault)),
                }
            }
        }
    }

    fn cancel(self) -> Option<PairSetup> {
        match self {
            Self::Greeted(ots) | Self::Waiting(ots) | Self::Committed(ots, ..) | Self::Multiplied(ots, ..) => Some(ots),
        }
    }
}
