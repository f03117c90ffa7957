//! The seven flows in the users' words. Each changes a [`Plan`], and a plan can change in several ways at once.

use crate::{Factors, Holder, Plan, PlanError, PlannedKey, Scheme};
use alloc::vec::Vec;
use symbolon_core::{
    Group, KeyId, PartyId, SharingId, Threshold,
    wire::{DecodeError, Kind, Reader, Writer},
};
use symbolon_session::{Identity, Storable};

impl<G: Group> Plan<G> {
    /// *A device is lost*: the dealers, `t` of the others, give `replacement` a share, and `lost` gets none. The replacement
    /// has a new id, or the old id with another identity. All shares change; key, addresses and threshold stay.
    ///
    /// The lost share is dead once enough other old shares are erased that fewer than the old `t` are left with it
    /// (safety.md S10): every remaining holder retires its own.
    ///
    /// # Errors
    /// [`PlanError::NotAHolder`], [`PlanError::LostDealer`], [`PlanError::Duplicate`] for a replacement that is a member.
    pub fn recover(mut self, lost: PartyId, replacement: Holder) -> Result<Self, PlanError> {
        if self.dealers.iter().any(|dealer| dealer.0 == lost) {
            return Err(PlanError::LostDealer(lost));
        }
        let identity = self.remove(lost)?;
        if identity == replacement.1 {
            return Err(PlanError::Duplicate(replacement.0));
        }
        self.add_device(replacement)
    }

    /// *One more device*: `device` gets a share beside the others. All shares change; key, addresses and threshold stay.
    /// From here on more places hold a share of which `t` are enough: think of [`Plan::change_threshold`].
    ///
    /// # Errors
    /// [`PlanError::Duplicate`] for an id or identity that is a member.
    pub fn add_device(mut self, device: Holder) -> Result<Self, PlanError> {
        if self.new.iter().any(|holder| holder.0 == device.0 || holder.1 == device.1) {
            return Err(PlanError::Duplicate(device.0));
        }
        self.new.push(device);
        Ok(self)
    }

    /// *One device less*: `device` gets no share of the new epoch. It may be a dealer (it leaves by itself) or not be asked.
    ///
    /// Its old share still fits the other old shares. It is dead once fewer than the old `t` old shares exist anywhere, live,
    /// sealed or in backups, and not both factors: [`crate::KeyHealth::old_sharing_is_dead`] counts them, and every remaining
    /// holder helps by [`crate::retire()`].
    ///
    /// # Errors
    /// [`PlanError::NotAHolder`]; [`PlanError::Threshold`] if fewer than `t` holders would be left.
    pub fn revoke(mut self, device: PartyId) -> Result<Self, PlanError> {
        self.remove(device)?;
        self.enough()
    }

    /// *Another number of signers*: from the new epoch on, `threshold` shares are needed. Raising it protects the new epoch
    /// only: the old threshold opens the key until the old shares are retired.
    ///
    /// # Errors
    /// [`PlanError::NothingChanges`]; [`PlanError::Threshold`] if there are fewer holders.
    pub fn change_threshold(mut self, threshold: Threshold) -> Result<Self, PlanError> {
        if threshold == self.threshold {
            return Err(PlanError::NothingChanges);
        }
        self.threshold = threshold;
        self.enough()
    }

    /// *Another committee takes over*: `new` replaces all holders, with its own threshold; usually nobody is in both. The old
    /// committee can sign until fewer than its threshold of old shares are left: each of its members retires its own.
    ///
    /// # Errors
    /// [`PlanError::Threshold`] if `new` is smaller.
    pub fn hand_over(mut self, new: Vec<Holder>, threshold: Threshold) -> Result<Self, PlanError> {
        self.new = new;
        self.threshold = threshold;
        self.enough()
    }

    /// *A two-party wallet grows*: `holder` had an opaque name and gets the signing key that more than two members need.
    ///
    /// # Errors
    /// [`PlanError::NotAHolder`] unless the id is a holder with an opaque name.
    pub fn identify(mut self, (id, key): Holder) -> Result<Self, PlanError> {
        let named = |holder: &&mut Holder| holder.0 == id && matches!(holder.1, Identity::Name(_));
        let holder = self.new.iter_mut().find(named).ok_or(PlanError::NotAHolder(id))?;
        holder.1 = key;
        self.dealers.iter_mut().filter(|dealer| dealer.0 == id).for_each(|dealer| dealer.1 = key);
        Ok(self)
    }

    /// Everybody with an old or a new share: ids with their identities, each once.
    #[must_use]
    pub fn holders(&self) -> Vec<Holder> {
        let mut all = [self.old.as_slice(), &self.dealers, &self.new].concat();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Who takes part in the run: the dealers and the new committee.
    #[must_use]
    pub fn participants(&self) -> Vec<PartyId> {
        let mut all: Vec<_> = self.dealers.iter().chain(&self.new).map(|holder| holder.0).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    fn remove(&mut self, id: PartyId) -> Result<Identity, PlanError> {
        let at = self.new.iter().position(|holder| holder.0 == id).ok_or(PlanError::NotAHolder(id))?;
        Ok(self.new.remove(at).1)
    }

    fn enough(self) -> Result<Self, PlanError> {
        if usize::from(self.threshold.get()) > self.new.len() { Err(PlanError::Threshold) } else { Ok(self) }
    }
}

fn list(r: &mut Reader<'_>) -> Result<Vec<Holder>, DecodeError> {
    let count = r.count(255)?;
    (0..count).map(|_| Ok((r.party()?, Identity::decode(r)?))).collect()
}

/// A plan is public, and an application hands it to a newcomer as an invitation.
///
/// # Security
/// What is decoded is a proposal. The newcomer's user MUST approve [`Plan::changes`] and the public key before a consent is
/// made from it; the run fails if the others have agreed to another plan.
impl<G: Group> Storable for Plan<G> {
    /// Magic, curve; old committee, dealers, new committee, each as count and `(id, identity)`; old and new threshold; key
    /// count, and for each key scheme, key id, sharing id, epoch, new epoch, `P`, factors.
    fn encode(&self, w: &mut Writer) {
        let Self { old, old_threshold, dealers, new, threshold, keys } = self;
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        w.object(Kind::Plan).u8(G::ID);
        for holders in [old, dealers, new] {
            w.u16(count(holders.len()));
            for (id, identity) in holders {
                w.u16(id.get());
                identity.encode(w);
            }
        }
        w.u16(old_threshold.get()).u16(threshold.get()).u16(count(keys.len()));
        for PlannedKey { scheme, key_id, sharing_id, epoch, new_epoch, public_key, factors } in keys {
            w.u8(scheme.byte()).bytes(key_id.as_ref()).bytes(sharing_id.as_ref()).u32(*epoch).u32(*new_epoch);
            w.point::<G>(public_key).u8(u8::from(*factors == Factors::Kept));
        }
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        r.object(Kind::Plan)?;
        if r.u8()? != G::ID {
            return Err(DecodeError::Unsupported);
        }
        let (old, dealers, new) = (list(r)?, list(r)?, list(r)?);
        let threshold = |t: u16, of: &Vec<Holder>| Threshold::new(t, of.len()).map_err(|_| DecodeError::Value);
        let (old_threshold, threshold) = (threshold(r.u16()?, &old)?, threshold(r.u16()?, &new)?);
        let count = r.count(1024)?;
        let key = |_| {
            Ok(PlannedKey {
                scheme: Scheme::from_byte(r.u8()?)?,
                key_id: KeyId::from_bytes(r.array()?),
                sharing_id: SharingId::from_bytes(r.array()?),
                epoch: r.u32()?,
                new_epoch: r.u32()?,
                public_key: r.point::<G>()?,
                factors: match r.u8()? {
                    0 => Factors::Gone,
                    1 => Factors::Kept,
                    _ => return Err(DecodeError::Value),
                },
            })
        };
        let keys = (0..count).map(key).collect::<Result<_, DecodeError>>()?;
        Ok(Self { old, old_threshold, dealers, new, threshold, keys })
    }

    fn max_len(&self) -> usize {
        32 + 35 * (self.old.len() + self.dealers.len() + self.new.len()) + (42 + G::POINT_LEN) * self.keys.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::key_share::tests::deal;
    use symbolon_core::{Secp256k1, SeedRng};

    fn plan(factors: Factors) -> Plan<Secp256k1> {
        let share = deal::<Secp256k1>(2, 3, &mut SeedRng::new(&[1; 32])).remove(0);
        let dealers = [1, 2].map(|id| PartyId::new(id).unwrap());
        Plan::of(&share, &dealers, share.epoch() + 1, factors)
    }

    #[test]
    fn a_plan_has_one_encoding_within_its_bound() {
        let read = |bytes: &[u8]| Reader::new(bytes).whole(Plan::<Secp256k1>::decode);
        for factors in [Factors::Gone, Factors::Kept] {
            let plan = plan(factors);
            let mut bytes = plan.to_secret_bytes().to_vec();
            assert!((bytes.len()..bytes.len() + 64).contains(&plan.max_len()));
            assert_eq!(read(&bytes), Ok(plan));
            *bytes.last_mut().unwrap() = 2;
            assert_eq!(read(&bytes), Err(DecodeError::Value));
        }
    }

    #[test]
    fn only_an_opaque_name_is_identified() {
        let key = Identity::Key([9; 32]);
        let mut plan = plan(Factors::Gone);
        let id = |id| PartyId::new(id).unwrap();
        let error = |plan: &Plan<Secp256k1>, who| plan.clone().identify((who, key)).err();
        assert_eq!(error(&plan, id(2)), Some(PlanError::NotAHolder(id(2))), "it has a key");
        plan.new[1].1 = Identity::name("the second");
        plan.dealers[1].1 = Identity::name("the second");
        assert_eq!(error(&plan, id(3)), Some(PlanError::NotAHolder(id(3))), "another has a name");
        assert_eq!(error(&plan, id(9)), Some(PlanError::NotAHolder(id(9))));
        let named = plan.identify((id(2), key)).unwrap();
        assert_eq!((named.new[1].1, named.dealers[1].1), (key, key));
        assert_ne!(named.new[0].1, key);
    }
}
