//! OT extension (Roy, `SoftSpokenOT`, ePrint 2022/192), both sides (mta 4).

use crate::{
    bits::{Combiner, columns, half, mask, random_blocks},
    pads::Rows,
    pair_setup::{ExtReceiver, ExtSender},
    params::{BLOCKS, KAPPA, KK, LEAVES, Psid, SIGMA, TREES},
    pprf::{Chosen, SeedPairs},
};
use alloc::{vec, vec::Vec};
use core::array;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    SecretBytes, SecretVec, Transcript,
    wire::{Reader, Writer},
};
use symbolon_session::Fault;
use zeroize::Zeroizing;

/// Bytes of the extension message for a batch of `count` multiplications: 3,632 for one.
#[must_use]
pub const fn extension_len(count: u16) -> usize {
    #[allow(clippy::as_conversions, reason = "usize::from is not const, and a u16 fits")]
    let blocks = count as usize * BLOCKS;
    message_len(blocks)
}

/// `U` for `blocks` blocks of columns and one block of extra columns, then `x~` and the hash.
pub(crate) const fn message_len(blocks: usize) -> usize {
    TREES * (blocks + 1) * (SIGMA / 8) + 16 + 32
}

/// The receiver's correlation: for every column `j` a choice bit `x_j` and `V_j`.
pub(crate) struct Received {
    /// Choice bits, one block for 128 columns.
    pub(crate) bits: SecretVec<u128>,
    /// `V`: 128 rows of `stride` blocks.
    pub(crate) rows: SecretVec<u128>,
    pub(crate) stride: usize,
    /// `D`.
    pub(crate) digest: [u8; 32],
}

/// The sender's correlation: `W_j = V_j XOR x_j*Delta` for every column.
pub(crate) struct Sent {
    /// `W`: 128 rows of `stride` blocks.
    pub(crate) rows: SecretVec<u128>,
    pub(crate) stride: usize,
    /// `D`.
    pub(crate) digest: [u8; 32],
}

/// mta 4.3. The receiver's matrix: `U`, and `V` as 128 rows. `bits` are `x'`.
pub(crate) fn expand(ext: &ExtReceiver, psid: Psid, bits: &[u128]) -> (Vec<u8>, SecretVec<u128>) {
    let stride = bits.len();
    let mut rows = Rows::new(ext.suite(), psid, stride);
    let mut u = Vec::with_capacity(TREES * stride * 16);
    let mut v = SecretVec::new(vec![0; KAPPA * stride]);
    let mut sum = SecretVec::new(vec![0; stride]);
    for (tree, (leaves, v)) in ext.leaves().chunks_exact(LEAVES).zip(v.chunks_exact_mut(KK * stride)).enumerate() {
        sum.copy_from_slice(bits);
        for (z, row) in rows.expand(tree, leaves).enumerate() {
            add_bytes(&mut sum, row);
            for (b, v) in v.chunks_exact_mut(stride).enumerate() {
                if z >> b & 1 == 1 {
                    add_bytes(v, row);
                }
            }
        }
        sum.iter().for_each(|block| u.extend_from_slice(&block.to_le_bytes()));
    }
    (u, v)
}

/// mta 4.6. The sender's matrix `W` as 128 rows. The row of a punctured leaf is multiplied by zero.
fn correlate(ext: &ExtSender, psid: Psid, u: &[u8], stride: usize) -> SecretVec<u128> {
    let mut rows = Rows::new(ext.suite(), psid, stride);
    let mut w = SecretVec::new(vec![0; KAPPA * stride]);
    let delta = ext.delta_block();
    let (u, _) = u.as_chunks::<16>();
    let trees = ext.leaves().chunks_exact(LEAVES).zip(u.chunks_exact(stride));
    for (tree, ((leaves, u), w)) in trees.zip(w.chunks_exact_mut(KK * stride)).enumerate() {
        // all ones where bit b of the punctured leaf is set
        let punctured: [u128; KK] = array::from_fn(|b| mask(delta >> (KK * tree + b)));
        for (punctured, w) in punctured.iter().zip(w.chunks_exact_mut(stride)) {
            for (w, u) in w.iter_mut().zip(u) {
                *w = u128::from_le_bytes(*u) & punctured;
            }
        }
        for (z, row) in rows.expand(tree, leaves).enumerate() {
            for (b, (punctured, w)) in punctured.iter().zip(w.chunks_exact_mut(stride)).enumerate() {
                let differs = if z >> b & 1 == 1 { !punctured } else { *punctured };
                for (w, r) in w.iter_mut().zip(row) {
                    *w ^= u128::from_le_bytes(*r) & differs;
                }
            }
        }
    }
    w
}

fn add_bytes(to: &mut [u128], row: &[[u8; 16]]) {
    to.iter_mut().zip(row).for_each(|(to, block)| *to ^= u128::from_le_bytes(*block));
}

/// mta 4.4. `chi`, from the whole matrix.
pub(crate) fn combiner(psid: Psid, u: &[u8]) -> Combiner {
    Combiner::new(half(&Transcript::new("mta", "ext check").part(psid).bulk(u).finish()))
}

/// The hash of all `t~_h`.
pub(crate) fn hash_of_tags(psid: Psid, tags: impl Iterator<Item = u128>) -> [u8; 32] {
    let mut bytes = SecretVec::with_capacity(KAPPA * 16);
    tags.for_each(|tag| bytes.extend_from_slice(&tag.to_le_bytes()));
    Transcript::new("mta", "ext tags").part(psid).bulk(&bytes).finish()
}

/// `D`, the digest of the whole message.
pub(crate) fn digest(psid: Psid, u: &[u8], x: &[u8; 16], hash: &[u8; 32]) -> [u8; 32] {
    Transcript::new("mta", "ext digest").part(psid).bulk(u).part(x).part(hash).finish()
}

/// mta 4.1 to 4.5. The receiver's side for fresh random bits; writes the message.
pub(crate) fn receive(
    ext: &ExtReceiver,
    psid: Psid,
    blocks: usize,
    w: &mut Writer,
    rng: &mut impl CryptoRng,
) -> Received {
    let bits = random_blocks(blocks + 1, rng);
    let stride = bits.len();
    let (u, rows) = expand(ext, psid, &bits);
    let combiner = combiner(psid, &u);
    let x = combiner.combine(&bits).to_le_bytes();
    let hash = hash_of_tags(psid, rows.chunks_exact(stride).map(|row| combiner.combine(row)));
    w.bytes(&u).bytes(&x).bytes(&hash);
    let digest = digest(psid, &u, &x, &hash);
    Received { bits, rows, stride, digest }
}

/// mta 4.6, 4.7. The sender's side; reads the message and checks all of it.
pub(crate) fn send(ext: &ExtSender, psid: Psid, blocks: usize, r: &mut Reader<'_>) -> Result<Sent, Fault> {
    let stride = blocks + 1;
    let u = r.bytes(TREES * stride * (SIGMA / 8))?;
    let (x, hash) = (r.array::<16>()?, r.array::<32>()?);
    let rows = correlate(ext, psid, u, stride);
    let combiner = combiner(psid, u);
    let delta = ext.delta_block();
    let x_block = u128::from_le_bytes(x);
    let tags =
        rows.chunks_exact(stride).enumerate().map(|(h, row)| combiner.combine(row) ^ (mask(delta >> h) & x_block));
    if !bool::from(hash_of_tags(psid, tags).ct_eq(&hash)) {
        return Err(Fault::Extension);
    }
    Ok(Sent { rows, stride, digest: digest(psid, u, &x, &hash) })
}

/// mta 3.1. Random OTs of the second direction from one block of columns: the receiver's side.
pub(crate) fn boot_chosen(psid: Psid, received: &Received) -> Chosen {
    let columns = columns(&received.rows, received.stride, 0);
    let seed = boot_seeds(psid, &received.digest);
    let seeds = (0u16..).zip(columns.iter()).map(|(j, v)| seed(j, *v)).collect();
    let choices = received.bits.first().copied().unwrap_or_default();
    Chosen { choices: SecretBytes::new(choices.to_le_bytes()), seeds: SecretVec::new(seeds) }
}

/// mta 3.1. The sender's side.
pub(crate) fn boot_pairs(psid: Psid, sent: &Sent, delta: u128) -> SeedPairs {
    let columns = columns(&sent.rows, sent.stride, 0);
    let seed = boot_seeds(psid, &sent.digest);
    SecretVec::new((0u16..).zip(columns.iter()).map(|(j, w)| [seed(j, *w), seed(j, w ^ delta)]).collect())
}

fn boot_seeds(psid: Psid, digest: &[u8; 32]) -> impl Fn(u16, u128) -> [u8; 16] {
    let prefix = Transcript::new("mta", "boot seed").part(psid).part(digest);
    move |j, row| half(&Zeroizing::new(prefix.clone().number(j).part(Zeroizing::new(row.to_le_bytes())).finish()))
}
