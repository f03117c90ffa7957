//! Passwords of people: normalised, so that every keyboard gives the same bytes.

use alloc::string::String;
use symbolon_core::on_cleared_stack;
use unicode_normalization::UnicodeNormalization;
use unicode_properties::{GeneralCategory, UnicodeGeneralCategory};
use zeroize::{ZeroizeOnDrop, Zeroizing};

/// The most bytes of a password.
const MAX_BYTES: usize = 1024;

/// A password, in the normal form NFKC. Wiped on drop.
///
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_backup::Password>();
/// ```
pub struct Password(Zeroizing<String>);

impl ZeroizeOnDrop for Password {}

/// What a new password must be like.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a caller's policy")]
pub struct PasswordPolicy {
    /// Characters of the normal form, at least.
    pub min_characters: usize,
}

impl Default for PasswordPolicy {
    /// Twelve.
    fn default() -> Self {
        Self { min_characters: 12 }
    }
}

/// Why a text is not taken as a password.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum PasswordError {
    /// Shorter than the policy wants.
    #[error("the password is too short: at least {0} characters")]
    TooShort(usize),
    /// More than 1024 bytes.
    #[error("the password is too long: at most 1024 bytes")]
    TooLong,
    /// A character to which Unicode has not given a meaning yet: a later version may normalise it differently, and the backup would
    /// never open again.
    #[error("the password has a character that is not assigned: leave it out")]
    Unassigned,
}

impl Password {
    /// A password for a new slot.
    ///
    /// # Errors
    /// [`PasswordError`].
    pub fn new(text: &str, policy: &PasswordPolicy) -> Result<Self, PasswordError> {
        on_cleared_stack(|| {
            let password = Self::entered(text)?;
            let unassigned = |c: char| c.general_category() == GeneralCategory::Unassigned;
            if text.chars().any(unassigned) || password.0.chars().any(unassigned) {
                return Err(PasswordError::Unassigned);
            }
            if password.0.chars().count() < policy.min_characters {
                return Err(PasswordError::TooShort(policy.min_characters));
            }
            Ok(password)
        })
    }

    /// A password that opens an existing backup, whatever the policy is today.
    ///
    /// # Errors
    /// [`PasswordError::TooLong`].
    pub fn entered(text: &str) -> Result<Self, PasswordError> {
        on_cleared_stack(|| {
            if text.len() > MAX_BYTES {
                return Err(PasswordError::TooLong);
            }
            // one character becomes at most 18; reserved, so that no copy stays behind when the text grows
            let mut normal = Zeroizing::new(String::with_capacity(MAX_BYTES));
            for c in text.nfkc() {
                if normal.len() + c.len_utf8() > MAX_BYTES {
                    return Err(PasswordError::TooLong);
                }
                normal.push(c);
            }
            Ok(Self(normal))
        })
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_password_whatever_the_keyboard() {
        let bytes = |text: &str| Password::entered(text).ok().unwrap().as_bytes().to_vec();
        // composed and decomposed, full width, a ligature, the Kelvin sign
        for (a, b) in [("pässwörd", "pa\u{308}sswo\u{308}rd"), ("ｐａｓｓ", "pass"), ("ﬁre", "fire"), ("\u{212a}", "K")]
        {
            assert_eq!(bytes(a), bytes(b));
            assert_eq!(bytes(a), b.nfkc().collect::<String>().as_bytes());
        }
        assert_ne!(bytes("Pass"), bytes("pass"));
        assert_ne!(bytes(" pass"), bytes("pass"), "spaces count");
    }

    #[test]
    fn new_passwords_follow_the_policy() {
        let new = |text: &str| Password::new(text, &PasswordPolicy::default()).err();
        assert_eq!(new("twelve chars"), None);
        assert_eq!(new("eleven char"), Some(PasswordError::TooShort(12)));
        assert_eq!(new("żółwżółwżółw"), None, "characters, not bytes");
        assert_eq!(new(""), Some(PasswordError::TooShort(12)));
        assert_eq!(new("twelve char\u{378}"), Some(PasswordError::Unassigned));
        assert_eq!(new(&"x".repeat(1025)), Some(PasswordError::TooLong));
        assert_eq!(new(&"x".repeat(1024)), None);
        // U+FDFA becomes 18 characters
        assert_eq!(new(&"\u{fdfa}".repeat(100)), Some(PasswordError::TooLong));
        let short = PasswordPolicy { min_characters: 4 };
        assert!(Password::new("1234", &short).is_ok() && Password::new("123", &short).is_err());
        assert!(Password::entered("\u{378}").is_ok(), "an old backup may have any");
    }
}
