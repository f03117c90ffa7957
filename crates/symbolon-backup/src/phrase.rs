//! The phrase of a backup: 24 words (BIP-39, English), always made here.

use alloc::string::String;
use bip39::{Language, Mnemonic};
use rand_core::TryCryptoRng;
use symbolon_core::{SecretBytes, on_cleared_stack};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// 24 words that open a backup. They are no wallet: no other program makes an account of them. Wiped on drop.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_backup::Phrase>();
/// ```
pub struct Phrase(SecretBytes<32>);

impl ZeroizeOnDrop for Phrase {}

/// Why words are no phrase.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PhraseError {
    /// Not 24 words.
    #[error("a phrase has 24 words")]
    Count,
    /// A word that is not of the list, by its place from 1 on.
    #[error("word {0} is not one of the list: check its spelling")]
    Word(usize),
    /// The checksum does not fit.
    #[error("the words do not belong together: one of them is another word, or two have changed places")]
    Checksum,
}

impl Phrase {
    /// Fresh words. Show them once, as the words of a backup and not of a wallet.
    ///
    /// # Errors
    /// The generator's.
    pub fn generate<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        on_cleared_stack(|| SecretBytes::try_random(rng).map(Self))
    }

    /// Reads what [`Self::words`] gave. Case and space between words do not matter.
    ///
    /// # Errors
    /// [`PhraseError`].
    pub fn parse(words: &str) -> Result<Self, PhraseError> {
        on_cleared_stack(|| {
            // reserved, so that no copy stays behind when it grows
            let mut text = Zeroizing::new(String::with_capacity(words.len() + 1));
            let mut count = 0usize;
            for word in words.split_whitespace() {
                if count > 0 {
                    text.push(' ');
                }
                word.chars().for_each(|c| text.push(c.to_ascii_lowercase()));
                count += 1;
            }
            if count != 24 {
                return Err(PhraseError::Count);
            }
            let mnemonic = Mnemonic::parse_in_normalized(Language::English, &text).map_err(|error| match error {
                bip39::Error::UnknownWord(at) => PhraseError::Word(at + 1),
                _ => PhraseError::Checksum,
            })?;
            let (bytes, _) = mnemonic.to_entropy_array();
            let bytes = Zeroizing::new(bytes);
            let entropy = bytes.first_chunk().ok_or(PhraseError::Count)?;
            Ok(Self(SecretBytes::new(*entropy)))
        })
    }

    /// The words, to be shown once and written down.
    #[must_use]
    #[allow(clippy::missing_panics_doc, reason = "32 bytes are 24 words")]
    pub fn words(&self) -> Zeroizing<String> {
        on_cleared_stack(|| {
            let mnemonic =
                Mnemonic::from_entropy_in(Language::English, self.0.expose()).expect("32 bytes are 24 words");
            // the longest word has eight letters
            let mut text = Zeroizing::new(String::with_capacity(24 * 9));
            for word in mnemonic.words() {
                if !text.is_empty() {
                    text.push(' ');
                }
                text.push_str(word);
            }
            text
        })
    }

    pub(crate) fn entropy(&self) -> &[u8; 32] {
        self.0.expose()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::string::ToString;

    #[test]
    fn bip_39_vectors() {
        let file: serde_json::Value = serde_json::from_str(include_str!("../testdata/bip39_english.json")).unwrap();
        let mut phrases = 0;
        for v in file["cases"].as_array().unwrap() {
            let (words, entropy) =
                (v["mnemonic"].as_str().unwrap(), hex::decode(v["entropy"].as_str().unwrap()).unwrap());
            match Phrase::parse(words) {
                Ok(phrase) => {
                    assert_eq!(phrase.entropy(), entropy.as_slice());
                    assert_eq!(*phrase.words(), words);
                    let spaced = words.to_uppercase().replace(' ', "\n  ");
                    assert_eq!(Phrase::parse(&spaced).ok().unwrap().entropy(), phrase.entropy());
                    phrases += 1;
                }
                Err(error) => assert!(entropy.len() < 32 && error == PhraseError::Count, "{words}"),
            }
        }
        assert_eq!(phrases, 2);
    }

    #[test]
    fn wrong_words_say_what_is_wrong() {
        let words = Phrase(SecretBytes::new([7; 32])).words().to_string();
        let error = |words: &str| Phrase::parse(words).err();
        assert_eq!(error(&words), None);
        assert_eq!(error(&words.replacen(' ', " abandon ", 1)), Some(PhraseError::Count));
        assert_eq!(error(words.rsplit_once(' ').unwrap().0), Some(PhraseError::Count));
        let mut list: alloc::vec::Vec<_> = words.split(' ').collect();
        let fifth = list[4];
        list[4] = "żółw";
        assert_eq!(error(&list.join(" ")), Some(PhraseError::Word(5)));
        list[4] = if fifth == "zoo" { "abandon" } else { "zoo" };
        assert_eq!(error(&list.join(" ")), Some(PhraseError::Checksum));
    }
}
