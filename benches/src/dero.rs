//! A signature of DERO, from the text to the verdict, and beside it what a verifier by the book cannot do without.

use crate::{Cost, cpu};
use ark_bn254::{Fr, G1Affine, G1Projective};
use ark_ec::{AffineRepr, CurveGroup};
use ark_ff::PrimeField;
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use std::hint::black_box;
use symbolon_dero::{Network, SecretKey, SignedMessage};

/// Bytes of a message: those of a sign-in challenge.
const MESSAGE: usize = 350;
/// The most bytes of a text.
const LIMIT: usize = 16 << 10;

/// Signed messages of as many keys.
pub struct Dero {
    pems: Vec<String>,
    /// Two points and two scalars for each of them.
    terms: Vec<[(G1Projective, Fr); 2]>,
}

impl Dero {
    /// Texts for one sample.
    pub const BATCH: usize = 16;

    /// Keys and messages.
    ///
    /// # Panics
    /// Never: every key is below the order.
    #[must_use]
    pub fn new(seed: u8) -> Self {
        let mut rng = ChaCha12Rng::from_seed([seed; 32]);
        let mut pem = |i: usize| {
            let mut key = [i.to_le_bytes()[0]; 32];
            key[0] = 1;
            let key = SecretKey::from_bytes(&key).expect("below the order");
            key.sign(Network::Mainnet, vec![b'm'; MESSAGE], &mut rng).expect("this generator does not fail").to_pem()
        };
        let pems = (0..Self::BATCH).map(&mut pem).collect();
        let mut scalar = Fr::from_be_bytes_mod_order(&[seed | 0x80; 64]);
        let mut term = || {
            scalar = scalar * scalar + Fr::from(7);
            ((G1Affine::generator() * scalar).into_affine().into_group(), scalar)
        };
        Self { pems, terms: (0..Self::BATCH).map(|_| [term(), term()]).collect() }
    }

    /// Reads and verifies all.
    ///
    /// # Panics
    /// If one does not verify.
    #[must_use]
    pub fn verify(&self) -> Cost {
        let before = cpu();
        for pem in &self.pems {
            let read = SignedMessage::parse(black_box(pem.as_bytes()), LIMIT).expect("the wallet's form");
            black_box(read.verify().expect("signed"));
        }
        Cost {
            cpu: vec![cpu() - before],
            bytes: vec![self.pems.iter().map(String::len).sum()],
            messages: 1,
            ..Cost::default()
        }
    }

    /// As many times two plain multiplications and an addition of `ark-bn254`, by the faster of its two forms of a point.
    #[must_use]
    pub fn plain(&self) -> Cost {
        let before = cpu();
        for [(p, k), (q, l)] in &self.terms {
            let _ = black_box(black_box(*p) * black_box(*k) + black_box(*q) * black_box(*l));
        }
        Cost { cpu: vec![cpu() - before], bytes: vec![0], messages: 0, ..Cost::default() }
    }
}
