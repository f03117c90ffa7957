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
use alloc::{boxed::Box, vec::Vec};
use core::{
    mem::{self, MaybeUninit},
    ops::{Deref, DerefMut},
};
use rand_core::{CryptoRng, TryCryptoRng};
use subtle::{Choice, ConstantTimeEq};
use zeroize::{Zeroize, ZeroizeOnDrop, optimization_barrier};

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

/// A buffer of secrets, wiped on drop with all of its room, and when it moves because it grows.
///
/// What `zeroize` does to a `Vec` of bytes is one volatile store for each, which takes longer than most of what is computed with the
/// buffers of a multiplication. Here the compiler fills them, and must take it that somebody looks.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_core::SecretVec<u8>>();
/// ```
/// ```compile_fail
/// let copy: Vec<u8> = symbolon_core::SecretVec::new(vec![1u8]).clone();
/// ```
pub struct SecretVec<T: Copy + Default>(Vec<T>);

impl<T: Copy + Default> SecretVec<T> {
    /// Takes ownership of values, of a type whose default holds no secret.
    #[must_use]
    pub const fn new(values: Vec<T>) -> Self {
        Self(values)
    }

    /// Room for `capacity` values.
    #[must_use]
    pub fn with_capacity(capacity: usize) -> Self {
        Self(Vec::with_capacity(capacity))
    }

    /// Makes room for so many values more.
    pub fn reserve(&mut self, more: usize) {
        let len = self.0.len().saturating_add(more);
        if len > self.0.capacity() {
            let mut larger = Self::with_capacity(len.max(2 * self.0.capacity()));
            larger.0.extend_from_slice(&self.0);
            *self = larger;
        }
    }

    /// Appends a value.
    pub fn push(&mut self, value: T) {
        self.reserve(1);
        self.0.push(value);
    }

    /// Appends values.
    pub fn extend_from_slice(&mut self, values: &[T]) {
        self.reserve(values.len());
        self.0.extend_from_slice(values);
    }

    /// The values, which are the caller's to wipe.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<T> {
        mem::take(&mut self.0)
    }
}

impl<T: Copy + Default> From<Vec<T>> for SecretVec<T> {
    fn from(values: Vec<T>) -> Self {
        Self(values)
    }
}

impl<T: Copy + Default> Default for SecretVec<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

impl<T: Copy + Default> Deref for SecretVec<T> {
    type Target = [T];

    fn deref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Copy + Default> DerefMut for SecretVec<T> {
    fn deref_mut(&mut self) -> &mut [T] {
        &mut self.0
    }
}

impl<T: Copy + Default> Extend<T> for SecretVec<T> {
    fn extend<I: IntoIterator<Item = T>>(&mut self, values: I) {
        values.into_iter().for_each(|value| self.push(value));
    }
}

impl<T: Copy + Default> AsRef<[T]> for SecretVec<T> {
    fn as_ref(&self) -> &[T] {
        &self.0
    }
}

impl<T: Copy + Default> Drop for SecretVec<T> {
    fn drop(&mut self) {
        self.0.clear();
        let room = self.0.spare_capacity_mut();
        room.fill(MaybeUninit::new(T::default()));
        optimization_barrier(room);
    }
}

impl<T: Copy + Default> ZeroizeOnDrop for SecretVec<T> {}
