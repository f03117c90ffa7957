//! What must be found: a check that finds none of these finds nothing.

use crate::{
    Hit, Needles,
    report::{Pass, Report},
    secrets::Recording,
    watched::{FROST_NONCE, hedged},
};
use core::hint::black_box;
use rand_core::Rng;
use std::collections::BTreeMap;
use symbolon::frost::Ciphersuite;
use symbolon_core::{Ed25519, Group, Secp256k1, SecretScalar, file_on_cleared_stack, on_cleared_stack};
use zeroize::Zeroizing;

/// One control. It counts the windows of one name, where it has one.
pub struct Control {
    /// What was left.
    pub name: &'static str,
    /// Windows in freed blocks.
    pub freed: usize,
    /// Windows on the dead stack.
    pub dead: usize,
    /// Bytes below what was cleared.
    pub below: usize,
}

/// A nonce of FROST with a share that is no secret, so that nothing but the nonce is seen.
fn nonce<C: Ciphersuite>(random: &[u8; 32]) -> C::Scalar {
    C::h3(&[random, share::<C>().to_bytes().expose()])
}

fn share<C: Group>() -> SecretScalar<C> {
    SecretScalar::new(C::Scalar::from(7))
}

/// More of the stack than is cleared.
#[inline(never)]
fn too_deep<const BYTES: usize>(secret: &[u8; 32]) {
    let mut large = [secret[0] | 1; BYTES];
    black_box(&mut large);
}

#[inline(never)]
fn on_stack(secret: &[u8; 32]) {
    let mut copy = [0; 32];
    copy.copy_from_slice(black_box(secret));
    black_box(&mut copy);
}

/// Runs all controls. Each must leave something.
pub fn all() -> Vec<Control> {
    let mut controls = Vec::new();
    let mut control = |name, what: Option<&str>, work: &dyn Fn(&[u8; 32])| {
        let report = Report::of("control", |r| {
            if r.pass == Pass::Learn {
                hedged(&share::<Ed25519>());
                hedged(&share::<Secp256k1>());
            }
            let mut secret = Zeroizing::new([0; 32]);
            Recording::new(1).fill_bytes(secret.as_mut());
            if r.pass == Pass::Learn {
                Needles::watch("a control", secret.as_ref());
                Needles::watch_scalar::<Ed25519>("a control", &ed25519(&secret));
                Needles::watch_scalar::<Secp256k1>("a control", &secp256k1(&secret));
            }
            r.entry("control", || work(&secret));
        });
        let count = |hits: &BTreeMap<Hit, usize>| -> usize {
            let hits = hits.iter().filter(|(hit, _)| what.is_none_or(|what| hit.what == what));
            hits.map(|(_, times)| times).sum()
        };
        controls.push(Control {
            name,
            freed: report.lines.values().map(|line| count(&line.freed)).sum(),
            dead: report.lines.values().map(|line| count(&line.dead)).sum(),
            below: report.lines.values().map(|line| line.below).sum(),
        });
    };
    control("a Vec<u8> that is not wiped", None, &|secret| drop(black_box(secret.to_vec())));
    control("a boxed scalar that is not wiped", None, &|secret| drop(black_box(Box::new(secp256k1(secret)))));
    control("a wiped Vec that had grown", None, &|secret| {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32));
        bytes.extend_from_slice(secret);
        bytes.extend_from_slice(black_box(&[1; 32]));
    });
    control("bytes in the other order", None, &|secret| {
        let mut bytes = *secret;
        bytes.reverse();
        drop(black_box(bytes.to_vec()));
    });
    control("an array on the stack", None, &on_stack);
    control("a scalar multiplication on secp256k1", None, &|secret| {
        _ = black_box(Secp256k1::mul_base(&secp256k1(secret)))
    });
    control("a product of scalars on Ed25519", None, &|secret| {
        let scalar = ed25519(secret);
        _ = black_box(scalar * scalar);
    });
    let nonces = Some(FROST_NONCE);
    control("a boxed FROST nonce on Ed25519", nonces, &|secret| drop(black_box(Box::new(nonce::<Ed25519>(secret)))));
    control("a boxed FROST nonce on secp256k1", nonces, &|secret| {
        drop(black_box(Box::new(nonce::<Secp256k1>(secret))))
    });
    let nothing = Some("nothing");
    control("a frame below what is cleared", nothing, &|secret| {
        on_cleared_stack(|| too_deep::<{ 160 * 1024 }>(secret))
    });
    control("a frame below what filing clears", nothing, &|secret| {
        file_on_cleared_stack(|| too_deep::<{ 48 * 1024 }>(secret));
    });
    controls
}

fn secp256k1(secret: &[u8; 32]) -> <Secp256k1 as Group>::Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    wide[32..].copy_from_slice(secret);
    Secp256k1::scalar_from_wide(&wide)
}

fn ed25519(secret: &[u8; 32]) -> <Ed25519 as Group>::Scalar {
    let mut wide = Zeroizing::new([0; 64]);
    wide[..32].copy_from_slice(secret);
    Ed25519::scalar_from_wide(&wide)
}
