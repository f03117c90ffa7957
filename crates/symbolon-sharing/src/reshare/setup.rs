//! The two ways to a resharing, refresh and hand-over, and the import of a key (docs/spec/sharing.md, steps 11 and 12).

use super::{Batch, Flow, HandOver, Imports, Refreshes, SealTo};
use crate::plan::Holder;
use crate::{Consent, Factors, KeyShare, Marks, Plan, PlanError, PlannedKey, Scheme, dealing::index, lagrange};
use alloc::{vec, vec::Vec};
use core::marker::PhantomData;
use symbolon_core::{
    Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::{Identity, LongTerm, Roster, Setup, Storable, Terms};

/// Who takes part, who deals, what: made by [`refresh`], [`hand_over`], [`import`] and their batch forms, and by nothing
/// else. `F` is the flow, so that the one is never taken for the other.
pub struct ReshareSetup<G: Group, F> {
    pub(super) me: PartyId,
    pub(super) old: Vec<Holder>,
    /// 1 at an import.
    pub(super) old_threshold: u16,
    pub(super) dealers: Vec<Holder>,
    pub(super) new: Vec<Holder>,
    pub(super) threshold: Threshold,
    /// Members of `new` that don't take part, by ascending id.
    pub(super) offline: Vec<(PartyId, SealTo)>,
    pub(super) keys: Vec<Key<G>>,
    pub(super) roster: Roster,
    pub(super) of: PhantomData<fn() -> F>,
}

/// One key of a run.
pub(super) struct Key<G: Group> {
    pub(super) scheme: Scheme,
    /// Name, sharing and epoch that are replaced; absent at an import.
    pub(super) old: Option<(KeyId, SharingId, u32)>,
    pub(super) new_epoch: u32,
    pub(super) public_key: G::Point,
    pub(super) factors: Factors,
    /// What a holder of the old sharing knows, and a newcomer learns from the dealers.
    pub(super) known: Option<Known<G>>,
}

/// The old public data that matters: `X_i` of the dealers in their order, `X_j` of the other old holders in theirs (none at a
/// newcomer), chain code, marks.
#[derive(Clone, PartialEq, Eq)]
pub(super) struct Known<G: Group> {
    pub(super) points: Vec<G::Point>,
    pub(super) others: Vec<G::Point>,
    pub(super) chain_code: [u8; 32],
    pub(super) marks: Marks,
}

/// The secrets that a dealer deals: its share of each key, or the key that it imports. Empty at everybody else. Wiped on
/// drop.
pub struct Source<G: Group> {
    pub(super) secrets: Vec<SecretScalar<G>>,
    /// What they are of; nothing secret.
    pub(super) of: [u8; 32],
}

/// What a dealer's shares are of.
fn source_of(shares: impl Iterator<Item = (PartyId, (KeyId, SharingId, u32))>) -> [u8; 32] {
    let start = Transcript::new("reshare", "source");
    let one = |t: Transcript, (holder, (key, sharing, epoch)): (PartyId, (KeyId, SharingId, u32))| {
        t.number(holder.get()).part(key).part(sharing).number(epoch)
    };
    shares.fold(start, one).finish()
}

/// What the secret of the dealer of an import is of.
fn source_of_key<G: Group>(public_key: &G::Point) -> [u8; 32] {
    Transcript::new("reshare", "imported source").point::<G>(public_key).finish()
}

impl<G: Group> Source<G> {
    /// A member that does not deal.
    #[must_use]
    pub fn nothing() -> Self {
        Self { secrets: Vec::new(), of: source_of(core::iter::empty()) }
    }

    /// The shares of a dealer, in the order of the keys of the plan.
    #[must_use]
    pub fn shares(shares: &[&KeyShare<G>]) -> Self {
        on_cleared_stack(|| {
            let of = shares.iter().map(|share| (share.me(), (share.key_id(), share.sharing_id(), share.epoch())));
            Self {
                secrets: shares.iter().map(|share| SecretScalar::new(*share.secret().expose())).collect(),
                of: source_of(of),
            }
        })
    }

    /// The key that is imported.
    #[must_use]
    pub fn key(key: SecretScalar<G>) -> Self {
        on_cleared_stack(|| {
            let of = source_of_key::<G>(&key.public());
            Self { secrets: vec![key], of }
        })
    }
}

impl<G: Group> LongTerm for Source<G> {
    fn digest(&self) -> SecretBytes<32> {
        let start = Transcript::new("sharing", "source");
        SecretBytes::new(self.secrets.iter().fold(start, |t, x| t.part(x.to_bytes().expose())).finish())
    }
}

/// Setup and secrets of one member, for `Session::start`. The secrets are given again at `resume`.
pub type Ready<G, F> = (ReshareSetup<G, F>, Source<G>);

/// Same holders, same threshold, new sharing. `new_epoch` is 1 + the highest epoch that is pending or confirmed.
///
/// # Errors
/// [`PlanError`].
pub fn refresh<G: Group>(
    share: &KeyShare<G>,
    dealers: &[PartyId],
    new_epoch: u32,
    factors: Factors,
) -> Result<Ready<G, Refreshes>, PlanError> {
    ready(share.me(), &[share], Plan::of(share, dealers, new_epoch, factors))
}

/// Anything else: recovery, add, revoke, another threshold, another committee. `share` is the old share of this member, if
/// it has one.
///
/// # Errors
/// [`PlanError`]; [`PlanError::Consent`] unless `consent` names exactly `plan.changes()`.
pub fn hand_over<G: Group>(
    me: PartyId,
    share: Option<&KeyShare<G>>,
    plan: Plan<G>,
    consent: &Consent,
) -> Result<Ready<G, HandOver>, PlanError> {
    if plan.keys.len() != 1 {
        return Err(PlanError::Keys);
    }
    agreed(&plan, consent)?;
    ready(me, share.as_slice(), plan)
}

/// [`refresh`] of many keys of one committee in one run; `keys` has each share with its new epoch.
///
/// # Errors
/// [`PlanError`].
pub fn refresh_batch<G: Group>(
    keys: &[(&KeyShare<G>, u32, Factors)],
    dealers: &[PartyId],
) -> Result<Ready<G, Batch<Refreshes>>, PlanError> {
    let (first, ..) = keys.first().ok_or(PlanError::Keys)?;
    let plans = keys.iter().map(|(share, epoch, factors)| Plan::of(share, dealers, *epoch, *factors));
    let planned: Vec<PlannedKey<G>> = plans.flat_map(|plan| plan.keys).collect();
    let plan = Plan { keys: planned, ..Plan::of(first, dealers, first.epoch(), Factors::Gone) };
    let shares: Vec<_> = keys.iter().map(|(share, ..)| *share).collect();
    ready(first.me(), &shares, plan)
}

/// [`hand_over`] of many keys of one committee in one run. `shares` has the old share of every key, or is empty.
///
/// # Errors
/// [`PlanError`].
pub fn hand_over_batch<G: Group>(
    me: PartyId,
    shares: &[&KeyShare<G>],
    plan: Plan<G>,
    consent: &Consent,
) -> Result<Ready<G, Batch<HandOver>>, PlanError> {
    agreed(&plan, consent)?;
    ready(me, shares, plan)
}

/// The import of an existing key: one dealer with the key.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "the arguments of every local caller")]
pub struct Import<G: Group> {
    /// Who has the key; it may be a member of the committee or not.
    pub dealer: Holder,
    /// The committee.
    pub new: Vec<Holder>,
    /// How many of it will be needed.
    pub threshold: Threshold,
    /// What the key signs.
    pub scheme: Scheme,
    /// `P`: what this caller expects.
    pub public_key: G::Point,
}

/// Imports a key. `key` is the key with its BIP-32 chain code at the dealer (a fixed public string if it has none), and
/// absent everywhere else.
///
/// # Errors
/// [`PlanError`].
pub fn import<G: Group>(
    me: PartyId,
    key: Option<(SecretScalar<G>, [u8; 32])>,
    plan: Import<G>,
) -> Result<Ready<G, Imports>, PlanError> {
    on_cleared_stack(|| {
        if key.is_some() != (me == plan.dealer.0) {
            return Err(PlanError::NoShare);
        }
        if G::is_identity(&plan.public_key) {
            return Err(PlanError::ZeroKey);
        }
        if let Some((key, _)) = &key
            && key.public() != plan.public_key
        {
            return Err(PlanError::OtherKey);
        }
        let marks = Marks { imported: true, ..Marks::default() };
        let known = |chain_code: &[u8; 32]| Known {
            points: vec![plan.public_key],
            others: Vec::new(),
            chain_code: *chain_code,
            marks,
        };
        let known = key.as_ref().map(|(_, chain_code)| known(chain_code));
        let imported = Key {
            scheme: plan.scheme,
            old: None,
            new_epoch: 0,
            public_key: plan.public_key,
            factors: Factors::Gone,
            known,
        };
        let source = key.map_or(Source::nothing(), |(key, _)| Source::key(key));
        let dealers = vec![plan.dealer];
        Ok((ReshareSetup::new(me, (dealers.clone(), 1), dealers, (plan.new, plan.threshold), vec![imported])?, source))
    })
}

fn agreed<G: Group>(plan: &Plan<G>, consent: &Consent) -> Result<(), PlanError> {
    let changes = plan.changes();
    if changes.is_empty() {
        return Err(PlanError::NothingChanges);
    }
    if consent.covers(&changes) { Ok(()) } else { Err(PlanError::Consent) }
}

/// Compares the old shares with the plan.
fn ready<G: Group, F: Flow>(me: PartyId, shares: &[&KeyShare<G>], plan: Plan<G>) -> Result<Ready<G, F>, PlanError> {
    let is_dealer = plan.dealers.iter().any(|dealer| dealer.0 == me);
    if is_dealer && shares.is_empty() {
        return Err(PlanError::NoShare);
    }
    if !shares.is_empty() && shares.len() != plan.keys.len() {
        return Err(PlanError::Keys);
    }
    for key in &plan.keys {
        if key.new_epoch <= key.epoch {
            return Err(PlanError::Epoch);
        }
        if plan.keys.iter().filter(|other| other.key_id == key.key_id).count() > 1 {
            return Err(PlanError::Keys);
        }
    }
    let mut dealers = plan.dealers.clone();
    dealers.sort_unstable();
    let mut old = plan.old.clone();
    old.sort_unstable();
    let known = |share: &KeyShare<G>, key: &PlannedKey<G>| {
        if share.key_id() != key.key_id || share.public_key() != &key.public_key || share.scheme() != key.scheme {
            return Err(PlanError::OtherKey);
        }
        if share.sharing_id() != key.sharing_id || share.epoch() != key.epoch {
            return Err(PlanError::OtherEpoch);
        }
        let same = share.members().iter().map(|m| (m.id, m.identity)).eq(old.iter().copied());
        if !same || share.threshold() != plan.old_threshold || share.me() != me {
            return Err(PlanError::OtherKey);
        }
        let point = |dealer: &Holder| share.members().iter().find(|m| m.id == dealer.0).map(|m| m.public_share);
        let points = dealers.iter().filter_map(point).collect();
        let deals = |holder: &&Holder| dealers.iter().any(|dealer| dealer.0 == holder.0);
        let others = old.iter().filter(|holder| !deals(holder)).filter_map(point).collect();
        Ok(Known { points, others, chain_code: *share.chain_code(), marks: share.marks() })
    };
    let mut keys = Vec::with_capacity(plan.keys.len());
    for (i, key) in plan.keys.iter().enumerate() {
        keys.push(Key {
            scheme: key.scheme,
            old: Some((key.key_id, key.sharing_id, key.epoch)),
            new_epoch: key.new_epoch,
            public_key: key.public_key,
            factors: key.factors,
            known: shares.get(i).map(|share| known(share, key)).transpose()?,
        });
    }
    let from = (old, plan.old_threshold.get());
    let setup = ReshareSetup::new(me, from, dealers, (plan.new, plan.threshold), keys)?;
    let source = if is_dealer { Source::shares(shares) } else { Source::nothing() };
    Ok((setup, source))
}

/// The dealers and those of the new committee that are not offline.
fn run_of(dealers: &[Holder], new: &[Holder], offline: &[(PartyId, SealTo)]) -> Vec<Holder> {
    let online = |holder: &&Holder| !offline.iter().any(|absent| absent.0 == holder.0);
    let mut all: Vec<Holder> = dealers.iter().chain(new.iter().filter(online)).copied().collect();
    all.sort_unstable();
    all.dedup();
    all
}

impl<G: Group, F: Flow> ReshareSetup<G, F> {
    /// Every check that needs no share.
    fn new(
        me: PartyId,
        (mut old, old_threshold): (Vec<Holder>, u16),
        mut dealers: Vec<Holder>,
        (mut new, threshold): (Vec<Holder>, Threshold),
        keys: Vec<Key<G>>,
    ) -> Result<Self, PlanError> {
        for list in [&mut old, &mut dealers, &mut new] {
            list.sort_unstable();
            if let Some(twice) = list.iter().zip(list.iter().skip(1)).find(|(one, next)| one.0 == next.0) {
                return Err(PlanError::Duplicate(twice.0.0));
            }
        }
        if usize::from(threshold.get()) > new.len() || usize::from(old_threshold) > old.len() {
            return Err(PlanError::Threshold);
        }
        if dealers.len() != usize::from(old_threshold) {
            return Err(PlanError::Dealers { got: dealers.len(), needed: old_threshold.into() });
        }
        for (id, identity) in &dealers {
            match old.iter().find(|holder| holder.0 == *id) {
                Some((_, known)) if known == identity => (),
                // a two-party wallet's opaque name gets a key, under consent
                Some((_, Identity::Name(_))) if matches!(identity, Identity::Key(_)) => (),
                _ => return Err(PlanError::ForeignDealer(*id)),
            }
            if new.iter().any(|holder| holder.0 == *id && holder.1 != *identity) {
                return Err(PlanError::Duplicate(*id));
            }
        }
        if keys.is_empty() || keys.len() > Plan::<G>::MAX_KEYS {
            return Err(PlanError::Keys);
        }
        if keys.iter().any(|key| key.scheme == Scheme::Ecdsa && G::ID != Secp256k1::ID) {
            return Err(PlanError::Scheme);
        }
        let roster = Roster::new(me, run_of(&dealers, &new, &[]))?;
        let offline = Vec::new();
        Ok(Self { me, old, old_threshold, dealers, new, threshold, offline, keys, roster, of: PhantomData })
    }

    /// The checks of a list of offline holders. `me` is who the roster is made for.
    pub(super) fn set_offline(mut self, me: PartyId, offline: &[(PartyId, SealTo)]) -> Result<Self, PlanError> {
        self.offline = offline.to_vec();
        self.offline.sort_unstable_by_key(|holder| holder.0);
        for (i, (id, to)) in self.offline.iter().enumerate() {
            let holder = self.new.iter().find(|holder| holder.0 == *id).ok_or(PlanError::Offline(*id))?;
            let same = |other: &(PartyId, SealTo)| {
                other.0 == *id || matches!((to, &other.1), (SealTo::Device(a), SealTo::Device(b)) if a == b)
            };
            if self.is_dealer(*id) || self.offline.iter().skip(i + 1).any(same) {
                return Err(PlanError::Offline(*id));
            }
            // attacks.md row 102: somebody else may have that old share
            if *to == SealTo::OldShare && !self.old.contains(holder) {
                return Err(PlanError::OldShare(*id));
            }
        }
        let (got, needed) = (self.new.len().saturating_sub(offline.len()), usize::from(self.threshold.get()));
        if got < needed {
            return Err(PlanError::Online { got, needed });
        }
        // what is confirmed to somebody who is not there is signed: two at least are online, so the roster of all, in `new`,
        // had three members and took no names
        self.roster = Roster::new(me, run_of(&self.dealers, &self.new, &self.offline))?;
        Ok(self)
    }

    /// What the source of this member has to be of.
    pub(super) fn source(&self) -> [u8; 32] {
        match self.keys.first() {
            _ if !self.is_dealer(self.me) => Source::<G>::nothing().of,
            Some(Key { old: None, public_key, .. }) => source_of_key::<G>(public_key),
            _ => source_of(self.keys.iter().filter_map(|key| Some((self.me, key.old?)))),
        }
    }

    pub(super) fn is_dealer(&self, id: PartyId) -> bool {
        self.dealers.iter().any(|dealer| dealer.0 == id)
    }

    pub(super) fn is_new(&self, id: PartyId) -> bool {
        self.new.iter().any(|holder| holder.0 == id)
    }

    /// The old public share of a holder that does not deal, for those who know it.
    pub(super) fn old_point<'k>(&self, known: &'k Known<G>, holder: PartyId) -> Option<&'k G::Point> {
        let position = self.old.iter().filter(|old| !self.is_dealer(old.0)).position(|old| old.0 == holder)?;
        known.others.get(position)
    }

    /// `lambda_i(S)` at 0, in the dealers' order.
    pub(super) fn lambdas(&self) -> Vec<G::Scalar> {
        let indices: Vec<_> = self.dealers.iter().map(|dealer| index::<G>(dealer.0)).collect();
        // dealers are distinct and not zero: checked in `new`
        lagrange::<G>(&indices).unwrap_or_default()
    }

    /// Everything that all members state, injectively.
    fn encode_shared(&self, w: &mut Writer) {
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        for list in [&self.old, &self.dealers, &self.new] {
            w.u16(count(list.len()));
            for (id, identity) in list {
                w.u16(id.get());
                identity.encode(w);
            }
        }
        w.u16(count(self.offline.len()));
        for (id, to) in &self.offline {
            to.encode(w.u16(id.get()));
        }
        w.u16(self.old_threshold).u16(self.threshold.get()).u16(count(self.keys.len()));
        // with one inversion
        let points: Vec<_> = self.keys.iter().map(|key| key.public_key).collect();
        for (key, point) in self.keys.iter().zip(G::points_to_bytes(&points)) {
            w.u8(key.scheme.byte());
            match &key.old {
                None => w.u8(0),
                Some((key_id, sharing_id, epoch)) => {
                    w.u8(1).bytes(key_id.as_ref()).bytes(sharing_id.as_ref()).u32(*epoch)
                }
            };
            w.u32(key.new_epoch).bytes(point.as_ref()).u8(u8::from(key.factors == Factors::Kept));
        }
    }
}

impl<G: Group, F: Flow> Setup for ReshareSetup<G, F> {
    fn roster(&self) -> Roster {
        self.roster.clone()
    }

    fn terms(&self) -> Terms {
        let mut extra = Writer::new();
        self.encode_shared(&mut extra);
        Terms { curve: G::ID, threshold: Some(self.threshold), extra: extra.finish(), ..Terms::default() }
    }
}

impl<G: Group, F: Flow> Storable for ReshareSetup<G, F> {
    /// Curve, flow, own id, what all state, then what is known of each key's old sharing.
    fn encode(&self, w: &mut Writer) {
        w.u8(G::ID).u8(F::ID).u16(self.me.get());
        self.encode_shared(w);
        for key in &self.keys {
            match &key.known {
                None => {
                    w.u8(0);
                }
                Some(known) => {
                    w.u8(1).bytes(&known.chain_code).u8(known.marks.to_byte());
                    known.points.iter().chain(&known.others).for_each(|point| {
                        w.point::<G>(point);
                    });
                }
            }
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if (r.u8()?, r.u8()?) != (G::ID, F::ID) {
            return Err(DecodeError::Unsupported);
        }
        let me = r.party()?;
        let mut list = || {
            let count = r.count(255)?;
            (0..count).map(|_| Ok((r.party()?, Identity::decode(r)?))).collect::<Result<Vec<Holder>, DecodeError>>()
        };
        let (old, dealers, new) = (list()?, list()?, list()?);
        let count = r.count(255)?;
        let offline =
            (0..count).map(|_| Ok((r.party()?, SealTo::decode(r)?))).collect::<Result<Vec<_>, DecodeError>>()?;
        // `new` would put them in order
        if ![&old, &dealers, &new].into_iter().all(|list| list.is_sorted())
            || !offline.is_sorted_by_key(|absent| absent.0)
        {
            return Err(DecodeError::Value);
        }
        let old_threshold = r.u16()?;
        let threshold = Threshold::new(r.u16()?, new.len()).map_err(|_| DecodeError::Value)?;
        let count = r.count(1024)?;
        let mut keys = Vec::new();
        for _ in 0..count {
            let scheme = Scheme::from_byte(r.u8()?)?;
            let old = match r.u8()? {
                0 => None,
                1 => Some((KeyId::from_bytes(r.array()?), SharingId::from_bytes(r.array()?), r.u32()?)),
                _ => return Err(DecodeError::Value),
            };
            let (new_epoch, public_key) = (r.u32()?, r.point::<G>()?);
            let factors = match r.u8()? {
                0 => Factors::Gone,
                1 => Factors::Kept,
                _ => return Err(DecodeError::Value),
            };
            keys.push(Key { scheme, old, new_epoch, public_key, factors, known: None });
        }
        for key in &mut keys {
            key.known = match r.u8()? {
                0 => None,
                1 => {
                    let (chain_code, marks) = (r.array()?, Marks::from_byte(r.u8()?)?);
                    let points = dealers.iter().map(|_| r.point::<G>()).collect::<Result<_, _>>()?;
                    let others = old.len().saturating_sub(dealers.len());
                    let others = (0..others).map(|_| r.point::<G>()).collect::<Result<_, _>>()?;
                    Some(Known { points, others, chain_code, marks })
                }
                _ => return Err(DecodeError::Value),
            };
        }
        let setup = Self::new(me, (old, old_threshold), dealers, (new, threshold), keys);
        setup.and_then(|setup| setup.with_offline(&offline)).map_err(|_| DecodeError::Value)
    }

    fn max_len(&self) -> usize {
        let key = 128 + G::POINT_LEN * (1 + self.old.len() + self.dealers.len());
        64 + 35 * self.offline.len()
            + 35 * (self.old.len() + self.dealers.len() + self.new.len())
            + key * self.keys.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::Ed25519;

    #[test]
    fn a_suspended_setup_lists_holders_in_order() {
        let holder = |id: u16| (PartyId::new(id).unwrap(), Identity::Key([u8::try_from(id).unwrap(); 32]));
        let plan = Import::<Ed25519> {
            dealer: holder(1),
            new: [2, 3].map(holder).into(),
            threshold: Threshold::TWO,
            scheme: Scheme::Frost,
            public_key: Ed25519::generator(),
        };
        let (setup, _) = import(holder(2).0, None, plan).unwrap();
        let bytes = setup.to_secret_bytes();
        let read = |bytes: &[u8]| Reader::new(bytes).whole(ReshareSetup::<Ed25519, Imports>::decode);
        assert_eq!(*read(&bytes).ok().unwrap().to_secret_bytes(), *bytes);
        // curve, flow, own id, two lists of one, the count of the third
        let start = 4 + 2 * (2 + 35) + 2;
        let mut changed = bytes.to_vec();
        changed[start..start + 70].rotate_left(35);
        assert_eq!(read(&changed).err(), Some(DecodeError::Value));
    }
}
