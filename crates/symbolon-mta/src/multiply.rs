//! Multiplication from OTs, the gadget drawn after the sender's message (Asharov, "Revisiting DKLs", ePrint 2026/976,
//! variant II, on the multiplication of Doerner, Kondi, Lee, shelat, ePrint 2023/765) (mta 5).

use crate::{
    Direction, ExtReceiver, ExtSender, Purpose, Suite,
    bits::columns,
    extension::{Received, Sent, receive, send},
    limbs::{self, Limbs, Sum},
    pads::{Pads, pitch},
    params::{BLOCKS, M, Psid, RHO, SIGMA},
};
use alloc::{vec, vec::Vec};
use core::array;
use rand_core::CryptoRng;
use subtle::ConstantTimeEq;
use symbolon_core::{
    Secp256k1, SecretScalar, SecretVec, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::Fault;
use zeroize::{Zeroize, Zeroizing};

type Secret = SecretScalar<Secp256k1>;

/// Bytes of one multiplication message: 49,216 for `ell = 1`, 73,792 for `ell = 2`.
#[must_use]
pub const fn multiplication_len(ell: usize) -> usize {
    M * (ell + RHO) * 32 + 64
}

/// The sender's result of one multiplication: `t_i + r_i = alpha_i * beta`. Wiped on drop.
pub struct SenderShare<const ELL: usize> {
    pub(crate) alpha: [Secret; ELL],
    pub(crate) t: [Secret; ELL],
    pub(crate) digest: [u8; 32],
}

impl<const ELL: usize> SenderShare<ELL> {
    /// The random inputs `alpha_i`.
    #[must_use]
    pub const fn alpha(&self) -> &[Secret; ELL] {
        &self.alpha
    }

    /// The shares `t_i`.
    #[must_use]
    pub const fn t(&self) -> &[Secret; ELL] {
        &self.t
    }

    /// Digest of both messages, the same on both sides.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// `alpha` and `t` without the digest, for whoever keeps many.
    #[must_use]
    pub fn into_shares(self) -> ([Secret; ELL], [Secret; ELL]) {
        (self.alpha, self.t)
    }
}

/// The receiver's result of one multiplication: `t_i + r_i = alpha_i * beta`. Wiped on drop.
pub struct ReceiverShare<const ELL: usize> {
    pub(crate) beta: Secret,
    pub(crate) r: [Secret; ELL],
    pub(crate) digest: [u8; 32],
}

impl<const ELL: usize> ReceiverShare<ELL> {
    /// The random input `beta`.
    #[must_use]
    pub const fn beta(&self) -> &Secret {
        &self.beta
    }

    /// The shares `r_i`.
    #[must_use]
    pub const fn r(&self) -> &[Secret; ELL] {
        &self.r
    }

    /// Digest of both messages, the same on both sides.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.digest
    }

    /// `beta` and `r` without the digest, for whoever keeps many.
    #[must_use]
    pub fn into_shares(self) -> (Secret, [Secret; ELL]) {
        (self.beta, self.r)
    }
}

/// The session of a batch: what every item's psid is made of.
#[derive(Clone, Copy)]
pub(crate) struct Batch {
    sid: Sid,
    purpose: Purpose,
    direction: Direction,
    suite: Suite,
    count: u16,
}

impl Batch {
    /// Item `n` runs under counter `n`; the extension runs under counter 0.
    pub(crate) fn psid(&self, item: u16) -> Psid {
        Psid::new(self.sid, self.purpose, item, self.direction)
    }

    fn blocks(&self) -> usize {
        usize::from(self.count) * BLOCKS
    }
}

/// Columns `item*m..` of a correlation.
pub(crate) fn item_columns(rows: &[u128], stride: usize, item: u16) -> SecretVec<u128> {
    let mut all = SecretVec::with_capacity(M);
    let first = usize::from(item) * BLOCKS;
    (first..first + BLOCKS).for_each(|block| all.extend_from_slice(columns(rows, stride, block).as_slice()));
    all
}

/// The hashes of one multiplication that both sides compute from the sender's message.
pub(crate) struct Challenge {
    matrix: [u8; 32],
}

impl Challenge {
    /// mta 5.3. Absorbs the digest of the extension message and the whole matrix.
    pub(crate) fn new(psid: Psid, extension: &[u8; 32], matrix: &[u8]) -> Self {
        Self { matrix: Transcript::new("mta", "matrix").part(psid).part(extension).bulk(matrix).finish() }
    }

    /// mta 5.4.
    pub(crate) fn theta<const ELL: usize>(&self) -> [Limbs; ELL] {
        let theta = Transcript::new("mta", "theta").part(self.matrix);
        let mut index = 0u64..;
        array::from_fn(|_| {
            limbs::from_scalar(&theta.clone().number(index.next().unwrap_or_default()).scalar::<Secp256k1>())
        })
    }

    pub(crate) fn mu_hash(psid: Psid, mu: &[u8]) -> [u8; 32] {
        Transcript::new("mta", "mu").part(psid).bulk(mu).finish()
    }

    /// mta 5.6. The gadget, drawn when the sender can change nothing any more.
    pub(crate) fn gadget(&self, eta: &[u8; 32], mu_hash: &[u8; 32]) -> Vec<Limbs> {
        let mut bytes = vec![[0; 32]; M];
        let gadget = Transcript::new("mta", "gadget").part(self.matrix).part(eta).part(mu_hash);
        gadget.xof().fill(bytes.as_flattened_mut());
        // sums reduce them
        bytes.iter().map(limbs::from_bytes).collect()
    }

    fn digest(&self, eta: &[u8; 32], mu_hash: &[u8; 32]) -> [u8; 32] {
        Transcript::new("mta", "multiplication").part(self.matrix).part(eta).part(mu_hash).finish()
    }
}

fn secret(mut limbs: Limbs) -> Secret {
    let secret = Secret::new(limbs::to_scalar(&limbs));
    limbs.zeroize();
    secret
}

// What is generic over `ELL` is compiled in each crate that calls it, so the loops are not.

/// `d` and `mu` of one multiplication.
type Opened = (SecretVec<Limbs>, SecretVec<u8>);

/// Columns per call of the pads.
const CHUNK: usize = 64;

/// The receiver of a batch, after its extension message.
pub struct MulReceiver {
    pub(crate) batch: Batch,
    pub(crate) received: Received,
}

impl MulReceiver {
    /// mta 5.1. Draws the bits `w` of `count` multiplications and writes the one extension message of this sid, purpose and
    /// direction, [`extension_len`](crate::extension_len)`(count)` bytes.
    ///
    /// # Security
    /// MUST be called once for a sid, purpose and direction. `sid` MUST contain a nonce of the peer, or
    /// [`MulReceiver::under`] follows with one that does.
    /// It leaves keys and pads on the stack: the caller clears it ([`symbolon_core::on_cleared_stack`]), as sessions do.
    pub fn extend(
        ext: &ExtReceiver,
        sid: Sid,
        purpose: Purpose,
        count: u16,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Self {
        let batch = Batch { sid, purpose, direction: ext.direction(), suite: ext.suite(), count };
        let received = receive(ext, batch.psid(0), batch.blocks(), w, rng);
        Self { batch, received }
    }

    /// Moves the multiplications under the full sid, where the extension was sent before all nonces were known, under
    /// this party's `sid0`. The peer does the same.
    #[must_use]
    pub const fn under(mut self, sid: Sid) -> Self {
        self.batch.sid = sid;
        self
    }

    /// `D`, the digest of the extension message.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.received.digest
    }

    /// mta 5.7 to 5.9. Reads the batch's multiplication messages, [`multiplication_len`]`(ELL)` bytes each, and checks
    /// them.
    ///
    /// # Errors
    /// [`Fault::Encoding`]; [`Fault::Multiplication`], which burns the setup.
    pub fn multiply<const ELL: usize>(self, r: &mut Reader<'_>) -> Result<Vec<ReceiverShare<ELL>>, Fault> {
        (0..self.batch.count).map(|item| self.item(item, r)).collect()
    }

    fn item<const ELL: usize>(&self, item: u16, r: &mut Reader<'_>) -> Result<ReceiverShare<ELL>, Fault> {
        const { assert!(ELL >= 1 && ELL <= 7, "pads have at most eight columns") }
        let width = ELL + RHO;
        let psid = self.batch.psid(item);
        let matrix = r.bytes(M * width * 32)?;
        let (eta_bytes, mu_hash) = (r.array::<32>()?, r.array::<32>()?);
        let eta = canonical(&eta_bytes)?;
        let challenge = Challenge::new(psid, &self.received.digest, matrix);
        let theta = challenge.theta::<ELL>();
        let (matrix, _) = matrix.as_chunks::<32>();

        let (d, mu) = self.opened(item, matrix, &theta, &eta)?;
        if !bool::from(Challenge::mu_hash(psid, &mu).ct_eq(&mu_hash)) {
            return Err(Fault::Multiplication);
        }

        // mta 5.9
        let gadget = challenge.gadget(&eta_bytes, &mu_hash);
        Ok(ReceiverShare {
            beta: secret(self.chosen(item, &gadget)),
            r: array::from_fn(|column| secret(weighted(&gadget, &d, width, column))),
            digest: challenge.digest(&eta_bytes, &mu_hash),
        })
    }

    /// mta 5.7, 5.8. The rows `d` of the received matrix, below `2^256`, and `mu` as the receiver has it.
    fn opened(&self, item: u16, matrix: &[[u8; 32]], theta: &[Limbs], eta: &Limbs) -> Result<Opened, Fault> {
        let width = theta.len() + RHO;
        let columns = item_columns(&self.received.rows, self.received.stride, item);
        let mut pads = Pads::new(self.batch.suite, self.batch.psid(item), &self.received.digest);
        let mut pad = SecretVec::new(vec![[0; 32]; CHUNK * pitch(width)]);
        let mut d = SecretVec::with_capacity(M * width);
        let mut mu = SecretVec::with_capacity(M * 32);
        let minus_eta = limbs::sub(&[0; 4], eta);
        let chunks = columns.chunks_exact(CHUNK).zip(matrix.chunks_exact(CHUNK * width));
        for ((first, bits), (columns, matrix)) in self.choices(item).zip(chunks) {
            pads.fill(first, columns, width, &mut pad);
            for (n, (pad, row)) in (0..).zip(pad.chunks_exact(pitch(width)).zip(matrix.chunks_exact(width))) {
                let w = limbs::mask(bits >> n & 1);
                // mta 5.7
                let start = d.len();
                for (pad, a) in pad.iter().zip(row) {
                    d.push(limbs::add_unreduced(&limbs::from_bytes(pad), &limbs::masked(&canonical(a)?, w)));
                }
                // mta 5.8
                let Some((mask, d)) = d.get(start..).and_then(<[Limbs]>::split_last) else { continue };
                let mut sum = Sum::default();
                theta.iter().zip(d).for_each(|(theta, d)| sum.product(theta, d));
                sum.integer(mask);
                sum.integer(&limbs::masked(&minus_eta, w));
                mu.extend_from_slice(&limbs::to_bytes(&sum.reduce()));
            }
        }
        Ok((d, mu))
    }

    /// mta 5.9. `beta`, the sum of the gadget's entries that the bits choose.
    fn chosen(&self, item: u16, gadget: &[Limbs]) -> Limbs {
        let mut beta = Sum::default();
        for ((_, bits), gadget) in self.choices(item).zip(gadget.chunks_exact(CHUNK)) {
            (0..).zip(gadget).for_each(|(n, g)| beta.integer(&limbs::masked(g, limbs::mask(bits >> n & 1))));
        }
        beta.reduce()
    }

    /// The bits `w` of one item, 64 at a time, with the index of the first.
    fn choices(&self, item: u16) -> impl Iterator<Item = (u64, u64)> + '_ {
        let skipped = usize::from(item) * BLOCKS;
        let words = self.received.bits.iter().skip(skipped).take(BLOCKS).flat_map(|block| {
            let low = block & u128::from(u64::MAX);
            [low, block >> 64].map(|half| u64::try_from(half).unwrap_or_default())
        });
        (0u64..).step_by(CHUNK).zip(words)
    }
}

/// A scalar of the peer.
fn canonical(bytes: &[u8; 32]) -> Result<Limbs, Fault> {
    let x = limbs::from_bytes(bytes);
    if limbs::is_canonical(&x) { Ok(x) } else { Err(Fault::Encoding(DecodeError::ScalarRange)) }
}

/// The sender of a batch, after the checked extension message.
pub struct MulSender {
    pub(crate) batch: Batch,
    pub(crate) sent: Sent,
    delta: Zeroizing<u128>,
}

impl MulSender {
    /// mta 5.1. Reads and checks the peer's extension message for `count` multiplications.
    ///
    /// # Errors
    /// [`Fault::Encoding`]; [`Fault::Extension`], which burns the setup.
    ///
    /// # Security
    /// MUST be called once for a sid, purpose and direction. `sid` MUST contain a nonce of this party, or
    /// [`MulSender::under`] follows with one that does: an extension message that is replayed gives the same correlation,
    /// and only the sid of the pads keeps two runs apart (attacks.md row 96).
    /// It leaves keys and pads on the stack: the caller clears it ([`symbolon_core::on_cleared_stack`]), as sessions do.
    pub fn extend(ext: &ExtSender, sid: Sid, purpose: Purpose, count: u16, r: &mut Reader<'_>) -> Result<Self, Fault> {
        let batch = Batch { sid, purpose, direction: ext.direction(), suite: ext.suite(), count };
        let sent = send(ext, batch.psid(0), batch.blocks(), r)?;
        Ok(Self { batch, sent, delta: Zeroizing::new(ext.delta_block()) })
    }

    /// Moves the multiplications under the full sid, where the peer's extension came under its `sid0`.
    #[must_use]
    pub const fn under(mut self, sid: Sid) -> Self {
        self.batch.sid = sid;
        self
    }

    /// `D`, the digest of the extension message.
    #[must_use]
    pub const fn digest(&self) -> &[u8; 32] {
        &self.sent.digest
    }

    /// mta 5.2 to 5.6. Writes the batch's multiplication messages, [`multiplication_len`]`(ELL)` bytes each, for random
    /// `alpha`.
    pub fn multiply<const ELL: usize>(self, w: &mut Writer, rng: &mut impl CryptoRng) -> Vec<SenderShare<ELL>> {
        w.reserve(usize::from(self.batch.count) * multiplication_len(ELL));
        (0..self.batch.count).map(|item| self.item(item, w, rng)).collect()
    }

    fn item<const ELL: usize>(&self, item: u16, w: &mut Writer, rng: &mut impl CryptoRng) -> SenderShare<ELL> {
        const { assert!(ELL >= 1 && ELL <= 7, "pads have at most eight columns") }
        let alpha: [Secret; ELL] = array::from_fn(|_| Secret::random(rng));
        let mask = Secret::random(rng);
        let psid = self.batch.psid(item);
        let columns = item_columns(&self.sent.rows, self.sent.stride, item);

        // mta 5.2, 5.3
        let inputs: SecretVec<Limbs> =
            SecretVec::new(alpha.iter().chain([&mask]).map(|input| limbs::from_scalar(input.expose())).collect());
        let (p0, matrix) = self.matrix(psid, &columns, &inputs);
        w.bytes(&matrix);

        // mta 5.4, 5.5
        let challenge = Challenge::new(psid, &self.sent.digest, &matrix);
        let theta = challenge.theta::<ELL>();
        let eta = limbs::to_bytes(&checked(&theta, &inputs));
        let mu = mu(&theta, &p0);
        let mu_hash = Challenge::mu_hash(psid, &mu);
        w.bytes(&eta).bytes(&mu_hash);

        // mta 5.6
        let gadget = challenge.gadget(&eta, &mu_hash);
        let t = array::from_fn(|column| secret(limbs::sub(&[0; 4], &weighted(&gadget, &p0, ELL + RHO, column))));
        SenderShare { alpha, t, digest: challenge.digest(&eta, &mu_hash) }
    }

    /// mta 5.2, 5.3. The pads `p0`, below `2^256`, and `a~ = p0 - p1 + input` column by column.
    pub(crate) fn matrix(&self, psid: Psid, columns: &[u128], inputs: &[Limbs]) -> (SecretVec<Limbs>, Vec<u8>) {
        let width = inputs.len();
        let mut pads = Pads::new(self.batch.suite, psid, &self.sent.digest);
        let mut pad0 = SecretVec::new(vec![[0; 32]; CHUNK * pitch(width)]);
        let mut pad1 = SecretVec::new(vec![[0; 32]; CHUNK * pitch(width)]);
        let mut other = Zeroizing::new([0; CHUNK]);
        let shifted = SecretVec::new(inputs.iter().map(limbs::shifted).collect());
        let mut p0 = SecretVec::with_capacity(M * width);
        let mut matrix = Vec::with_capacity(M * width * 32);
        for (first, columns) in (0u64..).step_by(CHUNK).zip(columns.chunks_exact(CHUNK)) {
            other.iter_mut().zip(columns).for_each(|(other, column)| *other = column ^ *self.delta);
            pads.fill(first, columns, width, &mut pad0);
            pads.fill(first, other.as_slice(), width, &mut pad1);
            for (pad0, pad1) in pad0.chunks_exact(pitch(width)).zip(pad1.chunks_exact(pitch(width))) {
                for (input, (pad0, pad1)) in shifted.iter().zip(pad0.iter().zip(pad1)) {
                    let (pad0, pad1) = (limbs::from_bytes(pad0), limbs::from_bytes(pad1));
                    matrix.extend_from_slice(&limbs::to_bytes(&limbs::difference_plus(&pad0, &pad1, input)));
                    p0.push(pad0);
                }
            }
        }
        (p0, matrix)
    }
}

/// mta 5.5. `x^ + sum_i theta_i * x_i` of a row whose last entry is the mask column.
fn checked(theta: &[Limbs], row: &[Limbs]) -> Limbs {
    let mut sum = Sum::default();
    if let Some((mask, row)) = row.split_last() {
        theta.iter().zip(row).for_each(|(theta, x)| sum.product(theta, x));
        sum.integer(mask);
    }
    sum.reduce()
}

/// mta 5.5. `mu` as the sender has it.
fn mu(theta: &[Limbs], p0: &[Limbs]) -> SecretVec<u8> {
    let mut mu = SecretVec::with_capacity(M * 32);
    for p0 in p0.chunks_exact(theta.len() + RHO) {
        mu.extend_from_slice(&limbs::to_bytes(&checked(theta, p0)));
    }
    mu
}

/// mta 5.6, 5.9. One column of a matrix, weighted by the gadget and summed.
fn weighted(gadget: &[Limbs], rows: &[Limbs], width: usize, column: usize) -> Limbs {
    let mut sum = Sum::default();
    gadget.iter().zip(rows.iter().skip(column).step_by(width)).for_each(|(g, x)| sum.product(g, x));
    sum.reduce()
}

const _: () = assert!(SIGMA.is_multiple_of(CHUNK));
