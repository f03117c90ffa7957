//! Runs of exactly t signers: the two-party path for two, the quorum protocols for three or more, behind one face.

use super::{NotStarted, Started, encoded, label, start};
use crate::wallet::{SignStateless, StatelessSetup};
use alloc::{collections::BTreeSet, vec::Vec};
use rand_core::TryCryptoRng;
use symbolon_core::{ItemId, KeyId, PartyId, Secp256k1, SetupId};
use symbolon_ecdsa::{
    DerivationPath, FullSetup, OnlineSetup, Payload, Preprocess, PreprocessSetup, Preprocessed, QuorumFull, QuorumItem,
    QuorumOnline, QuorumPreprocess, QuorumPreprocessSetup, QuorumRequest, Setups, SignError, SignFull, SignOnline,
    Signature, Signed, pair_with, quorum_item_of,
};
use symbolon_mta::{PairSetup, Suite};
use symbolon_session::{
    Aborted, Auth, Banked, Burned, Error, FloorId, Identity, Label, LabelError, Outgoing, Pair, Protocol, Session,
    Step, Token,
};
use symbolon_sharing::{Holder, KeyShare};

type Share = KeyShare<Secp256k1>;

/// A run that exists twice: for two signers, and for three or more.
pub trait Paths: sealed::Sealed {
    /// For two.
    type Two: Protocol;
    /// For three or more.
    type More: Protocol;
    /// The result of either.
    type Output;
    /// What moves in and out of either.
    type Held;
    #[doc(hidden)]
    fn two(output: <Self::Two as Protocol>::Output) -> Self::Output;
    #[doc(hidden)]
    fn two_held(held: <Self::Two as Protocol>::Held) -> Self::Held;
    #[doc(hidden)]
    fn more(output: <Self::More as Protocol>::Output) -> Self::Output;
    #[doc(hidden)]
    fn more_held(held: <Self::More as Protocol>::Held) -> Self::Held;
}

#[allow(unnameable_types, reason = "seals a trait")]
mod sealed {
    pub trait Sealed {}
    impl Sealed for super::FromScratch {}
    impl Sealed for super::FromBank {}
    impl Sealed for super::Refill {}
}

/// [`sign`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FromScratch;

/// [`sign_banked`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct FromBank;

/// [`preprocess`].
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub struct Refill;

impl Paths for FromScratch {
    type Two = SignFull;
    type More = QuorumFull;
    type Output = Signed;
    type Held = Setups;

    fn two(signed: Signed) -> Signed {
        signed
    }

    fn two_held(setup: PairSetup) -> Setups {
        Setups::from([(setup.pair().peer(), setup)])
    }

    fn more(signature: Signature) -> Signed {
        Signed::Signature(signature)
    }

    fn more_held(setups: Setups) -> Setups {
        setups
    }
}

impl Paths for FromBank {
    type Two = SignOnline;
    type More = QuorumOnline;
    type Output = Signed;
    type Held = ();

    fn two(signed: Signed) -> Signed {
        signed
    }

    fn two_held((): ()) {}

    fn more(signature: Signature) -> Signed {
        Signed::Signature(signature)
    }

    fn more_held((): ()) {}
}

impl Paths for Refill {
    type Two = Preprocess;
    type More = QuorumPreprocess;
    type Output = Items;
    type Held = Setups;

    fn two(items: Vec<Preprocessed>) -> Items {
        items.into_iter().map(Item::Pair).collect()
    }

    fn two_held(setup: PairSetup) -> Setups {
        FromScratch::two_held(setup)
    }

    fn more(items: Vec<QuorumItem>) -> Items {
        items.into_iter().map(Item::Quorum).collect()
    }

    fn more_held(setups: Setups) -> Setups {
        setups
    }
}

/// A batch for a [`crate::Bank`] of [`Item`]s.
pub type Items = Vec<Item>;

/// One banked pre-processing, of two signers or of more. Used once, by value; in memory only.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon::committee::Item>();
/// ```
#[allow(clippy::exhaustive_enums, reason = "two signers, or more")]
#[allow(clippy::large_enum_variant, reason = "a bank mostly holds one kind, and an item is moved a few times")]
pub enum Item {
    /// Of two signers.
    Pair(Preprocessed),
    /// Of three or more.
    Quorum(QuorumItem),
}

impl Item {
    /// The signers that it was made for.
    #[must_use]
    pub fn signers(&self) -> BTreeSet<PartyId> {
        match self {
            Self::Pair(item) => [item.pair().me(), item.pair().peer()].into(),
            Self::Quorum(item) => item.roster().members().iter().map(|member| member.0).collect(),
        }
    }

    /// The pair setups that it was made over, each with its pair and the pair's serial.
    #[must_use]
    pub fn setups(&self) -> Vec<(SetupId, Pair, u32)> {
        match self {
            Self::Pair(item) => [(item.setup(), *item.pair(), item.serial())].into(),
            Self::Quorum(item) => item.setups().map(|(id, pair, serial)| (id, *pair, serial)).collect(),
        }
    }
}

impl Banked for Item {
    fn id(&self) -> ItemId {
        match self {
            Self::Pair(item) => item.id(),
            Self::Quorum(item) => item.id(),
        }
    }

    fn tokens(&self) -> Vec<Token> {
        match self {
            Self::Pair(item) => item.tokens(),
            Self::Quorum(item) => item.tokens(),
        }
    }

    fn floors(&self) -> Vec<(FloorId, u64)> {
        match self {
            Self::Pair(item) => item.floors(),
            Self::Quorum(item) => item.floors(),
        }
    }
}

/// The bank item that a first frame of [`sign_banked`] asks for: what the others of the run take.
#[must_use]
pub fn item_of(frame: &[u8]) -> Option<ItemId> {
    symbolon_ecdsa::item_of(frame).or_else(|| quorum_item_of(frame))
}

/// A session of t signers. It is used like a [`Session`]; nothing of it is ever `Prepared`, since no key material is made.
#[allow(clippy::exhaustive_enums, reason = "two signers, or more")]
#[allow(clippy::large_enum_variant, reason = "one value per run")]
pub enum Joint<V: Paths> {
    /// Two signers.
    Two(Session<V::Two>),
    /// Three or more.
    More(Session<V::More>),
}

/// What a [`Joint`] answers to a frame.
#[must_use]
#[allow(clippy::exhaustive_enums, reason = "there is no third answer")]
pub enum JointStep<V: Paths> {
    /// Frames to send, possibly none; the run goes on.
    Continue(Vec<Outgoing>),
    /// The result, what was moved in, and the last frames.
    Done(V::Output, Option<V::Held>, Vec<Outgoing>),
}

impl<V: Paths> Joint<V> {
    /// See [`Session::handle`].
    ///
    /// # Errors
    /// [`Error`]; what survives of what was moved in comes back with it. [`crate::store::burn`] what it lists.
    pub fn handle(&mut self, from: PartyId, frame: &[u8]) -> Result<JointStep<V>, Error<V::Held>> {
        match self {
            Self::Two(session) => match session.handle(from, frame) {
                Ok(Step::Continue(frames)) => Ok(JointStep::Continue(frames)),
                Ok(Step::Done(output, held, frames)) => {
                    Ok(JointStep::Done(V::two(output), held.map(V::two_held), frames))
                }
                // only key-making protocols prepare
                Ok(Step::Prepared(..)) => Ok(JointStep::Continue(Vec::new())),
                Err(error) => Err(with_held(error, V::two_held)),
            },
            Self::More(session) => match session.handle(from, frame) {
                Ok(Step::Continue(frames)) => Ok(JointStep::Continue(frames)),
                Ok(Step::Done(output, held, frames)) => {
                    Ok(JointStep::Done(V::more(output), held.map(V::more_held), frames))
                }
                Ok(Step::Prepared(..)) => Ok(JointStep::Continue(Vec::new())),
                Err(error) => Err(with_held(error, V::more_held)),
            },
        }
    }

    /// See [`Session::waiting_for`].
    #[must_use]
    pub fn waiting_for(&self) -> BTreeSet<PartyId> {
        match self {
            Self::Two(session) => session.waiting_for(),
            Self::More(session) => session.waiting_for(),
        }
    }

    /// See [`Session::resend`].
    #[must_use = "the frames are to be sent"]
    pub fn resend(&self) -> Vec<Outgoing> {
        match self {
            Self::Two(session) => session.resend(),
            Self::More(session) => session.resend(),
        }
    }

    /// See [`Session::cancel`].
    #[must_use = "what was moved in comes back"]
    pub fn cancel(self) -> Option<V::Held> {
        match self {
            Self::Two(session) => session.cancel().map(V::two_held),
            Self::More(session) => session.cancel().map(V::more_held),
        }
    }

    fn two((session, frames): Started<V::Two>) -> (Self, Vec<Outgoing>) {
        (Self::Two(session), frames)
    }

    fn more((session, frames): Started<V::More>) -> (Self, Vec<Outgoing>) {
        (Self::More(session), frames)
    }
}

fn with_held<H, T>(error: Error<H>, of: impl FnOnce(H) -> T) -> Error<T> {
    match error {
        Error::Rejected(why) => Error::Rejected(why),
        Error::Aborted(Aborted { culprit, fault, held, evidence, view }) => {
            Error::Aborted(Aborted { culprit, fault, held: held.map(of), evidence, view })
        }
        Error::Burned(Burned { culprit, fault, setups, held }) => {
            Error::Burned(Burned { culprit, fault, setups, held: held.map(of) })
        }
    }
}

/// Signs with exactly these `t` holders, this one among them. The setups with the other signers move out of `setups` into the
/// run, and come back with its end: put them back into `setups` (`extend`) or the ledger. After a usage error they are still
/// there, except after [`NotStarted::Start`].
///
/// Two signers take four messages, and the one with the higher id ends with the signature; the other one's
/// [`crate::Released`] says what it signed. Three or more take four rounds, and all end with the signature.
///
/// # Errors
/// [`NotStarted::NoSetup`], [`NotStarted::Sign`], [`NotStarted::Start`].
///
/// # Security
/// Payload, path and signers MUST come from this caller's own user or policy. A share that may be old goes through
/// [`crate::store::current`] first, setups that were kept in memory through [`crate::store::drop_stale`].
pub fn sign(
    share: &Share,
    signers: &[PartyId],
    setups: &mut Setups,
    payload: Payload,
    path: DerivationPath,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<(Joint<FromScratch>, Vec<Outgoing>), NotStarted> {
    holders_of(share, signers)?;
    let label = sign_label(&share.key_id(), signers)?;
    match peer_of(share, signers)? {
        Some(peer) => {
            let (full, setup) = borrowed(share, &[peer], setups, |taken| {
                Ok(FullSetup::new(share, with(share, peer, taken)?, payload, path)?)
            })?;
            let setup = only(setup).ok_or(NotStarted::NoSetup(peer))?;
            Ok(Joint::two(start(full, share, setup, label, auth, rng)?))
        }
        None => {
            let ((full, signer), taken) = borrowed(share, signers, setups, |taken| {
                Ok(QuorumRequest::from_scratch(share, signers, taken, payload, path)?)
            })?;
            Ok(Joint::more(start(full, &signer, taken, label, auth, rng)?))
        }
    }
}

/// Signs with one other holder of a 2-of-n key over a pair setup that is made inside the run and dropped with it: eight
/// messages, nothing kept, nothing that can become stale. What phones do.
///
/// # Errors
/// [`NotStarted::Sign`], [`NotStarted::Start`].
pub fn sign_stateless(
    share: &Share,
    peer: PartyId,
    payload: Payload,
    path: DerivationPath,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<SignStateless>, NotStarted> {
    let label = sign_label(&share.key_id(), &[share.me(), peer])?;
    let setup = StatelessSetup::new(share, &pair_with(share, peer)?, Suite::Blake3, payload, path)?;
    start(setup, share, (), label, auth, rng)
}

/// Makes `count` bank items for exactly these signers, ahead of time: no message and no key is needed, only who will sign.
/// The setups move as in [`sign`]. The items go into a [`crate::Bank`].
///
/// # Errors
/// [`NotStarted::NoSetup`], [`NotStarted::Sign`], [`NotStarted::Preprocess`], [`NotStarted::Start`].
pub fn preprocess(
    share: &Share,
    signers: &[PartyId],
    setups: &mut Setups,
    count: u16,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<(Joint<Refill>, Vec<Outgoing>), NotStarted> {
    let holders = holders_of(share, signers)?;
    let label = label("refill", |t| t.part(encoded(&holders)))?;
    match peer_of(share, signers)? {
        Some(peer) => {
            let (refill, setup) =
                borrowed(share, &[peer], setups, |taken| Ok(PreprocessSetup::new(with(share, peer, taken)?, count)?))?;
            let setup = only(setup).ok_or(NotStarted::NoSetup(peer))?;
            Ok(Joint::two(start(refill, &(), setup, label, auth, rng)?))
        }
        None => {
            let (refill, taken) = borrowed(share, signers, setups, |taken| {
                Ok(QuorumPreprocessSetup::new(share.me(), &holders, taken, count)?)
            })?;
            Ok(Joint::more(start(refill, &(), taken, label, auth, rng)?))
        }
    }
}

/// Signs from a banked item: two messages between two signers, two rounds among more. The signers are those of the item, and
/// the item is gone, however the run ends. Take it through [`crate::store::take_item`].
///
/// # Errors
/// [`NotStarted::Sign`], [`NotStarted::Start`].
pub fn sign_banked(
    share: &Share,
    item: Item,
    payload: Payload,
    path: DerivationPath,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<(Joint<FromBank>, Vec<Outgoing>), NotStarted> {
    let signers: Vec<_> = item.signers().into_iter().collect();
    let label = sign_label(&share.key_id(), &signers)?;
    match item {
        Item::Pair(item) => {
            let online = OnlineSetup::new(share, &item, payload, path)?;
            Ok(Joint::two(start(online, share, item, label, auth, rng)?))
        }
        Item::Quorum(item) => {
            let (online, signer) = QuorumRequest::from_bank(share, &item, payload, path)?;
            Ok(Joint::more(start(online, &signer, item, label, auth, rng)?))
        }
    }
}

/// The label of every signing session of these signers with a key: what a server routes first frames by. Other signers may sign
/// with the key at the same time. Two lists of signers are two labels: each side then waits for the other.
///
/// # Errors
/// None in practice: 32 bytes are a label.
pub fn sign_label(key: &KeyId, signers: &[PartyId]) -> Result<Label, LabelError> {
    let signers: BTreeSet<_> = signers.iter().collect();
    label("sign", |t| signers.into_iter().fold(t.part(key), |t, id| t.number(id.get())))
}

/// The other one of two signers; `None` for another number of them.
fn peer_of(share: &Share, signers: &[PartyId]) -> Result<Option<PartyId>, SignError> {
    match signers {
        [me, peer] | [peer, me] if *me == share.me() => Ok(Some(*peer)),
        [_, _] => Err(SignError::Signers),
        _ => Ok(None),
    }
}

fn holders_of(share: &Share, signers: &[PartyId]) -> Result<Vec<Holder>, NotStarted> {
    share.lambdas(signers).map_err(|_| SignError::Signers)?;
    let members = share.members().iter().filter(|member| signers.contains(&member.id));
    Ok(members.map(|member| (member.id, member.identity)).collect::<Vec<(PartyId, Identity)>>())
}

/// Takes the setups with these signers for `begin`. If one is missing or `begin` fails, they all go back.
fn borrowed<T>(
    share: &Share,
    signers: &[PartyId],
    setups: &mut Setups,
    begin: impl FnOnce(&mut Setups) -> Result<T, NotStarted>,
) -> Result<(T, Setups), NotStarted> {
    let mut taken = Setups::new();
    let mut missing = None;
    for peer in signers.iter().filter(|id| **id != share.me() && share.members().iter().any(|m| m.id == **id)) {
        match setups.remove(peer) {
            Some(setup) => drop(taken.insert(*peer, setup)),
            None => missing = missing.or(Some(*peer)),
        }
    }
    let begun = missing.map_or_else(|| begin(&mut taken), |peer| Err(NotStarted::NoSetup(peer)));
    match begun {
        Ok(begun) => Ok((begun, taken)),
        Err(error) => {
            setups.extend(taken);
            Err(error)
        }
    }
}

/// The setup with `peer`. Two-party runs take the pair from their setup, so that it must be the right one.
fn with<'t>(share: &Share, peer: PartyId, taken: &'t mut Setups) -> Result<&'t mut PairSetup, NotStarted> {
    let setup = taken.get_mut(&peer).ok_or(NotStarted::NoSetup(peer))?;
    if *setup.pair() == pair_with(share, peer)? { Ok(setup) } else { Err(SignError::Pair.into()) }
}

fn only(setups: Setups) -> Option<PairSetup> {
    setups.into_values().next()
}
