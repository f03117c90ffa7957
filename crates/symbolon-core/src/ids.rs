//! Public identifiers of fixed width. None of them is secret; all compare and print freely.

use core::fmt;

macro_rules! id {
    ($(#[$doc:meta])* $name:ident, $len:literal) => {
        $(#[$doc])*
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name([u8; $len]);

        impl $name {
            /// Width in bytes.
            pub const LEN: usize = $len;

            /// Wraps bytes that were received or stored.
            #[must_use]
            pub const fn from_bytes(bytes: [u8; $len]) -> Self {
                Self(bytes)
            }

            /// The first bytes of a transcript output.
            #[must_use]
            pub fn truncate(digest: &[u8; 32]) -> Self {
                let mut bytes = [0u8; $len];
                bytes.iter_mut().zip(digest).for_each(|(to, from)| *to = *from);
                Self(bytes)
            }

            /// The bytes of the identifier.
            #[must_use]
            pub const fn as_bytes(&self) -> &[u8; $len] {
                &self.0
            }
        }

        impl AsRef<[u8]> for $name {
            fn as_ref(&self) -> &[u8] {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
            }
        }

        impl fmt::Debug for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                write!(f, concat!(stringify!($name), "({})"), self)
            }
        }
    };
}

id!(
    /// Session id: the hash of everything the parties agree on and of all their nonces (safety.md S3).
    Sid,
    32
);
id!(
    /// Names a key for its whole life; fixed at creation (safety.md S6).
    KeyId,
    16
);
id!(
    /// Names one sharing of a key: the outcome of the run that made it (safety.md S6).
    SharingId,
    16
);
id!(
    /// Names one OT correlation between two parties (safety.md S1).
    SetupId,
    16
);
id!(
    /// Names one pre-processed signing correlation (safety.md S7).
    ItemId,
    16
);
id!(
    /// Routes frames: the hash of the caller's label (safety.md S3).
    LabelTag,
    16
);
id!(
    /// Separates runs: constant per sender within one run (safety.md S3).
    RunTag,
    16
);
