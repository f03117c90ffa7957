//! The official vector of this suite, from `test-vectors.json` that RFC 9180 names (draft-irtf-cfrg-hpke, commit 5f503c5):
//! mode 0, KEM 0x0020, KDF 0x0001, AEAD 0x0002, first encryption. The RFC's own appendix has this KEM with other AEADs
//! only; from its A.1.1 come two more key pairs.

use super::*;
use core::convert::Infallible;
use curve25519_dalek::{MontgomeryPoint, constants::EIGHT_TORSION, traits::IsIdentity};
use rand_core::TryRng;

/// Draws exactly what a vector says, once.
pub(crate) struct Fixed<const N: usize>(pub(crate) Option<[u8; N]>);

impl<const N: usize> TryRng for Fixed<N> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        unreachable!("the ephemeral key is drawn as bytes")
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        unreachable!("the ephemeral key is drawn as bytes")
    }

    fn try_fill_bytes(&mut self, dst: &mut [u8]) -> Result<(), Infallible> {
        dst.copy_from_slice(&self.0.take().unwrap());
        Ok(())
    }
}

impl<const N: usize> TryCryptoRng for Fixed<N> {}

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex).unwrap()
}

fn array(hex: &str) -> [u8; 32] {
    bytes(hex).try_into().unwrap()
}

const IKM_E: &str = "2cd7c601cefb3d42a62b04b7a9041494c06c7843818e0ce28a8f704ae7ab20f9";
const IKM_R: &str = "dac33b0e9db1b59dbbea58d59a14e7b5896e9bdf98fad6891e99d1686492b9ee";
const SK_R: &str = "497b4502664cfea5d5af0b39934dac72242a74f8480451e1aee7d6a53320333d";
const PK_R: &str = "430f4b9859665145a6b1ba274024487bd66f03a2dd577d7753c68d7d7d00c00c";
const ENC: &str = "6c93e09869df3402d7bf231bf540fadd35cd56be14f97178f0954db94b7fc256";
const INFO: &[u8] = b"Ode on a Grecian Urn";
const AAD: &[u8] = b"Count-0";
const PLAINTEXT: &[u8] = b"Beauty is truth, truth beauty";
const CIPHERTEXT: &str = "e5d84cd531cfb583096e7cfa9641bd3079cf3a91cda813c52deb5f512be9931980a41de125a925cdad859d5b7a";

#[test]
fn the_official_vector_is_sealed() {
    let recipient = DevicePublicKey::from_bytes(array(PK_R)).unwrap();
    let sealed = seal(&recipient, INFO, AAD, PLAINTEXT, &mut Fixed(Some(array(IKM_E)))).unwrap();
    assert_eq!(hex::encode(sealed.encapsulation()), ENC);
    assert_eq!(hex::encode(sealed.ciphertext()), CIPHERTEXT);
}

#[test]
fn the_official_vector_opens() {
    let sealed = Sealed::to_device_from_parts(array(ENC), bytes(CIPHERTEXT)).unwrap();
    for key in
        [DeviceKey::derive(&SecretBytes::new(array(IKM_R))), DeviceKey::from_bytes(&SecretBytes::new(array(SK_R)))]
    {
        assert_eq!(*key.public().as_bytes(), array(PK_R));
        assert_eq!(*open_with_device(&key, INFO, AAD, &sealed).unwrap(), PLAINTEXT);
        assert_eq!(open_with_device(&key, INFO, b"Count-1", &sealed), Err(OpenError::Refused));
        assert_eq!(open_with_device(&key, b"", AAD, &sealed), Err(OpenError::Refused));
    }
}

#[test]
fn derive_key_pair_as_in_the_rfc() {
    for (ikm, public) in [
        // A.1.1, ephemeral and recipient
        (
            "7268600d403fce431561aef583ee1613527cff655c1343f29812e66706df3234",
            "37fda3567bdbd628e88668c3c8d7e97d1d1253b6d4ea6d44c150f741f1bf4431",
        ),
        (
            "6db9df30aa07dd42ee5e8181afdb977e538f5e1fec8a06223f33f7013e525037",
            "3948cfe0ad1ddb695d780e59077195da6c56506b027329794ab02bca80815c4d",
        ),
    ] {
        let key = DeviceKey::derive(&SecretBytes::new(array(ikm)));
        assert_eq!(*key.public().as_bytes(), array(public));
        let stored = DeviceKey::from_bytes(&key.to_bytes());
        assert_eq!(*stored.public().as_bytes(), array(public));
    }
}

// RFC 7748, section 6.1: Alice's key pair
#[test]
fn stored_keys_are_clamped() {
    let private = array("77076d0a7318a57d3c16c17251b26645df4c2f87ebc0992ab177fba51db92c2a");
    let key = DeviceKey::from_bytes(&SecretBytes::new(private));
    assert_eq!(hex::encode(key.public()), "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a");
    let mut unclamped = *key.to_bytes().expose();
    unclamped[0] |= 7;
    unclamped[31] ^= 0xc0;
    let again = DeviceKey::from_bytes(&SecretBytes::new(unclamped));
    assert_eq!(again.public(), key.public());
    assert_eq!(again.to_bytes().expose(), key.to_bytes().expose());
}

// attacks.md row 42, behind the decoder: a shared secret of zero ends both sides, even where the rest of the computation
// would succeed for everybody
#[test]
fn row_42_a_shared_secret_of_zero_is_refused() {
    let key = DeviceKey::derive(&SecretBytes::new([1; 32]));
    for low in [0, 1] {
        let mut u = [0; 32];
        u[0] = low;
        let refused = seal(&DevicePublicKey(u), INFO, AAD, PLAINTEXT, &mut Fixed(Some([2; 32])));
        assert_eq!(refused, Err(SealError::Recipient));
        let forged = Sealed::for_device(u, forge(&[0; 32], &u, key.public().as_bytes()));
        assert_eq!(open_with_device(&key, INFO, AAD, &forged), Err(OpenError::Refused));
    }
    // the forger's computation is HPKE's: with the shared secret of the vector it gives the vector
    let e = MontgomeryPoint(array(PK_R))
        .mul_clamped(*DeviceKey::derive(&SecretBytes::new(array(IKM_E))).to_bytes().expose());
    assert_eq!(hex::encode(forge(&e.0, &array(ENC), &array(PK_R))), CIPHERTEXT);
}

/// RFC 9180, sections 4, 4.1 and 5.1, read slowly: the ciphertext of the vector's message under a known `dh`.
fn forge(dh: &[u8], enc: &[u8], recipient: &[u8]) -> Vec<u8> {
    use aes_gcm::{
        Aes256Gcm, KeyInit, Nonce,
        aead::{Aead, Payload},
    };
    use hkdf::Hkdf;
    use sha2::Sha256;
    let extract = |suite: &[u8], salt: &[u8], label: &[u8], ikm: &[u8]| {
        Hkdf::<Sha256>::extract(Some(salt), &[b"HPKE-v1", suite, label, ikm].concat()).0.to_vec()
    };
    let expand = |suite: &[u8], prk: &[u8], label: &[u8], info: &[u8], len: u8| {
        let mut out = alloc::vec![0; len.into()];
        let info = [&[0, len], b"HPKE-v1".as_slice(), suite, label, info].concat();
        Hkdf::<Sha256>::from_prk(prk).unwrap().expand(&info, &mut out).unwrap();
        out
    };
    let kem = [b"KEM".as_slice(), &[0, 0x20]].concat();
    let suite = [b"HPKE".as_slice(), &[0, 0x20, 0, 1, 0, 2]].concat();
    let eae_prk = extract(&kem, b"", b"eae_prk", dh);
    let shared = expand(&kem, &eae_prk, b"shared_secret", &[enc, recipient].concat(), 32);
    let psk_id_hash = extract(&suite, b"", b"psk_id_hash", b"");
    let info_hash = extract(&suite, b"", b"info_hash", INFO);
    let context = [&[0][..], &psk_id_hash, &info_hash].concat();
    let secret = extract(&suite, &shared, b"secret", b"");
    let key = expand(&suite, &secret, b"key", &context, 32);
    let nonce = expand(&suite, &secret, b"base_nonce", &context, 12);
    Aes256Gcm::new_from_slice(&key)
        .unwrap()
        .encrypt(&Nonce::try_from(nonce.as_slice()).unwrap(), Payload { msg: PLAINTEXT, aad: AAD })
        .unwrap()
}

/// A clamped scalar is a multiple of 8, which takes the points of low order to zero, and no others. Those of the curve are the images of
/// the torsion points of Ed25519; the twist has 0 and -1 besides, of the same coordinates as the curve or not.
#[test]
fn low_order_is_what_a_clamped_zero_takes_to_zero() {
    // 2^254
    let zero = |u: &[u8; 32]| MontgomeryPoint(*u).mul_clamped([0; 32]).is_identity();
    for u in &LOW_ORDER {
        assert!(zero(u), "{u:?}");
        assert_eq!(DevicePublicKey::from_bytes(*u), Err(DecodeError::Point));
    }
    for point in EIGHT_TORSION {
        assert!(LOW_ORDER.contains(&point.to_montgomery().to_bytes()), "{point:?}");
    }
    let mut coordinates: Vec<[u8; 32]> =
        (0..=255).map(|low| core::array::from_fn(|i| if i == 0 { low } else { 0 })).collect();
    coordinates.extend(
        (0..=255).map(|low| core::array::from_fn(|i| [low, 0xff, 0x7f][usize::from(i > 0) + usize::from(i == 31)])),
    );
    let mut rng = symbolon_testkit::seeded(8);
    coordinates.extend((0..500).map(|_| *DeviceKey::generate(&mut rng).unwrap().public().as_bytes()));
    let mut low = 0;
    for u in coordinates {
        let reduced = u[31] < 0x7f || u[31] == 0x7f && (u[0] < 0xed || u[1..31] != [0xff; 30]);
        assert_eq!(DevicePublicKey::from_bytes(u).is_ok(), reduced && !zero(&u), "{u:?}");
        low += u32::from(reduced && zero(&u));
    }
    assert_eq!(low, 3, "0, 1, -1");
}
