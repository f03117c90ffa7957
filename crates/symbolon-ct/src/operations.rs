//! The operations on secrets that protocol steps are made of, one by one.

use crate::{
    memcheck::declassify,
    run::{Secret, Table},
};
use rand_core::Rng;
use subtle::ConstantTimeEq;
use symbolon::{LongTerm, Storable, StorageKey};
use symbolon_core::{
    Ed25519, Encoded, FixedBase, Group, PartyId, Secp256k1, SecretBytes, SecretScalar, Sid, Threshold, Transcript,
};
use symbolon_proofs::{BatchProof, Commitment, DleqProof, SchnorrProof};
use symbolon_sharing::{combine, split};

/// Runs all operations.
pub fn all(table: &mut Table) {
    group::<Secp256k1>(table);
    group::<Ed25519>(table);
    secp256k1(table);
    proofs::<Secp256k1>(table);
    proofs::<Ed25519>(table);
    sharing::<Secp256k1>(table);
    sharing::<Ed25519>(table);
    bytes(table);
    dero(table);
}

fn group<G: Group>(table: &mut Table) {
    let rng = &mut Secret::new(10 + u64::from(G::ID));
    let name = |what: &str| format!("{}: {what}", G::NAME);
    let k = table.step(name("random_scalar"), || G::random_scalar(rng));
    let l = table.step(name("random_scalar"), || G::random_scalar(rng));
    let p = table.step(name("mul_base"), || G::mul_base(&k));
    table.step(name("mul"), || G::mul(&G::generator(), &k));
    table.step(name("mul of a secret point"), || G::mul(&p, &l));
    table.step(name("mul_base_add"), || G::mul_base_add(&k, &p, &l));
    table.step(name("add, sub, mul, neg"), || (k + l) * (k - l) - -k);
    table.step(name("invert"), || G::invert(&k));
    let bytes = table.step(name("scalar_to_bytes"), || G::scalar_to_bytes(&k));
    table.step(name("scalar_from_bytes"), || G::scalar_from_bytes(&bytes).ok());
    table.step(name("point_to_bytes"), || G::point_to_bytes(&p));
    table.step(name("points_to_bytes"), || G::points_to_bytes(&[p, G::generator(), G::mul_base(&l)]));
    table.step(name("comparison of scalars"), || k.ct_eq(&l));
    table.step(name("comparison of points"), || p.ct_eq(&G::generator()));
    table.step(name("SecretScalar: public, to_bytes, comparison"), || {
        let (x, y) = (SecretScalar::<G>::new(k), SecretScalar::<G>::new(l));
        (x.public(), x.to_bytes(), x.ct_eq(&y))
    });
}

fn dero(table: &mut Table) {
    let rng = &mut Secret::new(70);
    let mut key = [0; 32];
    rng.fill_bytes(&mut key);
    // below the order
    key[0] &= 0x1f;
    let key = table.step("DERO: SecretKey::from_bytes", || symbolon_dero::SecretKey::from_bytes(&key));
    let key = key.expect("in range");
    table.step("DERO: sign", || key.sign(symbolon_dero::Network::Mainnet, *b"a message", rng).is_ok());
}

fn secp256k1(table: &mut Table) {
    let rng = &mut Secret::new(20);
    let k = Secp256k1::random_scalar(rng);
    let p = Secp256k1::mul_base(&k);
    table.step("secp256k1: secret_point_bytes", || Secp256k1::secret_point_bytes(&p));
    table.step("secp256k1: secret_points_bytes", || Secp256k1::secret_points_bytes(&[p, p + p]));
    let base = table.step("secp256k1: FixedBase::new of a secret point", || FixedBase::new(&p));
    table.step("secp256k1: FixedBase::mul", || base.mul(&k));
}

fn proofs<G: Group>(table: &mut Table) {
    let rng = &mut Secret::new(30 + u64::from(G::ID));
    let context = Transcript::new("ct", "proof");
    let (x, y) = (SecretScalar::<G>::random(rng), SecretScalar::<G>::random(rng));
    let (big_x, big_y) = (x.public(), y.public());
    let statement = Encoded::new(big_x);
    let name = |what: &str| format!("{}: {what}", G::NAME);
    table.step(name("SchnorrProof::prove"), || SchnorrProof::prove(&context, &x, &statement, rng));
    table.step(name("SchnorrProof::publish"), || SchnorrProof::publish(&context, &x, rng));
    table.step(name("BatchProof::prove"), || BatchProof::prove(&context, &[&x, &y], &[big_x, big_y], rng).is_ok());
    let big_h = G::generator() + G::generator();
    table.step(name("DleqProof::prove"), || DleqProof::prove(&context, &x, &big_x, &big_h, &big_y, rng));
}

fn sharing<G: Group>(table: &mut Table) {
    let rng = &mut Secret::new(40 + u64::from(G::ID));
    let secret = SecretScalar::<G>::random(rng);
    let indices = [1, 2, 3, 4, 5].map(G::Scalar::from);
    let threshold = Threshold::new(3, 5).expect("3 of 5");
    let name = |what: &str| format!("{}: {what}", G::NAME);
    let (shares, commitments) = table
        .step(name("Shamir split"), || split(&secret, threshold, &indices, rng))
        .expect("a secret that is not zero");
    table.step(name("Shamir combine"), || combine(&shares[..3], &commitments).is_ok());
}

fn bytes(table: &mut Table) {
    let rng = &mut Secret::new(50);
    let sid = Sid::from_bytes([1; 32]);
    let value = SecretBytes::<32>::random(rng);
    let (com, opening) =
        table.step("Commitment::commit", || Commitment::commit("ct", &sid, PartyId::SERVER, value.expose(), rng));
    table.step("Commitment::verify", || com.verify("ct", &sid, PartyId::SERVER, value.expose(), &opening).is_ok());
    table.step("comparison of secret bytes", || value.ct_eq(&SecretBytes::new([2; 32])));
    let key = StorageKey::new(value);
    let mut plaintext = [0; 100];
    rng.fill_bytes(&mut plaintext);
    let sealed = table.step("StorageKey::seal", || key.seal(b"ct test\0", &plaintext, rng));
    let mut sealed = sealed.expect("the generator works");
    declassify(&mut sealed);
    table.step("StorageKey::open", || key.open(b"ct test\0", &sealed).is_ok());
}

/// What is stored of a secret: its encoding and its digest.
pub fn stored<T: Storable + LongTerm>(table: &mut Table, name: &str, value: &T) {
    table.step(format!("{name}: encode"), || value.to_secret_bytes());
    table.step(format!("{name}: digest"), || value.digest());
}
