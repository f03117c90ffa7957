//! The extended private key of BIP-32: what other wallets import to leave with every derived address.

use alloc::string::String;
use sha2::{Digest, Sha256};
use symbolon_core::{Secp256k1, SecretScalar, on_cleared_stack};
use zeroize::Zeroizing;

/// Version (mainnet, private), depth, parent's fingerprint, child number: those of a root.
const ROOT: [u8; 13] = [0x04, 0x88, 0xad, 0xe4, 0, 0, 0, 0, 0, 0, 0, 0, 0];

/// `xprv...` of a key and its chain code, as a root (BIP-32, serialization format).
///
/// # Security
/// It is the whole key, and with the chain code every non-hardened child. The other way round too: one such child's private key
/// together with the chain code, which every holder has, gives away the root. Whoever wants to hand out a child alone cannot.
#[must_use]
pub fn xprv(secret: &SecretScalar<Secp256k1>, chain_code: &[u8; 32]) -> Zeroizing<String> {
    on_cleared_stack(|| {
        let mut bytes = Zeroizing::new([0; 82]);
        let key = secret.to_bytes();
        let parts = ROOT.iter().chain(chain_code).chain(&[0]).chain(key.expose());
        bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = *from);
        let (content, checksum) = bytes.split_at_mut(78);
        let hash = Sha256::digest(Sha256::digest(content));
        checksum.iter_mut().zip(hash).for_each(|(to, from)| *to = from);
        // 82 bytes are at most 113 characters; reserved, so that no copy stays behind when the text grows
        let mut text = Zeroizing::new([0; 128]);
        let len = bs58::encode(bytes.as_slice()).onto(text.as_mut_slice()).unwrap_or(0);
        let mut string = Zeroizing::new(String::with_capacity(text.len()));
        text.iter().take(len).for_each(|byte| string.push(char::from(*byte)));
        string
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_core::Group;

    // test vector 1 of BIP-32: its root
    #[test]
    fn the_root_of_bip_32() {
        let key = hex::decode("e8f32e723decf4051aefac8e2c93c9c5b214313817cdb01a1494b917c8436b35").unwrap();
        let code = hex::decode("873dff81c02f525623fd1fe5167eac3a55a049de3d314bb42ee227ffed37d508").unwrap();
        let key = Secp256k1::scalar_from_bytes(&key.try_into().unwrap()).unwrap();
        let text = xprv(&SecretScalar::new(key), &code.try_into().unwrap());
        assert_eq!(
            *text,
            "xprv9s21ZrQH143K3QTDL4LXw2F7HEK3wJUD2nW2nRk4stbPy6cq3jPPqjiChkVvvNKmPGJxWUtg6LnF5kejMRNNU3TGtRBeJgk33yuGBxrMPHi"
        );
    }
}
