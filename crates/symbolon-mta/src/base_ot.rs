//! Base OT: verified simplest OT (Doerner, Kondi, Lee, shelat, ePrint 2018/499, appendix A), 128 instances (mta 1).
//!
//! A failed check discards everything. The sender's key is drawn for this one setup, the receiver's choice bits inside
//! this module: no caller can pass either.

use crate::{
    bits::half,
    params::{Direction, KAPPA, Psid},
    pprf::{Chosen, SeedPairs},
};
use alloc::vec::Vec;
use rand_core::CryptoRng;
use subtle::{Choice, ConditionallySelectable, ConstantTimeEq};
use symbolon_core::{
    Encoded, FixedBase, Group, Secp256k1, SecretBytes, SecretScalar, SecretVec, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::SchnorrProof;
use symbolon_session::Fault;
use zeroize::Zeroizing;

type Point = <Secp256k1 as Group>::Point;
type Hash = [u8; 32];

/// Bytes of `B` and its proof.
pub(crate) const POINT_LEN: usize = 33 + SchnorrProof::<Secp256k1>::LEN;
/// Bytes of all `A_j`.
pub(crate) const CHOICE_LEN: usize = KAPPA * 33;
/// Bytes of all `e_j`, and of all responses.
pub(crate) const CHALLENGE_LEN: usize = KAPPA * 32;
/// Bytes of all openings.
pub(crate) const OPENING_LEN: usize = KAPPA * 64;

/// What the proof of `B` binds: the sender's first-frame session id and both parties.
fn context(sid0: Sid, direction: Direction) -> Transcript {
    // the base-OT sender is the receiver of the extension
    Transcript::new("mta", "base point").part(sid0).number(direction.receiver.get()).number(direction.sender.get())
}

/// The hashes of one setup, with their common beginnings.
struct Oracle {
    key: Transcript,
    first: Transcript,
    second: Transcript,
    seed: Transcript,
    big_b: [u8; 33],
}

impl Oracle {
    fn new(psid: Psid, big_b: &Point) -> Self {
        Self {
            key: Transcript::new("mta", "vsot").part(psid),
            first: Transcript::new("mta", "vsot 1").part(psid),
            second: Transcript::new("mta", "vsot 2").part(psid),
            seed: Transcript::new("mta", "vsot seed").part(psid),
            big_b: Secp256k1::point_to_bytes(big_b),
        }
    }

    /// mta 1.3. The key oracle.
    fn rho(&self, j: u16, branch: u8, big_a: &[u8; 33], shared: &[u8; 64]) -> Zeroizing<Hash> {
        let key = self.key.clone().number(j).number(branch).part(self.big_b).part(big_a).part(shared);
        Zeroizing::new(key.finish())
    }

    fn h(&self, j: u16, branch: u8, rho: &Hash) -> Hash {
        self.first.clone().number(j).number(branch).part(rho).finish()
    }

    fn g(&self, j: u16, branch: u8, h: &Hash) -> Hash {
        self.second.clone().number(j).number(branch).part(h).finish()
    }

    fn seed(&self, j: u16, branch: u8, rho: &Hash) -> [u8; 16] {
        half(&Zeroizing::new(self.seed.clone().number(j).number(branch).part(rho).finish()))
    }
}

fn xor(mut a: Hash, b: &Hash) -> Hash {
    a.iter_mut().zip(b).for_each(|(a, b)| *a ^= b);
    a
}

/// `b` for 1, zeros for 0.
fn gated(b: &Hash, choice: Choice) -> Hash {
    Hash::conditional_select(&[0; 32], b, choice)
}

/// The base-OT sender after its first message.
pub(crate) struct Sender1 {
    b: SecretScalar<Secp256k1>,
    big_b: Point,
}

impl Sender1 {
    /// mta 1.1. Draws `b`, writes `B` and its proof under the own first-frame session id.
    pub(crate) fn start(sid0: Sid, direction: Direction, rng: &mut impl CryptoRng, w: &mut Writer) -> Self {
        let b = SecretScalar::random(rng);
        let (big_b, proof) = SchnorrProof::publish(&context(sid0, direction), &b, rng);
        big_b.encode(w);
        proof.encode(w);
        Self { b, big_b: *big_b.point() }
    }

    /// mta 1.3, 1.4. Reads all `A_j`, writes all `e_j`.
    pub(crate) fn challenge(self, psid: Psid, r: &mut Reader<'_>, w: &mut Writer) -> Result<Sender2, Fault> {
        let mut choices = Reader::new(r.bytes(CHOICE_LEN)?);
        let mut big_a = Vec::with_capacity(KAPPA);
        let mut points = Vec::with_capacity(KAPPA);
        while choices.remaining() > 0 {
            let bytes = choices.array::<33>()?;
            let point = Secp256k1::point_from_bytes(&bytes).map_err(|error| match error {
                DecodeError::Identity => Fault::Forbidden,
                error => Fault::Encoding(error),
            })?;
            // with A_j = B the key of branch 1 would be the hash of the identity, which everybody knows
            if point == self.big_b {
                return Err(Fault::Forbidden);
            }
            big_a.push(bytes);
            points.push(point);
        }
        let b_big_b = Secp256k1::mul(&self.big_b, self.b.expose());
        let mut shared = SecretVec::with_capacity(2 * KAPPA);
        for point in &points {
            let product = Secp256k1::mul(point, self.b.expose());
            shared.extend([product, product - b_big_b]);
        }
        let shared = Secp256k1::secret_points_bytes(&shared);
        let oracle = Oracle::new(psid, &self.big_b);
        let mut next = Sender2 {
            expected: SecretVec::with_capacity(KAPPA),
            openings: SecretVec::with_capacity(KAPPA),
            seeds: SecretVec::with_capacity(KAPPA),
        };
        let (pairs, _) = shared.as_chunks::<2>();
        for (j, (big_a, [shared0, shared1])) in (0u16..).zip(big_a.iter().zip(pairs)) {
            let (rho0, rho1) = (oracle.rho(j, 0, big_a, shared0), oracle.rho(j, 1, big_a, shared1));
            let (h0, h1) = (oracle.h(j, 0, &rho0), oracle.h(j, 1, &rho1));
            let (g0, g1) = (oracle.g(j, 0, &h0), oracle.g(j, 1, &h1));
            w.bytes(&xor(g0, &g1));
            next.expected.push(g0);
            next.openings.push([h0, h1]);
            next.seeds.push([oracle.seed(j, 0, &rho0), oracle.seed(j, 1, &rho1)]);
        }
        Ok(next)
    }
}

/// The base-OT sender after its challenge.
pub(crate) struct Sender2 {
    /// `g0` of each instance: the one right response.
    pub(crate) expected: SecretVec<Hash>,
    /// `h0, h1`.
    pub(crate) openings: SecretVec<[Hash; 2]>,
    pub(crate) seeds: SeedPairs,
}

impl Sender2 {
    /// mta 1.6. Reads the responses; if all are right, writes the openings.
    pub(crate) fn open(self, r: &mut Reader<'_>, w: &mut Writer) -> Result<SeedPairs, Fault> {
        let responses = r.bytes(CHALLENGE_LEN)?;
        if !bool::from(responses.ct_eq(self.expected.as_flattened())) {
            return Err(Fault::BaseOt);
        }
        w.bytes(self.openings.as_flattened().as_flattened());
        Ok(self.seeds)
    }
}

/// The base-OT receiver after its first message.
pub(crate) struct Receiver1 {
    oracle: Oracle,
    pub(crate) chosen: Chosen,
    h: SecretVec<Hash>,
}

/// The base-OT receiver after its response.
pub(crate) struct Receiver2 {
    state: Receiver1,
    challenges: Vec<u8>,
}

/// Bit `j` of the choice string.
fn choice(choices: &[u8; 16], j: u16) -> Choice {
    let bits = u128::from_le_bytes(*choices) >> j;
    let [byte, ..] = bits.to_le_bytes();
    Choice::from(byte & 1)
}

impl Receiver1 {
    /// mta 1.2. Reads `B`, draws the choice bits, writes all `A_j`.
    pub(crate) fn choose(
        sid0: Sid,
        psid: Psid,
        direction: Direction,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let statement = Encoded::decode(r)?;
        let proof = SchnorrProof::<Secp256k1>::decode(r)?;
        proof.verify(&context(sid0, direction), &statement).map_err(|_| Fault::Proof)?;
        let big_b = *statement.point();
        // bound to the psid: two peers never see one choice vector, whatever the generator does
        let fresh = SecretBytes::<32>::random(rng);
        let mut secrets = Transcript::new("mta", "vsot secrets").part(psid).part(fresh.expose()).xof();
        let mut choices = Zeroizing::new([0; 16]);
        secrets.fill(choices.as_mut_slice());
        // a control: see docs/assurance.md
        #[cfg(symbolon_planted = "statistics")]
        choices.iter_mut().take(1).for_each(|byte| *byte |= *byte >> 1 & 1);
        let choices = SecretBytes::new(*choices);
        // a point is multiplied 128 times: tables for both pay off
        let (base_g, base_b) = (FixedBase::new(&Secp256k1::generator()), FixedBase::new(&big_b));
        let mut big_a = SecretVec::with_capacity(KAPPA);
        let mut shared = SecretVec::with_capacity(KAPPA);
        let mut wide = Zeroizing::new([0; 64]);
        for j in INSTANCES {
            secrets.fill(wide.as_mut_slice());
            let a = SecretScalar::<Secp256k1>::new(Secp256k1::scalar_from_wide(&wide));
            let offset = Point::conditional_select(&Secp256k1::identity(), &big_b, choice(choices.expose(), j));
            big_a.push(base_g.mul(a.expose()) + offset);
            shared.push(base_b.mul(a.expose()));
        }
        let big_a = Secp256k1::points_to_bytes(&big_a);
        let shared = Secp256k1::secret_points_bytes(&shared);
        let oracle = Oracle::new(psid, &big_b);
        let mut h = SecretVec::with_capacity(KAPPA);
        let mut seeds = SecretVec::with_capacity(KAPPA);
        for (j, (big_a, shared)) in INSTANCES.zip(big_a.iter().zip(&shared)) {
            w.bytes(big_a);
            let branch = choice(choices.expose(), j).unwrap_u8();
            let rho = oracle.rho(j, branch, big_a, shared);
            h.push(oracle.h(j, branch, &rho));
            seeds.push(oracle.seed(j, branch, &rho));
        }
        Ok(Self { oracle, chosen: Chosen { choices, seeds }, h })
    }

    /// mta 1.5. Reads all `e_j`, writes the responses.
    pub(crate) fn respond(self, r: &mut Reader<'_>, w: &mut Writer) -> Result<Receiver2, Fault> {
        let challenges = r.bytes(CHALLENGE_LEN)?;
        let (each, _) = challenges.as_chunks::<32>();
        for (j, (e, h)) in INSTANCES.zip(each.iter().zip(self.h.iter())) {
            let c = choice(self.chosen.choices.expose(), j);
            let g = self.oracle.g(j, c.unwrap_u8(), h);
            w.bytes(&xor(g, &gated(e, c)));
        }
        Ok(Receiver2 { state: self, challenges: challenges.to_vec() })
    }
}

impl Receiver2 {
    /// mta 1.7. Checks the openings against the own branch and against `e_j`, all instances, no early exit.
    pub(crate) fn check(self, r: &mut Reader<'_>) -> Result<Chosen, Fault> {
        let Self { state: Receiver1 { oracle, chosen, h }, challenges } = self;
        let (openings, _) = r.bytes(OPENING_LEN)?.as_chunks::<64>();
        let (challenges, _) = challenges.as_chunks::<32>();
        let mut good = Choice::from(1);
        for (j, (opening, (e, h))) in INSTANCES.zip(openings.iter().zip(challenges.iter().zip(h.iter()))) {
            let mut halves = Reader::new(opening);
            let (h0, h1) = (halves.array::<32>()?, halves.array::<32>()?);
            let own = Hash::conditional_select(&h0, &h1, choice(chosen.choices.expose(), j));
            good &= own.ct_eq(h);
            good &= xor(oracle.g(j, 0, &h0), &oracle.g(j, 1, &h1)).ct_eq(e);
        }
        if bool::from(good) { Ok(chosen) } else { Err(Fault::BaseOt) }
    }
}

const INSTANCES: core::ops::Range<u16> = 0..128;
