//! Threshold Ed25519: the verbs of [`crate::committee`] and [`crate::wallet`] for keys that sign with FROST (RFC 9591).
//!
//! A key of this kind is made, refreshed, handed over, imported and retired by the functions of [`crate::committee`], which are
//! the same for both curves; only signing differs. There are no pair setups: signing takes the shares and nothing else.
//!
//! | to | ECDSA on secp256k1 | FROST on Ed25519 |
//! |---|---|---|
//! | make a wallet of two | [`crate::wallet::create()`] | [`create_wallet`] |
//! | make a key among n | [`committee::create`] | [`create`] |
//! | be able to sign with few messages | [`committee::pair_setups`] | nothing |
//! | sign | [`committee::sign`] | [`sign`]: two rounds, any number of signers from t on |
//! | prepare | [`committee::preprocess`] | [`preprocess`] |
//! | sign what was prepared | [`committee::sign_banked`] | [`sign_banked`]: one message of each signer |
//! | refresh, recover, revoke, hand over | [`committee::refresh`], [`committee::reshare`] | the same |
//! | bring in a key from elsewhere | [`committee::import`] | the same, with [`scalar_from_seed`] |
//! | leave with the key | [`committee::exit`] | the same; then [`sign_with_scalar`] |
//!
//! Every signer ends with the signature, which is an ordinary one of RFC 8032 over the message as it is: any Ed25519 verifier
//! takes it, such as those of Solana, NEAR, Aptos and Polkadot. There is no derivation of child keys: BIP-32 is not for this curve, and what
//! wallets do here (SLIP-10) is hardened only and needs the key in one place. One key is one account.
//!
//! ```
//! # use symbolon::{Auth, Ed25519, KeyShare, MemoryLedger, PartyId, SysRng, frost, store};
//! # fn at_a_signer(share: &KeyShare<Ed25519>, other: PartyId, transfer: &[u8], auth: Auth, ledger: &mut MemoryLedger)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // the message is what this side has shown to its own user or policy; the other side says the same, or the run ends
//! let share = store::current(ledger, share)?;
//! let (session, frames) = frost::sign(share, &[share.me(), other], transfer, auth, &mut SysRng)?;
//! # let _ = (session, frames);
//! # Ok(()) }
//! ```
//!
//! # A scalar is not a seed
//!
//! Wallets keep an Ed25519 key as a seed of 32 bytes and make the scalar from it by hashing. The shares here are of the scalar. An
//! imported seed ([`scalar_from_seed`]) keeps its address; but nobody can find a seed for a scalar that a committee made, so
//! that [`committee::exit`] gives a scalar that **no wallet can import**. Whoever leaves signs with [`sign_with_scalar`], best
//! one transaction that moves everything to an ordinary wallet. Decide with that in mind.

pub use symbolon_eddsa::{
    Aggregator, Ciphersuite, CommitmentList, Coordinator, FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess,
    FrostPreprocessSetup, FrostRequest, FrostSign, NonceCommitments, Nonces, PublicKey, RefusedError, SignError,
    Signature, SignatureShare, Signers, SigningPackage, VerifyError, item_of, scalar_from_seed, sign_with_scalar,
};

use crate::committee::{self, Holder, NotStarted, Started, label, sign_label, start};
use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use symbolon_core::{Ed25519, PartyId, Threshold};
use symbolon_session::{Auth, Label, Pair};
use symbolon_sharing::{Dkg, DkgSetup, KeyShare, Scheme};

/// Makes an Ed25519 wallet between a client and a server: a key of two holders, of whom both are needed. Neither ever has it.
/// `pair` may be just the local [`crate::Role`].
///
/// # Errors
/// [`NotStarted::Start`].
pub fn create_wallet(
    pair: impl Into<Pair>,
    label: Label,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Dkg<Ed25519>>, NotStarted> {
    let setup = DkgSetup::new(pair.into().roster(), Threshold::TWO, Scheme::Frost)?;
    start(setup, &(), (), label, auth, rng)
}

/// Makes a new Ed25519 key among `members`, of whom `threshold` will be needed: [`committee::create`] for this curve and scheme.
///
/// # Errors
/// Those of [`committee::create`].
pub fn create(
    me: PartyId,
    members: impl IntoIterator<Item = Holder>,
    threshold: Threshold,
    label: Label,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Dkg<Ed25519>>, NotStarted> {
    committee::create(me, members, (threshold, Scheme::Frost), label, auth, rng)
}

/// Signs with these holders, this one among them: at least `t`, in two rounds. All end with the signature.
///
/// The label is that of all signatures of these signers with this key, so that two callers who differ about the message hear of it
/// ([`crate::Agreed::Sid`]) instead of waiting for each other. The price: the same signers have one signature open at a time, or
/// one ends the other as such a difference. For several at once start each [`FrostRequest`] with a label of its own, such as the
/// id of the request ([`crate::Session::start`]).
///
/// # Errors
/// [`NotStarted::Frost`], [`NotStarted::Start`].
///
/// # Security
/// Message and signers MUST come from this caller's own user or policy. A share that may be old goes through
/// [`crate::store::current`] first. Whoever has sent the frame of the second round has signed.
pub fn sign<C: Ciphersuite>(
    share: &KeyShare<C>,
    signers: &[PartyId],
    message: impl Into<Vec<u8>>,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<FrostSign<C>>, NotStarted> {
    let request = FrostRequest::new(share, signers, message)?;
    start(request, share, (), sign_label(&share.key_id(), signers)?, auth, rng)
}

/// Makes `count` items for these signers of this key, ahead of time. They go into a [`crate::Bank`] of [`FrostItem`]s; the next
/// epoch of the key makes them stale.
///
/// # Errors
/// [`NotStarted::Frost`], [`NotStarted::Start`].
pub fn preprocess<C: Ciphersuite>(
    share: &KeyShare<C>,
    signers: &[PartyId],
    count: u16,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<FrostPreprocess<C>>, NotStarted> {
    let setup = FrostPreprocessSetup::new(share, signers, count)?;
    let mut signers = signers.to_vec();
    signers.sort_unstable();
    let of = |t: symbolon_core::Transcript| signers.iter().fold(t.part(share.key_id()), |t, id| t.number(id.get()));
    start(setup, share, (), label("frost refill", of)?, auth, rng)
}

/// Signs from a banked item: one message of each signer. The signers are those of the item, and the item is gone, however the
/// run ends. Take it through [`crate::store::take_item`]; the peers take the one that [`item_of`] finds in the first frame.
///
/// # Errors
/// [`NotStarted::Frost`], [`NotStarted::Start`].
///
/// # Security
/// The frames that this returns have the share of the signature: whoever has sent them has signed.
pub fn sign_banked<C: Ciphersuite>(
    share: &KeyShare<C>,
    item: FrostItem<C>,
    message: impl Into<Vec<u8>>,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<FrostOnline<C>>, NotStarted> {
    let signers: Vec<_> = item.signers().collect();
    let setup = FrostOnlineSetup::new(share, &item, message)?;
    start(setup, share, item, sign_label(&share.key_id(), &signers)?, auth, rng)
}
