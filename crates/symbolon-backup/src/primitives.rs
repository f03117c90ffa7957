//! The hashes and the cipher of the formats, each under one name: what the published vectors run through is what backups use.

use aes_gcm::{Aes256Gcm, Key, KeyInit, Nonce, Tag, aead::AeadInOut};
use hkdf::Hkdf;
use hmac::{Hmac, Mac};
use sha2::Sha256;

/// HKDF-SHA-256 (RFC 5869) into `out`. An empty salt is none. `None` if `out` is longer than 8160 bytes.
pub(crate) fn hkdf(salt: &[u8], ikm: &[u8], info: &[u8], out: &mut [u8]) -> Option<()> {
    Hkdf::<Sha256>::new(Some(salt), ikm).expand(info, out).ok()
}

/// HMAC-SHA-256 of `data`, to be finished or verified.
pub(crate) fn hmac(key: &[u8], data: &[u8]) -> Hmac<Sha256> {
    let mut mac = <Hmac<Sha256> as KeyInit>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(data);
    mac
}

/// PBKDF2 with HMAC-SHA-256 (RFC 8018) into `out`. `None` without any iteration.
pub(crate) fn pbkdf2(password: &[u8], salt: &[u8], iterations: u32, out: &mut [u8]) -> Option<()> {
    (iterations > 0).then(|| pbkdf2::pbkdf2_hmac::<Sha256>(password, salt, iterations, out))
}

/// AES-256-GCM with nonces of 96 bits, in place, the tag apart. Wiped on drop.
pub(crate) struct Gcm(Aes256Gcm);

impl Gcm {
    pub(crate) fn new(key: &[u8; 32]) -> Self {
        Self(Aes256Gcm::new(<&Key<Aes256Gcm>>::from(key)))
    }

    /// Encrypts `text`; gives the tag, or `None` beyond 64 GiB.
    pub(crate) fn seal(&self, nonce: &[u8; 12], associated: &[u8], text: &mut [u8]) -> Option<[u8; 16]> {
        self.0.encrypt_inout_detached(&Nonce::from(*nonce), associated, text.into()).ok().map(Into::into)
    }

    /// Decrypts `text`, once the tag has verified; `None`, and `text` as it was, if it does not.
    pub(crate) fn open(&self, nonce: &[u8; 12], associated: &[u8], text: &mut [u8], tag: &[u8; 16]) -> Option<()> {
        self.0.decrypt_inout_detached(&Nonce::from(*nonce), associated, text.into(), &Tag::from(*tag)).ok()
    }
}

/// The vectors of Wycheproof, see testdata/README.md.
#[cfg(test)]
mod tests {
    use super::*;
    use alloc::{vec, vec::Vec};
    use serde_json::Value;

    /// Every vector of a file, with its group; how many are valid and invalid.
    fn each(file: &str, mut check: impl FnMut(&Value, &dyn Fn(&str) -> Vec<u8>, bool)) -> (u32, u32) {
        let file: Value = serde_json::from_str(file).unwrap();
        let (mut valid, mut invalid) = (0, 0);
        for test in file["testGroups"].as_array().unwrap().iter().flat_map(|group| group["tests"].as_array().unwrap()) {
            let bytes = |name: &str| hex::decode(test[name].as_str().unwrap()).unwrap();
            match test["result"].as_str().unwrap() {
                "valid" => valid += 1,
                "invalid" => invalid += 1,
                other => panic!("a result that this test does not know: {other}"),
            }
            check(test, &bytes, test["result"] == "valid");
        }
        assert_eq!(file["numberOfTests"], valid + invalid);
        (valid, invalid)
    }

    #[test]
    fn wycheproof_aes_256_gcm() {
        let counts = each(include_str!("../testdata/aes_gcm_test.json"), |test, bytes, valid| {
            let cipher = Gcm::new(&bytes("key").try_into().unwrap());
            let (nonce, tag): ([u8; 12], [u8; 16]) =
                (bytes("iv").try_into().unwrap(), bytes("tag").try_into().unwrap());
            let (associated, message, ciphertext) = (bytes("aad"), bytes("msg"), bytes("ct"));
            let mut sealed = message.clone();
            let made = cipher.seal(&nonce, &associated, &mut sealed).unwrap();
            assert_eq!(sealed == ciphertext && made == tag, valid, "{test}");
            let mut opened = ciphertext.clone();
            assert_eq!(cipher.open(&nonce, &associated, &mut opened, &tag).is_some(), valid, "{test}");
            assert_eq!(opened, if valid { message } else { ciphertext }, "nothing is decrypted under a wrong tag");
        });
        assert_eq!(counts, (31, 22));
    }

    #[test]
    fn wycheproof_hkdf_sha_256() {
        let counts = each(include_str!("../testdata/hkdf_sha256_test.json"), |test, bytes, valid| {
            let mut out = vec![0; usize::try_from(test["size"].as_u64().unwrap()).unwrap()];
            let done = hkdf(&bytes("salt"), &bytes("ikm"), &bytes("info"), &mut out);
            assert_eq!(done.is_some(), valid, "{test}");
            assert!(!valid || out == bytes("okm"), "{test}");
        });
        assert_eq!(counts, (68, 2));
    }

    // half of the vectors have shortened tags, which no backup has
    #[test]
    fn wycheproof_hmac_sha_256() {
        let counts = each(include_str!("../testdata/hmac_sha256_test.json"), |test, bytes, valid| {
            let (mac, tag) = (hmac(&bytes("key"), &bytes("msg")), bytes("tag"));
            let verified = match <[u8; 32]>::try_from(tag.as_slice()) {
                Ok(tag) => mac.clone().verify(&tag.into()),
                Err(_) => mac.clone().verify_truncated_left(&tag),
            };
            assert_eq!(verified.is_ok(), valid, "{test}");
            assert_eq!(mac.finalize().into_bytes().starts_with(&tag), valid, "{test}");
        });
        assert_eq!(counts, (52, 87));
    }

    #[test]
    fn wycheproof_pbkdf2_hmac_sha_256() {
        let counts = each(include_str!("../testdata/pbkdf2_hmacsha256_test.json"), |test, bytes, valid| {
            let number = |name: &str| test[name].as_u64().unwrap();
            let mut out = vec![0; usize::try_from(number("dkLen")).unwrap()];
            let iterations = u32::try_from(number("iterationCount")).unwrap();
            pbkdf2(&bytes("password"), &bytes("salt"), iterations, &mut out).unwrap();
            assert_eq!(out == bytes("dk"), valid, "{test}");
            assert!(pbkdf2(&bytes("password"), &bytes("salt"), 0, &mut out).is_none());
        });
        assert_eq!(counts, (48, 0));
    }
}
