//! What memcheck must report: a check that sees none of these sees nothing.

use crate::run::{Secret, Table};
use core::hint::black_box;
use rand_core::Rng;
use symbolon_core::{Group, Secp256k1};

#[inline(never)]
fn branch(secret: u8) -> u32 {
    // black_box in both arms: otherwise the compiler may well select without a branch
    if secret & 1 == 1 { black_box(1) } else { black_box(2) }
}

#[inline(never)]
fn look_up(table: &[u8; 256], secret: u8) -> u8 {
    table[usize::from(secret)]
}

#[inline(never)]
fn early_exit(a: &[u8; 32], b: &[u8; 32]) -> bool {
    a.iter().zip(b).all(|(a, b)| black_box(*a) == *b)
}

/// Runs all controls. After the steps: the suppressions must not have taught memcheck to keep quiet about the variable-time
/// multiplications that they are for.
pub fn all(table: &mut Table) {
    let mut secret = [0; 32];
    Secret::new(1).fill_bytes(&mut secret);
    table.step("branch on a secret bit", || secret.iter().map(|byte| branch(*byte)).sum::<u32>());
    let squares: [u8; 256] = core::array::from_fn(|i| u8::try_from(i * i % 251).unwrap_or_default());
    table.step("table index by a secret byte", || {
        secret.iter().fold(0u8, |sum, byte| sum.wrapping_add(look_up(black_box(&squares), *byte)))
    });
    table.step("comparison with an early exit", || early_exit(&secret, black_box(&[0; 32])));
    let k = Secp256k1::random_scalar(&mut Secret::new(2));
    table.step("Scalar::invert_vartime", || k.invert_vartime());
    let point = Secp256k1::generator();
    table.step("mul_base_add_vartime", || Secp256k1::mul_base_add_vartime(&k, &point, &k));
    table.step("lincomb_vartime", || Secp256k1::lincomb_vartime(&[(point, k), (point, k), (point, k)]));
}
