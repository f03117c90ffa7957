//! Newtypes of secrets: wiped on drop, and no `Clone`, `Debug`, `PartialEq` or serde. They hold a secret at one place of the heap,
//! so that moving a value with secrets in it leaves no copy of them in a stack frame.
//!
//! ```compile_fail
//! fn printable<T: core::fmt::Debug>() {}
//! printable::<symbolon_core::SecretScalar<symbolon_core::Secp256k1>>();
//! ```
//! ```compile_fail
//! fn copyable<T: Clone>() {}
//! copyable::<symbolon_core::SecretBytes<32>>();
//! ```

use crate::Group;
use alloc::boxed::Box;
use rand_core::{CryptoRng, TryCryptoRng};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// A secret scalar of a group, wiped on drop.
pub struct SecretScalar<G: Group>(Box<G::Scalar>);

impl<G: Group> SecretScalar<G> {
    /// Takes ownership of a scalar. The caller's own copy is the caller's to wipe.
    #[must_use]
    pub fn new(scalar: G::Scalar) -> Self {
        Self(Box::new(scalar))
    }

    /// A uniform non-zero scalar.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        Self::new(G::random_scalar(rng))
    }

    /// The scalar itself. Whoever copies it out has a secret on the stack.
    #[must_use]
    pub fn expose(&self) -> &G::Scalar {
        &self.0
    }

    /// `x*G`, in constant time.
    #[must_use]
    pub fn public(&self) -> G::Point {
        G::mul_base(&self.0)
    }

    /// The encoding, in a buffer that wipes itself.
    #[must_use]
    pub fn to_bytes(&self) -> SecretBytes<32> {
        SecretBytes::new(G::scalar_to_bytes(&self.0))
    }
}

impl<G: Group> ConstantTimeEq for SecretScalar<G> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_ref().ct_eq(&other.0)
    }
}

impl<G: Group> Drop for SecretScalar<G> {
    fn drop(&mut self) {
        self.0.as_mut().zeroize();
    }
}

impl<G: Group> ZeroizeOnDrop for SecretScalar<G> {}

/// Secret bytes of fixed length (seeds, keys, encoded scalars), wiped on drop.
pub struct SecretBytes<const N: usize>(Box<[u8; N]>);

impl<const N: usize> SecretBytes<N> {
    /// Takes ownership of bytes.
    #[must_use]
    pub fn new(bytes: [u8; N]) -> Self {
        Self(Box::new(bytes))
    }

    /// Uniform bytes.
    pub fn random(rng: &mut impl CryptoRng) -> Self {
        let mut bytes = Self::new([0; N]);
        rng.fill_bytes(bytes.0.as_mut());
        bytes
    }

    /// Uniform bytes of a generator that may fail, as that of the system.
    ///
    /// # Errors
    /// The generator's.
    pub fn try_random<R: TryCryptoRng>(rng: &mut R) -> Result<Self, R::Error> {
        let mut bytes = Self::new([0; N]);
        rng.try_fill_bytes(bytes.0.as_mut())?;
        Ok(bytes)
    }

    /// The bytes.
    #[must_use]
    pub fn expose(&self) -> &[u8; N] {
        &self.0
    }
}

impl<const N: usize> ConstantTimeEq for SecretBytes<N> {
    fn ct_eq(&self, other: &Self) -> Choice {
        self.0.as_slice().ct_eq(other.0.as_slice())
    }
}

impl<const N: usize> Drop for SecretBytes<N> {
    fn drop(&mut self) {
        self.0.as_mut().zeroize();
    }
}

impl<const N: usize> ZeroizeOnDrop for SecretBytes<N> {}
