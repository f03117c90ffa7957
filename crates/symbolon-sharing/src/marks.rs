//! What happened to a key that its owner must know (safety.md S10).

use symbolon_core::wire::DecodeError;

/// Marks of a key. They only ever get added.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
#[allow(clippy::struct_excessive_bools, reason = "three independent facts")]
#[non_exhaustive]
pub struct Marks {
    /// The key was made elsewhere: somebody may hold it whole.
    pub imported: bool,
    /// A share of it was exported.
    pub exported: bool,
    /// The multiplicative factors were kept beside the additive shares.
    pub factor_kept: bool,
}

impl Marks {
    /// What either has.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self {
            imported: self.imported || other.imported,
            exported: self.exported || other.exported,
            factor_kept: self.factor_kept || other.factor_kept,
        }
    }

    /// One byte.
    #[must_use]
    pub fn to_byte(self) -> u8 {
        u8::from(self.imported) | u8::from(self.exported) << 1 | u8::from(self.factor_kept) << 2
    }

    /// # Errors
    /// [`DecodeError::Value`] for an unknown mark.
    pub const fn from_byte(byte: u8) -> Result<Self, DecodeError> {
        if byte > 7 {
            return Err(DecodeError::Value);
        }
        Ok(Self { imported: byte & 1 != 0, exported: byte & 2 != 0, factor_kept: byte & 4 != 0 })
    }
}
