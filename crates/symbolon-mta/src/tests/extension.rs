//! Attacks on the OT extension, against a slow reference of its check.

use super::*;
use crate::{
    base_ot::CHALLENGE_LEN,
    bits::tests::{chi, field_mul},
    extension::{expand, hash_of_tags, message_len, receive, send},
    pads::{Pads, Rows, pitch},
    params::{Direction, KAPPA, KK, LEAVES, Psid, SIGMA, TREES},
};
use alloc::vec;
use symbolon_core::{Transcript, wire::DecodeError};

const BLOCKS: usize = 6;
const STRIDE: usize = BLOCKS + 1;

fn psid(n: u8) -> Psid {
    Psid::new(sid(n), Purpose::Mta, 0, Direction::FIRST)
}

fn nibble(delta: u128, i: usize) -> u128 {
    delta >> (KK * i) & 0xf
}

/// The check's values by the book: powers `chi^1 ..` by bitwise field multiplication.
fn slow_combine(psid: Psid, u: &[u8], row: &[u128]) -> u128 {
    let challenge = Transcript::new("mta", "ext check").part(psid).bulk(u).finish();
    let chi = chi(challenge[..16].try_into().unwrap());
    let (last, blocks) = row.split_last().unwrap();
    let (mut power, mut sum) = (1, *last);
    for block in blocks {
        power = field_mul(power, chi);
        sum ^= field_mul(power, *block);
    }
    sum
}

/// A receiver that sends whatever it likes, with its own state.
struct Liar {
    psid: Psid,
    bits: Vec<u128>,
    u: Vec<u8>,
    v: Vec<Vec<u128>>,
}

impl Liar {
    fn new(ext: &ExtReceiver, psid: Psid, seed: u64) -> Self {
        let bits = bits::random_blocks(STRIDE, &mut rng(seed)).to_vec();
        let (u, v) = expand(ext, psid, &bits);
        Self { psid, bits, u, v: v.chunks_exact(STRIDE).map(<[u128]>::to_vec).collect() }
    }

    /// Adds errors to `u_i`.
    fn corrupt(&mut self, tree: usize, errors: &[u128; STRIDE]) {
        let row = &mut self.u[tree * STRIDE * 16..(tree + 1) * STRIDE * 16];
        for (bytes, error) in row.chunks_exact_mut(16).zip(errors) {
            let block = u128::from_le_bytes((&*bytes).try_into().unwrap()) ^ error;
            bytes.copy_from_slice(&block.to_le_bytes());
        }
    }

    /// The message, whose hash fits if the punctured leaf of `tree` is `guess` and `errors` were added there.
    fn message(&self, tree: usize, errors: &[u128; STRIDE], guess: u128) -> Vec<u8> {
        let x = slow_combine(self.psid, &self.u, &self.bits);
        let e = slow_combine(self.psid, &self.u, errors);
        let tags = self.v.iter().enumerate().map(|(h, row)| {
            let here = h / KK == tree && guess >> (h % KK) & 1 == 1;
            slow_combine(self.psid, &self.u, row) ^ if here { e } else { 0 }
        });
        let hash = hash_of_tags(self.psid, tags);
        [&self.u[..], &x.to_le_bytes(), &hash].concat()
    }
}

fn check(ext: &ExtSender, psid: Psid, message: &[u8]) -> Result<(), Fault> {
    read(message, |r| send(ext, psid, BLOCKS, r).map(|_| ()))
}

#[test]
fn the_relation_of_the_rows_holds() {
    for suite in SUITES {
        let both = setup(suite, 1);
        let ext = (both.server.sender(), both.client.receiver());
        let (received, message) = written(|w| receive(ext.1, psid(1), BLOCKS, w, &mut rng(1)));
        assert_eq!(message.len(), message_len(BLOCKS));
        let sent = read(&message, |r| send(ext.0, psid(1), BLOCKS, r)).unwrap();
        assert_eq!(sent.digest, received.digest);
        // schoolbook: W_h = V_h XOR Delta_h * x', bit by bit
        let delta = ext.0.delta_block();
        for h in 0..KAPPA {
            for block in 0..STRIDE {
                let at = h * STRIDE + block;
                let expected = received.rows[at] ^ if delta >> h & 1 == 1 { received.bits[block] } else { 0 };
                assert_eq!(sent.rows[at], expected);
            }
        }
        // the matrices from the definition, leaf by leaf
        let mut rows = Rows::new(suite, psid(1), STRIDE);
        for (tree, leaves) in ext.1.leaves().chunks_exact(LEAVES).enumerate() {
            let mut u = received.bits.to_vec();
            let mut v = vec![vec![0u128; STRIDE]; KK];
            for (z, row) in rows.expand(tree, leaves).enumerate() {
                for (block, r) in row.iter().enumerate() {
                    let r = u128::from_le_bytes(*r);
                    u[block] ^= r;
                    (0..KK).filter(|b| z >> b & 1 == 1).for_each(|b| v[b][block] ^= r);
                }
            }
            for block in 0..STRIDE {
                let at = (tree * STRIDE + block) * 16;
                assert_eq!(message[at..at + 16], u[block].to_le_bytes());
                (0..KK).for_each(|b| assert_eq!(received.rows[(tree * KK + b) * STRIDE + block], v[b][block]));
            }
        }
        // and the check, in the slow field
        let u = &message[..TREES * STRIDE * 16];
        let x = slow_combine(psid(1), u, &received.bits);
        let tags = received.rows.chunks_exact(STRIDE).map(|row| slow_combine(psid(1), u, row));
        assert_eq!(message[u.len()..], [&x.to_le_bytes()[..], &hash_of_tags(psid(1), tags)].concat());
    }
}

#[test]
fn row_09_guesses_of_delta_survive_once_in_sixteen_and_end_the_setup() {
    let both = setup(Suite::Blake3, 2);
    let ext = (both.server.sender(), both.client.receiver());
    let mut errors = [0; STRIDE];
    errors[2] = 1 << 77;
    let (mut tried, mut survived) = (0, 0);
    for tree in 0..TREES {
        let mut liar = Liar::new(ext.1, psid(2), 100);
        // control: without errors the liar is honest
        assert_eq!(check(ext.0, psid(2), &liar.message(tree, &[0; STRIDE], 5)), Ok(()));
        liar.corrupt(tree, &errors);
        for guess in 0..16 {
            let result = check(ext.0, psid(2), &liar.message(tree, &errors, guess));
            let right = guess == nibble(ext.0.delta_block(), tree);
            assert_eq!(result, if right { Ok(()) } else { Err(Fault::Extension) });
            tried += 1;
            survived += u32::from(right);
        }
    }
    assert_eq!((tried, survived), (512, 32));
    // what a failure leaves
    let id = both.server.id();
    let failed = both.server.failed(Fault::Extension);
    assert!(failed.held.is_none());
    assert_eq!(failed.burned, [id]);
    assert_eq!(failed.culprit, Some(Role::Client.id()));
    // other faults give it back
    let failed = both.client.failed(Fault::Proof);
    assert!(failed.held.is_some() && failed.burned.is_empty());
}

#[test]
fn row_20_extension_reflected_or_in_the_other_direction() {
    for suite in SUITES {
        let both = setup(suite, 3);
        let (_, message) = written(|w| receive(both.client.receiver(), psid(3), BLOCKS, w, &mut rng(3)));
        assert_eq!(check(both.server.sender(), psid(3), &message), Ok(()));
        // to the party that made it
        let second = Psid::new(sid(3), Purpose::Mta, 0, Direction::SECOND);
        assert_eq!(check(both.client.sender(), second, &message), Err(Fault::Extension));
        assert_eq!(check(both.client.sender(), psid(3), &message), Err(Fault::Extension));
        // in another session, purpose or item
        for other in [
            psid(4),
            Psid::new(sid(3), Purpose::Boot, 0, Direction::FIRST),
            Psid::new(sid(3), Purpose::Mta, 1, Direction::FIRST),
            second,
        ] {
            assert_eq!(check(both.server.sender(), other, &message), Err(Fault::Extension));
        }
    }
}

#[test]
fn row_21_equal_rows_give_different_pads() {
    for suite in SUITES {
        for width in [2, 3, 8] {
            let mut pads = Pads::new(suite, psid(5), &[1; 32]);
            let mut out = vec![[0; 32]; 64 * pitch(width)];
            pads.fill(64, &[7; 64], width, &mut out);
            let mut all: Vec<[u8; 32]> = out.chunks_exact(pitch(width)).flat_map(|row| row[..width].to_vec()).collect();
            // the same columns at another index, under another digest, in another session
            let mut others = vec![(128, Pads::new(suite, psid(5), &[1; 32]))];
            others.push((64, Pads::new(suite, psid(5), &[2; 32])));
            others.push((64, Pads::new(suite, psid(6), &[1; 32])));
            for (first, mut pads) in others {
                pads.fill(first, &[7; 64], width, &mut out);
                all.extend(out.chunks_exact(pitch(width)).flat_map(|row| row[..width].to_vec()));
            }
            let halves: Vec<[u8; 16]> = all.as_flattened().chunks_exact(16).map(|h| h.try_into().unwrap()).collect();
            let distinct: alloc::collections::BTreeSet<_> = halves.iter().collect();
            assert_eq!(distinct.len(), 4 * 64 * width * 2);
        }
    }
}

#[test]
fn pads_follow_their_formula() {
    let key = Transcript::new("mta", "pad key").part(psid(7)).part([9; 32]).finish();
    let column = 0x0102_0304_0506_0708_090a_0b0c_0d0e_0f10u128;
    let mut out = vec![[0; 32]; 4];
    Pads::new(Suite::Blake3, psid(7), &[9; 32]).fill(3, &[column], 3, &mut out);
    let mut expected = [[0; 32]; 3];
    let input = [&3u64.to_le_bytes()[..], &column.to_le_bytes()].concat();
    symbolon_core::Xof::new(&key, &input).fill(expected.as_flattened_mut());
    assert_eq!(out[..3], expected);

    use aes::cipher::{BlockCipherEncrypt, KeyInit};
    let cipher = aes::Aes128Enc::new_from_slice(&key[..16]).unwrap();
    let pi = |x: u128| {
        let mut block = x.to_le_bytes().into();
        cipher.encrypt_block(&mut block);
        u128::from_le_bytes(block.into())
    };
    Pads::new(Suite::Aes, psid(7), &[9; 32]).fill(3, &[column], 3, &mut out);
    let y = pi(column);
    for i in 0..3u128 {
        for b in 0..2u128 {
            let expected = pi(y ^ (16 * 3 + 2 * i + b)) ^ y;
            let (i, b) = (usize::try_from(i).unwrap(), usize::try_from(b).unwrap());
            assert_eq!(out[i][16 * b..16 * b + 16], expected.to_le_bytes());
        }
    }
}

#[test]
fn row_22_seed_and_session_do_not_cancel() {
    // pairs of (leaf, psid) with one XOR
    let leaf = [0x5a; 16];
    let mut other = leaf;
    other.iter_mut().zip(psid(1).as_ref().iter().zip(psid(2).as_ref())).for_each(|(o, (a, b))| *o ^= a ^ b);
    for suite in SUITES {
        let expand = |leaf: [u8; 16], n: u8| {
            let mut rows = Rows::new(suite, psid(n), STRIDE);
            rows.expand(4, &[leaf; LEAVES]).map(<[[u8; 16]]>::to_vec).collect::<Vec<_>>()
        };
        let (a, b) = (expand(leaf, 1), expand(other, 2));
        assert!(a.as_flattened_blocks().zip(b.as_flattened_blocks()).all(|(a, b)| a != b));
        // and one leaf in two sessions gives unrelated rows
        let c = expand(leaf, 2);
        assert!(a.as_flattened_blocks().zip(c.as_flattened_blocks()).all(|(a, c)| a != c));
    }
}

trait Blocks {
    fn as_flattened_blocks(&self) -> impl Iterator<Item = &[u8; 16]>;
}

impl Blocks for Vec<Vec<[u8; 16]>> {
    fn as_flattened_blocks(&self) -> impl Iterator<Item = &[u8; 16]> {
        self.iter().flatten()
    }
}

#[test]
fn row_23_polychromatic_receiver() {
    let (mut tried, mut survived) = (0, 0);
    for seed in 0..4 {
        let both = setup(SUITES[usize::try_from(seed % 2).unwrap()], 10 + seed);
        let ext = (both.server.sender(), both.client.receiver());
        for tree in 0..TREES {
            // complemented choice bits in one row of U: an error of all ones
            let mut liar = Liar::new(ext.1, psid(5), 200 + seed);
            liar.corrupt(tree, &[u128::MAX; STRIDE]);
            let result = check(ext.0, psid(5), &liar.message(tree, &[0; STRIDE], 0));
            // the field reference predicts it: the check passes where the errors are multiplied by zero
            let nibble = nibble(ext.0.delta_block(), tree);
            assert_ne!(slow_combine(psid(5), &liar.u, &[u128::MAX; STRIDE]), 0);
            assert_eq!(result, if nibble == 0 { Ok(()) } else { Err(Fault::Extension) });
            tried += 1;
            survived += u32::from(nibble == 0);
        }
    }
    assert!(tried == 128 && (1..=20).contains(&survived), "{survived} of {tried}");
}

#[test]
fn row_23_an_error_repeated_in_the_last_block_does_not_cancel() {
    let both = setup(Suite::Blake3, 20);
    let ext = (both.server.sender(), both.client.receiver());
    let tree = (0..TREES).find(|i| nibble(ext.0.delta_block(), *i) != 0).unwrap();
    for block in 0..BLOCKS {
        let mut errors = [0; STRIDE];
        (errors[block], errors[STRIDE - 1]) = (0xffff, 0xffff);
        let mut liar = Liar::new(ext.1, psid(6), 300);
        liar.corrupt(tree, &errors);
        assert_eq!(check(ext.0, psid(6), &liar.message(tree, &[0; STRIDE], 0)), Err(Fault::Extension));
    }
}

#[test]
fn every_byte_of_the_message_is_checked() {
    let both = setup(Suite::Aes, 21);
    let ext = (both.server.sender(), both.client.receiver());
    let (_, message) = written(|w| receive(ext.1, psid(7), BLOCKS, w, &mut rng(7)));
    for at in 0..message.len() {
        let mut changed = message.clone();
        changed[at] ^= 1 << (at % 8);
        let tree = at / (STRIDE * 16);
        // a changed u_i is multiplied by zero where y*_i = 0; but it changes chi, and so every other value
        assert_eq!(check(ext.0, psid(7), &changed), Err(Fault::Extension), "byte {at}, tree {tree}");
    }
}

#[test]
fn row_25_extension_messages_have_one_length() {
    let both = setup(Suite::Blake3, 22);
    let ext = (both.server.sender(), both.client.receiver());
    for (change, error) in [
        (Change::Empty, DecodeError::Truncated),
        (Change::Shorter, DecodeError::Truncated),
        (Change::Longer, DecodeError::Trailing),
        (Change::Thousandfold, DecodeError::Trailing),
    ] {
        for count in [1, 3] {
            let fault = multiply_with::<1>(ext, count, 1, |n, m| {
                if n == 1 {
                    change.apply(m);
                }
            });
            // a longer message is first read as a whole one, and only its end is refused
            assert_eq!(fault.err(), Some(Fault::Encoding(error)));
        }
    }
    // one count, another count
    let (_, message) = written(|w| MulReceiver::extend(ext.1, sid(9), Purpose::Mta, 2, w, &mut rng(1)));
    for count in [1, 3] {
        assert!(read(&message, |r| MulSender::extend(ext.0, sid(9), Purpose::Mta, count, r).map(|_| ())).is_err());
    }
    assert_eq!((SIGMA, CHALLENGE_LEN), (128, 4096));
}
