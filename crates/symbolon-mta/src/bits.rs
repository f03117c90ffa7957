//! Bits: blocks of 128, their transposition, and the field of the extension check.
//!
//! Bit `n` of a byte string is bit `n mod 8` of byte `n div 8`; a block is 16 bytes as a little-endian `u128`, so bit `n` of
//! a row is bit `n mod 128` of its block `n div 128`.

use crate::limbs;
use polyval::{Block, Polyval, universal_hash::UniversalHash};
use rand_core::CryptoRng;
use symbolon_core::SecretVec;
use zeroize::{Zeroize, Zeroizing};

/// A block of all ones for an odd `bit`, of zeros otherwise; not a branch.
pub(crate) fn mask(bit: u128) -> u128 {
    let half = limbs::mask(u64::from(bit.to_le_bytes()[0] & 1));
    u128::from(half) | (u128::from(half) << 64)
}

/// The first half of a hash.
pub(crate) fn half(digest: &[u8; 32]) -> [u8; 16] {
    let mut half = [0; 16];
    half.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
    half
}

/// Uniform blocks.
pub(crate) fn random_blocks(count: usize, rng: &mut impl CryptoRng) -> SecretVec<u128> {
    let mut bytes = Zeroizing::new([0; 16]);
    let block = |_| {
        rng.fill_bytes(bytes.as_mut());
        u128::from_le_bytes(*bytes)
    };
    SecretVec::new((0..count).map(block).collect())
}

/// Transposes 128 rows of 128 bits in place: bit `c` of row `r` becomes bit `r` of row `c`.
pub(crate) fn transpose(rows: &mut [u128; 128]) {
    // swap the off-diagonal quarters of ever smaller squares
    const LOW_HALVES: [(usize, u128); 7] = [
        (64, 0x0000_0000_0000_0000_ffff_ffff_ffff_ffff),
        (32, 0x0000_0000_ffff_ffff_0000_0000_ffff_ffff),
        (16, 0x0000_ffff_0000_ffff_0000_ffff_0000_ffff),
        (8, 0x00ff_00ff_00ff_00ff_00ff_00ff_00ff_00ff),
        (4, 0x0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f_0f0f),
        (2, 0x3333_3333_3333_3333_3333_3333_3333_3333),
        (1, 0x5555_5555_5555_5555_5555_5555_5555_5555),
    ];
    for (width, low) in LOW_HALVES {
        for square in rows.chunks_exact_mut(2 * width) {
            let (upper, lower) = square.split_at_mut(width);
            for (a, b) in upper.iter_mut().zip(lower) {
                let swapped = ((*a >> width) ^ *b) & low;
                *b ^= swapped;
                *a ^= swapped << width;
            }
        }
    }
}

/// Block `block` of every one of 128 rows of `stride` blocks, transposed: entry `j` has the bits of column
/// `128*block + j`, bit `h` from row `h`.
pub(crate) fn columns(rows: &[u128], stride: usize, block: usize) -> Zeroizing<[u128; 128]> {
    let mut square = Zeroizing::new([0; 128]);
    for (to, row) in square.iter_mut().zip(rows.chunks_exact(stride)) {
        *to = row.get(block).copied().unwrap_or_default();
    }
    transpose(&mut square);
    square
}

/// The polynomial of the extension check, in the field and bit order of POLYVAL (RFC 8452).
///
/// RFC 8452 defines a product with a built-in factor `x^-128`; the powers of the check are those of the field element
/// `chi = H * x^-128`, where `H` is the block given here.
pub(crate) struct Combiner(Polyval);

impl Combiner {
    pub(crate) fn new(challenge: [u8; 16]) -> Self {
        Self(Polyval::new(&challenge.into()))
    }

    /// `sum_{l=1..n} chi^l * block_l + block_last` of a row of `n + 1` blocks.
    pub(crate) fn combine(&self, row: &[u128]) -> u128 {
        let Some((last, blocks)) = row.split_last() else { return 0 };
        // Horner's rule gives the first block the highest power: from the back, block l gets the power l
        let mut polyval = self.0.clone();
        let mut buffer = [Block::default(); 16];
        for blocks in blocks.rchunks(buffer.len()) {
            for (to, block) in buffer.iter_mut().zip(blocks.iter().rev()) {
                *to = block.to_le_bytes().into();
            }
            polyval.update(buffer.get(..blocks.len()).unwrap_or_default());
        }
        buffer.iter_mut().for_each(|block| block.0.zeroize());
        u128::from_le_bytes(polyval.finalize().into()) ^ last
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use symbolon_core::SeedRng;

    /// `a*b` modulo `x^128 + x^127 + x^126 + x^121 + 1`, bit by bit.
    pub(crate) fn field_mul(mut a: u128, b: u128) -> u128 {
        let mut product = 0;
        for i in 0..128 {
            if b >> i & 1 == 1 {
                product ^= a;
            }
            let carry = a >> 127;
            a <<= 1;
            if carry == 1 {
                a ^= 1 << 127 | 1 << 126 | 1 << 121 | 1;
            }
        }
        product
    }

    /// The inverse of `x^128`, by squaring: `a^(2^128 - 2)`.
    pub(crate) fn chi(challenge: [u8; 16]) -> u128 {
        let x_128 = 1 << 127 | 1 << 126 | 1 << 121 | 1;
        let (mut power, mut inverse) = (x_128, 1);
        for _ in 1..128 {
            power = field_mul(power, power);
            inverse = field_mul(inverse, power);
        }
        assert_eq!(field_mul(inverse, x_128), 1);
        field_mul(u128::from_le_bytes(challenge), inverse)
    }

    #[test]
    fn the_combiner_is_the_polynomial_of_the_check() {
        let mut rng = SeedRng::new(&[1; 32]);
        for n in [0usize, 1, 2, 6, 15, 16, 17, 33] {
            let row = random_blocks(n + 1, &mut rng);
            let challenge = random_blocks(1, &mut rng)[0].to_le_bytes();
            let chi = chi(challenge);
            let (mut power, mut expected) = (1, row[n]);
            for block in &row[..n] {
                power = field_mul(power, chi);
                expected ^= field_mul(power, *block);
            }
            assert_eq!(Combiner::new(challenge).combine(&row), expected);
        }
    }

    #[test]
    fn transposes() {
        let mut rng = SeedRng::new(&[2; 32]);
        let rows = random_blocks(3 * 128, &mut rng);
        for block in 0..3 {
            let square = columns(&rows, 3, block);
            for r in 0..128 {
                for c in 0..128 {
                    assert_eq!(square[c] >> r & 1, rows[3 * r + block] >> c & 1);
                }
            }
        }
    }

    #[test]
    fn masks() {
        assert_eq!((mask(0), mask(1), mask(2), mask(3)), (0, u128::MAX, 0, u128::MAX));
    }
}
