//! What is looked for: windows of sixteen bytes of secrets, in every form in which the libraries below hold one.
//!
//! A fixed table without a lock for readers: it is asked by the allocator, which may not allocate. It never holds a secret as
//! itself, so that it is not found.

use core::sync::atomic::{AtomicBool, AtomicU32, AtomicU64, AtomicUsize, Ordering::Relaxed};
use std::sync::Mutex;
use symbolon_core::{Ed25519, Group, Secp256k1, SeedRng};
use zeroize::Zeroizing;

/// The bytes of a window.
pub const WINDOW: usize = 16;
const SLOTS_LOG: u32 = 22;
const SLOTS: usize = 1 << SLOTS_LOG;
const FILTER_LOG: u32 = 24;
const MASK: u64 = 0x5a96_c3a5_693c_0ff1;
/// Set in a tag when the secret was published: a commitment was opened, a salt was sent.
const PUBLIC: u32 = 1 << 31;
/// Hits that are kept by name; more are only counted.
const KEPT: usize = 4096;

struct Slot {
    /// The masked window; both zero if the slot is free.
    low: AtomicU64,
    high: AtomicU64,
    /// The number of the name, from 1.
    tag: AtomicU32,
}

static TABLE: [Slot; SLOTS] =
    [const { Slot { low: AtomicU64::new(0), high: AtomicU64::new(0), tag: AtomicU32::new(0) } }; SLOTS];
/// A bit for each hash of a first half: nearly all windows of ordinary memory end here.
static FILTER: [AtomicU64; 1 << (FILTER_LOG - 6)] = [const { AtomicU64::new(0) }; 1 << (FILTER_LOG - 6)];
static NAMES: Mutex<Vec<&'static str>> = Mutex::new(Vec::new());
static USED: AtomicUsize = AtomicUsize::new(0);
/// Slots that were hit, with the length of the block.
static HITS: [(AtomicUsize, AtomicUsize); KEPT] = [const { (AtomicUsize::new(0), AtomicUsize::new(0)) }; KEPT];
static HIT: AtomicUsize = AtomicUsize::new(0);
/// Bytes that were looked at.
static SEEN: AtomicUsize = AtomicUsize::new(0);
/// Whether to stop at the first hit, for a debugger or a backtrace.
static TRAP: AtomicBool = AtomicBool::new(false);

/// A window that was found where none may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hit {
    /// Of which secret.
    pub what: &'static str,
    /// The length of the freed block, or the distance below the caller's frame.
    pub place: usize,
}

/// The needles of this process.
pub struct Needles;

const fn hash(low: u64) -> u64 {
    (low ^ (low >> 29)).wrapping_mul(0x9e37_79b9_7f4a_7c15)
}

fn index(hash: u64, bits: u32) -> usize {
    usize::try_from(hash >> (64 - bits)).unwrap_or(0)
}

fn half(bytes: &[u8], at: usize) -> u64 {
    bytes.get(at..at + 8).and_then(|b| b.try_into().ok()).map_or(0, u64::from_le_bytes)
}

impl Needles {
    /// Looks for these bytes from now on, in this order and in the reverse: every window of sixteen bytes at a multiple of four
    /// and the last one. What is short or mostly zeros can't be told from ordinary memory, and is left out.
    ///
    /// # Panics
    /// If the table is full.
    pub fn watch(what: &'static str, bytes: &[u8]) {
        let Some(last) = bytes.len().checked_sub(WINDOW) else { return };
        let tag = tag_of(what);
        let mut back = Zeroizing::new([0; WINDOW]);
        for at in (0..=last).step_by(4).chain([last]) {
            let window = &bytes[at..at + WINDOW];
            back.copy_from_slice(window);
            back.reverse();
            insert(tag, window);
            insert(tag, back.as_slice());
        }
    }

    /// Looks for a scalar: its encoding in both byte orders (the limbs of k256 are the little-endian one), its limbs of 52 bits and
    /// those of its Montgomery form as curve25519-dalek computes with them, and its signed digits in base 16, which
    /// multiplications make.
    pub fn watch_scalar<G: Group>(what: &'static str, scalar: &G::Scalar) {
        let encoded = Zeroizing::new(G::scalar_to_bytes(scalar));
        Self::watch(what, encoded.as_slice());
        let mut little = Zeroizing::new(*encoded);
        if G::ID == Secp256k1::ID {
            little.reverse();
        }
        Self::watch_digits(what, &little);
        if G::ID == Ed25519::ID {
            Self::watch(what, limbs(&little).as_slice());
            // 2^260
            let radix = (0..260).fold(G::Scalar::from(1), |power, _| power + power);
            Self::watch(what, limbs(&Zeroizing::new(G::scalar_to_bytes(&(*scalar * radix)))).as_slice());
        }
    }

    /// Looks for the signed digits in base 16.
    fn watch_digits(what: &'static str, little: &[u8; 32]) {
        let mut digits = Zeroizing::new([0i8; 65]);
        let mut carry = 0;
        for (i, digit) in digits.iter_mut().enumerate() {
            let byte = little.get(i / 2).copied().unwrap_or(0);
            let value = i8::try_from(if i % 2 == 0 { byte & 15 } else { byte >> 4 }).unwrap_or(0) + carry;
            carry = (value + 8) >> 4;
            *digit = value - 16 * carry;
        }
        let bytes = Zeroizing::new(digits.map(i8::cast_unsigned));
        Self::watch(what, bytes.as_slice());
    }

    /// Looks for what a generator with this key gives: the key, its first `len` bytes, and the scalars of both groups that 64 of them
    /// make, wherever they begin. Of these only the halves in the forms that the libraries store.
    pub fn watch_stream(what: &'static str, key: &[u8; 32], len: usize) {
        use rand_core::Rng;
        Self::watch(what, key);
        let tag = tag_of(what);
        let mut stream = Zeroizing::new(vec![0; len + 64]);
        SeedRng::new(key).fill_bytes(&mut stream);
        let halves = |bytes: &[u8]| bytes.chunks_exact(WINDOW).for_each(|half| insert(tag, half));
        let mut wide = Zeroizing::new([0; 64]);
        for at in (0..len).step_by(16) {
            insert(tag, &stream[at..at + WINDOW]);
            insert(tag, &stream[at + 8..at + 8 + WINDOW]);
            wide.copy_from_slice(&stream[at..at + 64]);
            let mut big = Zeroizing::new(Secp256k1::scalar_to_bytes(&Secp256k1::scalar_from_wide(&wide)));
            halves(big.as_slice());
            big.reverse();
            halves(big.as_slice());
            let little = Zeroizing::new(Ed25519::scalar_to_bytes(&Ed25519::scalar_from_wide(&wide)));
            halves(little.as_slice());
            halves(&limbs(&little)[..32]);
        }
    }

    /// What is in these bytes is public from here on: they leave. Hits that it had count no more.
    pub fn publish(bytes: &[u8]) {
        for_windows(bytes, |slot, _| {
            TABLE[slot].tag.fetch_or(PUBLIC, Relaxed);
        });
    }

    /// Whether the bytes have a needle in them.
    #[must_use]
    pub fn in_bytes(bytes: &[u8]) -> Vec<Hit> {
        let mut hits = Vec::new();
        for_windows(bytes, |slot, at| hits.extend(hit(slot, at)));
        hits
    }

    /// How many windows are looked for.
    #[must_use]
    pub fn count() -> usize {
        USED.load(Relaxed)
    }

    /// How many of them are of secrets that were not published.
    #[must_use]
    pub fn secret() -> usize {
        let tags = TABLE.iter().map(|slot| slot.tag.load(Relaxed));
        tags.filter(|tag| *tag != 0 && tag & PUBLIC == 0).count()
    }

    /// How many bytes were freed and looked at.
    #[must_use]
    pub fn seen() -> usize {
        SEEN.load(Relaxed)
    }

    /// Looks for nothing any more.
    pub fn forget() {
        let _names = NAMES.lock();
        for word in &FILTER {
            word.store(0, Relaxed);
        }
        for slot in &TABLE {
            if slot.tag.load(Relaxed) != 0 {
                slot.tag.store(0, Relaxed);
                slot.low.store(0, Relaxed);
                slot.high.store(0, Relaxed);
            }
        }
        USED.store(0, Relaxed);
        HIT.store(0, Relaxed);
    }

    /// The windows that were in freed memory since the last call. What was published since does not count.
    #[must_use]
    pub fn take_freed() -> Vec<Hit> {
        let count = HIT.swap(0, Relaxed).min(KEPT);
        HITS[..count].iter().filter_map(|(slot, len)| hit(slot.load(Relaxed), len.load(Relaxed))).collect()
    }

    /// Whether to panic at the first hit in freed memory, in the stack frame that frees it. What will be published hits too.
    pub fn trap(on: bool) {
        TRAP.store(on, Relaxed);
    }
}

/// Five limbs of 52 bits.
fn limbs(little: &[u8; 32]) -> Zeroizing<[u8; 40]> {
    let mut limbs = Zeroizing::new([0; 40]);
    for (i, limb) in limbs.chunks_exact_mut(8).enumerate() {
        let mut wide = Zeroizing::new([0; 16]);
        let from = i * 52 / 8;
        let len = (32 - from).min(8);
        wide[..len].copy_from_slice(&little[from..from + len]);
        let value = (u128::from_le_bytes(*wide) >> (i * 52 % 8)) & ((1 << 52) - 1);
        limb.copy_from_slice(&value.to_le_bytes()[..8]);
    }
    limbs
}

/// The name's number.
fn tag_of(what: &'static str) -> u32 {
    let mut names = NAMES.lock().expect("nobody panics with it");
    let at = names.iter().position(|name| *name == what).unwrap_or_else(|| {
        names.push(what);
        names.len() - 1
    });
    u32::try_from(at + 1).expect("a few names")
}

fn hit(slot: usize, place: usize) -> Option<Hit> {
    let tag = TABLE[slot].tag.load(Relaxed);
    let names = NAMES.lock().expect("nobody panics with it");
    let what = usize::try_from(tag).ok()?.checked_sub(1).and_then(|at| names.get(at))?;
    Some(Hit { what, place })
}

fn insert(tag: u32, window: &[u8]) {
    // the name's lock is free here, and keeps two writers apart
    let _writer = NAMES.lock().expect("nobody panics with it");
    if window.iter().filter(|byte| **byte == 0).count() >= 6 {
        return;
    }
    let (low, high) = (half(window, 0), half(window, 8));
    let hash = hash(low);
    let mut at = index(hash, SLOTS_LOG);
    loop {
        let slot = &TABLE[at];
        if slot.tag.load(Relaxed) == 0 {
            assert!(USED.fetch_add(1, Relaxed) < SLOTS / 2, "too many needles");
            slot.low.store(low ^ MASK, Relaxed);
            slot.high.store(high ^ MASK, Relaxed);
            slot.tag.store(tag, Relaxed);
            break;
        }
        if slot.low.load(Relaxed) == low ^ MASK && slot.high.load(Relaxed) == high ^ MASK {
            return;
        }
        at = (at + 1) % SLOTS;
    }
    let bit = index(hash, FILTER_LOG);
    FILTER[bit / 64].fetch_or(1 << (bit % 64), Relaxed);
}

fn find(low: u64, high: u64, hash: u64) -> Option<usize> {
    let mut at = index(hash, SLOTS_LOG);
    loop {
        let slot = &TABLE[at];
        if slot.tag.load(Relaxed) == 0 {
            return None;
        }
        if slot.low.load(Relaxed) ^ MASK == low && slot.high.load(Relaxed) ^ MASK == high {
            return Some(at);
        }
        at = (at + 1) % SLOTS;
    }
}

/// Slot and offset of every window that is looked for.
fn for_windows(bytes: &[u8], mut found: impl FnMut(usize, usize)) {
    for at in 0..(bytes.len() + 1).saturating_sub(WINDOW) {
        let low = half(bytes, at);
        let hash = hash(low);
        let bit = index(hash, FILTER_LOG);
        if FILTER[bit / 64].load(Relaxed) >> (bit % 64) & 1 == 1
            && let Some(slot) = find(low, half(bytes, at + 8), hash)
        {
            found(slot, at);
        }
    }
}

/// Looks at a block that is about to be freed. Allocates nothing.
pub(crate) fn look(block: &[u8]) {
    if USED.load(Relaxed) == 0 {
        return;
    }
    SEEN.fetch_add(block.len(), Relaxed);
    for_windows(block, |slot, _| {
        if TABLE[slot].tag.load(Relaxed) & PUBLIC != 0 {
            return;
        }
        let at = HIT.fetch_add(1, Relaxed);
        if let Some((slots, lens)) = HITS.get(at) {
            slots.store(slot, Relaxed);
            lens.store(block.len(), Relaxed);
        }
        if TRAP.swap(false, Relaxed) {
            panic!("a needle in a freed block of {} bytes", block.len());
        }
    });
}
