//! Attacks on the multiplication, with a sender that computes its own message the slow way.

use super::*;
use crate::{
    limbs::{self, Limbs},
    multiply::{Challenge, item_columns},
    params::M,
};
use alloc::{collections::BTreeSet, vec};
use symbolon_core::{Transcript, wire::DecodeError};

/// A sender in the middle of a multiplication with `ell = 1`, with everything it knows in the open.
pub(super) struct Liar {
    sender: MulSender,
    pub(super) p0: Vec<Limbs>,
    matrix: Vec<u8>,
    alpha: Scalar,
    mask: Scalar,
}

/// Extends for one multiplication and prepares an honest matrix.
pub(super) fn liar((ext_s, ext_r): (&ExtSender, &ExtReceiver), session: u8, seed: u64) -> (Liar, MulReceiver) {
    let (receiver, message) = written(|w| MulReceiver::extend(ext_r, sid(session), Purpose::Mta, 1, w, &mut rng(seed)));
    let sender = read(&message, |r| MulSender::extend(ext_s, sid(session), Purpose::Mta, 1, r)).unwrap();
    let (alpha, mask) = (Scalar::from(seed + 12345), Scalar::from(seed + 54321));
    let columns = item_columns(&sender.sent.rows, sender.sent.stride, 0);
    let inputs = [limbs::from_scalar(&alpha), limbs::from_scalar(&mask)];
    let (p0, matrix) = sender.matrix(sender.batch.psid(0), &columns, &inputs);
    (Liar { sender, p0: p0.to_vec(), matrix, alpha, mask }, receiver)
}

impl Liar {
    pub(super) fn challenge(&self) -> Challenge {
        Challenge::new(self.sender.batch.psid(0), &self.sender.sent.digest, &self.matrix)
    }

    fn theta(&self) -> Scalar {
        let [theta] = self.challenge().theta::<1>();
        limbs::to_scalar(&theta)
    }

    fn p0(&self, j: usize, i: usize) -> Scalar {
        limbs::to_scalar(&self.p0[2 * j + i])
    }

    /// Adds to `a~_{j,i}`.
    fn add(&mut self, j: usize, i: usize, error: Scalar) {
        let at = (2 * j + i) * 32;
        let old = Secp256k1::scalar_from_bytes(self.matrix[at..at + 32].try_into().unwrap()).unwrap();
        self.matrix[at..at + 32].copy_from_slice(&Secp256k1::scalar_to_bytes(&(old + error)));
    }

    /// The message with `eta` and the hash of `mu` for the matrix as it is now; scalar arithmetic of the curve library.
    fn message(&self) -> Vec<u8> {
        let theta = self.theta();
        let eta = self.mask + theta * self.alpha;
        let mu: Vec<u8> =
            (0..M).flat_map(|j| Secp256k1::scalar_to_bytes(&(self.p0(j, 1) + theta * self.p0(j, 0)))).collect();
        let hash = Transcript::new("mta", "mu").part(self.sender.batch.psid(0)).bulk(&mu).finish();
        [&self.matrix[..], &Secp256k1::scalar_to_bytes(&eta), &hash].concat()
    }
}

fn receive(receiver: MulReceiver, message: &[u8]) -> Result<Vec<ReceiverShare<1>>, Fault> {
    read(message, |r| receiver.multiply::<1>(r))
}

fn chosen(receiver: &MulReceiver, j: usize) -> bool {
    receiver.received.bits[j / 128] >> (j % 128) & 1 == 1
}

#[test]
fn the_slow_sender_is_the_fast_one() {
    for suite in SUITES {
        let both = setup(suite, 1);
        let (liar, receiver) = liar((both.server.sender(), both.client.receiver()), 1, 1);
        let message = liar.message();
        let bits: Vec<bool> = (0..M).map(|j| chosen(&receiver, j)).collect();
        let challenge = liar.challenge();
        let shares = receive(receiver, &message).unwrap();
        let (eta, hash) = message[message.len() - 64..].split_at(32);
        let gadget = challenge.gadget(eta.try_into().unwrap(), hash.try_into().unwrap());
        let gadget: Vec<Scalar> = gadget.iter().map(limbs::to_scalar).collect();
        // beta = sum g_j w_j and r = alpha*beta - t with t = -sum g_j p0_j
        let beta: Scalar = gadget.iter().zip(&bits).filter(|(_, w)| **w).map(|(g, _)| *g).sum();
        let t: Scalar = -gadget.iter().enumerate().map(|(j, g)| *g * liar.p0(j, 0)).sum::<Scalar>();
        assert_eq!(*shares[0].beta().expose(), beta);
        assert_eq!(*shares[0].r()[0].expose(), liar.alpha * beta - t);
    }
}

#[test]
fn row_12_one_saved_state_against_two_messages_gives_unrelated_pads() {
    for suite in SUITES {
        let both = setup(suite, 2);
        let ext = (both.server.sender(), both.client.receiver());
        // (a) one sid, two messages of the peer; (c, row 13) one state under two sids
        for (session, seed) in [(1, 2), (2, 1)] {
            let (a, b) = (liar(ext, 1, 1).0, liar(ext, session, seed).0);
            assert_unrelated(&a, &b);
        }
        // (b) the peer's first message replayed in another run does not pass the check
        let (_, first) = written(|w| MulReceiver::extend(ext.1, sid(1), Purpose::Mta, 1, w, &mut rng(1)));
        let replayed = read(&first, |r| MulSender::extend(ext.0, sid(2), Purpose::Mta, 1, r).map(|_| ()));
        assert_eq!(replayed, Err(Fault::Extension));
    }
}

/// No two pads are equal, and `a~ - a~'` is not constant: not over the rows, not over the columns.
fn assert_unrelated(a: &Liar, b: &Liar) {
    let pads: BTreeSet<_> = a.p0.iter().chain(&b.p0).collect();
    assert_eq!(pads.len(), 4 * M);
    let scalars: BTreeSet<_> = a.matrix.chunks_exact(32).chain(b.matrix.chunks_exact(32)).collect();
    assert_eq!(scalars.len(), 4 * M);
    let differences: BTreeSet<_> = a
        .matrix
        .chunks_exact(32)
        .zip(b.matrix.chunks_exact(32))
        .map(|(a, b)| {
            let [a, b] = [a, b].map(|x| limbs::from_bytes(x.try_into().unwrap()));
            limbs::sub(&a, &b)
        })
        .collect();
    assert_eq!(differences.len(), 2 * M);
}

#[test]
fn row_13_a_repeated_run_under_one_label_has_another_sid() {
    let both = setup(Suite::Blake3, 3);
    let ext = (both.server.sender(), both.client.receiver());
    // same randomness on both sides, other sid: the digests, alphas apart, share nothing
    let (a, b) = (liar(ext, 1, 7).0, liar(ext, 2, 7).0);
    assert_eq!(a.alpha, b.alpha);
    assert_ne!(a.sender.digest(), b.sender.digest());
    assert_unrelated(&a, &b);
    // the same sid and the same randomness is the same run, byte for byte: a resend, not a second use
    assert_eq!(a.message(), liar(ext, 1, 7).0.message());
}

#[test]
fn row_14_inconsistent_inputs_for_a_predicted_challenge() {
    let both = setup(Suite::Blake3, 4);
    let ext = (both.server.sender(), both.client.receiver());
    for run in 0..100 {
        let (mut liar, receiver) = liar(ext, 1, 100 + run);
        // rows 0..40 use other inputs; the mask column is solved for the challenge of the matrix before it
        for j in 0..40 {
            liar.add(j, 0, Scalar::from(7u64));
        }
        let predicted = liar.theta();
        for j in 0..40 {
            liar.add(j, 1, -predicted * Scalar::from(7u64));
        }
        assert_ne!(liar.theta(), predicted);
        assert!((0..40).any(|j| chosen(&receiver, j)));
        // were the challenge what it predicted, the receiver's equation would hold: d^ + theta*d - eta = mu
        let eta = liar.mask + predicted * liar.alpha;
        let (d, masked) = (liar.p0(0, 0) + liar.alpha + Scalar::from(7u64), liar.p0(0, 1) + liar.mask);
        let masked = masked - predicted * Scalar::from(7u64);
        assert_eq!(masked + predicted * d - eta, liar.p0(0, 1) + predicted * liar.p0(0, 0));
        assert_eq!(receive(receiver, &liar.message()).err(), Some(Fault::Multiplication), "run {run}");
    }
}

#[test]
fn row_14_every_scalar_of_the_matrix_moves_theta() {
    let both = setup(Suite::Aes, 5);
    let (mut liar, _) = liar((both.server.sender(), both.client.receiver()), 1, 1);
    let mut thetas = BTreeSet::from([Secp256k1::scalar_to_bytes(&liar.theta())]);
    for at in 0..2 * M {
        liar.matrix[32 * at + 31] ^= 1;
        assert!(thetas.insert(Secp256k1::scalar_to_bytes(&liar.theta())));
        liar.matrix[32 * at + 31] ^= 1;
    }
}

#[test]
fn row_15_sender_that_controls_its_own_ots() {
    // choice bits all one: every punctured leaf is 0, Delta = 0, and both pads of every OT are equal
    for suite in SUITES {
        let ext = base_ot::halves([0xff; 16], suite, 6);
        let ext = (&ext.0, &ext.1);
        assert_eq!(ext.0.delta_block(), 0);
        // it gains nothing: consistent inputs multiply, inconsistent ones are caught
        assert_products(&multiply::<2>(ext, 1, 1), 1);
        let (mut liar, receiver) = liar(ext, 1, 1);
        (0..40).for_each(|j| liar.add(j, 0, Scalar::ONE));
        assert_eq!(receive(receiver, &liar.message()).err(), Some(Fault::Multiplication));
    }
    // a matrix fixed before the receiver's message: the pads follow that message
    let both = setup(Suite::Blake3, 7);
    let ext = (both.server.sender(), both.client.receiver());
    let fixed = liar(ext, 1, 1).0;
    let (mut later, receiver) = liar(ext, 1, 2);
    later.matrix.copy_from_slice(&fixed.matrix);
    assert_eq!(receive(receiver, &later.message()).err(), Some(Fault::Multiplication));
}

#[test]
fn row_15_row_16_theta_and_gadget_absorb_everything_before_them() {
    let both = setup(Suite::Blake3, 8);
    let (liar, _) = liar((both.server.sender(), both.client.receiver()), 1, 1);
    let psid = liar.sender.batch.psid(0);
    let (eta, hash) = ([1; 32], [2; 32]);
    let honest = liar.challenge();
    // the digest of the extension message
    let mut digest = *liar.sender.digest();
    digest[0] ^= 1;
    let other = Challenge::new(psid, &digest, &liar.matrix);
    assert_ne!(honest.theta::<1>(), other.theta::<1>());
    let gadget = honest.gadget(&eta, &hash);
    let differs = |other: &[Limbs]| gadget.iter().zip(other).all(|(a, b)| a != b) && other.len() == M;
    assert!(differs(&other.gadget(&eta, &hash)));
    // any byte of the sender's message
    for at in (0..liar.matrix.len()).step_by(997).chain([liar.matrix.len() - 1]) {
        let mut matrix = liar.matrix.clone();
        matrix[at] ^= 1;
        assert!(differs(&Challenge::new(psid, liar.sender.digest(), &matrix).gadget(&eta, &hash)));
    }
    for at in 0..32 {
        let (mut eta, mut hash) = (eta, hash);
        eta[at] ^= 1;
        assert!(differs(&honest.gadget(&eta, &hash)));
        eta[at] ^= 1;
        hash[at] ^= 1;
        assert!(differs(&honest.gadget(&eta, &hash)));
    }
    // several thetas are distinct
    let [a, b, c] = honest.theta::<3>();
    assert!(a != b && b != c && a != c);
}

#[test]
fn row_17_a_guess_of_w_survives_half_the_time() {
    let both = setup(Suite::Aes, 9);
    let ext = (both.server.sender(), both.client.receiver());
    for rows in [vec![11], vec![11, 700]] {
        let runs = 240;
        let mut survived = 0;
        for run in 0..runs {
            let (mut liar, receiver) = liar(ext, 1, 1000 + run);
            rows.iter().for_each(|j| liar.add(*j, 0, Scalar::from(3u64)));
            let caught = rows.iter().any(|j| chosen(&receiver, *j));
            let result = receive(receiver, &liar.message());
            assert_eq!(result.err(), caught.then_some(Fault::Multiplication));
            survived += u64::from(!caught);
        }
        let expected = runs >> rows.len();
        assert!(survived.abs_diff(expected) <= 30, "{survived} of {runs} with {} rows", rows.len());
    }
    let id = both.client.id();
    let failed = both.client.failed(Fault::Multiplication);
    assert!(failed.held.is_none() && failed.burned == [id]);
}

#[test]
fn row_20_multiplication_message_of_another_instance() {
    let both = setup(Suite::Blake3, 10);
    let first = (both.server.sender(), both.client.receiver());
    let second = (both.client.sender(), both.server.receiver());
    let (a, receiver_a) = liar(first, 1, 1);
    let (b, receiver_b) = liar(second, 1, 1);
    assert_eq!(receive(receiver_a, &b.message()).err(), Some(Fault::Multiplication));
    assert_eq!(receive(receiver_b, &a.message()).err(), Some(Fault::Multiplication));
    // two items of one batch exchanged
    let swapped = multiply_with::<1>(first, 2, 1, |n, m| {
        if n == 2 {
            m.rotate_left(multiplication_len(1));
        }
    });
    assert_eq!(swapped.err(), Some(Fault::Multiplication));
    // the control of the exchange: rotated all the way round
    let same = multiply_with::<1>(first, 2, 1, |n, m| {
        if n == 2 {
            m.rotate_left(2 * multiplication_len(1));
        }
    });
    assert_products(&same.unwrap(), 2);
}

#[test]
fn every_part_of_the_message_is_checked() {
    let both = setup(Suite::Blake3, 11);
    let ext = (both.server.sender(), both.client.receiver());
    let len = multiplication_len(2);
    for at in (31..len - 64).step_by(3001).chain([len - 64 + 31, len - 32, len - 1]) {
        let result = multiply_with::<2>(ext, 1, 2, |n, m| {
            if n == 2 {
                m[at] ^= 1;
            }
        });
        // any change moves theta, and with it every equation
        assert_eq!(result.err(), Some(Fault::Multiplication), "byte {at}");
    }
}

#[test]
fn row_25_multiplication_messages_have_one_length() {
    let both = setup(Suite::Blake3, 12);
    let ext = (both.server.sender(), both.client.receiver());
    for (change, error) in [
        (Change::Empty, DecodeError::Truncated),
        (Change::Shorter, DecodeError::Truncated),
        (Change::Longer, DecodeError::Trailing),
        (Change::Thousandfold, DecodeError::Trailing),
    ] {
        let result = multiply_with::<2>(ext, 1, 1, |n, m| {
            if n == 2 {
                change.apply(m);
            }
        });
        assert_eq!(result.err(), Some(Fault::Encoding(error)));
    }
    // one element too few or too many, elsewhere than at the end
    for elements in [-1i32, 1] {
        let result = multiply_with::<2>(ext, 1, 1, |n, m| {
            if n == 2 && elements < 0 {
                m.drain(..32);
            } else if n == 2 {
                m.splice(0..0, [0; 32]);
            }
        });
        assert!(matches!(result.err(), Some(Fault::Encoding(_) | Fault::Multiplication)));
    }
}

#[test]
fn row_26_scalars_at_and_above_the_order_are_refused() {
    let both = setup(Suite::Blake3, 13);
    let ext = (both.server.sender(), both.client.receiver());
    let len = multiplication_len(2);
    for bytes in not_scalars() {
        for at in [0, 32 * 1000, len - 96, len - 64] {
            let result = multiply_with::<2>(ext, 1, 1, |n, m| {
                if n == 2 {
                    m[at..at + 32].copy_from_slice(&bytes);
                }
            });
            assert_eq!(result.err(), Some(Fault::Encoding(DecodeError::ScalarRange)), "at {at}");
        }
    }
}

#[test]
fn row_96_replayed_nonce_and_extension_give_no_equal_pads() {
    for suite in SUITES {
        let both = setup(suite, 14);
        let ext = (both.server.sender(), both.client.receiver());
        // the receiver repeats all that it chose; the sender's nonce alone makes the second sid another one
        let runs = [1, 2].map(|session| liar(ext, session, 5));
        assert_eq!(*runs[0].1.received.bits, *runs[1].1.received.bits);
        assert_unrelated(&runs[0].0, &runs[1].0);
    }
}

#[test]
fn row_97_a_clone_against_one_flipped_bit_leaks_nothing() {
    for suite in SUITES {
        let both = setup(suite, 15);
        let ext = (both.server.sender(), both.client.receiver());
        let psid = params::Psid::new(sid(1), Purpose::Mta, 0, ext.1.direction());
        // two valid messages that differ in one choice bit: one bit of every u_i
        let mut bits = bits::random_blocks(7, &mut rng(16));
        let mut digests = Vec::new();
        let matrices = [0, 1].map(|flip| {
            bits[3] ^= flip;
            let (u, v) = crate::extension::expand(ext.1, psid, &bits);
            let combiner = crate::extension::combiner(psid, &u);
            let x = combiner.combine(&bits).to_le_bytes();
            let hash = crate::extension::hash_of_tags(psid, v.chunks_exact(7).map(|row| combiner.combine(row)));
            let message = [&u[..], &x, &hash].concat();
            // the restored sender: same sid, same state, same randomness
            let sender = read(&message, |r| MulSender::extend(ext.0, sid(1), Purpose::Mta, 1, r)).unwrap();
            digests.push(*sender.digest());
            let columns = item_columns(&sender.sent.rows, 7, 0);
            let inputs = [limbs::from_scalar(&Scalar::from(77u64)), limbs::from_scalar(&Scalar::from(88u64))];
            let (p0, matrix) = sender.matrix(sender.batch.psid(0), &columns, &inputs);
            Liar { sender, p0: p0.to_vec(), matrix, alpha: Scalar::from(77u64), mask: Scalar::from(88u64) }
        });
        assert_ne!(digests[0], digests[1]);
        // W differs in nothing but column 384, yet no pad and no difference repeats
        let [a, b] = &matrices;
        let same = (0..7 * 128).filter(|at| a.sender.sent.rows[*at] == b.sender.sent.rows[*at]).count();
        assert!(same >= 6 * 128);
        assert_unrelated(a, b);
    }
}
