//! Nonces are as random as numbers of their kind are: the secrets themselves, since the encoding of `k*G` looks uniform for any `k`.

use crate::*;
use alloc::{collections::BTreeSet, vec::Vec};
use symbolon_core::{
    Ed25519, Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SeedRng, SharingId, Threshold,
};
use symbolon_session::Identity;
use symbolon_sharing::{KeyShare, Marks, Member, Parts, Scheme};
use symbolon_testkit::{
    chi_square::{ALARM, coin, histogram, seed, uniform},
    seeded,
};

/// Bits of a scalar that are uniform, and the byte with the highest of them: the order of Ed25519 is a little above 2^252, and
/// scalars of that curve are written from the lowest byte.
fn shape<C: Ciphersuite>() -> (usize, usize) {
    if C::ID == Secp256k1::ID { (256, 0) } else { (252, 31) }
}

/// How well scalars fit: all bytes that are uniform together, and each bit by itself, of which the worst may be as far out as comes
/// once in so many times.
fn fit<C: Ciphersuite>(scalars: &[[u8; 32]]) -> f64 {
    let (bits, top) = shape::<C>();
    let count = u32::try_from(scalars.len()).unwrap();
    let ones = |at: usize| scalars.iter().map(|bytes| u32::from(bytes[at / 8] >> (at % 8) & 1)).sum();
    let worst = (0..bits).map(|at| 256.0 * coin(ones(at), count)).fold(1.0, f64::min);
    let whole = |bytes: &[u8; 32]| if top == 0 { bytes.to_vec() } else { bytes[..top].to_vec() };
    worst.min(uniform(&histogram(&scalars.iter().flat_map(whole).collect::<Vec<_>>())))
}

/// A name, and what it does to a nonce.
type Bias<'a> = (&'a str, &'a dyn Fn(&mut [u8; 32]));

/// Nonces are accepted; the same with a bias are not, so that one would be noticed.
fn accept<C: Ciphersuite>(what: &str, nonces: &[[u8; 32]]) {
    assert!(
        nonces.len() >= 512 && nonces.iter().collect::<BTreeSet<_>>().len() == nonces.len(),
        "{what}: no nonce twice"
    );
    let fits = fit::<C>(nonces);
    assert!(fits > ALARM, "{what}: as far out as this comes once in {:.0} times", 1.0 / fits);
    let (bits, top) = shape::<C>();
    let (highest, low) = (1u8 << ((bits - 1) % 8), 31 - top);
    let biases: [Bias<'_>; 6] = [
        ("128 bits", &|k| if top == 0 { k[..16].fill(0) } else { k[16..].fill(0) }),
        ("the highest byte", &|k| k[top] = 0x7a),
        ("the lowest byte", &|k| k[low] = 0x7a),
        ("the highest bit", &|k| k[top] &= !highest),
        ("the lowest bit", &|k| k[low] |= 1),
        ("the highest bit, three times in four", &|k| k[top] &= if k[low] & 1 == 0 { !highest } else { 0xff }),
    ];
    for (bias, change) in biases {
        let mut biased = nonces.to_vec();
        biased.iter_mut().for_each(change);
        assert!(fit::<C>(&biased) < ALARM, "{what}: {bias} would go unnoticed");
    }
}

/// Shares of one key for two parties.
fn share<C: Ciphersuite>(from: u64) -> KeyShare<C> {
    let [a0, a1] = [C::random_scalar(&mut seeded(from)), C::random_scalar(&mut seeded(from + 1))];
    let ids = [1, 2].map(|id| PartyId::new(id).unwrap());
    let name = |id| Identity::name(if id == ids[0] { "one" } else { "two" });
    let x = |id: PartyId| a0 + a1 * C::Scalar::from(u64::from(id.get()));
    let member = |id: PartyId| Member { id, identity: name(id), public_share: C::mul_base(&x(id)) };
    let share = KeyShare::new(Parts {
        scheme: Scheme::Frost,
        key_id: KeyId::from_bytes([1; 16]),
        sharing_id: SharingId::from_bytes([2; 16]),
        epoch: 0,
        members: ids.map(member).into(),
        threshold: Threshold::TWO,
        me: ids[0],
        x: SecretScalar::new(x(ids[0])),
        public_key: C::mul_base(&a0),
        chain_code: [4; 32],
        marks: Marks::default(),
    });
    share.unwrap()
}

/// `hiding` and `binding` of every way to make nonces, under one share.
fn nonces<C: Ciphersuite>(from: u64) {
    let share = share::<C>(from);
    let mut rng = SeedRng::new(SecretBytes::random(&mut seeded(from)).expose());
    let ways = [
        ("generate", (0..512).map(|_| Nonces::generate(&share, &mut rng).unwrap()).collect::<Vec<_>>()),
        ("draw", (0..512).map(|_| Nonces::draw(share.secret(), &mut rng)).collect()),
        ("batch", Nonces::batch(share.secret(), 512, &mut rng)),
    ];
    for (way, nonces) in ways {
        let bytes = |of: fn(&Nonces<C>) -> &SecretScalar<C>| -> Vec<[u8; 32]> {
            nonces.iter().map(|nonces| C::scalar_to_bytes(of(nonces).expose())).collect()
        };
        accept::<C>(&alloc::format!("{}: hiding, {way}", C::NAME), &bytes(|nonces| &nonces.hiding));
        accept::<C>(&alloc::format!("{}: binding, {way}", C::NAME), &bytes(|nonces| &nonces.binding));
    }
}

#[test]
fn row_56_nonces_of_frost() {
    nonces::<Ed25519>(seed(810_000));
    nonces::<Secp256k1>(seed(820_000));
}
