//! `substrate-bn`, the other library of this curve: an independent verification of what this crate signs, and its four traps, for
//! whoever moves to it.

use bn::{AffineG1, Fq, Fr, G1, Group, arith::U256};
use proptest::prelude::*;
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use rand_core::{TryCryptoRng, TryRng};
use sha3::{Digest, Keccak256};
use symbolon_dero::{Address, Network, PublicKey, SecretKey, SignatureError, SignedMessage};

const P: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
const N: &str = "30644e72e131a029b85045b68181585d2833e84879b9709143e1f593f0000001";
const G_X: &str = "02eacfbf92b94015c9b0b3d901dae37ec68f74dea7e4484c76d505aade4ad7c0";
const G_Y: &str = "1bb19d0d6bfcd78fc21da8d68dff1e8441cfa73d66cab25bb0315cf6d6433b5d";

fn bytes(hex: &str) -> [u8; 32] {
    hex::decode(format!("{hex:0>64}")).unwrap().try_into().unwrap()
}

/// A point by its coordinates: what avoids two of the traps.
fn point(x: &str, y: &str) -> G1 {
    AffineG1::new(Fq::from_slice(&bytes(x)).unwrap(), Fq::from_slice(&bytes(y)).unwrap()).unwrap().into()
}

/// The number that a scalar is: what avoids a third.
fn number(scalar: Fr) -> [u8; 32] {
    let mut bytes = [0; 32];
    scalar.into_u256().to_big_endian(&mut bytes).unwrap();
    bytes
}

fn text(point: G1) -> String {
    let affine = AffineG1::from_jacobian(point).expect("not the identity");
    let hex = |coordinate: Fq| {
        let mut bytes = [0; 32];
        coordinate.to_big_endian(&mut bytes).unwrap();
        hex::encode(bytes)
    };
    format!("bn256.G1({}, {})", hex(affine.x()), hex(affine.y()))
}

/// Verification by the book: the lines of the text, two multiplications, one hash.
fn verifies(pem: &str, message: &[u8]) -> bool {
    let field = |name: &str| pem.lines().find_map(|line| line.strip_prefix(name)).unwrap();
    let (c, s) = (bytes(field("C: ")), bytes(field("S: ")));
    let key = Address::parse(field("Address: ")).unwrap().key().to_bytes();
    let x = Fq::from_slice(&key[..32]).unwrap();
    let y = (x * x * x + G1::b()).sqrt().unwrap();
    let is_larger = |y: Fq| y.into_u256() > (-y).into_u256();
    let y = if is_larger(y) == (key[32] == 1) { y } else { -y };
    let p: G1 = AffineG1::new(x, y).unwrap().into();
    let r = point(G_X, G_Y) * Fr::from_slice(&s).unwrap() - p * Fr::from_slice(&c).unwrap();
    let input = format!("{}{}{}", text(p), text(r), hex::encode(message));
    number(Fr::from_slice(&Keccak256::digest(input)).unwrap()) == c
}

proptest! {
    #[test]
    fn any_key_signs_any_message(
        secret in any::<[u8; 32]>(),
        message in proptest::collection::vec(any::<u8>(), 1..300),
        is_mainnet in any::<bool>(),
        seed in any::<[u8; 32]>(),
    ) {
        let network = if is_mainnet { Network::Mainnet } else { Network::Testnet };
        let key = SecretKey::from_bytes(&secret);
        let in_range = secret < bytes(N) && secret != [0; 32];
        prop_assert_eq!(key.is_some(), in_range);
        let mut below = secret;
        below[0] &= 0x1f;
        let Some(key) = key.or_else(|| SecretKey::from_bytes(&below)) else { return Ok(()) };
        let signed = key.sign(network, message.clone(), &mut ChaCha12Rng::from_seed(seed)).unwrap();
        let pem = signed.to_pem();
        let verified = SignedMessage::parse(pem.as_bytes(), 4096).unwrap().verify().unwrap();
        prop_assert_eq!(verified.message(), &message);
        prop_assert_eq!(verified.address(), &Address::new(network, *key.public()));
        prop_assert!(verifies(&pem, &message));

        // nobody else's, and of nothing else
        let mut other = message.clone();
        other[0] ^= 1;
        let forged = |from: &str, to: &str| {
            assert!(pem.contains(from));
            SignedMessage::parse(pem.replacen(from, to, 1).as_bytes(), 4096).and_then(SignedMessage::verify)
        };
        let stranger = SecretKey::from_bytes(&[9; 32]).unwrap();
        let addresses = [*key.public(), *stranger.public()].map(|key| Address::new(network, key).to_string());
        prop_assert_eq!(forged(&addresses[0], &addresses[1]), Err(SignatureError::Mismatch));
        prop_assert!(!verifies(&pem, &other));
        let body = pem.lines().skip_while(|line| !line.is_empty()).skip(1).take_while(|line| !line.starts_with('-'));
        let detached = body.fold(pem.clone(), |pem, line| pem.replacen(&format!("\n{line}\n"), "\n", 1));
        let detached = || SignedMessage::parse(detached.as_bytes(), 4096).unwrap();
        prop_assert!(detached().verify_detached(&message).is_ok());
        prop_assert_eq!(detached().verify_detached(&other), Err(SignatureError::Mismatch));
    }
}

// Fr::from_slice takes what is not below the order, and reduces it: a second text of one scalar
#[test]
fn trap_one_scalars_are_reduced() {
    let one_more_than_n = {
        let mut n = bytes(N);
        n[31] += 1;
        n
    };
    assert_eq!(number(Fr::from_slice(&one_more_than_n).unwrap()), bytes("1"));
    // the field's numbers are not: the two differ
    assert!(Fq::from_slice(&bytes(P)).is_err());

    let key = SecretKey::from_bytes(&[1; 32]).unwrap();
    let pem = key.sign(Network::Mainnet, *b"hello", &mut ChaCha12Rng::from_seed([1; 32])).unwrap().to_pem();
    let s = pem.lines().find_map(|line| line.strip_prefix("S: ")).unwrap();
    let mut sum = U256::from_slice(&bytes(s)).unwrap();
    // S + n, still of 32 bytes
    sum.add(&U256::from_slice(&bytes(N)).unwrap(), &U256::from_slice(&[0xff; 32]).unwrap());
    let mut second = [0; 32];
    sum.to_big_endian(&mut second).unwrap();
    let malleated = pem.replacen(&format!("S: {s}"), &format!("S: {}", hex::encode(second).trim_start_matches('0')), 1);
    assert!(malleated != pem && verifies(&malleated, b"hello"), "the other library takes it");
    assert_eq!(SignedMessage::parse(malleated.as_bytes(), 4096), Err(SignatureError::ScalarRange), "this one does not");
}

// Fr::to_big_endian writes the Montgomery form
#[test]
fn trap_two_scalars_print_as_something_else() {
    let mut printed = [0; 32];
    Fr::one().to_big_endian(&mut printed).unwrap();
    assert_ne!(printed, bytes("1"));
    assert_eq!(number(Fr::one()), bytes("1"));
    // the field's numbers print as themselves
    Fq::one().to_big_endian(&mut printed).unwrap();
    assert_eq!(printed, bytes("1"));
}

// G1::one() is the curve's usual generator
#[test]
fn trap_three_another_generator() {
    assert!(G1::one() == point("1", "2") && G1::one() != point(G_X, G_Y));
    let one = SecretKey::from_bytes(&bytes("1")).unwrap();
    assert_eq!(hex::encode(&one.public().to_bytes()[..32]), G_X);
}

// G1::from_compressed has the flag in front, 2 or 3, and by the parity of y
#[test]
fn trap_four_another_compressed_form() {
    let g = PublicKey::from_bytes(&[&bytes(G_X)[..], &[1]].concat());
    let minus_g = PublicKey::from_bytes(&[&bytes(G_X)[..], &[0]].concat());
    let key = *SecretKey::from_bytes(&bytes("1")).unwrap().public();
    assert!((g == Ok(key)) != (minus_g == Ok(key)));
    assert!(G1::from_compressed(&key.to_bytes()).is_err());
    let mut disagree = 0;
    for i in 1..=64u8 {
        let key = *SecretKey::from_bytes(&bytes(&hex::encode([i]))).unwrap().public();
        let ours = key.to_bytes();
        let theirs = G1::from_compressed(&[&[2 + ours[32]][..], &ours[..32]].concat()).unwrap();
        let real = point(G_X, G_Y) * Fr::from_str(&i.to_string()).unwrap();
        disagree += usize::from(theirs != real);
    }
    assert!((1..64).contains(&disagree), "about half of all points: {disagree}");
}

/// Gives zeros for ever.
struct Zeros;

impl TryRng for Zeros {
    type Error = core::convert::Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Self::Error> {
        Ok(0)
    }

    fn try_next_u64(&mut self) -> Result<u64, Self::Error> {
        Ok(0)
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Self::Error> {
        bytes.fill(0);
        Ok(())
    }
}

impl TryCryptoRng for Zeros {}

// k = S - C*x: the same nonce for two messages would give the key away
#[test]
fn a_generator_that_repeats_itself_repeats_no_nonce() {
    let number = |bytes: &[u8; 32]| Fr::from_slice(bytes).unwrap();
    let nonce = |secret: [u8; 32], message: &[u8]| {
        let signed = SecretKey::from_bytes(&secret).unwrap().sign(Network::Mainnet, message, &mut Zeros).unwrap();
        let pem = signed.to_pem();
        let field = |name: &str| number(&bytes(pem.lines().find_map(|line| line.strip_prefix(name)).unwrap()));
        field("S: ") - field("C: ") * number(&secret)
    };
    let nonces = [
        nonce([1; 32], b"one"),
        nonce([1; 32], b"two"),
        nonce([1; 32], b"on"),
        nonce([1; 32], b""),
        nonce([2; 32], b"one"),
    ];
    for (i, k) in nonces.iter().enumerate() {
        assert!(!k.is_zero() && nonces[..i].iter().all(|other| other != k));
    }
    assert!(nonces[0] == nonce([1; 32], b"one"), "one message keeps one: no two equations");
}
