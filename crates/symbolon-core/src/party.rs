//! Who takes part, and how many are needed.

use core::{fmt, num::NonZeroU16};

/// A party of a run: `1..=65535`, never zero. Also the index of its share (as a scalar).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PartyId(NonZeroU16);

/// A party id was zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("party id 0 is not allowed: ids are 1..=65535")]
pub struct PartyIdError;

impl PartyId {
    /// Index 1 of every two-party sharing.
    pub const SERVER: Self = Self(NonZeroU16::MIN);
    /// Index 2 of every two-party sharing.
    pub const CLIENT: Self = Self(NonZeroU16::MIN.saturating_add(1));

    /// # Errors
    /// Zero is not a party.
    pub const fn new(id: u16) -> Result<Self, PartyIdError> {
        match NonZeroU16::new(id) {
            Some(id) => Ok(Self(id)),
            None => Err(PartyIdError),
        }
    }

    /// The id as a number.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0.get()
    }
}

impl fmt::Display for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "party {}", self.0)
    }
}

impl fmt::Debug for PartyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PartyId({})", self.0)
    }
}

impl TryFrom<u16> for PartyId {
    type Error = PartyIdError;

    fn try_from(id: u16) -> Result<Self, PartyIdError> {
        Self::new(id)
    }
}

/// The two sides of every two-party protocol (safety.md).
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[allow(clippy::exhaustive_enums, reason = "two parties are two parties")]
pub enum Role {
    /// Index 1; commits first.
    Server,
    /// Index 2; sends the first frame of a wallet's life.
    Client,
}

impl Role {
    /// The party id of this role.
    #[must_use]
    pub const fn id(self) -> PartyId {
        match self {
            Self::Server => PartyId::SERVER,
            Self::Client => PartyId::CLIENT,
        }
    }

    /// The other role.
    #[must_use]
    pub const fn peer(self) -> Self {
        match self {
            Self::Server => Self::Client,
            Self::Client => Self::Server,
        }
    }
}

/// **How many shares are needed**, never anything else. `2 <= t <= n`.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Threshold(u16);

/// A threshold that no sharing may have.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("threshold {threshold} of {parties} parties is not allowed: 2 <= t <= n")]
pub struct ThresholdError {
    threshold: u16,
    parties: usize,
}

impl Threshold {
    /// Both of two.
    pub const TWO: Self = Self(2);

    /// # Errors
    /// Unless `2 <= threshold <= parties`.
    pub fn new(threshold: u16, parties: usize) -> Result<Self, ThresholdError> {
        if threshold >= 2 && usize::from(threshold) <= parties {
            Ok(Self(threshold))
        } else {
            Err(ThresholdError { threshold, parties })
        }
    }

    /// The number of shares needed.
    #[must_use]
    pub const fn get(self) -> u16 {
        self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_and_thresholds_have_their_bounds() {
        assert_eq!(PartyId::new(0), Err(PartyIdError));
        assert_eq!(PartyId::new(65535).map(PartyId::get), Ok(65535));
        assert_eq!(Role::Server.id().get(), 1);
        assert_eq!(Role::Server.peer().id().get(), 2);
        for (t, n) in [(0, 3), (1, 3), (4, 3), (2, 1), (2, 0)] {
            assert!(Threshold::new(t, n).is_err(), "{t} of {n}");
        }
        assert_eq!(Threshold::new(3, 3).map(Threshold::get), Ok(3));
    }
}
