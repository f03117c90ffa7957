//! What a password costs to try: scrypt (RFC 7914), its parameters and the limits of a reader.

use crate::{CreateError, OpenError};
use symbolon_core::{
    SecretBytes,
    wire::{DecodeError, Reader, Writer},
};
use zeroize::Zeroizing;

/// Parameters of scrypt. One try takes `128 * N * r` bytes of memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "scrypt has these three")]
pub struct Work {
    /// `log2 N`.
    pub log_n: u8,
    /// Block size.
    pub r: u32,
    /// Repetitions.
    pub p: u32,
}

impl Default for Work {
    /// `N = 2^17, r = 8, p = 1`: 128 MiB.
    fn default() -> Self {
        Self { log_n: 17, r: 8, p: 1 }
    }
}

/// Below this, and above the others, no backup is made or opened.
const MIN_LOG_N: u8 = 14;
const MAX_LOG_N: u8 = 20;
const MAX_R: u32 = 16;
const MAX_P: u32 = 4;
/// No allocation is larger, whatever a caller allows.
#[allow(
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    reason = "2^31 - 1 or 2^63 - 1, and `From` is not const"
)]
const ADDRESSABLE: u64 = (usize::MAX >> 1) as u64;

/// What a reader takes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a caller's policy")]
pub struct Limits {
    /// Bytes of memory of one try.
    pub memory: u64,
    /// Bytes mixed by all tries together: the sum of `128 * N * r * p` over the slots with a password.
    pub work: u64,
}

impl Default for Limits {
    /// 256 MiB of memory, 2 GiB of work.
    fn default() -> Self {
        Self { memory: 256 << 20, work: 2 << 30 }
    }
}

impl Limits {
    /// 1 GiB of memory, 16 GiB of work: for a machine that has them.
    pub const LARGE: Self = Self { memory: 1 << 30, work: 16 << 30 };

    /// Whether all these may be tried.
    pub(crate) fn allow<'a>(&self, slots: impl Iterator<Item = &'a Work>) -> Result<(), OpenError> {
        let mut total = 0u64;
        for work in slots {
            let Work { log_n, r, p } = *work;
            let memory = work.memory();
            let excess = |required, limit| Err(OpenError::ExcessiveWork { required, limit });
            if log_n > MAX_LOG_N || r > MAX_R || p > MAX_P {
                return excess(u64::MAX, self.work);
            }
            if memory > self.memory.min(ADDRESSABLE) {
                return excess(memory, self.memory.min(ADDRESSABLE));
            }
            if log_n < MIN_LOG_N || r == 0 || p == 0 {
                return Err(OpenError::WeakWork);
            }
            total = total.saturating_add(work.total());
            if total > self.work {
                return excess(total, self.work);
            }
        }
        Ok(())
    }
}

impl Limits {
    /// The same for a file of another program, whose cost may be as low as it likes.
    pub(crate) fn allow_foreign(&self, work: &Work) -> Result<(), OpenError> {
        // the table of N blocks, and beside it the p that are mixed: where p has no other bound, they may be more
        let mixed = u64::from(work.r).saturating_mul(u64::from(work.p)).saturating_mul(128);
        let (memory, total) = (work.memory().max(mixed), work.total());
        if memory > self.memory.min(ADDRESSABLE) {
            return Err(OpenError::ExcessiveWork { required: memory, limit: self.memory.min(ADDRESSABLE) });
        }
        if total > self.work {
            return Err(OpenError::ExcessiveWork { required: total, limit: self.work });
        }
        Ok(())
    }

    /// The same for PBKDF2 with HMAC-SHA-256: an iteration hashes two blocks of 64 bytes.
    pub(crate) fn allow_iterations(&self, iterations: u64) -> Result<(), OpenError> {
        let required = iterations.saturating_mul(128);
        if required > self.work { Err(OpenError::ExcessiveWork { required, limit: self.work }) } else { Ok(()) }
    }
}

impl Work {
    /// `128 * N * r`.
    fn memory(&self) -> u64 {
        let n = 1u64.checked_shl(u32::from(self.log_n)).unwrap_or(u64::MAX);
        n.saturating_mul(128).saturating_mul(u64::from(self.r))
    }

    /// `128 * N * r * p`.
    fn total(&self) -> u64 {
        self.memory().saturating_mul(u64::from(self.p))
    }

    /// Whether a backup may be made with it.
    pub(crate) fn check(&self) -> Result<(), CreateError> {
        Limits::LARGE.allow(core::iter::once(self)).map_err(|_| CreateError::Work)
    }

    pub(crate) fn write(&self, w: &mut Writer) {
        w.u8(self.log_n).u32(self.r).u32(self.p);
    }

    pub(crate) fn read(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self { log_n: r.u8()?, r: r.u32()?, p: r.u32()? })
    }

    /// 32 bytes from a password. [`Limits::allow`] comes first.
    pub(crate) fn derive(&self, password: &[u8], salt: &[u8; 32]) -> Option<SecretBytes<32>> {
        let mut key = Zeroizing::new([0; 32]);
        self.scrypt(password, salt, key.as_mut())?;
        Some(SecretBytes::new(*key))
    }

    /// RFC 7914, without any policy; `None` for parameters that it does not define.
    pub(crate) fn scrypt(&self, password: &[u8], salt: &[u8], out: &mut [u8]) -> Option<()> {
        // N above 1, and r * p below 2^30, which the crate multiplies without a look at its size
        if self.log_n == 0 || self.r.checked_mul(self.p)? >= 1 << 30 {
            return None;
        }
        let params = scrypt::Params::new(self.log_n, self.r, self.p).ok()?;
        scrypt::scrypt(password, salt, &params, out).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloc::vec;

    /// The vectors whose N is `large` or not.
    fn vectors(large: bool) -> usize {
        let file: serde_json::Value = serde_json::from_str(include_str!("../testdata/scrypt.json")).unwrap();
        let mut cases = 0;
        let all = ["rfc7914", "wallet_parameters"].map(|group| file[group]["cases"].as_array().unwrap());
        for v in all.into_iter().flatten().filter(|v| (v["N"] == 1 << 20) == large) {
            let number = |name: &str| u32::try_from(v[name].as_u64().unwrap()).unwrap();
            let text = |name: &str| v[name].as_str().unwrap();
            let work = Work { log_n: number("N").ilog2().to_le_bytes()[0], r: number("r"), p: number("p") };
            let salt = v["salt"].as_str().map_or_else(|| hex::decode(text("salt_hex")).unwrap(), |salt| salt.into());
            let expected = hex::decode(text("output")).unwrap();
            let mut out = vec![0; expected.len()];
            work.scrypt(text("password").as_bytes(), &salt, &mut out).unwrap();
            assert_eq!(out, expected);
            cases += 1;
        }
        cases
    }

    #[test]
    fn rfc_7914_and_wallet_sized_vectors() {
        assert_eq!(vectors(false), 6);
    }

    #[test]
    fn rfc_7914_with_a_gibibyte_of_memory() {
        assert_eq!(vectors(true), 1);
    }

    #[test]
    fn what_scrypt_does_not_define_is_refused() {
        for (log_n, r, p) in
            [(0, 8, 1), (64, 8, 1), (255, 1, 1), (14, 0, 1), (14, 8, 0), (1, 1 << 15, 1 << 15), (1, 1 << 16, 1 << 16)]
        {
            assert_eq!(Work { log_n, r, p }.scrypt(b"p", b"s", &mut [0; 32]), None, "{log_n} {r} {p}");
        }
        assert_eq!(Work { log_n: 1, r: 1, p: 1 }.scrypt(b"p", b"s", &mut []), None);
    }

    #[test]
    fn iterations_are_work() {
        let limits = Limits::default();
        assert_eq!(limits.allow_iterations(1 << 24), Ok(()));
        for iterations in [(1 << 24) + 1, 1 << 60, u64::MAX] {
            assert!(matches!(limits.allow_iterations(iterations), Err(OpenError::ExcessiveWork { .. })));
        }
    }

    #[test]
    fn files_of_other_programs_have_limits_too() {
        let limits = Limits::default();
        // what most wallets write, and the vector of the definition
        for (r, p) in [(8, 1), (1, 8)] {
            assert_eq!(limits.allow_foreign(&Work { log_n: 18, r, p }), Ok(()));
        }
        // with the least N, p or r alone may be much
        for work in [Work { log_n: 1, r: 1, p: 1 << 23 }, Work { log_n: 1, r: 1 << 21, p: 1 }] {
            assert!(work.total() <= limits.work);
            let refused = limits.allow_foreign(&work);
            assert!(matches!(refused, Err(OpenError::ExcessiveWork { required, .. }) if required > limits.memory));
        }
    }

    #[test]
    fn limits_hold_before_any_work() {
        let default = Limits::default();
        let allow = |log_n, r, p| default.allow(core::iter::once(&Work { log_n, r, p }));
        assert_eq!(allow(17, 8, 1), Ok(()));
        assert_eq!(allow(18, 8, 1), Ok(()), "256 MiB");
        assert_eq!(allow(14, 1, 1), Ok(()));
        let excess = |outcome| matches!(outcome, Err(OpenError::ExcessiveWork { required, limit }) if required > limit);
        for (log_n, r, p) in [(18, 9, 1), (19, 8, 1), (20, 16, 4), (17, 16, 5)] {
            assert!(excess(allow(log_n, r, p)) || p > 4, "{log_n} {r} {p}");
            assert!(allow(log_n, r, p).is_err());
        }
        for (log_n, r, p) in
            [(21, 1, 1), (40, 8, 1), (63, 8, 1), (64, 8, 1), (255, 255, 255), (14, 1 << 31, 1), (14, 8, 1 << 30)]
        {
            assert!(matches!(allow(log_n, r, p), Err(OpenError::ExcessiveWork { .. })), "{log_n} {r} {p}");
        }
        for (log_n, r, p) in [(0, 8, 1), (1, 8, 1), (10, 8, 1), (13, 8, 1), (17, 0, 1), (17, 8, 0)] {
            assert_eq!(allow(log_n, r, p), Err(OpenError::WeakWork), "{log_n} {r} {p}");
            assert_eq!(Work { log_n, r, p }.check(), Err(CreateError::Work));
        }
        // 8 slots of 256 MiB are 2 GiB, a ninth is one too many
        let slots = [Work { log_n: 18, r: 8, p: 1 }; 9];
        assert_eq!(default.allow(slots.iter().take(8)), Ok(()));
        assert!(excess(default.allow(slots.iter())));
        assert_eq!(Limits::LARGE.allow(core::iter::once(&Work { log_n: 20, r: 8, p: 4 })), Ok(()));
    }
}
