//! The two pad suites: rows from leaves, pads from columns (mta 4.2, 5.2).

use crate::{
    Suite,
    bits::half,
    params::{LEAVES, Psid},
};
use aes::{
    Aes128Enc, Block,
    cipher::{BlockCipherEncrypt, KeyInit},
};
use alloc::{boxed::Box, vec};
use blake3::Hasher;
use core::mem::ManuallyDrop;
use symbolon_core::{SecretVec, Transcript};
use zeroize::{Zeroize, Zeroizing};

/// Fills `out` with the keyed BLAKE3 XOF of `input`, under the hasher's key. Whole blocks of 64 bytes are fastest. The
/// caller wipes the hasher once, after a whole batch: wiping it costs more than hashing. So would wiping the reader, which lies on the
/// stack that the entries clear.
pub(crate) fn xof(hasher: &mut Hasher, input: &[u8], out: &mut [u8]) {
    hasher.update(input);
    hasher.finalize_xof().fill(out);
    hasher.reset();
}

/// Expands leaves to rows of the extension matrix.
pub(crate) struct Rows {
    psid: Psid,
    suite: Suite,
    iv: u128,
    stride: usize,
    expanded: SecretVec<[u8; 16]>,
}

impl Rows {
    /// For rows of `stride` blocks.
    pub(crate) fn new(suite: Suite, psid: Psid, stride: usize) -> Self {
        let iv = half(&Transcript::new("mta", "row iv").part(psid).finish());
        // rows stand at multiples of 64 bytes, so that the XOF writes whole blocks
        let expanded = SecretVec::new(vec![[0; 16]; LEAVES * stride.next_multiple_of(4)]);
        Self { psid, suite, iv: u128::from_le_bytes(iv), stride, expanded }
    }

    /// mta 4.2. `r_{i,z}` of one tree, leaf by leaf.
    pub(crate) fn expand(&mut self, tree: usize, leaves: &[[u8; 16]]) -> impl Iterator<Item = &[[u8; 16]]> {
        let pitch = self.stride.next_multiple_of(4);
        let tree = u8::try_from(tree).unwrap_or(u8::MAX);
        for (z, (leaf, row)) in (0u8..).zip(leaves.iter().zip(self.expanded.chunks_exact_mut(pitch))) {
            match self.suite {
                Suite::Blake3 => {
                    let mut key = Zeroizing::new([0; 32]);
                    key.iter_mut().zip(leaf).for_each(|(to, from)| *to = *from);
                    let mut input = [0; 34];
                    let (head, tail) = input.split_at_mut(32);
                    head.copy_from_slice(self.psid.as_ref());
                    tail.copy_from_slice(&[tree, z]);
                    let mut hasher = Hasher::new_keyed(&key);
                    xof(&mut hasher, &input, row.as_flattened_mut());
                    // all leaves use one place on the stack, and wiping it is slow: once per tree
                    if usize::from(z) == LEAVES - 1 {
                        hasher.zeroize();
                    }
                }
                Suite::Aes => {
                    let (row, _) = row.split_at_mut(self.stride);
                    for (b, block) in (0u128..).zip(row.iter_mut()) {
                        *block = (self.iv ^ b).to_le_bytes();
                    }
                    // its drop would wipe the round keys, which takes longer than all else here: they lie on the stack that the
                    // entries clear
                    let cipher = ManuallyDrop::new(Aes128Enc::new(leaf.into()));
                    cipher.encrypt_blocks(Block::cast_slice_from_core_mut(row));
                }
            }
        }
        self.expanded.chunks_exact(pitch).filter_map(|row| row.get(..self.stride))
    }
}

/// Turns 128-bit columns into pads of `width` scalars each.
pub(crate) enum Pads {
    Blake3(Box<Hasher>),
    Aes(Aes128Enc),
}

impl Pads {
    /// mta 5.2. The key absorbs the receiver's whole extension message through `digest`.
    pub(crate) fn new(suite: Suite, psid: Psid, digest: &[u8; 32]) -> Self {
        let key = Zeroizing::new(Transcript::new("mta", "pad key").part(psid).part(digest).finish());
        match suite {
            Suite::Blake3 => Self::Blake3(Box::new(Hasher::new_keyed(&key))),
            Suite::Aes => Self::Aes(Aes128Enc::new((&*Zeroizing::new(half(&key))).into())),
        }
    }

    /// Pads of the OTs `first..`: for each column the first `width` of [`pitch`]`(width)` scalars of 32 bytes.
    pub(crate) fn fill(&mut self, first: u64, columns: &[u128], width: usize, out: &mut [[u8; 32]]) {
        debug_assert_eq!(columns.len() * pitch(width), out.len());
        let rows = out.chunks_exact_mut(pitch(width));
        match self {
            Self::Blake3(hasher) => {
                let mut input = Zeroizing::new([0; 24]);
                for (j, (column, pad)) in (first..).zip(columns.iter().zip(rows)) {
                    let (index, row) = input.split_at_mut(8);
                    index.copy_from_slice(&j.to_le_bytes());
                    row.copy_from_slice(&column.to_le_bytes());
                    xof(hasher, input.as_slice(), pad.as_flattened_mut());
                }
            }
            Self::Aes(cipher) => {
                let mut y: SecretVec<[u8; 16]> =
                    SecretVec::new(columns.iter().map(|column| column.to_le_bytes()).collect());
                cipher.encrypt_blocks(Block::cast_slice_from_core_mut(&mut y));
                let mut blocks = SecretVec::new(vec![[0; 16]; 2 * width * columns.len()]);
                for (j, (y, blocks)) in (u128::from(first)..).zip(y.iter().zip(blocks.chunks_exact_mut(2 * width))) {
                    let y = u128::from_le_bytes(*y);
                    for (b, block) in (0u128..).zip(blocks) {
                        *block = (y ^ (16 * j + b)).to_le_bytes();
                    }
                }
                cipher.encrypt_blocks(Block::cast_slice_from_core_mut(&mut blocks));
                for (y, (blocks, pad)) in y.iter().zip(blocks.chunks_exact(2 * width).zip(rows)) {
                    let y = u128::from_le_bytes(*y);
                    let (halves, _) = pad.as_flattened_mut().as_chunks_mut::<16>();
                    for (half, block) in halves.iter_mut().zip(blocks) {
                        *half = (u128::from_le_bytes(*block) ^ y).to_le_bytes();
                    }
                }
            }
        }
    }
}

/// Scalars from one row of pads to the next: whole 64-byte blocks of the XOF.
pub(crate) const fn pitch(width: usize) -> usize {
    width.next_multiple_of(2)
}

impl Drop for Pads {
    fn drop(&mut self) {
        if let Self::Blake3(hasher) = self {
            hasher.zeroize();
        }
    }
}
