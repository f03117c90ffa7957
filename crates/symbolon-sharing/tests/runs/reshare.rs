//! Resharing: every flow, and random histories.

use crate::dkg::{check_sharing, keygen, rebuilt};
use crate::net::*;
use proptest::prelude::*;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, Group, PartyId, Secp256k1, SecretScalar, Threshold};
use symbolon_session::*;
use symbolon_sharing::*;

/// Starts a member of a resharing. Its identity in the run tells which key it signs with.
pub fn started<G: Group, F: Flow>(ready: Ready<G, F>, seed: u64) -> (PartyId, (Session<Reshare<G, F>>, Vec<Outgoing>)) {
    let (setup, source) = ready;
    let roster = setup.roster();
    let auth = auth_of(&roster);
    let mut rng = rng(seed.wrapping_mul(1000).wrapping_add(7) ^ u64::from(roster.me().get()));
    (roster.me(), Session::start(setup, &source, (), label(), auth, &mut rng).unwrap())
}

pub fn auth_of(roster: &Roster) -> Auth {
    let mine = roster.identity(roster.me()).unwrap();
    let number = (1..500).find(|n| key(*n).identity() == *mine).unwrap();
    signed(number)
}

pub fn reshare<G: Group, F: Flow>(members: Vec<Ready<G, F>>, seed: u64) -> BTreeMap<PartyId, F::Output<G>> {
    Net::of(members.into_iter().map(|ready| started(ready, seed))).outputs()
}

pub type Shares<G> = BTreeMap<PartyId, KeyShare<G>>;

pub fn ids(of: &[u16]) -> Vec<PartyId> {
    of.iter().map(|i| id(*i)).collect()
}

pub fn th(t: u16) -> Threshold {
    Threshold::new(t, 255).unwrap()
}

/// What everybody of a plan starts with. `shares` are the old ones; who has none is a newcomer.
pub fn ready_all<G: Group>(plan: &Plan<G>, shares: &Shares<G>) -> Vec<Ready<G, HandOver>> {
    let mut all: Vec<PartyId> = plan.dealers.iter().chain(&plan.new).map(|h| h.0).collect();
    all.sort_unstable();
    all.dedup();
    let consent = Consent::new(plan.changes());
    let replaced = |me: PartyId| plan.changes().iter().any(|c| matches!(c, Change::Replaces(id, _) if *id == me));
    let share = |me: PartyId| shares.get(&me).filter(|_| !replaced(me));
    all.into_iter().map(|me| hand_over(me, share(me), plan.clone(), &consent).unwrap()).collect()
}

pub fn new_shares<G: Group>(outputs: BTreeMap<PartyId, Reshared<G>>) -> Shares<G> {
    outputs.into_iter().filter_map(|(id, out)| Some((id, out.share?))).collect()
}

pub fn refreshed<G: Group>(shares: &Shares<G>, dealers: &[PartyId], seed: u64) -> Shares<G> {
    let epoch = shares.values().next().unwrap().epoch() + 1;
    let ready = shares.values().map(|share| refresh(share, dealers, epoch, Factors::Gone).unwrap()).collect();
    let outputs = reshare(ready, seed);
    let health = outputs.values().next().unwrap().health.clone();
    assert!(outputs.values().all(|out| out.health == health), "all see the same outcome");
    new_shares(outputs)
}

fn refreshes<G: Group>() {
    for (t, n) in [(2, 2), (2, 3), (3, 5), (5, 9)] {
        let old = keygen::<G>(t, n, 3);
        let dealers: Vec<_> = old.keys().copied().rev().take(t.into()).collect();
        let new = refreshed(&old, &dealers, 4);
        check_sharing(&new);
        let (was, is) = (&old[&id(1)], &new[&id(1)]);
        assert!(was.public_key() == is.public_key() && was.key_id() == is.key_id());
        assert_eq!((is.epoch(), is.chain_code()), (1, was.chain_code()));
        assert_ne!(was.sharing_id(), is.sharing_id());
        assert!(was.members()[0].public_share != is.members()[0].public_share);
    }
}

#[test]
fn refresh_on_both_curves() {
    refreshes::<Secp256k1>();
    refreshes::<Ed25519>();
}

/// `new` as (id, number of the identity key).
pub fn plan_to<G: Group>(shares: &Shares<G>, dealers: &[PartyId], new: &[(u16, u16)], t: u16) -> Plan<G> {
    let any = &shares[&dealers[0]];
    let new = new.iter().map(|(i, number)| (id(*i), key(*number).identity())).collect();
    Plan { new, threshold: th(t), ..Plan::of(any, dealers, any.epoch() + 1, Factors::Gone) }
}

fn flows<G: Group>() {
    let old = keygen::<G>(2, 3, 5);
    let public_key = *old[&id(1)].public_key();
    for (name, dealers, new, t) in [
        ("recover: device 1 is lost, 2 and 3 bring in 4", [2, 3], vec![(2, 2), (3, 3), (4, 4)], 2),
        ("recover under the same id with another identity", [2, 3], vec![(1, 9), (2, 2), (3, 3)], 2),
        ("add", [1, 3], vec![(1, 1), (2, 2), (3, 3), (4, 4)], 2),
        ("revoke", [1, 3], vec![(1, 1), (3, 3)], 2),
        ("revoke a dealer", [1, 3], vec![(1, 1), (2, 2)], 2),
        ("threshold", [1, 2], vec![(1, 1), (2, 2), (3, 3)], 3),
        ("a disjoint committee", [1, 2], vec![(4, 4), (5, 5), (6, 6), (7, 7)], 3),
    ] {
        let plan = plan_to(&old, &ids(&dealers), &new, t);
        let outputs = reshare(ready_all(&plan, &old), 6);
        let leaving: Vec<_> = outputs.iter().filter(|(_, out)| out.share.is_none()).map(|(id, _)| *id).collect();
        let expected: Vec<_> = ids(&dealers).into_iter().filter(|d| !new.iter().any(|n| id(n.0) == *d)).collect();
        assert_eq!(leaving, expected, "{name}");
        let health = outputs.values().next().unwrap().health.clone();
        assert!(outputs.values().all(|out| out.health == health), "{name}");
        let shares = new_shares(outputs);
        assert_eq!(shares.len(), new.len(), "{name}");
        check_sharing(&shares);
        assert!(*shares.values().next().unwrap().public_key() == public_key, "{name}");
        assert_eq!(shares.values().next().unwrap().threshold(), th(t));
        assert!(!health.old_sharing_is_dead());
    }
}

#[test]
fn every_flow_on_both_curves() {
    flows::<Secp256k1>();
    flows::<Ed25519>();
}

fn imports<G: Group>(dealer: u16) {
    let secret = SecretScalar::<G>::random(&mut rng(50));
    let plan = Import::<G> {
        dealer: members([dealer])[0],
        new: members([1, 2, 3]),
        threshold: th(2),
        scheme: crate::dkg::scheme::<G>(),
        public_key: secret.public(),
    };
    let all = if dealer == 9 { vec![1, 2, 3, 9] } else { vec![1, 2, 3] };
    let ready = all.iter().map(|me| {
        let key = (*me == dealer).then(|| (SecretScalar::new(*secret.expose()), [6; 32]));
        import(id(*me), key, plan.clone()).unwrap()
    });
    let outputs = reshare(ready.collect(), 51);
    assert!(outputs.values().all(|out| out.health().marks.imported));
    if dealer == 9 {
        assert!(outputs[&id(9)].public_key().is_none());
        assert_eq!(outputs[&id(9)].refresh(&ids(&[1, 2]), 1).err(), Some(PlanError::NoShare));
    }
    let ready = [1, 2, 3].map(|me| outputs[&id(me)].refresh(&ids(&[1, 3]), 1).unwrap());
    let shares = new_shares(reshare(Vec::from(ready), 52));
    check_sharing(&shares);
    let share = &shares[&id(2)];
    assert!(share.marks().imported && share.epoch() == 1 && share.chain_code() == &[6; 32]);
    assert!(*share.public_key() == secret.public());
    assert!(rebuilt(&[&shares[&id(1)], share]).expose() == secret.expose());
}

#[test]
fn import_by_a_member_and_by_a_stranger() {
    for dealer in [2, 9] {
        imports::<Secp256k1>(dealer);
        imports::<Ed25519>(dealer);
    }
}

/// A key from elsewhere, imported by member 1 and refreshed.
fn imported<G: Group>(seed: u64) -> Shares<G> {
    let secret = SecretScalar::<G>::random(&mut rng(seed));
    let (dealer, new) = (members([1])[0], members([1, 2, 3]));
    let scheme = crate::dkg::scheme::<G>();
    let plan = Import::<G> { dealer, new, threshold: th(2), scheme, public_key: secret.public() };
    let key = |me: u16| (me == 1).then(|| (SecretScalar::new(*secret.expose()), [6; 32]));
    let outputs = reshare([1, 2, 3].map(|me| import(id(me), key(me), plan.clone()).unwrap()).into(), seed ^ 3);
    let ready = [1, 2, 3].map(|me| outputs[&id(me)].refresh(&ids(&[2, 3]), 1).unwrap());
    new_shares(reshare(ready.into(), seed ^ 5))
}

/// A wallet through its life.
struct Life<G: Group> {
    shares: Shares<G>,
    /// Which identity key each member has.
    keys: BTreeMap<PartyId, u16>,
    next: u16,
    seed: u64,
    old: Vec<KeyShare<G>>,
}

impl<G: Group> Life<G> {
    fn pick(&mut self, n: usize) -> usize {
        self.seed = self.seed.wrapping_mul(6364136223846793005).wrapping_add(1442695040888963407);
        usize::try_from(self.seed >> 33).unwrap() % n
    }

    fn some(&mut self, mut of: Vec<PartyId>, n: usize) -> Vec<PartyId> {
        while of.len() > n {
            let at = self.pick(of.len());
            of.remove(at);
        }
        of
    }

    /// One of the seven flows, with random sets; whatever the flow can't do now is a refresh.
    fn operate(&mut self, flow: u8) {
        let members: Vec<_> = self.shares.keys().copied().collect();
        let t = usize::from(self.shares[&members[0]].threshold().get());
        let (mut new, mut keys, mut new_t) = (members.clone(), self.keys.clone(), t);
        let mut lost = None;
        self.next += 1;
        match flow % 7 {
            // recover under the same id
            0 if members.len() > t => {
                let who = members[self.pick(members.len())];
                lost = Some(who);
                keys.insert(who, self.next);
            }
            // add
            1 if members.len() < 6 => {
                new.push(id(self.next));
                keys.insert(id(self.next), self.next);
            }
            // revoke
            2 if members.len() > t => {
                let at = self.pick(members.len());
                new.remove(at);
            }
            // threshold
            3 => new_t = 2 + self.pick(members.len() - 1),
            // disjoint committee
            4 => {
                let n = 2 + u16::try_from(self.pick(4)).unwrap();
                new = (0..n).map(|i| id(self.next + i)).collect();
                keys = new.iter().map(|id| (*id, id.get())).collect();
                self.next += n;
                new_t = 2 + self.pick(usize::from(n) - 1);
            }
            // recover to a new holder
            5 if members.len() > t => {
                let at = self.pick(members.len());
                lost = Some(new.remove(at));
                new.push(id(self.next));
                keys.insert(id(self.next), self.next);
            }
            _ => (),
        }
        let candidates = members.iter().copied().filter(|m| Some(*m) != lost).collect();
        let dealers = self.some(candidates, t);
        let any = &self.shares[&dealers[0]];
        let epoch = any.epoch() + 1;
        let seed = self.seed;
        let target: Vec<_> = new.iter().map(|m| (m.get(), keys[m])).collect();
        let plan = plan_to(&self.shares, &dealers, &target, u16::try_from(new_t).unwrap());
        let fresh = if plan.changes().is_empty() {
            refreshed(&self.shares, &dealers, seed)
        } else {
            new_shares(reshare(ready_all(&plan, &self.shares), seed))
        };
        assert_eq!(fresh.len(), new.len());
        let public_key = *any.public_key();
        check_sharing(&fresh);
        assert!(fresh.values().all(|s| *s.public_key() == public_key && s.epoch() == epoch));
        let stale = std::mem::replace(&mut self.shares, fresh);
        keys.retain(|id, _| new.contains(id));
        self.keys = keys;
        self.old.extend(stale.into_values());
        self.old_shares_are_refused();
    }

    /// Every share of an earlier epoch, revoked or not, has its own error; mixed with new ones it rebuilds nothing.
    fn old_shares_are_refused(&self) {
        let members: Vec<_> = self.shares.keys().copied().collect();
        let any = &self.shares[&members[0]];
        let t = usize::from(any.threshold().get());
        for old in self.old.iter().rev().take(6) {
            let plan = Plan {
                new: vec![self.member(members[0]), (id(400), key(400).identity())],
                threshold: th(2),
                ..Plan::of(any, &members[..t], any.epoch() + 1, Factors::Gone)
            };
            let consent = Consent::new(plan.changes());
            let refused = hand_over(old.me(), Some(old), plan, &consent);
            assert_eq!(refused.err(), Some(PlanError::OtherEpoch));
            let mut mixed: Vec<_> = self.shares.values().filter(|s| s.me() != old.me()).take(t - 1).collect();
            mixed.push(old);
            if mixed.len() == t {
                let indices: Vec<_> = mixed.iter().map(|s| G::Scalar::from(u64::from(s.me().get()))).collect();
                let weights = lagrange::<G>(&indices).unwrap();
                let sum: G::Scalar = weights.iter().zip(&mixed).map(|(w, s)| *w * *s.secret().expose()).sum();
                assert!(G::mul_base(&sum) != *any.public_key());
            }
        }
    }

    fn member(&self, who: PartyId) -> Holder {
        (who, key(self.keys[&who]).identity())
    }
}

fn life<G: Group>(seed: u64, flows: &[u8]) {
    // half of them begin with an import, the seventh flow
    let shares = if seed.is_multiple_of(2) { keygen::<G>(2, 3, seed) } else { imported::<G>(seed) };
    let keys = (1..=3).map(|i| (id(i), i)).collect();
    let mut life = Life { shares, keys, next: 10, seed, old: Vec::new() };
    flows.iter().for_each(|flow| life.operate(*flow));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, ..ProptestConfig::default() })]

    // attacks.md rows 66, 67
    #[test]
    fn row_66_the_public_key_never_changes_secp256k1(seed: u64, flows in prop::collection::vec(0..7u8, 30..36)) {
        life::<Secp256k1>(seed, &flows);
    }

    #[test]
    fn row_66_the_public_key_never_changes_ed25519(seed: u64, flows in prop::collection::vec(0..7u8, 30..36)) {
        life::<Ed25519>(seed, &flows);
    }
}
