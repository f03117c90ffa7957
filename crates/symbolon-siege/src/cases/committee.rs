//! Committees: pair setups, key generation, resharing, import.

use super::pair::{HASH, identity, identity_key, pair_setup, storage};
use super::wallet::multiplies;
use super::{Make, Of, besieged};
use std::collections::BTreeMap;
use symbolon::Suite;
use symbolon_core::{Ed25519, Group, PartyId, Secp256k1, SecretScalar, Threshold};
use symbolon_mta::{CommitteeSetup, CommitteeTerms, PairSetup};
use symbolon_seal::{DeviceKey, Sealed};
use symbolon_session::{Auth, Identity, Label, Protocol, Roster, Session, To};
use symbolon_sharing::{
    Batch, Consent, Dkg, DkgSetup, Factors, HandOver, Import, Imported, Imports, KeyHealth, KeyShare, Plan, Ready,
    Refreshes, Reshare, Reshared, ResharedBatch, Scheme, SealTo, hand_over, hand_over_batch, import, refresh,
    refresh_batch,
};
use symbolon_testkit::{
    Crowd, seeded,
    siege::{Besieged, Curve, Ends, Field, Free, Kind, Powers, Prepared},
};

pub(super) type Shares<G> = BTreeMap<PartyId, KeyShare<G>>;

pub(super) fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

pub(super) fn ids(all: impl IntoIterator<Item = u16>) -> Vec<PartyId> {
    all.into_iter().map(id).collect()
}

pub(super) fn holders(all: &[PartyId]) -> Vec<(PartyId, Identity)> {
    all.iter().map(|member| (*member, identity(*member))).collect()
}

fn th(t: u16) -> Threshold {
    Threshold::new(t, 255).unwrap()
}

/// An honest run of all members.
pub(super) fn honest<P: Protocol + 'static>(
    members: &[PartyId],
    seed: u64,
    mut prepare: impl FnMut(PartyId) -> Prepared<P>,
) -> BTreeMap<PartyId, P::Output> {
    let start = |member: &PartyId| {
        let Prepared { setup, secrets, input } = prepare(*member);
        let rng = &mut seeded(seed.wrapping_mul(1000) ^ u64::from(member.get()));
        let auth = Auth::Signed(identity_key(*member));
        (*member, Session::<P>::start(setup, &secrets, input, Label::new("world").unwrap(), auth, rng).unwrap())
    };
    let starts: Vec<_> = members.iter().map(start).collect();
    Crowd::new(starts).outputs().into_iter().map(|(member, (output, _))| (member, output)).collect()
}

fn dkg_setup<G: Group>(me: PartyId, t: u16, members: &[PartyId], scheme: Scheme) -> Prepared<Dkg<G>> {
    let roster = Roster::new(me, holders(members)).unwrap();
    Prepared { setup: DkgSetup::new(roster, th(t), scheme).unwrap(), secrets: (), input: () }
}

/// A t-of-n key.
pub(super) fn key<G: Group>(t: u16, n: u16, scheme: Scheme, seed: u64) -> Shares<G> {
    let members = ids(1..=n);
    honest::<Dkg<G>>(&members, seed, |me| dkg_setup(me, t, &members, scheme))
}

fn wrong(is: bool, what: &str) -> Result<(), String> {
    if is { Err(what.into()) } else { Ok(()) }
}

/// The shares are of one sharing, and any `t` of them, as far as there are so many, are the key.
pub(super) fn sharing<G: Group>(shares: &[&KeyShare<G>]) -> Result<(), String> {
    let Some(first) = shares.first() else { return Ok(()) };
    for share in shares {
        let same = (share.key_id(), share.sharing_id(), share.epoch(), share.chain_code(), share.marks())
            == (first.key_id(), first.sharing_id(), first.epoch(), first.chain_code(), first.marks());
        let same = same && share.members() == first.members() && share.public_key() == first.public_key();
        wrong(!same, "the shares are of different sharings")?;
        // every invariant is checked when it is decoded
        let _: KeyShare<G> = super::pair::again(*share);
    }
    for some in shares.windows(first.threshold().get().into()) {
        let lambdas = first.lambdas(&some.iter().map(|share| share.me()).collect::<Vec<_>>());
        let lambdas = lambdas.map_err(|error| error.to_string())?;
        let key = lambdas.iter().zip(some).map(|(lambda, share)| *lambda * *share.secret().expose()).sum();
        wrong(G::mul_base(&key) != *first.public_key(), "the shares are not of the key")?;
    }
    Ok(())
}

/// A new sharing of the key of `old`.
fn reshared<G: Group>(old: &KeyShare<G>, outputs: &[&Reshared<G>]) -> Result<(), String> {
    let shares: Vec<_> = outputs.iter().filter_map(|out| out.share.as_ref()).collect();
    for share in &shares {
        let same = (share.key_id(), share.public_key(), share.chain_code())
            == (old.key_id(), old.public_key(), old.chain_code());
        wrong(!same || share.epoch() != old.epoch() + 1, "another key")?;
        wrong(share.sharing_id() == old.sharing_id(), "the old sharing")?;
    }
    healths(outputs.iter().map(|out| &out.health))?;
    sharing(&shares)
}

fn healths<'h>(mut all: impl Iterator<Item = &'h KeyHealth>) -> Result<(), String> {
    let Some(first) = all.next() else { return Ok(()) };
    wrong(all.any(|health| health != first), "the members see different outcomes")
}

fn point<G: Group>() -> Kind {
    Kind::Point(Curve::of::<G>())
}

/// As dealings have them.
fn uncompressed<G: Group>() -> Kind {
    if G::ID == Secp256k1::ID { Kind::Uncompressed } else { point::<G>() }
}

fn scalar<G: Group>() -> Kind {
    Kind::Scalar(Curve::of::<G>())
}

/// What a dealer broadcasts in round 2: of `keys` keys, with a statement about `dealers` old shares of each, if any.
fn dealing<G: Group>(keys: usize, t: usize, extra: Vec<Field>, sealed: usize) -> Vec<Field> {
    let mut fields = vec![Field::many("C_i", uncompressed::<G>(), keys * t)];
    fields.extend(extra.repeat(keys));
    fields.push(Field::one("opening", HASH));
    fields.extend([Field::one("pi: K", uncompressed::<G>()), Field::one("pi: z", scalar::<G>())]);
    fields.push(Field::many("sealed", Kind::Bytes(Sealed::device_length(64)), keys * sealed));
    fields
}

fn statement<G: Group>(dealers: usize) -> Vec<Field> {
    vec![
        Field::many("X_i", point::<G>(), dealers),
        Field::one("marks", Kind::Bytes(1)),
        Field::one("chain code digest", HASH),
    ]
}

fn powers<P: symbolon_session::Suspend>() -> Powers<P>
where
    P::Output: symbolon_session::Storable,
{
    Powers::none().with_suspend().with_ending()
}

fn dkg<G: Group>(name: &'static str, scheme: Scheme) -> Box<dyn Besieged> {
    let members = ids(1..=3);
    let of_members = members.clone();
    besieged(Of::<Dkg<G>> {
        name,
        most_corrupt: 2,
        powers: powers::<Dkg<G>>,
        prepare: Box::new(move |me, _| dkg_setup(me, 2, &of_members, scheme)),
        layout: Box::new(|round, _, to| match (round, to) {
            (1, _) => vec![Field::one("com", HASH)],
            (2, To::All) => dealing::<G>(1, 2, vec![Field::one("chain_i", HASH)], 0),
            (2, To::One(_)) => vec![Field::one("share", scalar::<G>())],
            (3, _) => vec![Field::one("echo", HASH)],
            _ => Vec::new(),
        }),
        free: &[],
        anonymous: &[],
        check: Box::new(|_, ends| sharing(&ends.outputs.values().collect::<Vec<_>>())),
        members,
    })
}

/// Who takes part in a resharing, and what of.
#[derive(Clone)]
struct Flow {
    name: &'static str,
    members: Vec<PartyId>,
    dealers: Vec<PartyId>,
    new: Vec<PartyId>,
    t: u16,
    keys: usize,
    offline: usize,
    /// Whether a key may be refused alone.
    lenient: bool,
    free: &'static [Free],
}

/// A resharing as a case; `ready` is what a member starts with.
fn flow<G: Group, F: symbolon_sharing::Flow>(
    flow: Flow,
    ready: impl Fn(PartyId) -> Ready<G, F> + 'static,
    check: impl Fn(Ends<F::Output<G>>) -> Result<(), String> + 'static,
) -> Box<dyn Besieged> {
    let Flow { name, members, dealers, new, t, keys, offline, lenient, free } = flow;
    let layout = move |round, from: PartyId, to| {
        let deals = dealers.contains(&from);
        match (round, to) {
            (1, _) if deals => vec![Field::one("com", HASH)],
            (2, To::All) if deals => dealing::<G>(keys, t.into(), statement::<G>(dealers.len()), offline),
            (2, To::One(peer)) if new.contains(&peer) => {
                [Field::one("share", scalar::<G>()), Field::one("chain code", HASH)].repeat(keys)
            }
            (3, _) if lenient => {
                vec![Field::one("echo", HASH), Field::one("refused", Kind::Bytes(keys.div_ceil(8)))]
            }
            (3, _) => vec![Field::one("echo", HASH)],
            _ => Vec::new(),
        }
    };
    besieged(Of::<Reshare<G, F>> {
        name,
        members,
        most_corrupt: 1,
        powers: powers::<Reshare<G, F>>,
        prepare: Box::new(move |me, _| {
            let (setup, secrets) = ready(me);
            Prepared { setup, secrets, input: () }
        }),
        layout: Box::new(layout),
        free,
        anonymous: &[],
        check: Box::new(move |_, ends| check(ends)),
    })
}

type E = Ed25519;
type S = Secp256k1;

fn refreshes() -> Box<dyn Besieged> {
    let shares = key::<E>(2, 3, Scheme::Frost, 11);
    let old = super::pair::again(&shares[&id(1)]);
    let (all, dealers) = (ids(1..=3), ids([1, 3]));
    let of = Flow {
        name: "refresh",
        members: all.clone(),
        dealers: dealers.clone(),
        new: all,
        t: 2,
        keys: 1,
        offline: 0,
        lenient: false,
        free: &[],
    };
    let ready = move |me| refresh(&shares[&me], &dealers, 1, Factors::Gone).unwrap();
    flow::<E, Refreshes>(of, ready, move |ends| reshared(&old, &ends.outputs.values().collect::<Vec<_>>()))
}

/// 1, 2 and 3 become 1, 3 and 4, dealt by 1 and 2.
fn plan(share: &KeyShare<S>) -> Plan<S> {
    let new = holders(&ids([1, 3, 4]));
    Plan { new, ..Plan::of(share, &ids([1, 2]), 1, Factors::Gone) }
}

fn handing_over(name: &'static str, offline: bool) -> Box<dyn Besieged> {
    let shares = key::<S>(2, 3, Scheme::Ecdsa, 12);
    let old = super::pair::again(&shares[&id(1)]);
    let plan = plan(&shares[&id(1)]);
    let consent = Consent::new(plan.changes());
    let device = *DeviceKey::generate(&mut seeded(4)).unwrap().public();
    let absent = if offline { vec![(id(3), SealTo::Device(device))] } else { Vec::new() };
    let of = Flow {
        name,
        members: if offline { ids([1, 2, 4]) } else { ids(1..=4) },
        dealers: ids([1, 2]),
        new: ids([1, 3, 4]),
        t: 2,
        keys: 1,
        offline: absent.len(),
        lenient: false,
        free: &[],
    };
    let ready = move |me| {
        let (setup, source) = hand_over(me, shares.get(&me), plan.clone(), &consent).unwrap();
        (if absent.is_empty() { setup } else { setup.with_offline(&absent).unwrap() }, source)
    };
    flow::<S, HandOver>(of, ready, move |ends| reshared(&old, &ends.outputs.values().collect::<Vec<_>>()))
}

/// A key that all took over is a new sharing of its own old one; one that was refused stays, and names no honest member.
fn batch<G: Group>(old: &[KeyShare<G>], ends: &Ends<ResharedBatch<G>>) -> Result<(), String> {
    let done = |out: &ResharedBatch<G>| out.done.iter().map(|one| one.health.key_id).collect::<Vec<_>>();
    let all: Vec<_> = ends.outputs.values().collect();
    wrong(all.windows(2).any(|two| done(two[0]) != done(two[1])), "the members keep different keys")?;
    let honest = |member: PartyId| !ends.corrupt.contains(&member);
    let named = all.iter().flat_map(|out| &out.kept).filter_map(|kept| kept.culprit);
    wrong(named.into_iter().any(honest), "an honest dealer is named for a key that was kept")?;
    wrong(!ends.lied && all.iter().any(|out| !out.kept.is_empty()), "a key is kept in an honest run")?;
    for old in old {
        let of_key = |out: &&ResharedBatch<G>| out.done.iter().position(|one| one.health.key_id == old.key_id());
        let of_key = all.iter().filter_map(|out| Some(&out.done[of_key(out)?]));
        reshared(old, &of_key.collect::<Vec<_>>())?;
    }
    Ok(())
}

const KEPT: &str = "a key that one member refuses stays in its old epoch at everybody; who refuses it names the dealer";
const LENIENT: &[Free] = &[
    (2, false, "share", KEPT),
    (2, false, "chain code", KEPT),
    (2, false, "body", KEPT),
    (3, true, "refused", "any member may refuse a key, which then stays in its old epoch at everybody"),
];

fn refresh_two() -> Box<dyn Besieged> {
    let keys = [13, 14].map(|seed| key::<E>(2, 3, Scheme::Frost, seed));
    let old: Vec<_> = keys.iter().map(|shares| super::pair::again(&shares[&id(1)])).collect();
    let (all, dealers) = (ids(1..=3), ids([2, 3]));
    let of = Flow {
        name: "refresh batch",
        members: all.clone(),
        dealers: dealers.clone(),
        new: all,
        t: 2,
        keys: 2,
        offline: 0,
        lenient: true,
        free: LENIENT,
    };
    let ready = move |me| {
        let keys: Vec<_> = keys.iter().map(|shares| (&shares[&me], 1, Factors::Gone)).collect();
        refresh_batch(&keys, &dealers).unwrap()
    };
    flow::<E, Batch<Refreshes>>(of, ready, move |ends| batch(&old, &ends))
}

fn hand_over_two() -> Box<dyn Besieged> {
    let keys = [15, 16].map(|seed| key::<S>(2, 3, Scheme::Ecdsa, seed));
    let old: Vec<_> = keys.iter().map(|shares| super::pair::again(&shares[&id(1)])).collect();
    let plans = keys.each_ref().map(|shares| plan(&shares[&id(1)]));
    let planned = plans.iter().flat_map(|plan| plan.keys.clone()).collect();
    let plan = Plan { keys: planned, ..plans[0].clone() };
    let consent = Consent::new(plan.changes());
    let of = Flow {
        name: "hand-over batch",
        members: ids(1..=4),
        dealers: ids([1, 2]),
        new: ids([1, 3, 4]),
        t: 2,
        keys: 2,
        offline: 0,
        lenient: true,
        free: LENIENT,
    };
    let ready = move |me| {
        let shares: Vec<_> = keys.iter().filter_map(|shares| shares.get(&me)).collect();
        hand_over_batch(me, &shares, plan.clone(), &consent).unwrap()
    };
    flow::<S, Batch<HandOver>>(of, ready, move |ends| batch(&old, &ends))
}

fn imports() -> Box<dyn Besieged> {
    let secret = || SecretScalar::<S>::random(&mut seeded(17));
    let (new, chain_code) = (ids([2, 3, 4]), [4; 32]);
    let public_key = secret().public();
    let plan = Import {
        dealer: holders(&ids([1]))[0],
        new: holders(&new),
        threshold: th(2),
        scheme: Scheme::Ecdsa,
        public_key,
    };
    let of = Flow {
        name: "import",
        members: ids(1..=4),
        dealers: ids([1]),
        new: new.clone(),
        t: 2,
        keys: 1,
        offline: 0,
        lenient: false,
        free: &[],
    };
    let ready = move |me: PartyId| import(me, (me == id(1)).then(|| (secret(), chain_code)), plan.clone()).unwrap();
    let check = move |ends: Ends<Imported<S>>| {
        let has = |member: &PartyId| ends.outputs.get(member).filter(|out| out.public_key() == Some(&public_key));
        let named = ends.outputs.keys().filter(|member| new.contains(member));
        wrong(named.into_iter().any(|member| has(member).is_none()), "another key")?;
        if !new.iter().all(|member| has(member).is_some()) {
            return Ok(());
        }
        // the one thing to do with an import
        let starts = honest::<Reshare<S, Refreshes>>(&new, 1, |me| {
            let (setup, secrets) = ends.outputs[&me].refresh(&ids([2, 4]), 1).unwrap();
            Prepared { setup, secrets, input: () }
        });
        let shares: Vec<_> = starts.values().filter_map(|out| out.share.as_ref()).collect();
        wrong(shares.len() != new.len() || *shares[0].public_key() != public_key, "not the key")?;
        wrong(!ends.lied && *shares[0].chain_code() != chain_code, "not the chain code")?;
        sharing(&shares)
    };
    flow::<S, Imports>(of, ready, check)
}

/// Setups of all pairs, sealed by holder and peer.
pub(super) fn setups(members: &[PartyId], seed: u64) -> BTreeMap<(PartyId, PartyId), Vec<u8>> {
    let made = honest::<CommitteeSetup>(members, seed, |me| committee_terms(me, members));
    let seal = |me: PartyId, (peer, setup): (PartyId, PairSetup)| {
        ((me, peer), setup.seal(&storage(), &mut seeded(seed)).unwrap())
    };
    made.into_iter().flat_map(|(me, setups)| setups.into_iter().map(move |setup| seal(me, setup))).collect()
}

fn committee_terms(me: PartyId, members: &[PartyId]) -> Prepared<CommitteeSetup> {
    let setup = CommitteeTerms::new(me, holders(members), Suite::Blake3, 0).unwrap();
    Prepared { setup, secrets: (), input: () }
}

fn committee() -> Box<dyn Besieged> {
    let members = ids(1..=3);
    let of_members = members.clone();
    let layout = |round, from: PartyId, to| {
        // of two members the one with the lower id is the server, which speaks in the even rounds
        let To::One(peer) = to else { return Vec::new() };
        if (from > peer) == (round % 2 == 1) { pair_setup(round) } else { Vec::new() }
    };
    const FREE: &[Free] =
        &[(5, false, "PPRF correction", super::pair::UNUSED), (6, false, "PPRF correction", super::pair::UNUSED)];
    let check = |number, mut ends: Ends<BTreeMap<PartyId, PairSetup>>| {
        // it takes as long as the run
        if number % 4 != 0 && ends.corrupt.is_empty() {
            return Ok(());
        }
        let all: Vec<_> = ends.outputs.keys().copied().collect();
        for (one, other) in
            all.iter().flat_map(|one| all.iter().filter(move |other| one < *other).map(move |o| (*one, *o)))
        {
            let mut half = |me: PartyId, peer| ends.outputs.get_mut(&me).and_then(|setups| setups.remove(&peer));
            let (Some(server), Some(client)) = (half(one, other), half(other, one)) else {
                return Err("a pair has no setup".into());
            };
            wrong(server.id() != client.id(), "the halves are of different setups")?;
            multiplies([server, client])?;
        }
        Ok(())
    };
    besieged(Of::<CommitteeSetup> {
        name: "committee-setup",
        most_corrupt: 2,
        powers: Powers::none,
        prepare: Box::new(move |me, _| committee_terms(me, &of_members)),
        layout: Box::new(layout),
        free: FREE,
        anonymous: &[],
        check: Box::new(check),
        members,
    })
}

pub(super) fn all() -> Vec<(&'static str, Make)> {
    vec![
        ("committee-setup", Box::new(committee)),
        ("dkg", Box::new(|| dkg::<S>("dkg", Scheme::Ecdsa))),
        ("dkg ed25519", Box::new(|| dkg::<E>("dkg ed25519", Scheme::Frost))),
        ("refresh", Box::new(refreshes)),
        ("hand-over", Box::new(|| handing_over("hand-over", false))),
        ("hand-over offline", Box::new(|| handing_over("hand-over offline", true))),
        ("import", Box::new(imports)),
        ("refresh batch", Box::new(refresh_two)),
        ("hand-over batch", Box::new(hand_over_two)),
    ]
}
