//! A key among n holders, of whom any t are enough: make it, sign with it, and keep it for years while devices come and go.
//!
//! Every function here starts a run at *one* holder: it gives a session (or [`Joint`]) and the first frames. Everybody of the
//! run calls the same function with the same arguments, each from what it showed to its own user or policy; a difference ends
//! the run as a mismatch that blames nobody (safety.md S4). More than two holders sign their frames:
//! [`Auth::Signed`] with the identity key whose public half the others know.
//!
//! | to | call | who takes part |
//! |---|---|---|
//! | make a key | [`create`] | all n |
//! | be able to sign with few messages | [`pair_setups`] once, then keep what it makes | all n |
//! | sign with ECDSA | [`sign`], or [`preprocess`] ahead of time and then [`sign_banked`] | exactly t |
//! | sign without keeping anything | [`sign_stateless`] | t = 2 |
//! | sign with Ed25519 | [`crate::frost`] | t or more |
//! | renew all shares from time to time | [`refresh`] | all n |
//! | anything that changes holders or threshold | a [`Plan`], then [`reshare`] | t old holders and all new ones |
//! | the same while a holder is away | `offline` of both, then [`offline_refresh`] or [`offline_reshare`] | it, later |
//! | bring in a key from elsewhere | [`import`], then [`first_refresh`] | who has it, and all n |
//! | many keys of one committee at once | [`refresh_batch`], [`hand_over_batch`], for a session of [`Reshare`] | as for one |
//! | leave with the whole key | [`exit`] | who has opened t shares |
//! | spread the server of a two-party wallet over nodes | [`Custody`] (docs/custody.md) | server and nodes |
//!
//! # Changing the holders
//!
//! The key and its addresses never change; every share does. A [`Plan`] says from whom to whom. It starts as a refresh by `t`
//! dealers and says in the users' words what else happens; several things can happen at once:
//!
//! ```
//! # use symbolon::{Group, KeyShare, PartyId, Threshold, committee::*};
//! # fn plans<G: Group>(share: &KeyShare<G>, b: PartyId, c: PartyId, a: PartyId, new: Holder, t: Threshold, next: Vec<Holder>)
//! # -> Result<(), PlanError> {
//! let plan = || Plan::of(share, &[b, c], share.epoch() + 1, Factors::Gone);
//! let refresh = plan(); //                            all shares anew, nothing else
//! let recover = plan().recover(a, new)?; //           a's device is lost; `new` takes its place
//! let add = plan().add_device(new)?; //               one holder more
//! let revoke = plan().revoke(a)?; //                  one holder less
//! let raise = plan().change_threshold(t)?; //         more (or fewer) signers needed
//! let rotate = plan().hand_over(next, t)?; //         another committee takes over
//! let both = plan().recover(a, new)?.change_threshold(t)?;
//! # Ok(()) }
//! ```
//!
//! [`Plan::changes`] is what the user sees, and [`Consent`] is made from what the user approved. A newcomer has no share to make
//! a plan from: the application hands it the encoded plan as an invitation ([`crate::Storable`]), which its user approves in
//! the same way.
//!
//! ```
//! # use symbolon::{Auth, Group, KeyShare, PartyId, SysRng, committee::{self, *}};
//! # fn start<G: Group>(me: PartyId, share: Option<&KeyShare<G>>, plan: Plan<G>, auth: Auth, show: impl Fn(&[Change]) -> bool)
//! # -> Result<(), Box<dyn std::error::Error>> {
//! // a holder passes its share, a newcomer `None`
//! if show(&plan.changes()) {
//!     let consent = Consent::new(plan.changes());
//!     let nobody_is_offline = &[];
//!     let (session, frames) = committee::reshare(me, share, &plan, &consent, nobody_is_offline, auth, &mut SysRng)?;
//! #   let _ = (session, frames);
//! }
//! # Ok(()) }
//! ```
//!
//! The run ends as every run does that makes key material: `Prepared`, the caller stores, `stored`, `Done` ([`crate::Step`]).
//! After `Done`:
//!
//! 1. the new share is the one in use, and the old one is kept;
//! 2. [`crate::store::advance`] makes stale what belongs to the epoch before: pair setups, seeds of shares of zero, bank items,
//!    and the share itself ([`crate::store::current`]). Make new setups with [`pair_setups`];
//! 3. the new holders tell each other, authenticated, that they are done, and note it: [`KeyHealth::note_finished`], or, signed for
//!    good, [`KeyHealth::confirmation`] and [`KeyHealth::note_confirmed`]. `Done` here does not mean `Done` there: one liar among
//!    them can leave another in doubt, with only its old share. [`KeyHealth::unfinished`] lists who has not;
//! 4. backups are made again with the new share, and [`retire`] erases the old one. It refuses while another holder has not
//!    finished and was not given up ([`KeyHealth::give_up`]).
//!
//! # What recovery and revocation mean
//!
//! A share cannot be called back. The old shares that exist anywhere (on devices, sealed, in backups) still open the key as long
//! as there are `t_old` of them together, and a factor that was kept opens it with its other half. A lost or revoked device is
//! therefore harmless when the *others* have erased theirs: [`KeyHealth`] comes with every new epoch, counts what may be left,
//! and says when [`KeyHealth::old_sharing_is_dead`]. An imported or exported key has copies that nobody here can count: move the
//! funds.

mod signers;

pub use signers::{
    FromBank, FromScratch, Item, Items, Joint, JointStep, Paths, Refill, item_of, preprocess, sign, sign_banked,
    sign_label, sign_stateless,
};
pub use symbolon_ecdsa::{
    QuorumFull, QuorumFullSetup, QuorumItem, QuorumOnline, QuorumOnlineSetup, QuorumPreprocess, QuorumPreprocessSetup,
    QuorumRequest, Setups, SignerShare, quorum_item_of,
};
pub use symbolon_mta::{CommitteeSetup, CommitteeTerms};
pub use symbolon_seal::{DeviceKey, DevicePublicKey};
pub use symbolon_sharing::{
    Batch, Change, ClientShare, Consent, Custody, CustodyError, Dkg, DkgError, DkgSetup, Exit, ExitError, FactorName,
    FactorPiece, Factors, Flow, HandOver, HealthError, Holder, Import, Imported, Imports, Kept, KeyHealth, Nodes,
    OfflineError, OfflineHolder, OpenWith, Package, PieceError, Plan, PlanError, PlannedKey, Ready, Refreshes,
    Resealed, Reshare, ReshareSetup, Reshared, ResharedBatch, RetireError, SealTo, Source, combine_factor, exit,
    hand_over_batch, refresh_batch, retire, split_factor,
};

use alloc::vec::Vec;
use rand_core::TryCryptoRng;
use symbolon_core::{Group, KeyId, PartyId, SecretScalar, Threshold, Transcript, wire::Writer};
use symbolon_ecdsa::{PreprocessError, SignError};
use symbolon_mta::Suite;
use symbolon_session::{Auth, Label, LabelError, Outgoing, Protocol, Roster, RosterError, Session, StartError};
use symbolon_sharing::{KeyShare, Scheme};

/// Why a run did not start. Nothing was sent.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum NotStarted {
    /// The list of members.
    #[error(transparent)]
    Roster(#[from] RosterError),
    /// Threshold or scheme of a new key.
    #[error(transparent)]
    Dkg(#[from] DkgError),
    /// Plan, share or consent of a resharing.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// Signers, path or setups of a signature.
    #[error(transparent)]
    Sign(#[from] SignError),
    /// Signers, message or item of a signature with FROST.
    #[error(transparent)]
    Frost(#[from] symbolon_eddsa::SignError),
    /// Count or setups of a refill.
    #[error(transparent)]
    Preprocess(#[from] PreprocessError),
    /// There is no pair setup with this signer: it was never made, was burned, or is stale.
    #[error("no pair setup with {0}: make one with it first")]
    NoSetup(PartyId),
    /// The driver: authentication or randomness.
    #[error(transparent)]
    Start(#[from] StartError),
    /// The label.
    #[error(transparent)]
    Label(#[from] LabelError),
}

/// A session and its first frames.
pub type Started<P> = (Session<P>, Vec<Outgoing>);

/// A member of the run, its authentication and label.
pub(crate) fn start<P: Protocol>(
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    label: Label,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<P>, NotStarted> {
    Ok(Session::start(setup, secrets, input, label, auth, rng)?)
}

/// Makes a new key among `members`, of whom `threshold` will be needed. Nobody ever holds it whole. Its first epoch is 0.
///
/// `label` names this creation, the same at all members, for example the id of the request; it is not secret.
///
/// # Errors
/// [`NotStarted::Roster`], [`NotStarted::Dkg`], [`NotStarted::Start`].
pub fn create<G: Group>(
    me: PartyId,
    members: impl IntoIterator<Item = Holder>,
    (threshold, scheme): (Threshold, Scheme),
    label: Label,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Dkg<G>>, NotStarted> {
    start(DkgSetup::new(Roster::new(me, members)?, threshold, scheme)?, &(), (), label, auth, rng)
}

/// Makes a pair setup with every other member, among all of them in one run: what [`sign`] and [`preprocess`] take. Setups are
/// independent of keys: those of a committee serve all its keys.
///
/// `serial` is the same at all members: [`crate::store::committee_serial`].
///
/// # Errors
/// [`NotStarted::Roster`], [`NotStarted::Start`].
pub fn pair_setups(
    me: PartyId,
    members: &[Holder],
    serial: u32,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<CommitteeSetup>, NotStarted> {
    let terms = CommitteeTerms::new(me, members.iter().copied(), Suite::Blake3, serial)?;
    let label = label("pair setups", |t| t.number(serial).part(encoded(members)))?;
    start(terms, &(), (), label, auth, rng)
}

/// New shares for the same holders with the same threshold: what was stolen before is worth nothing with what is stolen later,
/// once the old shares are retired. The plan is `Plan::of(..)` without a change. All holders take part but those in `offline`,
/// who take their shares later ([`offline_refresh`]).
///
/// # Errors
/// [`PlanError::Consent`] if the plan changes anything; [`PlanError::OtherEpoch`] for a share that the plan does not replace:
/// old, revoked or pending; other [`PlanError`]s; [`NotStarted::Start`].
pub fn refresh<G: Group>(
    share: &KeyShare<G>,
    plan: &Plan<G>,
    offline: &[(PartyId, SealTo)],
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Reshare<G, Refreshes>>, NotStarted> {
    let (setup, source) = planned_refresh(share, plan)?;
    start(present(setup, offline)?, &source, (), reshare_label(&share.key_id())?, auth, rng)
}

fn planned_refresh<G: Group>(share: &KeyShare<G>, plan: &Plan<G>) -> Result<Ready<G, Refreshes>, PlanError> {
    let [key] = plan.keys.as_slice() else { return Err(PlanError::Keys) };
    if !plan.changes().is_empty() {
        return Err(PlanError::Consent);
    }
    if share.key_id() != key.key_id {
        return Err(PlanError::OtherKey);
    }
    if share.epoch() != key.epoch || share.sharing_id() != key.sharing_id {
        return Err(PlanError::OtherEpoch);
    }
    let dealers: Vec<_> = plan.dealers.iter().map(|dealer| dealer.0).collect();
    if Plan::of(share, &dealers, key.new_epoch, key.factors) != *plan {
        return Err(PlanError::OtherKey);
    }
    symbolon_sharing::refresh(share, &dealers, key.new_epoch, key.factors)
}

fn present<G: Group, F: Flow>(
    setup: ReshareSetup<G, F>,
    offline: &[(PartyId, SealTo)],
) -> Result<ReshareSetup<G, F>, PlanError> {
    if offline.is_empty() { Ok(setup) } else { setup.with_offline(offline) }
}

/// Every change of holders or threshold: recover, add, revoke, change the threshold, hand over. A holder passes its share, a
/// newcomer `None`; who is a holder and stays out of the run (a lost device, a revoked one that does not deal) has no part in
/// it. New holders in `offline` take their shares later ([`offline_reshare`]).
///
/// # Errors
/// [`PlanError::Consent`] unless `consent` names exactly [`Plan::changes`]; [`PlanError::OtherEpoch`] for a share that the plan
/// does not replace: old, revoked or pending; other [`PlanError`]s; [`NotStarted::Start`].
pub fn reshare<G: Group>(
    me: PartyId,
    share: Option<&KeyShare<G>>,
    plan: &Plan<G>,
    consent: &Consent,
    offline: &[(PartyId, SealTo)],
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Reshare<G, HandOver>>, NotStarted> {
    let [key] = plan.keys.as_slice() else { return Err(PlanError::Keys.into()) };
    let label = reshare_label(&key.key_id)?;
    let (setup, source) = symbolon_sharing::hand_over(me, share, plan.clone(), consent)?;
    start(present(setup, offline)?, &source, (), label, auth, rng)
}

/// The side of a holder that was offline during a [`refresh`]: it states the same plan and the same list, and then takes its
/// share from what the others made and confirmed ([`OfflineHolder::receive`], with the label [`reshare_label`]).
///
/// The others hand it [`Reshared::package`] and the signed confirmations of all of them ([`Session::confirmations`] and the own
/// one, from [`Session::resend`]). It answers with [`KeyHealth::confirmation`], which they note; until then they keep their old
/// shares.
///
/// # Errors
/// [`PlanError`].
pub fn offline_refresh<G: Group>(
    share: &KeyShare<G>,
    plan: &Plan<G>,
    offline: &[(PartyId, SealTo)],
) -> Result<OfflineHolder<G, Refreshes>, PlanError> {
    planned_refresh(share, plan)?.0.offline_holder(offline)
}

/// The side of a holder that was offline during a [`reshare`], as [`offline_refresh`].
///
/// # Errors
/// [`PlanError`].
pub fn offline_reshare<G: Group>(
    me: PartyId,
    share: Option<&KeyShare<G>>,
    plan: &Plan<G>,
    consent: &Consent,
    offline: &[(PartyId, SealTo)],
) -> Result<OfflineHolder<G, HandOver>, PlanError> {
    symbolon_sharing::hand_over(me, share, plan.clone(), consent)?.0.offline_holder(offline)
}

/// Shares out a key that exists elsewhere. `key` is the key with its BIP-32 chain code at the one who has it, and `None` at
/// all others. The result can do nothing before its [`first_refresh`], because the dealer knows every share; and it stays
/// marked as imported, because nobody here knows who else has the key: moving the funds to a new key is better.
///
/// # Errors
/// [`NotStarted::Plan`], [`NotStarted::Start`].
pub fn import<G: Group>(
    me: PartyId,
    key: Option<(SecretScalar<G>, [u8; 32])>,
    plan: Import<G>,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Reshare<G, Imports>>, NotStarted> {
    let label = label("import", |t| t.point::<G>(&plan.public_key))?;
    let (setup, source) = symbolon_sharing::import(me, key, plan)?;
    start(setup, &source, (), label, auth, rng)
}

/// Makes an imported key usable. All members take part; `new_epoch` is 1, or above it after a failed try. Of the new share,
/// `Plan::of(&share, dealers, share.epoch(), Factors::Gone)` is the plan for [`crate::store::advance`].
///
/// # Errors
/// [`NotStarted::Plan`], [`NotStarted::Start`].
pub fn first_refresh<G: Group>(
    imported: &Imported<G>,
    dealers: &[PartyId],
    new_epoch: u32,
    auth: Auth,
    rng: &mut impl TryCryptoRng,
) -> Result<Started<Reshare<G, Refreshes>>, NotStarted> {
    let label = reshare_label(&imported.health().key_id)?;
    let (setup, source) = imported.refresh(dealers, new_epoch)?;
    start(setup, &source, (), label, auth, rng)
}

/// The label of every run that makes a new epoch of a key; there is one at a time. The epochs are in the sid, so that members
/// who disagree about them hear of it: under two labels they would wait for each other.
///
/// # Errors
/// None in practice: 32 bytes are a label.
pub fn reshare_label(key: &KeyId) -> Result<Label, LabelError> {
    label("new epoch", |t| t.part(key))
}

pub(crate) fn label(what: &'static str, of: impl FnOnce(Transcript) -> Transcript) -> Result<Label, LabelError> {
    Label::new(of(Transcript::new("committee", what)).finish())
}

/// Sorted, so that the order in which a caller lists them does not matter.
fn encoded(members: &[Holder]) -> Vec<u8> {
    let mut members = members.to_vec();
    members.sort_unstable();
    let mut w = Writer::new();
    for (id, identity) in &members {
        w.u16(id.get());
        identity.encode(&mut w);
    }
    w.finish()
}
