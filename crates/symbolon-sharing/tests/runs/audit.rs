//! Findings of public audits of other libraries, on key generation, refresh and resharing (docs/audit-findings.md), and what of
//! the bad inputs is sent by a dealer (docs/bad-inputs.md).

use crate::dkg;
use crate::lies::{Forger, dealing_accepted, ends, lied, uncompressed};
use crate::net::*;
use crate::reshare::*;
use symbolon_core::{
    Ed25519, Group, KeyId, PartyId, Secp256k1, SecretScalar, SharingId, Transcript,
    wire::{DecodeError, Writer},
};
use symbolon_proofs::FeldmanError;
use symbolon_proofs::FeldmanVector;
use symbolon_session::*;
use symbolon_sharing::*;

type G = Secp256k1;

/// A dealer among five, of whom three are needed, commits to a polynomial of another degree and deals shares of it.
fn dkg_of_degree<G: Group>(coefficients: usize) -> Net<KeyShare<G>> {
    let mut rng = rng(90);
    let f: Vec<_> = (0..coefficients).map(|_| G::random_scalar(&mut rng)).collect();
    let setups = (1..=5).map(|me| (dkg::setup::<G>(me, 3, 5), ())).collect();
    let lie = Forger::<G>::new("dkg dealing", &f, &[5; 32]).lie(f, Vec::new());
    lied::<Dkg<G>>(setups, vec![(id(1), lie)])
}

/// Shorter: the body ends too early, and the dealer is named. Longer: no body of the round is as long, so that the frame is
/// refused unread and the run waits. With neither does anybody have a key.
fn refused<O>(net: &Net<O>, coefficients: usize, needed: usize) {
    assert!(net.outputs.is_empty(), "{coefficients} coefficients");
    let honest: Vec<_> = net.parties.keys().copied().filter(|party| *party != id(1)).collect();
    for party in honest {
        match net.failures.get(&party) {
            Some(failure) => {
                assert!(coefficients < needed);
                // what follows a point that is not there is read as that point: it is none, or what is left is too short
                assert!(
                    matches!(failure.fault, Fault::Encoding(DecodeError::Point | DecodeError::Truncated)),
                    "{failure:?}"
                );
                assert_eq!(failure.culprit, Some(id(1)));
            }
            None => {
                assert!(coefficients > needed, "{coefficients} coefficients");
                assert!(net.rejected.contains(&(id(1), party, Rejected::Size)));
            }
        }
    }
}

/// SILA-1.
#[test]
fn a01_a_polynomial_of_another_degree_makes_no_key() {
    fn check<G: Group>() {
        // of 3 of 5: degrees t - 3, t - 2, t, t + 1, n, against t - 1
        for coefficients in [1, 2, 4, 5, 6] {
            refused(&dkg_of_degree::<G>(coefficients), coefficients, 3);
        }
        dealing_accepted(&dkg_of_degree::<G>(3));
    }
    check::<Secp256k1>();
    check::<Ed25519>();
}

/// A refresh of 2 of 3 by the dealers 1 and 2, of whom 1 deals what it likes.
struct Refresh {
    shares: Shares<G>,
    statement: Vec<u8>,
    constant: <G as Group>::Scalar,
    chain_code: [u8; 32],
}

impl Refresh {
    fn new() -> Self {
        let shares = dkg::keygen::<G>(2, 3, 91);
        let mine = &shares[&id(1)];
        let mut w = Writer::new();
        mine.members()[..2].iter().for_each(|member| {
            w.point::<G>(&member.public_share);
        });
        w.u8(0).bytes(&Transcript::new("reshare", "chain code").part(mine.chain_code()).finish());
        let constant = mine.lambdas(&ids(&[1, 2])).unwrap()[0] * *mine.secret().expose();
        Self { statement: w.finish(), constant, chain_code: *mine.chain_code(), shares }
    }

    fn run(&self, f: &[<G as Group>::Scalar]) -> Net<Reshared<G>> {
        let ready = self.shares.values().map(|s| refresh(s, &ids(&[1, 2]), 1, Factors::Gone).unwrap()).collect();
        let lie = Forger::<G>::new("reshare dealing", f, &self.statement).lie(f.to_vec(), self.chain_code.to_vec());
        lied::<Reshare<G, Refreshes>>(ready, vec![(id(1), lie)])
    }
}

/// BRON-12: the same in a refresh. In a resharing: `rows_32_40_66_lies_in_a_resharing`.
#[test]
fn a02_nobody_raises_the_threshold_in_a_refresh() {
    let old = Refresh::new();
    let slopes: Vec<_> = (0..4).map(|n| G::random_scalar(&mut rng(92 + n))).collect();
    let of = |n: usize| [&[old.constant][..], &slopes[..n]].concat();
    dealing_accepted(&old.run(&of(1)));
    for n in [0, 2, 3, 4] {
        refused(&old.run(&of(n)), n + 1, 2);
    }
    dkg::check_sharing(&old.shares);
}

/// Bad input 81: a constant term that is not the weighted old share, though all shares lie on the polynomial.
#[test]
fn bad_input_81_a_refresh_with_another_constant_term() {
    let old = Refresh::new();
    let slope = G::random_scalar(&mut rng(92));
    let net = old.run(&[old.constant + <G as Group>::Scalar::from(1u64), slope]);
    for victim in [2, 3] {
        ends(&net, &[1], victim, Fault::ConstantTerm, Some(1));
    }
}

/// Bad inputs 39 to 42: what is no commitment to a polynomial of degree `t - 1`.
#[test]
fn bad_inputs_39_to_42_feldman_commitments() {
    let t = th(3);
    let point = |n: u64| G::mul_base(&<G as Group>::Scalar::from(n));
    let new = |points: &[_]| FeldmanVector::<G>::new(points.to_vec(), t).err();
    let o = G::identity();
    assert_eq!(new(&[point(1), point(2), point(3)]), None);
    assert_eq!(new(&[point(1), point(2)]), Some(FeldmanError::Length));
    assert_eq!(new(&[point(1), point(2), point(3), point(4)]), Some(FeldmanError::Length));
    assert_eq!(new(&[o, point(2), point(3)]), Some(FeldmanError::ConstantTerm));
    assert_eq!(new(&[point(1), point(2), o]), Some(FeldmanError::LeadingTerm));

    // 42: off the curve, in each place of a dealing: no point with this x, another y, a y that is not reduced
    let mut no_x = vec![0; 64];
    no_x[31] = 5;
    let good = uncompressed::<G>(point(3));
    let mut another_y = good.clone();
    another_y[63] ^= 1;
    // of the point with y = 1
    let x = "1fe1e5ef3fceb5c135ab7741333ce5a6e80d68167653f6b2b24bcbcfaaaff507";
    let p_plus_1 = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc30";
    let digits = [x, p_plus_1].concat();
    let byte = |at: usize| u8::from_str_radix(&digits[2 * at..][..2], 16).unwrap();
    let not_reduced: Vec<u8> = (0..64).map(byte).collect();
    for (at, bytes) in [0, 1].into_iter().flat_map(|at| [&no_x, &another_y, &not_reduced].map(|bytes| (at, bytes))) {
        let f = [3u64, 4].map(<G as Group>::Scalar::from);
        let setups = (1..=3).map(|me| (dkg::setup::<G>(me, 2, 3), ())).collect();
        let lie = Forger::<G>::new("dkg dealing", &f, &[5; 32]).with_point(at, bytes.clone());
        let net = lied::<Dkg<G>>(setups, vec![(id(1), lie.lie(f.to_vec(), Vec::new()))]);
        for victim in [2, 3] {
            ends(&net, &[1], victim, Fault::Encoding(DecodeError::Point), Some(1));
        }
    }
}

fn parts<G: Group>(share: &KeyShare<G>, scheme: Scheme) -> Parts<G> {
    Parts {
        scheme,
        key_id: share.key_id(),
        sharing_id: share.sharing_id(),
        epoch: share.epoch(),
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code: *share.chain_code(),
        marks: share.marks(),
    }
}

/// BRON-20: a share that differs from the plan in any one of its public fields is another one.
#[test]
fn a22_every_public_field_of_a_share_counts() {
    let shares = dkg::keygen::<G>(2, 3, 93);
    let share = &shares[&id(1)];
    let plan = plan_to(&shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (4, 4)], 2);
    let start = |share: &KeyShare<G>| hand_over(id(1), Some(share), plan.clone(), &Consent::new(plan.changes())).err();
    let with = |change: &dyn Fn(&mut Parts<G>)| {
        let mut parts = parts(share, share.scheme());
        change(&mut parts);
        start(&KeyShare::new(parts).unwrap())
    };
    assert_eq!(with(&|_| ()), None);
    assert_eq!(with(&|parts| parts.scheme = Scheme::Frost), Some(PlanError::OtherKey));
    assert_eq!(with(&|parts| parts.key_id = KeyId::from_bytes([9; 16])), Some(PlanError::OtherKey));
    assert_eq!(with(&|parts| parts.sharing_id = SharingId::from_bytes([9; 16])), Some(PlanError::OtherEpoch));
    assert_eq!(with(&|parts| parts.epoch += 1), Some(PlanError::OtherEpoch));
    for member in 0..3 {
        assert_eq!(with(&|parts| parts.members[member].identity = key(77).identity()), Some(PlanError::OtherKey));
    }
    // one holder less: what is contained is not equal
    assert_eq!(with(&|parts| parts.members.truncate(2)), Some(PlanError::OtherKey));
    // other values of the same shape: another polynomial, and so another key
    let other = dkg::keygen::<G>(2, 3, 94);
    assert_eq!(start(&other[&id(1)]), Some(PlanError::OtherKey));
    // a whole sharing of degree 2: the threshold
    let three = dkg::keygen::<G>(3, 3, 95);
    let plan = Plan { old_threshold: th(2), ..plan_to(&three, &ids(&[1, 2]), &[(1, 1), (2, 2), (4, 4)], 2) };
    let consent = Consent::new(plan.changes());
    assert_eq!(hand_over(id(1), Some(&three[&id(1)]), plan, &consent).err(), Some(PlanError::OtherKey));
}

/// Bad inputs 16, 17 and 19: the shares of an exit.
#[test]
fn bad_inputs_16_17_19_shares_that_do_not_fit() {
    let shares = dkg::keygen::<G>(2, 3, 96);
    let (other, fresh) = (dkg::keygen::<G>(2, 3, 97), refreshed(&shares, &ids(&[1, 2]), 98));
    let take = |of: &Shares<G>, me: u16| {
        let bytes = of[&id(me)].to_secret_bytes();
        KeyShare::<G>::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap()
    };
    let consent = Consent::new([Change::Exits(shares[&id(1)].key_id())]);
    let error = |shares: &[KeyShare<G>]| exit(shares, &consent).err();
    assert_eq!(error(&[take(&shares, 1), take(&shares, 2)]), None);
    assert_eq!(error(&[take(&shares, 1), take(&other, 2)]), Some(ExitError::Mixed), "16");
    assert_eq!(error(&[take(&shares, 1), take(&fresh, 2)]), Some(ExitError::Mixed), "17");
    assert_eq!(error(&[]), Some(ExitError::Count), "19");
    assert_eq!(error(&[take(&shares, 1)]), Some(ExitError::Count), "12");
    assert_eq!(error(&[take(&shares, 1), take(&shares, 1)]), Some(ExitError::Count), "13");
    assert_eq!(error(&[1, 2, 3].map(|me| take(&shares, me))), Some(ExitError::Count));
    let of_nobody: Vec<PartyId> = Vec::new();
    assert_eq!(shares[&id(1)].lambdas(&of_nobody), Err(KeyShareError::Members));
}

/// The errors of a share that no other test makes.
#[test]
fn parts_that_are_no_share() {
    let shares = dkg::keygen::<Ed25519>(2, 3, 99);
    let share = &shares[&id(1)];
    assert_eq!(KeyShare::new(parts(share, Scheme::Ecdsa)).err(), Some(KeyShareError::Scheme));
    let plan = Plan { keys: vec![PlannedKey { scheme: Scheme::Ecdsa, ..plan_keys(share) }], ..plan_of(&shares) };
    assert_eq!(hand_over(id(4), None, plan.clone(), &Consent::new(plan.changes())).err(), Some(PlanError::Scheme));
    let stranger = Parts { me: id(9), ..parts(share, Scheme::Frost) };
    assert_eq!(KeyShare::new(stranger).err(), Some(KeyShareError::Members));
    // the same sharing, said in another order; more shares needed than there are
    let mut members = share.members().to_vec();
    members.swap(1, 2);
    let unordered = Parts { members, ..parts(share, Scheme::Frost) };
    assert_eq!(KeyShare::new(unordered).err(), Some(KeyShareError::Members));
    let too_many = Parts { threshold: th(4), ..parts(share, Scheme::Frost) };
    assert_eq!(KeyShare::new(too_many).err(), Some(KeyShareError::Members));
}

fn plan_of(shares: &Shares<Ed25519>) -> Plan<Ed25519> {
    plan_to(shares, &ids(&[1, 2]), &[(1, 1), (2, 2), (4, 4)], 2)
}

fn plan_keys(share: &KeyShare<Ed25519>) -> PlannedKey<Ed25519> {
    Plan::of(share, &ids(&[1, 2]), 1, Factors::Gone).keys.swap_remove(0)
}

/// A generator that fails.
pub struct Broken;

impl rand_core::TryRng for Broken {
    type Error = std::fmt::Error;

    fn try_next_u32(&mut self) -> Result<u32, std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn try_next_u64(&mut self) -> Result<u64, std::fmt::Error> {
        Err(std::fmt::Error)
    }

    fn try_fill_bytes(&mut self, _: &mut [u8]) -> Result<(), std::fmt::Error> {
        Err(std::fmt::Error)
    }
}

impl rand_core::TryCryptoRng for Broken {}
