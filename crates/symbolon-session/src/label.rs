//! The caller's own name for a run.

use alloc::vec::Vec;
use symbolon_core::{LabelTag, Transcript};

/// 1 to 256 bytes that the application knows the run by. Both sides pass the same label. Reusing one is harmless: the
/// freshness of a run comes from nonces drawn inside the library.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub struct Label(Vec<u8>);

/// A label was empty or too long.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a label has 1 to 256 bytes, this one has {0}")]
pub struct LabelError(usize);

impl Label {
    /// The longest label.
    pub const MAX: usize = 256;

    /// # Errors
    /// Unless `1 <= len <= 256`.
    pub fn new(label: impl AsRef<[u8]>) -> Result<Self, LabelError> {
        let label = label.as_ref();
        match label.len() {
            1..=Self::MAX => Ok(Self(label.to_vec())),
            len => Err(LabelError(len)),
        }
    }

    /// The bytes.
    #[must_use]
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// What frames carry of it: `T("label", label)[..16]`.
    #[must_use]
    pub fn tag(&self) -> LabelTag {
        LabelTag::truncate(&Transcript::new("session", "label").part(&self.0).finish())
    }
}
