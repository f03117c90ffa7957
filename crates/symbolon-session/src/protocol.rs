//! What a protocol is to the driver: typestate inside, bytes outside.

use crate::{Agreed, Failed, Roster};
use alloc::{collections::BTreeMap, vec::Vec};
use symbolon_core::{
    ItemId, KeyId, PartyId, SecretBytes, SecretVec, SeedRng, SetupId, SharingId, Sid, Threshold, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};

/// Whom a draft or a frame is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
#[allow(clippy::exhaustive_enums, reason = "a frame goes to one or to all")]
pub enum To {
    /// Every other member (a broadcast: recipient 0 in the header).
    All,
    /// One member. The channel must also be confidential.
    One(PartyId),
}

/// A body to send; the driver adds the envelope, the nonce and the sid.
pub type Draft = (To, Vec<u8>);

/// What a party sends in a round.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::exhaustive_enums, reason = "the four combinations of two slots")]
pub enum Sends {
    /// Nothing.
    Nothing,
    /// One private frame to each other member.
    Private,
    /// One broadcast.
    Broadcast,
    /// A broadcast and a private frame to each other member.
    Both,
}

/// One protocol: an enum with a variant per round, each owning exactly the secrets alive in that round.
///
/// Rounds count from 1. In round `r` the parties for which [`Protocol::sends`] says so send. When all frames of a round
/// have arrived the driver calls [`Protocol::advance`]; what that returns goes out in round `r + 1`. Two parties that
/// take turns have as many rounds as messages.
///
/// In a key-making protocol ([`Protocol::KEY_MAKING`]) the frame of a party's last round ends with its 'stored'
/// confirmation, 32 bytes that the driver adds and checks (safety.md S2); `advance` never sees them.
pub trait Protocol: Sized {
    /// Domain separation; a changed computation is a new name.
    const NAME: &'static str;
    /// The protocol id in the envelope.
    const ID: u8;
    /// Number of rounds.
    const ROUNDS: u8;
    /// Whether the run ends with `Prepared`, `stored`, `Done`.
    const KEY_MAKING: bool = false;
    /// Whether the first frames carry nonces. Without nonces, [`Terms::item`] is what is fresh, and the run tag.
    const NONCES: bool = true;
    /// Whether the driver keeps the accepted frames of the run for `suspend`. True in every [`Suspend`] protocol.
    const LOG_FRAMES: bool = false;
    /// Who takes part and what was agreed on beforehand.
    type Setup: Setup;
    /// Long-term secrets: borrowed at the start, given again at `resume`, never stored with the session.
    type LongTerm: LongTerm;
    /// Resources that move in (pair setups, a bank item).
    type Input;
    /// Resources that move out with the result, a cancel or an abort.
    type Held;
    /// The result.
    type Output;

    /// What `from` sends in `round`.
    ///
    /// With [`crate::Auth::Signed`] a recipient learns the digests of up to three other frames of the step: no private
    /// body next to others may be a value that can be guessed.
    fn sends(setup: &Self::Setup, round: u8, from: PartyId) -> Sends;

    /// Whether `party` makes a value and confirms that it has stored it: in the frame of its last round, if the run is
    /// key-making. Whoever does not (a dealer that leaves a committee) finishes on the confirmations of the others.
    fn confirms(_setup: &Self::Setup, _party: PartyId) -> bool {
        true
    }

    /// Whether the run needs [`crate::Auth::Signed`] whatever the number of its members: what they confirm is shown to somebody
    /// who takes no part.
    fn needs_signatures(_setup: &Self::Setup) -> bool {
        false
    }

    /// The largest body in `round`, nonce, sid and confirmation excluded: a fixed, tested bound on memory.
    fn max_body(setup: &Self::Setup, round: u8) -> usize;

    /// Whether the secrets and resources are those that `setup` names. A difference is a caller's bug, found before any
    /// frame: inside the run it would look like a lie of the peer.
    ///
    /// # Errors
    /// What differs.
    fn fits(_setup: &Self::Setup, _secrets: &Self::LongTerm, _input: &Self::Input) -> Result<(), Agreed> {
        Ok(())
    }

    /// Before any frame. `run` has the own `sid0`, and the sid where no nonces are used.
    fn start(
        setup: &Self::Setup,
        secrets: &Self::LongTerm,
        input: Self::Input,
        run: &Run,
        rng: &mut SeedRng,
    ) -> (Self, Vec<Draft>);

    /// All frames of one round are in, the sid is agreed. Consumes the state.
    ///
    /// # Errors
    /// [`Failed`], with the culprit and the resources that survive.
    fn advance(
        self,
        setup: &Self::Setup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<Self::Held>>;

    /// Gives the resources back when the caller or the driver ends the run; secrets of the run are wiped.
    fn cancel(self) -> Option<Self::Held>;
}

/// Marks protocols that hold no pair setup and no bank item, so that a suspended copy is harmless (safety.md S1).
pub trait Suspend: Protocol<Setup: Storable, Input: Default> {}

/// What follows a round.
#[allow(clippy::exhaustive_enums, reason = "the driver handles every case")]
pub enum Next<P: Protocol> {
    /// Another round, and what to send now.
    Round(P, Vec<Draft>),
    /// Key material is made. The drafts leave, with the confirmation, only after the caller has stored it.
    Prepared {
        /// The new value.
        output: P::Output,
        /// Its one versioned encoding, for [`Storable::decode`] after a crash.
        encoded: SecretVec<u8>,
        /// The hash that all members confirm; no role in it.
        outcome: [u8; 32],
        /// The last values, one draft for each receiver of this party's confirmation; may be empty bodies.
        drafts: Vec<Draft>,
        /// Resources moved out.
        held: P::Held,
    },
    /// The result of a run that makes no key material, the last frames, and resources moved out.
    Done(P::Output, Vec<Draft>, P::Held),
}

/// What the driver knows about the run when it calls the protocol.
pub struct Run {
    me: PartyId,
    sid0: BTreeMap<PartyId, Sid>,
    sid: Option<Sid>,
}

impl Run {
    /// For the driver, and for tests of protocol steps.
    #[must_use]
    pub const fn new(me: PartyId, sid0: BTreeMap<PartyId, Sid>, sid: Option<Sid>) -> Self {
        Self { me, sid0, sid }
    }

    /// Of the members whose nonces are known.
    pub(crate) const fn known_sid0(&self) -> &BTreeMap<PartyId, Sid> {
        &self.sid0
    }

    /// The own session id of the first frame: all that the sid absorbs, with the own nonce only.
    #[must_use]
    pub fn sid0(&self) -> Sid {
        self.sid0_of(self.me)
    }

    /// A member's first-frame session id; all zeros before its nonce is known.
    #[must_use]
    pub fn sid0_of(&self, party: PartyId) -> Sid {
        self.sid0.get(&party).copied().unwrap_or(Sid::from_bytes([0; 32]))
    }

    /// The session id; known and agreed in every call of `advance`. All zeros before.
    #[must_use]
    pub fn sid(&self) -> Sid {
        self.sid.unwrap_or(Sid::from_bytes([0; 32]))
    }
}

/// The bodies of one round.
#[derive(Default)]
pub struct Inbox {
    bodies: BTreeMap<(PartyId, bool), SecretVec<u8>>,
}

impl Inbox {
    /// Files a body; `broadcast` tells the slot.
    pub fn insert(&mut self, from: PartyId, broadcast: bool, body: SecretVec<u8>) {
        self.bodies.insert((from, broadcast), body);
    }

    /// A reader of the private frame of `from`; empty if there is none.
    #[must_use]
    pub fn private(&self, from: PartyId) -> Reader<'_> {
        Reader::new(self.bodies.get(&(from, false)).map_or(&[], |b| &**b))
    }

    /// A reader of the broadcast of `from`; empty if there is none.
    #[must_use]
    pub fn broadcast(&self, from: PartyId) -> Reader<'_> {
        Reader::new(self.bodies.get(&(from, true)).map_or(&[], |b| &**b))
    }
}

/// Who takes part and what was agreed on beforehand.
pub trait Setup {
    /// The parties.
    fn roster(&self) -> Roster;
    /// Everything else that the sid absorbs.
    fn terms(&self) -> Terms;
}

/// What the sid absorbs besides protocol, version, roster, label and nonces (safety.md S3). What a protocol does not have
/// stays absent, and is encoded as absent.
#[derive(Clone, Default, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the list of safety.md S3, in its words")]
#[allow(clippy::exhaustive_structs, reason = "protocol crates build it with `..Terms::default()`")]
pub struct Terms {
    pub curve: u8,
    pub scheme: &'static str,
    pub parameters: &'static str,
    pub threshold: Option<Threshold>,
    pub key_id: Option<KeyId>,
    pub sharing_id: Option<SharingId>,
    pub epoch: Option<u32>,
    pub generation: Option<u32>,
    pub setups: Vec<SetupId>,
    pub item: Option<ItemId>,
    pub path: Vec<u32>,
    pub digest: Option<[u8; 32]>,
    /// Anything else of this protocol (counts, committees), already encoded injectively.
    pub extra: Vec<u8>,
}

impl Terms {
    /// The injective encoding.
    pub fn encode(&self, w: &mut Writer) {
        w.u8(self.curve).prefixed(self.scheme.as_bytes()).prefixed(self.parameters.as_bytes());
        w.option(self.threshold.map(|t| t.get().to_be_bytes()).as_ref().map(<[u8; 2]>::as_slice));
        w.option(self.key_id.as_ref().map(AsRef::as_ref));
        w.option(self.sharing_id.as_ref().map(AsRef::as_ref));
        w.option(self.epoch.map(u32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        w.option(self.generation.map(u32::to_be_bytes).as_ref().map(<[u8; 4]>::as_slice));
        w.u32(u32::try_from(self.setups.len()).unwrap_or(u32::MAX));
        self.setups.iter().for_each(|id| {
            w.bytes(id.as_ref());
        });
        w.option(self.item.as_ref().map(AsRef::as_ref));
        w.u32(u32::try_from(self.path.len()).unwrap_or(u32::MAX));
        self.path.iter().for_each(|index| {
            w.u32(*index);
        });
        w.option(self.digest.as_ref().map(<[u8; 32]>::as_slice));
        w.prefixed(&self.extra);
    }
}

/// Long-term secrets of a protocol.
pub trait LongTerm {
    /// A secret digest of all of them; the driver mixes it into the randomness and keeps only its hash with a suspended
    /// session.
    fn digest(&self) -> SecretBytes<32>;
}

impl LongTerm for () {
    fn digest(&self) -> SecretBytes<32> {
        SecretBytes::new([0; 32])
    }
}

/// A value with one versioned encoding, magic and kind included.
pub trait Storable: Sized {
    /// Appends the encoding.
    fn encode(&self, w: &mut Writer);
    /// # Errors
    /// [`DecodeError`]; every invariant of the type is checked.
    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError>;

    /// An upper bound of the encoding's length, so that no buffer has to grow, which costs a wiped copy.
    fn max_len(&self) -> usize {
        1024
    }

    /// The encoding in a buffer that wipes itself.
    fn to_secret_bytes(&self) -> SecretVec<u8> {
        on_cleared_stack(|| self.encoded())
    }

    /// [`Self::to_secret_bytes`] as a step of something that clears the stack.
    fn encoded(&self) -> SecretVec<u8> {
        let mut w = Writer::with_capacity(self.max_len());
        self.encode(&mut w);
        debug_assert!(w.len() <= self.max_len(), "the buffer has grown");
        SecretVec::new(w.finish())
    }
}
