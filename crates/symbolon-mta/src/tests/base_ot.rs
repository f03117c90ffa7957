//! Attacks on the base OTs and the PPRF.

use super::*;
use crate::{
    base_ot::{Receiver1, Sender1},
    params::{Direction, KAPPA, KK, LEAVES, Psid, TREES},
    pprf::{self, Chosen, SeedPairs},
};
use alloc::{collections::BTreeSet, vec};
use symbolon_core::{SecretBytes, SecretVec, Transcript, wire::DecodeError};

type Point = <Secp256k1 as Group>::Point;

fn psid(n: u8) -> Psid {
    Psid::new(sid(n), Purpose::Setup, 0, Direction::FIRST)
}

pub(super) fn choose(m1: &[u8], session: u8, seed: u64) -> (Result<Receiver1, Fault>, Vec<u8>) {
    written(|w| read(m1, |r| Receiver1::choose(sid(1), psid(session), Direction::FIRST, r, w, &mut rng(seed))))
}

fn bit(bytes: &[u8; 16], j: usize) -> bool {
    bytes[j / 8] >> (j % 8) & 1 == 1
}

fn points(m2: &[u8]) -> Vec<Point> {
    m2.chunks_exact(33).map(|bytes| Secp256k1::point_from_bytes(bytes).unwrap()).collect()
}

pub(super) fn start(seed: u64) -> (Sender1, Vec<u8>) {
    written(|w| Sender1::start(sid(1), Direction::FIRST, &mut rng(seed), w))
}

/// Seed `j` of a branch, as the specification has it, for a shared point.
fn seed_of(psid: Psid, j: u16, branch: u8, [big_b, big_a, shared]: [&Point; 3]) -> [u8; 16] {
    let rho = Transcript::new("mta", "vsot").part(psid).number(j).number(branch);
    let rho = rho.point::<Secp256k1>(big_b).point::<Secp256k1>(big_a);
    let rho = rho.part(Secp256k1::secret_point_bytes(shared)).finish();
    let seed = Transcript::new("mta", "vsot seed").part(psid).number(j).number(branch).part(rho).finish();
    seed[..16].try_into().unwrap()
}

/// All seeds that follow from the transcript, if one of its points, or what they add up to, is the shared one, or if one of
/// these is the logarithm of the sender's point.
fn eavesdropped(psid: Psid, m1: &[u8], m2: &[u8], logarithms: &[Scalar]) -> BTreeSet<[u8; 16]> {
    let big_b = Secp256k1::point_from_bytes(&m1[..33]).unwrap();
    let mut seeds = BTreeSet::new();
    for (j, big_a) in (0u16..).zip(points(m2)) {
        let mut shared = vec![big_b, big_a, big_a - big_b, big_b - big_a, big_a + big_b, Secp256k1::generator()];
        for b in logarithms {
            shared.extend([Secp256k1::mul(&big_a, b), Secp256k1::mul(&(big_a - big_b), b)]);
        }
        for shared in &shared {
            seeds.extend([0, 1].map(|branch| seed_of(psid, j, branch, [&big_b, &big_a, shared])));
        }
    }
    seeds
}

/// How often each of five guesses of a choice bit is right: parity, low bit of x, order against A - B, parity of A - B,
/// relation of neighbours.
fn right_guesses(big_b: &Point, all: &[Point], choice: impl Fn(usize) -> bool) -> [u32; 5] {
    let mut right = [0u32; 5];
    for (j, big_a) in all.iter().enumerate() {
        let bytes = Secp256k1::point_to_bytes(big_a);
        let minus = Secp256k1::point_to_bytes(&(*big_a - big_b));
        let related = Secp256k1::point_to_bytes(&(*big_a - all[(j + 1) % all.len()]));
        let guesses = [bytes[0] == 3, bytes[32] & 1 == 1, bytes < minus, minus[0] == 3, related[0] == 3];
        right.iter_mut().zip(guesses).for_each(|(right, guess)| *right += u32::from(guess == choice(j)));
    }
    right
}

#[test]
fn row_01_transcript_gives_no_choice_bit_and_no_seed() {
    // the only generator with a known logarithm is G itself: nothing here hashes to a scalar
    assert!(!include_str!("../base_ot.rs").contains(".scalar::<"));
    let (sender, m1) = start(1);
    let (receiver, m2) = choose(&m1, 2, 2);
    let receiver = receiver.unwrap();
    let (sender, _) = written(|w| read(&m2, |r| sender.challenge(psid(2), r, w)).unwrap());
    let seeds: BTreeSet<_> = sender.seeds.iter().flatten().chain(receiver.chosen.seeds.iter()).copied().collect();
    // row 3: every public point in the place of the shared one
    assert!(eavesdropped(psid(2), &m1, &m2, &[]).is_disjoint(&seeds));
    // control: the same eavesdropper with a generator of known logarithm, which the sender of this test is for its own
    let logarithm = SecretScalar::<Secp256k1>::random(&mut rng(1));
    assert_eq!(logarithm.public(), Secp256k1::point_from_bytes(&m1[..33]).unwrap());
    assert!(eavesdropped(psid(2), &m1, &m2, &[*logarithm.expose()]).is_superset(&seeds));
    // control: with the secret the same formula gives the seed
    for j in 0..KAPPA {
        let c = usize::from(bit(receiver.chosen.choices.expose(), j));
        assert_eq!(sender.seeds[j][c], receiver.chosen.seeds[j]);
        assert_ne!(sender.seeds[j][1 - c], receiver.chosen.seeds[j]);
    }
}

#[test]
fn row_02_points_tell_nothing_about_choice_bits() {
    let (_, m1) = start(3);
    let big_b = Secp256k1::point_from_bytes(&m1[..33]).unwrap();
    let mut right = [0u32; 5];
    let mut total = 0;
    for run in 0..79 {
        let (receiver, m2) = choose(&m1, 2, 100 + run);
        let receiver = receiver.unwrap();
        let encoded: BTreeSet<_> = m2.chunks_exact(33).collect();
        assert_eq!(encoded.len(), KAPPA, "no two points are equal");
        let guesses = right_guesses(&big_b, &points(&m2), |j| bit(receiver.chosen.choices.expose(), j));
        right.iter_mut().zip(guesses).for_each(|(right, guesses)| *right += guesses);
        total += 128;
    }
    assert!(total >= 10_000);
    // five standard deviations of 10 112 coin tosses are 251
    for count in right {
        assert!(count.abs_diff(total / 2) < 260, "{count} of {total}");
    }
}

/// Each guess is right more often than not where a receiver's points for the bit 1 are made so that it is.
#[test]
fn row_02_the_distinguisher_finds_points_that_tell() {
    let big_b = Secp256k1::mul_base(&Scalar::from(77u64));
    let mut rng = rng(3);
    let odd = |point: Point| Secp256k1::point_to_bytes(&point)[0] == 3;
    for guess in 0..5 {
        // from the last to the first, so that the neighbour is there
        let mut all: Vec<Point> = Vec::new();
        for j in (0..1280).rev() {
            all.push(loop {
                let a = Secp256k1::mul_base(&Secp256k1::random_scalar(&mut rng));
                let point = a + if j % 2 == 1 { big_b } else { Secp256k1::identity() };
                let bytes = Secp256k1::point_to_bytes(&point);
                let tells = match guess {
                    0 => odd(point),
                    1 => bytes[32] & 1 == 1,
                    2 => bytes < Secp256k1::point_to_bytes(&(point - big_b)),
                    3 => odd(point - big_b),
                    _ => all.last().is_none_or(|next| odd(point - *next)),
                };
                if tells || j % 2 == 0 {
                    break point;
                }
            });
        }
        all.reverse();
        let right = right_guesses(&big_b, &all, |j| j % 2 == 1);
        // five standard deviations of 1280 tosses are 89; three quarters are 960
        assert!(right[guess].abs_diff(960) < 90, "{right:?}");
    }
}

#[test]
fn row_03_seeds_follow_the_secret() {
    let (_, m1) = start(4);
    let (a, b) = (choose(&m1, 2, 5).0.unwrap(), choose(&m1, 2, 6).0.unwrap());
    assert!(a.chosen.seeds.iter().zip(b.chosen.seeds.iter()).all(|(a, b)| a != b));
    // and the session: the same generator under another sid gives other seeds
    let c = choose(&m1, 3, 5).0.unwrap();
    assert!(a.chosen.seeds.iter().zip(c.chosen.seeds.iter()).all(|(a, b)| a != b));
}

#[test]
fn row_04_equal_points_give_different_pads() {
    let (sender, m1) = start(7);
    let (_, m2) = choose(&m1, 2, 8);
    let same: Vec<u8> = m2[..33].iter().copied().cycle().take(m2.len()).collect();
    let (sender, m3) = written(|w| read(&same, |r| sender.challenge(psid(2), r, w)).unwrap());
    let seeds: BTreeSet<_> = sender.seeds.iter().flatten().collect();
    assert_eq!(seeds.len(), 2 * KAPPA);
    assert_eq!(m3.chunks_exact(32).collect::<BTreeSet<_>>().len(), KAPPA);
}

#[test]
fn row_05_choice_vectors_differ_between_peers() {
    let (_, m1) = start(9);
    // one trace of the generator, two sessions: nothing repeats
    let (a, m2_a) = choose(&m1, 2, 10);
    let (b, m2_b) = choose(&m1, 3, 10);
    assert_ne!(a.unwrap().chosen.choices.expose(), b.unwrap().chosen.choices.expose());
    assert!(m2_a.chunks_exact(33).zip(m2_b.chunks_exact(33)).all(|(a, b)| a != b));
}

#[test]
fn row_06_bad_points_are_refused_everywhere() {
    let (_, m1) = start(11);
    let mut off_curve = [0u8; 33];
    (off_curve[0], off_curve[32]) = (2, 5);
    let mut x_is_p = [0xff; 33];
    (x_is_p[0], x_is_p[28], x_is_p[31], x_is_p[32]) = (2, 0xfe, 0xfc, 0x2f);
    let mut tag_5 = m1[..33].to_vec();
    tag_5[0] = 5;
    // secp256k1 has cofactor 1: there are no points of low order but the identity
    let bad: [(&[u8], DecodeError); 4] = [
        (&[0; 33], DecodeError::Identity),
        (&off_curve, DecodeError::Point),
        (&x_is_p, DecodeError::Point),
        (&tag_5, DecodeError::Point),
    ];
    for (point, error) in bad {
        // B, and the first message of its proof
        for at in [0, 33] {
            let mut m1 = m1.clone();
            m1[at..at + 33].copy_from_slice(point);
            assert_eq!(choose(&m1, 2, 12).0.err(), Some(Fault::Encoding(error)));
        }
        for j in [0, 77, KAPPA - 1] {
            let (sender, m1) = start(11);
            let (_, mut m2) = choose(&m1, 2, 12);
            m2[33 * j..33 * j + 33].copy_from_slice(point);
            let expected = if error == DecodeError::Identity { Fault::Forbidden } else { Fault::Encoding(error) };
            assert_eq!(read(&m2, |r| sender.challenge(psid(2), r, &mut Writer::new())).err(), Some(expected));
        }
    }
    // A_j = B
    let (sender, m1) = start(11);
    let (_, mut m2) = choose(&m1, 2, 12);
    m2[33 * 5..33 * 6].copy_from_slice(&m1[..33]);
    assert_eq!(read(&m2, |r| sender.challenge(psid(2), r, &mut Writer::new())).err(), Some(Fault::Forbidden));
    // B of somebody else with this proof, and this proof in another session
    let (_, other) = start(13);
    let mixed = [&other[..33], &m1[33..]].concat();
    assert_eq!(choose(&mixed, 2, 12).0.err(), Some(Fault::Proof));
    let elsewhere =
        written(|w| read(&m1, |r| Receiver1::choose(sid(4), psid(2), Direction::FIRST, r, w, &mut rng(12))));
    assert_eq!(elsewhere.0.err(), Some(Fault::Proof));
    let mirrored =
        written(|w| read(&m1, |r| Receiver1::choose(sid(1), psid(2), Direction::SECOND, r, w, &mut rng(12))));
    assert_eq!(mirrored.0.err(), Some(Fault::Proof));
}

/// A sender that guesses choice bit `j` to be 0: it replaces the other branch's hash by one of its own.
fn guessing_sender(j: usize, seed: u64) -> (bool, Option<Fault>, Vec<u8>) {
    let (sender, m1) = start(2 * seed);
    let (receiver, m2) = choose(&m1, 2, 2 * seed + 1);
    let receiver = receiver.unwrap();
    let c = bit(receiver.chosen.choices.expose(), j);
    let (sender, mut m3) = written(|w| read(&m2, |r| sender.challenge(psid(2), r, w)).unwrap());
    let own = [0xaa; 32];
    let number = u64::try_from(j).unwrap();
    let g1 = Transcript::new("mta", "vsot 2").part(psid(2)).number(number).number(1u8).part(own).finish();
    for (to, (g0, g1)) in m3[32 * j..].iter_mut().zip(sender.expected[j].iter().zip(g1)) {
        *to = g0 ^ g1;
    }
    let (receiver, m4) = written(|w| read(&m3, |r| receiver.respond(r, w)).unwrap());
    // the response tells the sender whether it guessed right
    assert_eq!(m4[32 * j..32 * j + 32] == sender.expected[j], !c);
    let mut m5 = sender.openings.as_flattened().as_flattened().to_vec();
    m5[64 * j + 32..64 * j + 64].copy_from_slice(&own);
    (c, read(&m5, |r| receiver.check(r)).err(), m2)
}

#[test]
fn row_07_guessing_a_choice_bit_ends_the_setup() {
    let mut caught = 0;
    let mut seen = BTreeSet::new();
    for run in 0..64 {
        let (c, fault, m2) = guessing_sender(17, 500 + run);
        // wrong guess: the receiver sees it, and `check` has consumed everything
        assert_eq!(fault, c.then_some(Fault::BaseOt));
        caught += u32::from(c);
        // the next try begins with fresh randomness
        assert!(m2.chunks_exact(33).all(|point| seen.insert(point.to_vec())));
    }
    assert!((16..=48).contains(&caught), "{caught} of 64");
    // a challenge that fits no opening is always caught
    for j in [0, 64, 127] {
        let seen = setup_with(Suite::Blake3, 21, |n, m| {
            if n == 3 {
                m[32 * j] ^= 1;
            }
        });
        // with c_j = 1 the response is wrong too, and the client ends the run first
        assert!(matches!(seen.err(), Some((_, Fault::BaseOt))));
    }
    // a wrong response is caught by the sender, a wrong opening by the receiver
    for (n, role) in [(4, Role::Client), (5, Role::Server)] {
        for byte in [0, 31, 32, 100] {
            let seen = setup_with(Suite::Blake3, 22, |at, m| {
                if at == n {
                    m[byte] ^= 0x80;
                }
            });
            assert_eq!(seen.err(), Some((role, Fault::BaseOt)));
        }
    }
}

/// Both sides of random OTs, for tests of the PPRF alone.
fn random_ots(choices: [u8; 16], seed: u64) -> (SeedPairs, Chosen) {
    let mut rng = rng(seed);
    let pairs: SeedPairs =
        SecretVec::new((0..KAPPA).map(|_| [(); 2].map(|()| *SecretBytes::<16>::random(&mut rng).expose())).collect());
    let seeds = (0..KAPPA).map(|j| pairs[j][usize::from(bit(&choices, j))]).collect();
    (pairs, Chosen { choices: SecretBytes::new(choices), seeds: SecretVec::new(seeds) })
}

/// Correlated halves of one direction with chosen choice bits: what a party that controls its own OTs could have.
pub(super) fn halves(choices: [u8; 16], suite: Suite, seed: u64) -> (ExtSender, ExtReceiver) {
    let (pairs, chosen) = random_ots(choices, seed);
    let (leaves, message) = written(|w| pprf::grow(psid(2), &pairs, w));
    let id = params::setup_id(sid(2), Direction::FIRST.sender, Direction::FIRST.receiver);
    let (punctured, delta) = read(&message, |r| pprf::puncture(psid(2), &chosen, r)).unwrap();
    (
        ExtSender::new(Direction::FIRST, id, suite, punctured, delta),
        ExtReceiver::new(Direction::FIRST, id, suite, leaves),
    )
}

#[test]
fn the_sender_lacks_exactly_one_leaf_per_tree() {
    let choices = *SecretBytes::<16>::random(&mut rng(31)).expose();
    let (sender, receiver) = halves(choices, Suite::Blake3, 32);
    let delta = sender.delta_block();
    for i in 0..TREES {
        // mta 2.1: bit kk-1-l of the punctured leaf is 1 - c_{i*kk+l}
        let y = (0..KK).fold(0, |y, l| y | usize::from(!bit(&choices, i * KK + l)) << (KK - 1 - l));
        assert_eq!(delta >> (KK * i) & 0xf, u128::try_from(y).unwrap());
        for z in 0..LEAVES {
            let (theirs, ours) = (sender.leaves()[i * LEAVES + z], receiver.leaves()[i * LEAVES + z]);
            assert_eq!(theirs == ours, z != y);
            assert_eq!(theirs == [0; 16], z == y);
        }
    }
    let leaves: BTreeSet<_> = receiver.leaves().iter().collect();
    assert_eq!(leaves.len(), TREES * LEAVES);
}

/// SILA-5: all trees of a setup, and those of two sessions, grown from the same two seeds: no two leaves are equal, for every
/// hash input names session, tree and level.
#[test]
fn a05_equal_seeds_give_no_equal_leaves() {
    let pairs: SeedPairs = SecretVec::new(vec![[[1; 16], [2; 16]]; KAPPA]);
    let grown = |session| written(|w| pprf::grow(psid(session), &pairs, w)).0;
    let (one, other) = (grown(1), grown(2));
    let leaves: BTreeSet<_> = one.iter().chain(other.iter()).collect();
    assert_eq!(leaves.len(), 2 * TREES * LEAVES);
}

/// Bad input 50: choice bits that are all 0 or all 1, of the base OTs and of the extension, are a receiver's own affair.
#[test]
fn bad_input_50_constant_choice_bits() {
    struct Constant(u8);
    impl rand_core::TryRng for Constant {
        type Error = core::convert::Infallible;
        fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
            Ok(u32::from_le_bytes([self.0; 4]))
        }
        fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
            Ok(u64::from_le_bytes([self.0; 8]))
        }
        fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), Self::Error> {
            to.fill(self.0);
            Ok(())
        }
    }
    impl rand_core::TryCryptoRng for Constant {}

    for (suite, byte) in SUITES.into_iter().flat_map(|suite| [(suite, 0), (suite, 0xff)]) {
        let (sender, receiver) = halves([byte; 16], suite, 36);
        assert_products(&multiply::<2>((&sender, &receiver), 1, 37), 1);
        let (receiver, first) =
            written(|w| MulReceiver::extend(&receiver, sid(9), Purpose::Mta, 1, w, &mut Constant(byte)));
        assert!(receiver.received.bits.iter().all(|block| *block == u128::from_le_bytes([byte; 16])));
        let sender = read(&first, |r| MulSender::extend(&sender, sid(9), Purpose::Mta, 1, r)).unwrap();
        let (sent, second) = written(|w| sender.multiply::<2>(w, &mut rng(38)));
        let received = read(&second, |r| receiver.multiply::<2>(r)).unwrap();
        let (s, r) = (&sent[0], &received[0]);
        assert_eq!(*r.beta().expose() == Scalar::ZERO, byte == 0);
        for i in 0..2 {
            assert_eq!(*s.t()[i].expose() + r.r()[i].expose(), *s.alpha()[i].expose() * r.beta().expose());
        }
    }
}

#[test]
fn row_08_pprf_corrections() {
    let choices = *SecretBytes::<16>::random(&mut rng(33)).expose();
    let (pairs, chosen) = random_ots(choices, 34);
    let (_, message) = written(|w| pprf::grow(psid(2), &pairs, w));
    let refused = |at: usize| {
        let mut message = message.clone();
        message[at] ^= 1;
        let result = read(&message, |r| pprf::puncture(psid(2), &chosen, r).map(|_| ()));
        assert!(matches!(result, Ok(()) | Err(Fault::Pprf)));
        result.is_err()
    };
    assert!(read(&message, |r| pprf::puncture(psid(2), &chosen, r).map(|_| ())).is_ok());
    const TREE: usize = (KK - 1) * 32 + 32;
    assert_eq!(message.len(), TREES * TREE + 32);
    let (mut used, mut caught) = (0, 0);
    for i in 0..TREES {
        for level in 1..KK {
            for side in [0, 1] {
                for byte in 0..16 {
                    let on_used_side = bit(&choices, i * KK + level) == (side == 1);
                    let seen = refused(i * TREE + (level - 1) * 32 + side * 16 + byte);
                    assert_eq!(seen, on_used_side, "tree {i}, level {level}, side {side}");
                    used += 1;
                    caught += u32::from(seen);
                }
            }
        }
        // t~: always
        assert!((0..32).all(|byte| refused(i * TREE + TREE - 32 + byte)));
    }
    assert_eq!((used, caught), (3072, 1536));
    // s~: always
    assert!((0..32).all(|byte| refused(TREES * TREE + byte)));
    // in a whole setup it names the sender's message; the state is consumed (see the compile_fail example of `setup`)
    let first_t = 8192 + TREE - 1;
    let seen = setup_with(Suite::Blake3, 35, |n, m| {
        if n == 5 {
            m[first_t] ^= 1;
        }
    });
    assert_eq!(seen.err(), Some((Role::Server, Fault::Pprf)));
    let seen = setup_with(Suite::Blake3, 35, |n, m| {
        if n == 6 {
            m[TREE - 1] ^= 1;
        }
    });
    assert_eq!(seen.err(), Some((Role::Client, Fault::Pprf)));
    // the extension that starts the second direction is checked like any other
    let seen = setup_with(Suite::Blake3, 35, |n, m| {
        if n == 5 {
            let at = m.len() - 1;
            m[at] ^= 1;
        }
    });
    assert_eq!(seen.err(), Some((Role::Server, Fault::Extension)));
}

#[test]
fn row_11_a_new_setup_is_independent_of_a_burned_one() {
    let (a, b) = (setup(Suite::Blake3, 41), setup(Suite::Blake3, 42));
    for (a, b) in [(a.server.sender(), b.server.sender()), (a.client.sender(), b.client.sender())] {
        let differing = (a.delta_block() ^ b.delta_block()).count_ones();
        assert!((32..=96).contains(&differing), "{differing} of 128 bits");
    }
    // the two directions of one setup as well
    let differing = (a.server.sender().delta_block() ^ a.client.sender().delta_block()).count_ones();
    assert!((32..=96).contains(&differing), "{differing} of 128 bits");
}

#[test]
fn row_25_setup_messages_have_one_length() {
    for n in 1..=6 {
        for change in [Change::Empty, Change::Shorter, Change::Longer, Change::Thousandfold] {
            let seen = setup_with(Suite::Blake3, 51, |at, m| {
                if at == n {
                    change.apply(m);
                }
            });
            let role = if n % 2 == 1 { Role::Server } else { Role::Client };
            match (change, seen.err().unwrap()) {
                (Change::Empty | Change::Shorter, seen) => {
                    assert_eq!(seen, (role, Fault::Encoding(DecodeError::Truncated)));
                }
                (_, seen) => assert_eq!(seen, (role, Fault::Encoding(DecodeError::Trailing))),
            }
        }
    }
}

#[test]
fn row_26_scalar_of_the_proof_is_canonical() {
    for scalar in not_scalars() {
        let (_, mut m1) = start(61);
        m1[66..98].copy_from_slice(&scalar);
        assert_eq!(choose(&m1, 2, 62).0.err(), Some(Fault::Encoding(DecodeError::ScalarRange)));
    }
}
