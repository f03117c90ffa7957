//! What a run of a peer's protocol costs: two parties in one thread, every message as bytes, encoding and decoding inside.

use rand_chacha::{ChaCha12Rng, rand_core::Rng};
use rand_core_06::{CryptoRng, RngCore};
use std::mem::{replace, take};
use std::time::Duration;
use symbolon_benches::{Cost, cpu, payload};
use symbolon_testkit::seeded;

/// Adds up what two parties do.
pub(crate) struct Run(Cost);

impl Run {
    pub(crate) fn new() -> Self {
        Self(Cost { cpu: vec![Duration::ZERO; 2], bytes: vec![0; 2], ..Cost::default() })
    }

    /// What party `i` computes.
    pub(crate) fn party<T>(&mut self, i: usize, compute: impl FnOnce() -> T) -> T {
        let before = cpu();
        let result = compute();
        self.0.cpu[i] += cpu() - before;
        result
    }

    /// What both parties compute.
    pub(crate) fn both<T>(&mut self, mut compute: impl FnMut(usize) -> T) -> [T; 2] {
        [0, 1].map(|i| self.party(i, || compute(i)))
    }

    /// Both parties send what they have for each other, if anything.
    pub(crate) fn round(&mut self, sent: [&[Vec<u8>]; 2]) {
        for (i, messages) in sent.iter().enumerate() {
            self.0.messages += messages.len();
            self.0.bytes[i] += messages.iter().map(Vec::len).sum::<usize>();
        }
        self.0.rounds += usize::from(sent.iter().any(|messages| !messages.is_empty()));
    }

    /// A round in which each party computes one message: what the other gets.
    pub(crate) fn exchange(&mut self, compute: impl FnMut(usize) -> Vec<u8>) -> [Vec<u8>; 2] {
        let [a, b] = self.both(compute).map(|message| [message]);
        self.round([&a, &b]);
        let ([a], [b]) = (a, b);
        [b, a]
    }

    /// The same work twice, neither waiting for the other: the rounds pass at once.
    pub(crate) fn at_once<T>(&mut self, mut work: impl FnMut(&mut Self) -> T) -> [T; 2] {
        let begin = self.0.rounds;
        let first = work(self);
        let end = replace(&mut self.0.rounds, begin);
        let second = work(self);
        self.0.rounds = self.0.rounds.max(end);
        [first, second]
    }

    pub(crate) fn cost(self) -> Cost {
        self.0
    }

    /// Runs a protocol: in each round both parties read all of the round before, and compute as far as they can. `start` makes a
    /// party and is part of the cost.
    pub(crate) fn protocol<M: Machine>(&mut self, start: impl FnMut(usize) -> M) -> [M::Output; 2] {
        let mut machines = self.both(start);
        let mut mail = [Vec::new(), Vec::new()];
        loop {
            let [a, b] = self.both(|i| machines[i].step(take(&mut mail[i])));
            if a.is_empty() && b.is_empty() {
                return machines.map(|machine| machine.output().expect("an honest run ends"));
            }
            self.round([&a, &b]);
            mail = [b, a];
        }
    }
}

/// One party of a protocol.
pub(crate) trait Machine {
    type Output;

    /// Reads what the other party sent and computes until it has to wait: what it sends.
    fn step(&mut self, received: Vec<Vec<u8>>) -> Vec<Vec<u8>>;

    fn output(self) -> Option<Self::Output>;
}

/// What everybody signs.
pub(crate) fn digest() -> [u8; 32] {
    *payload().digest().as_bytes()
}

/// `r || s` must be a signature of [`digest`]; the key is in SEC1.
pub(crate) fn verify(public_key: &[u8], signature: &[u8]) {
    use k256::ecdsa::{Signature, VerifyingKey, signature::hazmat::PrehashVerifier};
    let key = VerifyingKey::from_sec1_bytes(public_key).expect("a point");
    let signature = Signature::from_slice(signature).expect("r and s");
    key.verify_prehash(&digest(), &signature).expect("a valid signature");
}

/// One after the other.
pub(crate) fn sum(first: Cost, then: Cost) -> Cost {
    Cost {
        cpu: first.cpu.iter().zip(&then.cpu).map(|(a, b)| *a + *b).collect(),
        bytes: first.bytes.iter().zip(&then.bytes).map(|(a, b)| a + b).collect(),
        messages: first.messages + then.messages,
        rounds: first.rounds + then.rounds,
        ..Cost::default()
    }
}

/// The generator of our side and of peers that let their caller choose, for the traits that these use.
pub(crate) struct Seeded(ChaCha12Rng);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seeded(seed))
    }

    /// Fresh bytes that both parties know.
    pub(crate) fn id(&mut self) -> [u8; 32] {
        let mut id = [0; 32];
        Rng::fill_bytes(&mut self.0, &mut id);
        id
    }
}

impl RngCore for Seeded {
    fn next_u32(&mut self) -> u32 {
        Rng::next_u32(&mut self.0)
    }

    fn next_u64(&mut self) -> u64 {
        Rng::next_u64(&mut self.0)
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        Rng::fill_bytes(&mut self.0, to);
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rand_core_06::Error> {
        Rng::fill_bytes(&mut self.0, to);
        Ok(())
    }
}

impl CryptoRng for Seeded {}
