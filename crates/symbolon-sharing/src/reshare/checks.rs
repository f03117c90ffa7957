//! What is checked of a resharing's dealings, online or later, and the result (docs/spec/sharing.md, steps 13 to 16).

use super::setup::{Key, Known};
use super::{COMMIT, Flow, Kept, ReshareSetup, Reshared, ResharedBatch, SealTo, imported_key_id, key_outcome};
use crate::dealing::{Dealer, Dealing, Opened, Proofs, Received, evaluate_vartime, index, sum_of};
use crate::reshare::Package;
use crate::{Factors, KeyHealth, KeyShare, Marks, Member, Parts};
use alloc::{
    collections::{BTreeMap, BTreeSet},
    vec::Vec,
};
use symbolon_core::{
    Group, PartyId, SecretScalar, SeedRng, SharingId, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{Commitment, FeldmanVector};
use symbolon_seal::Sealed;
use symbolon_session::{Agreed, Failed, Fault, Run};

/// A key of the new epoch before it has a sharing id.
pub(super) struct NewKey<G: Group> {
    /// Empty and without a share at a dealer that leaves.
    members: Vec<Member<G>>,
    x: Option<SecretScalar<G>>,
    chain_code: [u8; 32],
    marks: Marks,
}

/// Why a key is refused: who is to blame, if the evidence tells.
#[derive(Clone, Copy)]
pub(super) struct Refused(Option<PartyId>, Fault);

impl From<Refused> for Failed<()> {
    fn from(Refused(culprit, fault): Refused) -> Self {
        Self { culprit, fault, held: None, burned: Vec::new() }
    }
}

/// `X_i` of the dealers, marks, and a hash of the chain code, for each key. All but the marks is what all dealers must state
/// alike.
pub(super) fn statement_len<G: Group, F: Flow>(setup: &ReshareSetup<G, F>) -> usize {
    setup.dealers.len() * G::POINT_LEN + 1 + 32
}

fn chain_digest(chain_code: &[u8; 32]) -> [u8; 32] {
    Transcript::new("reshare", "chain code").part(chain_code).finish()
}

/// A statement without its marks: points and hash.
type Unmarked<'s> = (&'s [u8], [u8; 32]);

/// A statement, and its marks apart. Those are one holder's own notes, and honest ones may differ: a wallet notes a kept factor
/// on the side that keeps it.
fn marks_apart<'s, G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    statement: &'s [u8],
) -> Result<(Unmarked<'s>, Marks), DecodeError> {
    Reader::new(statement).whole(|r| {
        let points = r.bytes(setup.dealers.len() * G::POINT_LEN)?;
        let marks = Marks::from_byte(r.u8()?)?;
        Ok(((points, r.array()?), marks))
    })
}

/// The statement about each key whose old sharing is known, with one inversion.
pub(super) fn statements<G: Group, F: Flow>(setup: &ReshareSetup<G, F>) -> Vec<Option<Vec<u8>>> {
    let known = || setup.keys.iter().filter_map(|key| key.known.as_ref());
    let points: Vec<_> = known().flat_map(|known| &known.points).copied().collect();
    let bytes = G::points_to_bytes(&points);
    let mut points = bytes.chunks_exact(setup.dealers.len());
    let mut statement = |known: &Known<G>| {
        let mut w = Writer::with_capacity(statement_len(setup));
        points.next().unwrap_or_default().iter().for_each(|point| {
            w.bytes(point.as_ref());
        });
        w.u8(known.marks.to_byte()).bytes(&chain_digest(&known.chain_code));
        w.finish()
    };
    setup.keys.iter().map(|key| key.known.as_ref().map(&mut statement)).collect()
}

/// Share and chain code of a key.
pub(super) type Private<G> = (SecretScalar<G>, [u8; 32]);

/// A dealer's round 2.
pub(super) struct Dealt<'f, G: Group> {
    opened: Opened<'f, G>,
    /// For each offline holder, for each key.
    pub(super) sealed: Vec<Vec<Sealed>>,
    /// What this holder got of each key; nothing where an offline holder could not open it. Empty at a member that leaves.
    pub(super) private: Vec<Option<Private<G>>>,
}

impl<'f, G: Group> Dealt<'f, G> {
    /// The broadcast: everything but the proof is checked that needs no other dealer.
    pub(super) fn read<F: Flow>(
        setup: &ReshareSetup<G, F>,
        run: &Run,
        dealer: PartyId,
        commitment: &Commitment,
        broadcast: Reader<'f>,
    ) -> Result<Self, Fault> {
        let (keys, sids) = (setup.keys.len(), (&run.sid(), &run.sid0_of(dealer)));
        let shape = (keys, setup.threshold, keys * statement_len(setup), setup.sealed_len());
        let opened = Opened::read(COMMIT, sids, dealer, commitment, shape, broadcast)?;
        let sealed = setup.read_sealed(opened.sealed)?;
        Ok(Self { opened, sealed, private: Vec::new() })
    }

    /// With the private frame of an online dealer.
    pub(super) fn with_private<F: Flow>(
        mut self,
        setup: &ReshareSetup<G, F>,
        private: Reader<'_>,
    ) -> Result<Self, Fault> {
        let wanted = if setup.is_new(setup.me) { setup.keys.len() } else { 0 };
        // with room for all: growing would cost a wiped copy
        self.private = Vec::with_capacity(wanted);
        private.whole(|r| {
            for _ in 0..wanted {
                self.private.push(Some((SecretScalar::new(r.scalar::<G>()?), r.array()?)));
            }
            Ok::<_, DecodeError>(())
        })?;
        Ok(self)
    }

    fn private(&self, k: usize) -> Option<&Private<G>> {
        self.private.get(k)?.as_ref()
    }

    const fn dealer(&self) -> PartyId {
        self.opened.dealer
    }

    fn statement(&self, key: usize, len: usize) -> &'f [u8] {
        self.opened.extra.chunks_exact(len).nth(key).unwrap_or_default()
    }
}

/// Every dealing of every key is checked, and the new keys are computed. Outside of a batch the first refusal ends it.
pub(super) fn check_keys<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    own: Option<&Dealer<G>>,
    dealt: &[Dealt<'_, G>],
    rng: &mut SeedRng,
) -> Result<Vec<Result<NewKey<G>, Refused>>, Failed<()>> {
    let mut known: Vec<Result<Known<G>, Refused>> =
        statements(setup).iter().zip(&setup.keys).enumerate().map(|(k, of)| agreed_old(setup, k, of, dealt)).collect();
    verify(setup, &mut known, dealt, rng)?;
    if let Some(Err(refused)) = known.iter().find(|known| known.is_err() && !F::LENIENT) {
        return Err((*refused).into());
    }
    let keys: Vec<_> = known
        .into_iter()
        .enumerate()
        .map(|(k, known)| known.and_then(|known| new_key(setup, k, known, own, dealt)))
        .collect();
    match keys.iter().find(|key| key.is_err() && !F::LENIENT) {
        Some(Err(refused)) => Err((*refused).into()),
        _ => Ok(keys),
    }
}

/// The old public data: what a holder knows, compared with what every dealer states; a newcomer's, if all state the same. The
/// marks are not compared: they are all that anybody states.
fn agreed_old<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    k: usize,
    (truth, key): (&Option<Vec<u8>>, &Key<G>),
    dealt: &[Dealt<'_, G>],
) -> Result<Known<G>, Refused> {
    let len = statement_len(setup);
    let mut marks = key.known.as_ref().map_or(Marks::default(), |known| known.marks);
    let mut stated = Vec::with_capacity(dealt.len());
    for dealt in dealt {
        let (statement, marked) =
            marks_apart(setup, dealt.statement(k, len)).map_err(|error| Refused(Some(dealt.dealer()), error.into()))?;
        marks = marks.or(marked);
        stated.push((dealt, statement));
    }
    let truth = truth.as_deref().and_then(|truth| marks_apart(setup, truth).ok()).map(|(truth, _)| truth);
    if let Some((liar, _)) = stated.iter().find(|(_, stated)| truth.is_some_and(|truth| truth != *stated)) {
        return Err(Refused(Some(liar.dealer()), Fault::Inconsistent));
    }
    let Some((first, (points, chain))) = stated.first() else {
        // the only dealer of an import
        return key.known.clone().ok_or(Refused(None, Fault::Inconsistent));
    };
    if let Some(garbage) = dealt.iter().find(|dealt| setup.is_new(setup.me) && dealt.private(k).is_none()) {
        return Err(Refused(Some(garbage.dealer()), Fault::Share));
    }
    if stated.iter().any(|(_, stated)| stated != &(*points, *chain)) {
        return Err(Refused(None, Fault::Mismatch(Agreed::Sharing)));
    }
    // chain codes as stated
    for dealt in dealt {
        if let Some((_, chain_code)) = dealt.private(k)
            && chain_digest(chain_code) != *chain
            // a control: see docs/assurance.md
            && !cfg!(symbolon_planted = "siege-check")
        {
            return Err(Refused(Some(dealt.dealer()), Fault::Inconsistent));
        }
    }
    if let Some(known) = &key.known {
        return Ok(Known { marks, ..known.clone() });
    }
    let mut r = Reader::new(points);
    let points = setup.dealers.iter().map(|_| r.point::<G>()).collect::<Result<Vec<_>, _>>();
    let points = points.map_err(|error| Refused(Some(first.dealer()), error.into()))?;
    let terms: Vec<_> = points.iter().copied().zip(setup.lambdas()).collect();
    if G::lincomb_vartime(&terms) != key.public_key {
        return Err(Refused(None, Fault::PublicKeySum));
    }
    let chain_code = first.private(k).map_or([0; 32], |(_, chain_code)| *chain_code);
    Ok(Known { points, others: Vec::new(), chain_code, marks })
}

/// Proofs, constant terms and shares of all keys in one combination. If it fails, a bad proof ends the run, and the keys
/// that fail are marked.
fn verify<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    known: &mut [Result<Known<G>, Refused>],
    dealt: &[Dealt<'_, G>],
    rng: &mut SeedRng,
) -> Result<(), Failed<()>> {
    let proofs = Proofs::of(dealt.iter().map(|dealt| &dealt.opened), rng);
    let inverses: Vec<_> = setup.lambdas().iter().map(G::invert).collect();
    let mut items = Vec::with_capacity(known.len() * dealt.len());
    let mut of = Vec::with_capacity(items.capacity());
    for (k, known) in known.iter().enumerate() {
        // a key that is refused already still counts in its dealers' proofs
        let known = known.as_ref().ok();
        for (dealt, proven) in dealt.iter().zip(&proofs.proven) {
            let position = setup.dealers.iter().position(|dealer| dealer.0 == dealt.dealer());
            let fixed = |i: usize| Some((known?.points.get(i).copied()?, inverses.get(i).copied()?));
            let constant = position.and_then(fixed);
            let share = dealt.private(k).map(|(share, _)| share).filter(|_| known.is_some());
            let (Some(vector), Some(proven)) = (dealt.opened.vectors.get(k), proven.get(k)) else { continue };
            items.push(Received { vector, constant, share, proven: *proven });
            of.push((k, dealt.dealer()));
        }
    }
    if Received::verify_all(&items, proofs, setup.me, rng) {
        return Ok(());
    }
    for dealt in dealt {
        dealt.opened.verify_proof().map_err(|fault| Failed::new(dealt.dealer(), fault))?;
    }
    let failed: Vec<_> = of
        .iter()
        .zip(&items)
        .filter_map(|((k, dealer), item)| Some((*k, Refused(Some(*dealer), item.verify(setup.me).err()?))))
        .collect();
    for (k, refused) in failed {
        if let Some(known) = known.get_mut(k).filter(|known| known.is_ok()) {
            *known = Err(refused);
        }
    }
    Ok(())
}

/// `x'_j = sum f_i(j)` and all `X'_j`. Every dealing was checked, so that the public shares lie on one polynomial through the
/// sum of the constant terms.
fn new_key<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    k: usize,
    known: Known<G>,
    own: Option<&Dealer<G>>,
    dealt: &[Dealt<'_, G>],
) -> Result<NewKey<G>, Refused> {
    let key = setup.keys.get(k).ok_or(Refused(None, Fault::Inconsistent))?;
    let mut marks = known.marks;
    marks.factor_kept |= key.factors == Factors::Kept;
    marks.imported |= F::IMPORT;
    let mut new = NewKey { members: Vec::new(), x: None, chain_code: known.chain_code, marks };
    let own = own.and_then(|own| own.dealings.get(k));
    let vectors = dealt.iter().filter_map(|dealt| dealt.opened.vectors.get(k));
    let vectors: Vec<&FeldmanVector<G>> = vectors.chain(own.map(Dealing::commitments)).collect();
    let sum = sum_of(&vectors, setup.threshold);
    if sum.first() != Some(&key.public_key) {
        return Err(Refused(None, Fault::PublicKeySum));
    }
    if setup.is_new(setup.me) {
        let own_share = own.map(|dealing| dealing.share(&index::<G>(setup.me)));
        let shares = dealt.iter().filter_map(|dealt| dealt.private(k)).map(|(share, _)| share).chain(&own_share);
        new.x = Some(SecretScalar::new(shares.map(|share| *share.expose()).sum()));
        let public_share = |id: PartyId| evaluate_vartime::<G>(&sum, id);
        let member = |(id, identity): &_| Member { id: *id, identity: *identity, public_share: public_share(*id) };
        new.members = setup.new.iter().map(member).collect();
    }
    // attacks.md rows 32, 40: the threshold is not lower, no share is zero
    let degenerate = sum.last().is_none_or(G::is_identity);
    if degenerate || new.members.iter().any(|member| G::is_identity(&member.public_share)) {
        return Err(Refused(None, Fault::Forbidden));
    }
    Ok(new)
}

/// The result. `refused_by` is absent for a key that nobody refused.
pub(super) fn finish<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    echo: &[u8; 32],
    keys: Vec<Result<NewKey<G>, Refused>>,
    refused_by: Vec<Option<BTreeSet<PartyId>>>,
    package: Option<Package>,
) -> Option<F::Output<G>> {
    let mut all = ResharedBatch { done: Vec::new(), kept: Vec::new(), package };
    for ((k, key), (new, by)) in setup.keys.iter().enumerate().zip(keys.into_iter().zip(refused_by)) {
        match (new, by) {
            (Ok(new), None) => all.done.push(reshared(setup, key, new, key_outcome(echo, k))),
            (refusal, by) => {
                let culprit = refusal.err().and_then(|refused| refused.0);
                all.kept.extend(key.old.map(|(key_id, ..)| Kept {
                    key_id,
                    refused_by: by.unwrap_or_default(),
                    culprit,
                }));
            }
        }
    }
    F::output(all)
}

fn reshared<G: Group, F: Flow>(
    setup: &ReshareSetup<G, F>,
    key: &Key<G>,
    new: NewKey<G>,
    outcome: [u8; 32],
) -> Reshared<G> {
    let key_id = key.old.map_or_else(|| imported_key_id::<G>(&key.public_key, &outcome), |(key_id, ..)| key_id);
    let sharing_id = SharingId::truncate(&outcome);
    let members: BTreeMap<_, _> = setup.new.iter().copied().collect();
    let unconfirmed: BTreeSet<_> = setup.offline.iter().map(|holder| holder.0).collect();
    let to_old_share = setup.offline.iter().filter(|holder| holder.1 == SealTo::OldShare);
    let old_holders: BTreeSet<PartyId> = setup.old.iter().map(|holder| holder.0).collect();
    let health = KeyHealth {
        key_id,
        sharing_id,
        epoch: key.new_epoch,
        outcome,
        replaced: key.old.map(|(_, sharing_id, epoch)| (sharing_id, epoch)),
        unfinished: members.keys().copied().filter(|id| !unconfirmed.contains(id)).collect(),
        unconfirmed,
        given_up: BTreeSet::new(),
        not_healed: to_old_share.map(|holder| holder.0).collect(),
        members,
        old_threshold: setup.old_threshold,
        old_shares: old_holders.clone(),
        stale_backups: old_holders,
        marks: new.marks,
    };
    let NewKey { members, x, chain_code, marks } = new;
    let share = x.map(|x| {
        KeyShare::from_checked(Parts {
            scheme: key.scheme,
            key_id,
            sharing_id,
            epoch: key.new_epoch,
            members,
            threshold: setup.threshold,
            me: setup.me,
            x,
            public_key: key.public_key,
            chain_code,
            marks,
        })
    });
    Reshared { share, health, package: None }
}
