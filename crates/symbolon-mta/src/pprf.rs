//! All-but-one OTs from base OTs: 32 trees of 16 leaves (mta 2). The extension receiver knows all leaves, the extension
//! sender all but leaf `y*_i` of tree `i`, where `y*_i` is nibble `i` of `Delta`.

use crate::{
    bits::mask,
    pads::xof,
    params::{KAPPA, KK, LEAVES, Psid, TREES},
};
use alloc::vec;
use blake3::Hasher;
use subtle::ConstantTimeEq;
use symbolon_core::{
    SecretBytes, SecretVec, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::Fault;
use zeroize::{Zeroize, Zeroizing};

/// `KAPPA` pairs of seeds, both known: the sender's side of random OTs.
pub(crate) type SeedPairs = SecretVec<[[u8; 16]; 2]>;
/// The leaf keys of all trees, 16 bytes each; the punctured ones are zero on the side that lacks them.
pub(crate) type Leaves = SecretVec<[u8; 16]>;

/// `KAPPA` choice bits and the seeds that they chose: the receiver's side of random OTs.
pub(crate) struct Chosen {
    /// Bit `j` is `c_j`.
    pub(crate) choices: SecretBytes<16>,
    pub(crate) seeds: SecretVec<[u8; 16]>,
}

/// Bytes of one tree's message: two corrections for each level but the first, and `t~`.
const TREE_LEN: usize = (KK - 1) * 2 * 16 + 32;
/// Bytes of the whole message.
pub(crate) const LEN: usize = TREES * TREE_LEN + 32;

/// The generator of the trees: the BLAKE3 XOF keyed with `T("pprf prg", psid)` over node, tree and level.
struct Prg(Hasher);

impl Prg {
    fn new(psid: Psid) -> Self {
        Self(Hasher::new_keyed(&Transcript::new("mta", "pprf prg").part(psid).finish()))
    }

    fn expand(&mut self, node: u128, tree: u8, level: u8, out: &mut [u8]) {
        let mut input = Zeroizing::new([0; 18]);
        let (head, tail) = input.split_at_mut(16);
        head.copy_from_slice(&node.to_le_bytes());
        tail.copy_from_slice(&[tree, level]);
        xof(&mut self.0, input.as_slice(), out);
    }

    /// Left and right child.
    fn children(&mut self, node: u128, tree: u8, level: u8) -> [u128; 2] {
        let mut out = Zeroizing::new([[0; 16]; 2]);
        self.expand(node, tree, level, out.as_flattened_mut());
        out.map(u128::from_le_bytes)
    }

    /// The leaf key of the extension, and `e_z` as two blocks.
    fn leaf(&mut self, node: u128, tree: u8) -> (u128, [u128; 2]) {
        let mut out = Zeroizing::new([[0; 16]; 3]);
        self.expand(node, tree, LEVEL_OF_LEAVES, out.as_flattened_mut());
        let [key, e0, e1] = out.map(u128::from_le_bytes);
        (key, [e0, e1])
    }
}

impl Drop for Prg {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

const LEVEL_OF_LEAVES: u8 = 4;

/// mta 2.4. `s~`, the hash of all `e_z` of all trees.
fn tag(psid: Psid, all: &[[u128; 2]]) -> [u8; 32] {
    let mut bytes = SecretVec::with_capacity(all.len() * 32);
    all.iter().flatten().for_each(|e| bytes.extend_from_slice(&e.to_le_bytes()));
    Transcript::new("mta", "pprf").part(psid).bulk(&bytes).finish()
}

fn xor(a: [u128; 2], b: [u128; 2]) -> [u128; 2] {
    let ([a0, a1], [b0, b1]) = (a, b);
    [a0 ^ b0, a1 ^ b1]
}

fn write_block(w: &mut Writer, block: u128) {
    w.bytes(&block.to_le_bytes());
}

/// The extension receiver: grows all trees and writes the corrections.
pub(crate) fn grow(psid: Psid, pairs: &SeedPairs, w: &mut Writer) -> Leaves {
    debug_assert_eq!(pairs.len(), KAPPA);
    let mut prg = Prg::new(psid);
    let mut leaves = SecretVec::with_capacity(TREES * LEAVES);
    let mut all = SecretVec::with_capacity(TREES * LEAVES);
    for (tree, levels) in (0u8..).zip(pairs.chunks_exact(KK)) {
        let mut nodes: SecretVec<u128> = SecretVec::default();
        for (level, [seed0, seed1]) in (0u8..).zip(levels) {
            let (seed0, seed1) = (u128::from_le_bytes(*seed0), u128::from_le_bytes(*seed1));
            if level == 0 {
                // mta 2.1
                nodes.extend([seed0, seed1]);
                continue;
            }
            // mta 2.2
            let mut next = SecretVec::with_capacity(2 * nodes.len());
            let (mut left, mut right) = (seed0, seed1);
            for node in nodes.iter() {
                let [l, r] = prg.children(*node, tree, level);
                left ^= l;
                right ^= r;
                next.extend([l, r]);
            }
            write_block(w, left);
            write_block(w, right);
            nodes = next;
        }
        // mta 2.3
        let mut t = [0; 2];
        for node in nodes.iter() {
            let (key, e) = prg.leaf(*node, tree);
            leaves.push(key.to_le_bytes());
            t = xor(t, e);
            all.push(e);
        }
        t.into_iter().for_each(|half| write_block(w, half));
    }
    w.bytes(&tag(psid, &all));
    leaves
}

/// The extension sender: recovers all leaves but one per tree, and `Delta`.
pub(crate) fn puncture(psid: Psid, chosen: &Chosen, r: &mut Reader<'_>) -> Result<(Leaves, SecretBytes<16>), Fault> {
    let mut message = Reader::new(r.bytes(LEN)?);
    let mut prg = Prg::new(psid);
    let mut leaves = SecretVec::with_capacity(TREES * LEAVES);
    let mut all = SecretVec::with_capacity(TREES * LEAVES);
    let mut delta = 0;
    let choices = u128::from_le_bytes(*chosen.choices.expose());
    for (tree, seeds) in (0u8..).zip(chosen.seeds.chunks_exact(KK)) {
        let mut nodes: SecretVec<u128> = SecretVec::new(vec![0]);
        // the punctured node, as masks over all nodes of the level: all ones at the punctured one
        let mut punctured: SecretVec<u128> = SecretVec::new(vec![u128::MAX]);
        for (level, seed) in (0u8..).zip(seeds) {
            let right = mask(choices >> (u32::from(tree) * 4 + u32::from(level)));
            let corrections = if level == 0 { [0; 2] } else { [read_block(&mut message)?, read_block(&mut message)?] };
            let [on_left, on_right] = corrections;
            // mta 2.2: the correction of the chosen side, unmasked, is the sum of that side's children
            let mut missing = u128::from_le_bytes(*seed) ^ (on_left & !right) ^ (on_right & right);
            let mut next = SecretVec::with_capacity(2 * nodes.len());
            let mut hole = SecretVec::with_capacity(2 * nodes.len());
            for (node, here) in nodes.iter().zip(punctured.iter()) {
                // mta 2.1: the root has no children to compute; its chosen child is the seed itself
                let [l, r] = if level == 0 { [0; 2] } else { prg.children(*node, tree, level) };
                let (l, r) = (l & !here, r & !here);
                missing ^= (l & !right) ^ (r & right);
                next.extend([l, r]);
                hole.extend([here & right, here & !right]);
            }
            // what is missing goes beside the hole
            let (places, _) = next.as_chunks_mut::<2>();
            for ([l, r], here) in places.iter_mut().zip(punctured.iter()) {
                *l ^= missing & here & !right;
                *r ^= missing & here & right;
            }
            nodes = next;
            punctured = hole;
        }
        // mta 2.3
        let start = all.len();
        let mut t = [read_block(&mut message)?, read_block(&mut message)?];
        let mut leaf = 0u128;
        for (z, (node, here)) in (0u128..).zip(nodes.iter().zip(punctured.iter())) {
            let (key, [e0, e1]) = prg.leaf(*node, tree);
            leaves.push((key & !here).to_le_bytes());
            let e = [e0 & !here, e1 & !here];
            t = xor(t, e);
            all.push(e);
            leaf |= z & here;
        }
        for (e, here) in all.iter_mut().skip(start).zip(punctured.iter()) {
            let [t0, t1] = t;
            *e = xor(*e, [t0 & here, t1 & here]);
        }
        delta |= leaf << (u32::from(tree) * 4);
    }
    // mta 2.4
    let expected = message.array::<32>()?;
    message.finish()?;
    let equal = bool::from(tag(psid, &all).ct_eq(&expected));
    #[cfg(symbolon_planted = "ct")]
    let equal = equal && tag(psid, &all) == expected;
    if equal { Ok((leaves, SecretBytes::new(delta.to_le_bytes()))) } else { Err(Fault::Pprf) }
}

fn read_block(r: &mut Reader<'_>) -> Result<u128, DecodeError> {
    r.array().map(u128::from_le_bytes)
}
