//! What must be found: a check that finds none of these finds nothing.

use crate::{
    Needles,
    report::{Pass, Report},
    secrets::Recording,
};
use core::hint::black_box;
use rand_core::Rng;
use symbolon_core::{Ed25519, Group, Secp256k1};
use zeroize::Zeroizing;

/// One control.
pub struct Control {
    /// What was left.
    pub name: &'static str,
    /// Windows in freed blocks.
    pub freed: usize,
    /// Windows on the dead stack.
    pub dead: usize,
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
    let mut control = |name, work: &dyn Fn(&[u8; 32])| {
        let report = Report::of("control", |r| {
            let mut secret = Zeroizing::new([0; 32]);
            Recording::new(1).fill_bytes(secret.as_mut());
            if r.pass == Pass::Learn {
                Needles::watch("a control", secret.as_ref());
                Needles::watch_scalar::<Ed25519>("a control", &ed25519(&secret));
                Needles::watch_scalar::<Secp256k1>("a control", &secp256k1(&secret));
            }
            r.entry("control", || work(&secret));
        });
        let of = |hits: fn(&crate::report::Line) -> usize| report.lines.values().map(hits).sum();
        controls.push(Control {
            name,
            freed: of(|line| line.freed.values().sum()),
            dead: of(|line| line.dead.values().sum()),
        });
    };
    control("a Vec<u8> that is not wiped", &|secret| drop(black_box(secret.to_vec())));
    control("a boxed scalar that is not wiped", &|secret| drop(black_box(Box::new(secp256k1(secret)))));
    control("a wiped Vec that had grown", &|secret| {
        let mut bytes = Zeroizing::new(Vec::with_capacity(32));
        bytes.extend_from_slice(secret);
        bytes.extend_from_slice(black_box(&[1; 32]));
    });
    control("bytes in the other order", &|secret| {
        let mut bytes = *secret;
        bytes.reverse();
        drop(black_box(bytes.to_vec()));
    });
    control("an array on the stack", &on_stack);
    control("a scalar multiplication on secp256k1", &|secret| _ = black_box(Secp256k1::mul_base(&secp256k1(secret))));
    control("a product of scalars on Ed25519", &|secret| {
        let scalar = ed25519(secret);
        _ = black_box(scalar * scalar);
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
