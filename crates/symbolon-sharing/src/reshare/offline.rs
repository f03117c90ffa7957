//! Holders of the new committee that are not there (docs/spec/sharing.md, steps 18 to 22): the dealers seal their shares in
//! the broadcast of round 2, so that the outcome covers them; the holder receives when it comes back.

use super::checks::{Dealt, Private, check_keys, finish};
use super::{Flow, Reshare, ReshareSetup, confirmed_outcome, echo_of};
use crate::dealing::{Dealing, index};
use crate::{KeyShare, PlanError};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use core::fmt;
use rand_core::TryCryptoRng;
use symbolon_core::{
    Group, PartyId, SecretScalar, SeedRng, Sid, Transcript, on_cleared_stack,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::Commitment;
use symbolon_seal::{
    DeviceKey, DevicePublicKey, SealError, Sealed, open_with_device, open_with_point, seal_to_device, seal_to_point,
};
use symbolon_session::{Failed, Fault, Label, Run, Storable, confirmed_by};
use zeroize::Zeroizing;

/// Share and chain code.
const SECRET: usize = 64;

/// What an offline holder's new shares are sealed to.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "there are these two ways to reach somebody who is not there")]
pub enum SealTo {
    /// Its registered device key. The caller has it from an authenticated source.
    Device(DevicePublicKey),
    /// The fallback for a holder without one: its old public share, in a batch that of each key. Whoever has the old share
    /// opens the new one, so that this heals nothing for this holder; only for one that stays under the same identity
    /// ([`PlanError::OldShare`]), and that has confirmed its old share.
    OldShare,
}

impl SealTo {
    pub(super) fn encode(&self, w: &mut Writer) {
        match self {
            Self::Device(key) => w.u8(1).bytes(key.as_bytes()),
            // the point is that of the sharing that is named elsewhere
            Self::OldShare => w.u8(2),
        };
    }

    pub(super) fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        match r.u8()? {
            1 => DevicePublicKey::from_bytes(r.array()?).map(Self::Device),
            2 => Ok(Self::OldShare),
            _ => Err(DecodeError::Value),
        }
    }

    const fn sealed_len<G: Group>(&self) -> usize {
        match self {
            Self::Device(_) => Sealed::device_length(SECRET),
            Self::OldShare => Sealed::point_length::<G>(SECRET),
        }
    }
}

/// What a sealed value is bound to.
fn context(sid: &Sid, dealer: PartyId, holder: PartyId, key: usize) -> [u8; 32] {
    let t = Transcript::new("reshare", "sealed").part(sid).number(dealer.get()).number(holder.get());
    t.number(u64::try_from(key).unwrap_or(u64::MAX)).finish()
}

impl<G: Group, F: Flow> ReshareSetup<G, F> {
    /// The same run while some holders of the new committee are offline: the dealers seal to them. Every member of the run
    /// passes the same list; a difference is a mismatch. At least the new threshold of holders, and all dealers, are online.
    ///
    /// # Security
    /// A device key MUST be known to be the holder's. The run needs [`symbolon_session::Auth::Signed`], also between two: an
    /// offline holder takes nothing that the online ones have not signed.
    ///
    /// # Errors
    /// [`PlanError::Offline`], [`PlanError::OldShare`], [`PlanError::Online`], [`PlanError::Roster`].
    pub fn with_offline(self, offline: &[(PartyId, SealTo)]) -> Result<Self, PlanError> {
        let me = self.me;
        self.set_offline(me, offline)
    }

    /// The side of a holder that is itself in the list: its own decision on everything that the run was about.
    ///
    /// # Errors
    /// As [`ReshareSetup::with_offline`]; [`PlanError::Offline`] if the local party is not in the list.
    pub fn offline_holder(self, offline: &[(PartyId, SealTo)]) -> Result<OfflineHolder<G, F>, PlanError> {
        let me = self.me;
        if !offline.iter().any(|holder| holder.0 == me) {
            return Err(PlanError::Offline(me));
        }
        // nobody is local in that run; a dealer is always in it
        let member = self.dealers.first().map_or(me, |dealer| dealer.0);
        self.set_offline(member, offline).map(OfflineHolder)
    }

    /// Bytes of everything that one dealer seals.
    pub(super) fn sealed_len(&self) -> usize {
        self.keys.len() * self.offline.iter().map(|(_, to)| to.sealed_len::<G>()).sum::<usize>()
    }

    /// What this dealer seals: for each offline holder, for each key, one value of fixed length.
    pub(super) fn seal(&self, sid: &Sid, dealings: &[Dealing<G>], rng: &mut SeedRng) -> Result<Vec<u8>, SealError> {
        let mut w = Writer::with_capacity(self.sealed_len());
        for (holder, to) in &self.offline {
            // a dealer knows the old sharing of every key
            let known = self.keys.iter().filter_map(|key| key.known.as_ref());
            for (k, (dealing, known)) in dealings.iter().zip(known).enumerate() {
                let mut secret = Zeroizing::new(Vec::with_capacity(SECRET));
                secret.extend_from_slice(dealing.share(&index::<G>(*holder)).to_bytes().expose());
                secret.extend_from_slice(&known.chain_code);
                let info = context(sid, self.me, *holder, k);
                let sealed = match to {
                    SealTo::Device(key) => seal_to_device(key, &info, &[], &secret, rng)?,
                    SealTo::OldShare => {
                        let point = self.old_point(known, *holder).ok_or(SealError::Recipient)?;
                        seal_to_point::<G>(point, &info, &[], &secret, rng)?
                    }
                };
                sealed.write(&mut w);
            }
        }
        Ok(w.finish())
    }

    /// Everything that a dealer sealed, holder by holder: kind and length are all that a member of the run can check.
    pub(super) fn read_sealed(&self, bytes: &[u8]) -> Result<Vec<Vec<Sealed>>, DecodeError> {
        let mut r = Reader::new(bytes);
        let mut one = |to: &SealTo| {
            let sealed = Sealed::read(&mut r, SECRET)?;
            let kind = match to {
                SealTo::Device(_) => sealed.is_to_device(),
                SealTo::OldShare => sealed.is_to_point::<G>(),
            };
            if kind && sealed.open_length() == SECRET { Ok(sealed) } else { Err(DecodeError::Value) }
        };
        let of = |(_, to): &(PartyId, SealTo)| self.keys.iter().map(|_| one(to)).collect::<Result<Vec<_>, _>>();
        let all = self.offline.iter().map(of).collect::<Result<_, _>>()?;
        r.finish()?;
        Ok(all)
    }
}

const MAGIC: &[u8; 8] = b"SYMBPACK";
const VERSION: u8 = 1;

/// Everything public that an offline holder needs to compute the outcome of a run: session ids, and rounds 1 and 2 of the
/// dealers. With it go the signed confirmations, from `Session::confirmations` and, the own one, `Session::resend`.
///
/// Public bytes, for any storage and any channel: what is changed in them is found, and costs only the package. Keep a copy
/// until every offline holder has confirmed or was given up. With `t` dealers and `m` offline holders it has about
/// `t * (196 + keys * (64*t' + 33*t + 33 + 118*m))` bytes on secp256k1: 1.1 kB for a 2-of-3 with one holder offline, and in a batch
/// 0.7 kB for each key.
#[derive(Clone, PartialEq, Eq)]
pub struct Package {
    sid: Sid,
    /// By dealer, ascending.
    dealt: Vec<Packed>,
    /// In a batch, which keys stay in the old epoch.
    refused: Vec<bool>,
}

#[derive(Clone, PartialEq, Eq)]
struct Packed {
    sid0: Sid,
    commitment: [u8; Commitment::LEN],
    body: Vec<u8>,
}

impl fmt::Debug for Package {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Package({} bytes)", self.max_len())
    }
}

impl Package {
    /// Of a run with offline holders; `broadcasts` by dealer, ascending.
    pub(super) fn new(run: &Run, broadcasts: &[(PartyId, &[u8], &[u8])]) -> Self {
        let one = |(dealer, commitment, body): &(PartyId, &[u8], &[u8])| {
            Some(Packed { sid0: run.sid0_of(*dealer), commitment: (*commitment).try_into().ok()?, body: body.to_vec() })
        };
        // every commitment has its length
        Self { sid: run.sid(), dealt: broadcasts.iter().filter_map(one).collect(), refused: Vec::new() }
    }

    pub(super) fn with_refused(self, refused: Vec<bool>) -> Self {
        Self { refused, ..self }
    }
}

impl Storable for Package {
    fn encode(&self, w: &mut Writer) {
        let count = |n: usize| u16::try_from(n).unwrap_or(u16::MAX);
        w.bytes(MAGIC).u8(VERSION).bytes(self.sid.as_ref()).u16(count(self.dealt.len()));
        for one in &self.dealt {
            w.bytes(one.sid0.as_ref()).bytes(&one.commitment).prefixed(&one.body);
        }
        w.u16(count(self.refused.len()));
        self.refused.iter().for_each(|refused| {
            w.u8(u8::from(*refused));
        });
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        if (r.array()?, r.u8()?) != (*MAGIC, VERSION) {
            return Err(DecodeError::Unsupported);
        }
        let (sid, count) = (Sid::from_bytes(r.array()?), r.count(255)?);
        let one = |_| {
            let (sid0, commitment) = (Sid::from_bytes(r.array()?), r.array()?);
            Ok(Packed { sid0, commitment, body: r.prefixed(r.remaining())?.to_vec() })
        };
        let dealt = (0..count).map(one).collect::<Result<_, DecodeError>>()?;
        let count = r.count(1024)?;
        let bit = |_| match r.u8()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(DecodeError::Value),
        };
        let refused = (0..count).map(bit).collect::<Result<_, _>>()?;
        Ok(Self { sid, dealt, refused })
    }

    fn max_len(&self) -> usize {
        let bodies = self.dealt.iter().map(|one| 32 + Commitment::LEN + 4 + one.body.len()).sum::<usize>();
        8 + 1 + 32 + 2 + bodies + 2 + self.refused.len()
    }
}

/// What an offline holder opens with.
#[derive(Clone, Copy)]
#[allow(clippy::exhaustive_enums, reason = "one for each SealTo")]
pub enum OpenWith<'k, G: Group> {
    /// Its device key.
    Device(&'k DeviceKey),
    /// Its old share of every key, in the order of the plan.
    OldShares(&'k [&'k KeyShare<G>]),
}

/// Why an offline holder has no new share. Its old one is untouched.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum OfflineError {
    /// The device key or the old shares are not those of the plan.
    #[error("the device key or the old shares are not those of the plan")]
    Key,
    /// The package is not of a run with as many dealers and keys.
    #[error("the package does not fit the plan")]
    Package,
    /// The package, as it is, was not confirmed by these online holders: it was changed, or is of another run, another plan
    /// or another label; or their confirmations are missing. Who did that, nobody can tell, and it need not be one of them.
    /// Ask others for the package and the confirmations.
    #[error("the package is not confirmed by {0:?}")]
    Unconfirmed(BTreeSet<PartyId>),
    /// A dealer lied in what all have confirmed: [`Fault::Share`] for a sealed value that does not open or is off the
    /// polynomial. Without a culprit where the evidence names none. This holder stays unconfirmed, and the others keep their
    /// old shares: run it again without the dealer.
    #[error("what was dealt is refused: {fault}")]
    Dealt {
        /// Whom the evidence names.
        culprit: Option<PartyId>,
        /// The check that failed.
        fault: Fault,
    },
    /// The random number generator failed.
    #[error("the random number generator failed")]
    Rng,
}

impl From<Failed<()>> for OfflineError {
    fn from(failed: Failed<()>) -> Self {
        Self::Dealt { culprit: failed.culprit, fault: failed.fault }
    }
}

/// A holder that was offline, with its own decision on what the run was about. Made by [`ReshareSetup::offline_holder`].
pub struct OfflineHolder<G: Group, F>(ReshareSetup<G, F>);

impl<G: Group, F: Flow> OfflineHolder<G, F> {
    /// The new shares, out of what was sealed. Everything that an online member checks is checked again, and that each online
    /// holder has confirmed exactly this package.
    ///
    /// The result is that of the run, with the share of this holder. Store it durably, beside the old share; then
    /// [`crate::KeyHealth::confirmation`] lets the others know. In a batch a key whose sealed value is no good is in `kept`,
    /// with the dealer as culprit: of that key nothing is confirmed.
    ///
    /// # Errors
    /// [`OfflineError`]; the old share stays what it was.
    pub fn receive(
        &self,
        label: &Label,
        package: &Package,
        confirmations: &[Vec<u8>],
        key: OpenWith<'_, G>,
        rng: &mut impl TryCryptoRng,
    ) -> Result<F::Output<G>, OfflineError> {
        on_cleared_stack(|| {
            let setup = &self.0;
            let row = self.row(key).ok_or(OfflineError::Key)?;
            let batch = if F::LENIENT { setup.keys.len() } else { 0 };
            if package.dealt.len() != setup.dealers.len() || package.refused.len() != batch {
                return Err(OfflineError::Package);
            }
            let ids = || setup.dealers.iter().map(|dealer| dealer.0);
            let sid0 = ids().zip(package.dealt.iter().map(|one| one.sid0)).collect();
            let run = Run::new(setup.me, sid0, Some(package.sid));
            let packed = package.dealt.iter().map(|one| (one.commitment.as_slice(), one.body.as_slice()));
            let broadcasts: Vec<_> =
                ids().zip(packed).map(|(dealer, (first, second))| (dealer, first, second)).collect();
            let echo = echo_of(setup, &run, &broadcasts);
            self.confirmed(label, &confirmed_outcome::<F>(&echo, &package.refused), confirmations)?;

            // from here on, what is wrong was wrong when all confirmed it
            let mut dealt = Vec::with_capacity(broadcasts.len());
            for (dealer, commitment, body) in broadcasts {
                let read = || {
                    let commitment = Reader::new(commitment).whole(Commitment::decode)?;
                    Dealt::read(setup, &run, dealer, &commitment, Reader::new(body))
                };
                let mut one = read().map_err(|fault| Failed::new(dealer, fault))?;
                let sealed = one.sealed.get(row).map_or(&[][..], Vec::as_slice);
                one.private = open(setup, &run.sid(), dealer, sealed, key);
                dealt.push(one);
            }
            let mut seed = Zeroizing::new([0; 32]);
            rng.try_fill_bytes(seed.as_mut_slice()).map_err(|_| OfflineError::Rng)?;
            let keys = check_keys(setup, None, &dealt, &mut SeedRng::new(&seed))?;
            let refused = |k: usize| package.refused.get(k).is_some_and(|refused| *refused);
            let refused_by = keys.iter().enumerate().map(|(k, key)| match key {
                _ if refused(k) => Some(BTreeSet::new()),
                Ok(_) => None,
                Err(_) => Some(BTreeSet::from([setup.me])),
            });
            let refused_by: Vec<_> = refused_by.collect();
            finish(setup, &echo, keys, refused_by, Some(package.clone()))
                .ok_or(OfflineError::Dealt { culprit: None, fault: Fault::Inconsistent })
        })
    }

    /// Which of the offline holders this is, if the key is the one that the plan names.
    fn row(&self, key: OpenWith<'_, G>) -> Option<usize> {
        let setup = &self.0;
        let row = setup.offline.iter().position(|holder| holder.0 == setup.me)?;
        let fits = match (&setup.offline.get(row)?.1, key) {
            (SealTo::Device(public), OpenWith::Device(key)) => key.public() == public,
            (SealTo::OldShare, OpenWith::OldShares(shares)) => {
                let same = |(share, old): (&&KeyShare<G>, Option<_>)| {
                    share.me() == setup.me && old == Some((share.key_id(), share.sharing_id(), share.epoch()))
                };
                shares.len() == setup.keys.len() && shares.iter().zip(setup.keys.iter().map(|key| key.old)).all(same)
            }
            _ => false,
        };
        fits.then_some(row)
    }

    /// Whether every online holder signed this outcome (attacks.md rows 100, 101).
    fn confirmed(&self, label: &Label, outcome: &[u8; 32], frames: &[Vec<u8>]) -> Result<(), OfflineError> {
        let setup = &self.0;
        let mut missing: BTreeMap<_, _> = setup.new.iter().copied().collect();
        setup.offline.iter().for_each(|(id, _)| {
            missing.remove(id);
        });
        for frame in frames {
            missing.retain(|id, identity| {
                confirmed_by::<Reshare<G, F>>(&(*id, *identity), label, frame).as_ref() != Ok(outcome)
            });
        }
        if missing.is_empty() { Ok(()) } else { Err(OfflineError::Unconfirmed(missing.into_keys().collect())) }
    }
}

/// Share and chain code of each key; nothing where a sealed value is no good.
fn open<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    sid: &Sid,
    dealer: PartyId,
    sealed: &[Sealed],
    key: OpenWith<'_, G>,
) -> Vec<Option<Private<G>>> {
    let mut private = Vec::with_capacity(setup.keys.len());
    for (k, sealed) in sealed.iter().enumerate() {
        let info = context(sid, dealer, setup.me, k);
        let secret = match key {
            OpenWith::Device(device) => open_with_device(device, &info, &[], sealed).ok(),
            OpenWith::OldShares(shares) => {
                shares.get(k).and_then(|share| open_with_point(share.secret(), &info, &[], sealed).ok())
            }
        };
        let read = |secret: &Zeroizing<Vec<u8>>| {
            Reader::new(secret).whole(|r| Ok::<_, DecodeError>((SecretScalar::new(r.scalar::<G>()?), r.array()?))).ok()
        };
        private.push(secret.as_ref().and_then(read));
    }
    private
}
