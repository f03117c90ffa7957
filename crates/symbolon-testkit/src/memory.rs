//! Looks for secrets in the memory of the own process (attacks.md row 77). Linux only: it is read through `/proc/self/mem`.

use std::{
    fs::File,
    io::{Read, Seek, SeekFrom},
    process::Command,
};
use symbolon_core::{Group, SecretScalar};

const MASK: u8 = 0x5a;

/// Patterns that are never in memory as themselves. Both byte orders: encodings, and the curve library's limbs.
#[derive(Default)]
pub struct Patterns(Vec<(&'static str, [u8; 16])>);

impl Patterns {
    /// 32 bytes, or more.
    ///
    /// # Panics
    /// If there are fewer than 24.
    pub fn add(&mut self, what: &'static str, bytes: &[u8]) {
        let (mut up, mut down) = ([0; 16], [0; 16]);
        // sixteen bytes from the middle, masked one by one
        for i in 0..16 {
            up[i] = bytes[8 + i] ^ MASK;
            down[15 - i] = up[i];
        }
        self.0.push((what, up));
        self.0.push((what, down));
    }

    /// A scalar.
    pub fn scalar<G: Group>(&mut self, what: &'static str, secret: &SecretScalar<G>) {
        self.add(what, secret.to_bytes().expose());
    }

    fn found_in(&self, memory: &[u8], found: &mut Vec<&'static str>) {
        for (what, pattern) in &self.0 {
            let first = pattern[0] ^ MASK;
            let here = memory.windows(16).any(|window| {
                window[0] == first && window.iter().zip(pattern).all(|(byte, masked)| byte ^ MASK == *masked)
            });
            if here && !found.contains(what) {
                found.push(what);
            }
        }
    }

    /// The names of all patterns.
    #[must_use]
    pub fn names(&self) -> Vec<&'static str> {
        let mut all: Vec<_> = self.0.iter().map(|(what, _)| *what).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// What is anywhere in the writable memory of this process but on its stacks.
    ///
    /// # Panics
    /// If the memory can't be read.
    #[must_use]
    pub fn found(&self) -> Vec<&'static str> {
        let on_stack = 0u8;
        let on_stack = u64::try_from((&raw const on_stack).addr()).unwrap();
        let maps = std::fs::read_to_string("/proc/self/maps").unwrap();
        let mut memory = File::open("/proc/self/mem").unwrap();
        let mut found = Vec::new();
        // read in pieces that overlap; a piece with a pattern in it was found before it could be found in the buffer
        let mut piece = vec![0; 1 << 16];
        for line in maps.lines().filter(|line| line.contains(" rw-p ") && !line.ends_with("[stack]")) {
            let (from, to) = line.split_whitespace().next().unwrap().split_once('-').unwrap();
            let (mut from, to) = (u64::from_str_radix(from, 16).unwrap(), u64::from_str_radix(to, 16).unwrap());
            if (from..to).contains(&on_stack) {
                continue;
            }
            while from + 16 <= to {
                let len = usize::try_from(to - from).unwrap().min(piece.len());
                memory.seek(SeekFrom::Start(from)).unwrap();
                // what was unmapped since the list was made is not there
                if memory.read_exact(&mut piece[..len]).is_ok() {
                    self.found_in(&piece[..len], &mut found);
                }
                from += u64::try_from(len - 15).unwrap();
            }
        }
        piece.fill(0);
        found.sort_unstable();
        found
    }
}

/// Runs an ignored test of this test program alone in a process of its own, so that nothing else is in its memory.
///
/// # Panics
/// If it does not pass.
pub fn alone(test: &str) {
    let child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", test, "--ignored", "--test-threads=1", "--nocapture"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&child.stdout);
    assert!(child.status.success() && said.contains("1 passed"), "{said}{}", String::from_utf8_lossy(&child.stderr));
}
