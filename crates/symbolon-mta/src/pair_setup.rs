//! The OT correlation of two parties: a resource that moves (safety.md S1).

use crate::{
    Direction, Suite,
    bits::mask,
    params::{KK, LEAVES, TREES},
    pprf::Leaves,
};
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    Role, SecretBytes, SecretVec, SetupId, on_cleared_stack,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_session::{Failed, Fault, OpenError, Pair, SealError, StorageKey};

/// The receiver of extensions: knows all leaves of all trees.
pub struct ExtReceiver {
    direction: Direction,
    setup: SetupId,
    suite: Suite,
    leaves: Leaves,
}

/// The sender of extensions: knows `Delta`, and all leaves but those that it names.
pub struct ExtSender {
    direction: Direction,
    setup: SetupId,
    suite: Suite,
    leaves: Leaves,
    delta: SecretBytes<16>,
}

impl ExtReceiver {
    pub(crate) const fn new(direction: Direction, setup: SetupId, suite: Suite, leaves: Leaves) -> Self {
        Self { direction, setup, suite, leaves }
    }

    /// Who sends and who receives.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The setup that this is half of.
    #[must_use]
    pub const fn setup_id(&self) -> SetupId {
        self.setup
    }

    /// The pad suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    pub(crate) fn leaves(&self) -> &[[u8; 16]] {
        &self.leaves
    }
}

impl ExtSender {
    pub(crate) const fn new(
        direction: Direction,
        setup: SetupId,
        suite: Suite,
        leaves: Leaves,
        delta: SecretBytes<16>,
    ) -> Self {
        Self { direction, setup, suite, leaves, delta }
    }

    /// Who sends and who receives.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// The setup that this is half of.
    #[must_use]
    pub const fn setup_id(&self) -> SetupId {
        self.setup
    }

    /// The pad suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.suite
    }

    pub(crate) fn leaves(&self) -> &[[u8; 16]] {
        &self.leaves
    }

    /// Bit `h` is `Delta_h`; nibble `i` is `y*_i`.
    pub(crate) fn delta_block(&self) -> u128 {
        u128::from_le_bytes(*self.delta.expose())
    }

    /// Whether the leaves that `Delta` names are zero, without a branch on it.
    fn is_punctured(&self) -> bool {
        let mut left = 0u128;
        for (i, leaves) in self.leaves.chunks_exact(LEAVES).enumerate() {
            for (z, leaf) in (0u128..).zip(leaves) {
                // all ones where z is the nibble of Delta
                let differs = (self.delta_block() >> (KK * i) ^ z) & 0xf;
                let here = !mask(differs | differs >> 1 | differs >> 2 | differs >> 3);
                left |= u128::from_le_bytes(*leaf) & here;
            }
        }
        left.ct_eq(&0).into()
    }
}

/// The setup has served its 2^16 runs. Make a new one with this peer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the pair setup has served all its runs: make a new one")]
pub struct Exhausted;

/// The OT correlation with one peer, both directions. Independent of any key.
///
/// It moves: into a run, and out of it with the result or the abort; a burn-class fault destroys it. There is no `Clone`.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_mta::PairSetup>();
/// ```
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_mta::PairSetup>();
/// ```
///
/// # Security
/// A stored setup MUST be taken out of the store durably before use, and MUST NOT exist twice: `Delta` protects every
/// use, and a peer that may guess again and again learns it bit by bit. It MUST NOT be part of any backup.
pub struct PairSetup {
    id: SetupId,
    pair: Pair,
    serial: u32,
    runs: u32,
    receiver: ExtReceiver,
    sender: ExtSender,
    zero_seed: SecretBytes<32>,
}

const SEALED_KIND: &[u8; 8] = b"pairsetp";
/// Bytes of the encoding.
const ENCODED_LEN: usize = 10 + 72 + 1 + 4 + 4 + 16 + 2 * TREES * LEAVES * 16 + 16 + 32;

impl PairSetup {
    /// The most runs on one setup (mta 4, assumption).
    pub const MAX_RUNS: u32 = 1 << 16;

    pub(crate) const fn new(
        pair: Pair,
        serial: u32,
        receiver: ExtReceiver,
        sender: ExtSender,
        zero_seed: SecretBytes<32>,
    ) -> Self {
        Self { id: receiver.setup, pair, serial, runs: 0, receiver, sender, zero_seed }
    }

    /// Names this setup in sids, ledgers and aborts.
    #[must_use]
    pub const fn id(&self) -> SetupId {
        self.id
    }

    /// The local role and both identities.
    #[must_use]
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// The pad suite.
    #[must_use]
    pub const fn suite(&self) -> Suite {
        self.receiver.suite
    }

    /// The pair's serial at which it was made; below the pair's floor it is stale (safety.md S6).
    #[must_use]
    pub const fn serial(&self) -> u32 {
        self.serial
    }

    /// Runs that it may still serve.
    #[must_use]
    pub const fn runs_left(&self) -> u32 {
        Self::MAX_RUNS.saturating_sub(self.runs)
    }

    /// The half that receives extensions.
    #[must_use]
    pub const fn receiver(&self) -> &ExtReceiver {
        &self.receiver
    }

    /// The half that sends.
    #[must_use]
    pub const fn sender(&self) -> &ExtSender {
        &self.sender
    }

    /// The secret that both parties of the pair have, and nobody else: for pseudo-random shares of zero (ecdsa.md, t-of-n).
    /// It goes with the setup, so that a new epoch has another one.
    #[must_use]
    pub const fn zero_seed(&self) -> &SecretBytes<32> {
        &self.zero_seed
    }

    /// Counts a run. The setup value of every run that uses the correlation calls it once, before any message.
    ///
    /// # Errors
    /// [`Exhausted`] after 2^16 runs.
    pub const fn begin_run(&mut self) -> Result<(), Exhausted> {
        if self.runs >= Self::MAX_RUNS {
            return Err(Exhausted);
        }
        self.runs += 1;
        Ok(())
    }

    /// What a fault of the peer leaves of this setup: burn-class faults destroy it, both directions.
    #[must_use]
    pub fn failed(self, fault: Fault) -> Failed<Self> {
        Failed::with(self.pair.peer(), fault, self.id, self)
    }

    /// Seals it for the store.
    ///
    /// # Errors
    /// [`SealError`]: the generator failed. The setup is gone then; make a new one.
    pub fn seal(self, key: &StorageKey, rng: &mut impl TryCryptoRng) -> Result<Vec<u8>, SealError> {
        on_cleared_stack(|| key.seal(SEALED_KIND, &self.to_secret_bytes(), rng))
    }

    /// Opens a sealed setup, which the caller has taken out of the store durably.
    ///
    /// # Errors
    /// [`OpenError`].
    pub fn open(sealed: &[u8], key: &StorageKey) -> Result<Self, OpenError> {
        on_cleared_stack(|| {
            let bytes = key.open(SEALED_KIND, sealed)?;
            let mut r = Reader::new(&bytes);
            let setup = Self::decode(&mut r).map_err(|_| OpenError::Format)?;
            r.finish().map_err(|_| OpenError::Format)?;
            Ok(setup)
        })
    }
}

/// The directions in which the local party receives and sends.
pub(crate) const fn directions(pair: &Pair) -> (Direction, Direction) {
    match pair.role() {
        Role::Client => (Direction::first(pair), Direction::second(pair)),
        Role::Server => (Direction::second(pair), Direction::first(pair)),
    }
}

fn read_leaves(r: &mut Reader<'_>) -> Result<Leaves, DecodeError> {
    let (leaves, _) = r.bytes(TREES * LEAVES * 16)?.as_chunks::<16>();
    Ok(SecretVec::new(leaves.to_vec()))
}

/// The encoding is private: what a caller can encode and decode it can copy. `seal` consumes, `open` takes what the store
/// gave up.
impl PairSetup {
    /// Magic, pair, suite, serial, runs, id, leaves as receiver, `Delta`, leaves as sender, zero seed.
    fn encode(&self, w: &mut Writer) {
        w.object(Kind::PairSetup);
        self.pair.encode(w);
        w.u8(self.suite().tag()).u32(self.serial).u32(self.runs).bytes(self.id.as_ref());
        w.bytes(self.receiver.leaves.as_flattened());
        w.bytes(self.sender.delta.expose()).bytes(self.sender.leaves.as_flattened());
        w.bytes(self.zero_seed.expose());
    }

    pub(crate) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.object(Kind::PairSetup)?;
        let pair = Pair::decode(r)?;
        let suite = Suite::from_tag(r.u8()?).ok_or(DecodeError::Value)?;
        let (serial, runs) = (r.u32()?, r.u32()?);
        if runs > Self::MAX_RUNS {
            return Err(DecodeError::Count);
        }
        let id = SetupId::from_bytes(r.array()?);
        let (receives, sends) = directions(&pair);
        let receiver = ExtReceiver::new(receives, id, suite, read_leaves(r)?);
        let delta = SecretBytes::new(r.array()?);
        let sender = ExtSender::new(sends, id, suite, read_leaves(r)?, delta);
        if !sender.is_punctured() {
            return Err(DecodeError::Value);
        }
        let zero_seed = SecretBytes::new(r.array()?);
        Ok(Self { id, pair, serial, runs, receiver, sender, zero_seed })
    }

    pub(crate) fn to_secret_bytes(&self) -> SecretVec<u8> {
        let mut w = Writer::with_capacity(ENCODED_LEN);
        self.encode(&mut w);
        SecretVec::new(w.finish())
    }
}
