//! One banked signing correlation, and the bank (safety.md S7).

use alloc::vec::Vec;
use rand_core::CryptoRng;
use symbolon_core::{Group, ItemId, Role, Secp256k1, SecretScalar, SetupId, Sid, Transcript, wire::Writer};
use symbolon_mta::{PairSetup, ReceiverShare, SenderShare, Suite};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Banked, Fault, FloorId, Pair, Token};

type Point = <Secp256k1 as Group>::Point;

pub(crate) const COMMIT: &str = "ecdsa R";

/// The nonce shares `k_i`, `R_i = k_i*G` of a batch, before the correlations are there.
pub struct Nonces(Vec<(Nonce, Hidden)>);

struct Nonce {
    k: SecretScalar<Secp256k1>,
    big_r: Point,
    encoded_r: [u8; 33],
}

/// How the `R` of a pair is kept back: the server knows the opening, the client the commitment.
pub(crate) enum Hidden {
    Own(Commitment, Opening),
    Peer(Commitment),
    /// The client, before it has the server's commitment.
    Open,
}

impl Nonces {
    /// The client's: it opens first and commits to nothing.
    pub fn open(count: u16, rng: &mut impl CryptoRng) -> Self {
        Self((0..count).map(|_| (Nonce::draw(rng), Hidden::Open)).collect())
    }

    /// The server's: writes `Com(R_S)` of each under the pre-processing sid.
    pub fn committed(pair: &Pair, sid: &Sid, count: u16, w: &mut Writer, rng: &mut impl CryptoRng) -> Self {
        let draw = |_| {
            let nonce = Nonce::draw(rng);
            let (com, opening) = Commitment::commit(COMMIT, sid, pair.id(Role::Server), &nonce.encoded_r, rng);
            com.encode(w);
            (nonce, Hidden::Own(com, opening))
        };
        Self((0..count).map(draw).collect())
    }
}

impl Nonce {
    fn draw(rng: &mut impl CryptoRng) -> Self {
        let k = SecretScalar::<Secp256k1>::random(rng);
        let big_r = k.public();
        let encoded_r = Secp256k1::point_to_bytes(&big_r);
        Self { k, big_r, encoded_r }
    }
}

/// What a party knows of one correlation before it has the peer's multiplication: its nonce share `k_i, R_i`, its sender
/// shares `alpha, t` of both products, and their points `Gamma_k = t_k*G`, `Gamma_x = t_x*G`.
pub struct OwnHalf {
    /// The sid that the server's commitment is bound to.
    pub(crate) sid: Sid,
    pub(crate) k: SecretScalar<Secp256k1>,
    pub(crate) big_r: Point,
    pub(crate) encoded_r: [u8; 33],
    pub(crate) hidden: Hidden,
    pub(crate) sender: SenderShare<2>,
    /// `Gamma_k`, `Gamma_x` encoded; computed at pre-processing, not online.
    pub(crate) big_gamma: [[u8; 33]; 2],
}

impl OwnHalf {
    /// Puts the halves of a batch together. `commitments` are the server's, on the client's side.
    ///
    /// # Errors
    /// [`Fault::Multiplication`] if the parts are not of one length, which no honest caller reaches.
    pub fn batch(
        sid: &Sid,
        nonces: Nonces,
        commitments: Vec<Commitment>,
        sender: Vec<SenderShare<2>>,
    ) -> Result<Vec<Self>, Fault> {
        let count = nonces.0.len();
        let gammas: Vec<Point> = sender.iter().flat_map(|s| s.t().each_ref().map(SecretScalar::public)).collect();
        let gammas = Secp256k1::points_to_bytes(&gammas);
        let mut gammas = gammas.as_chunks::<2>().0.iter();
        let mut commitments = commitments.into_iter();
        let mut sender = sender.into_iter();
        let mut halves = Vec::with_capacity(count);
        for (Nonce { k, big_r, encoded_r }, hidden) in nonces.0 {
            let hidden = match hidden {
                Hidden::Open => Hidden::Peer(commitments.next().ok_or(Fault::Multiplication)?),
                other => other,
            };
            let sender = sender.next().ok_or(Fault::Multiplication)?;
            let big_gamma = *gammas.next().ok_or(Fault::Multiplication)?;
            halves.push(Self { sid: *sid, k, big_r, encoded_r, hidden, sender, big_gamma });
        }
        Ok(halves)
    }
}

/// One banked pre-processing: the own half and the receiver shares `beta, r` of the peer's multiplication. Used once, by
/// value; in memory only.
///
/// ```compile_fail
/// fn copyable<T: Clone>() {}
/// copyable::<symbolon_ecdsa::Preprocessed>();
/// ```
/// ```compile_fail
/// fn printable<T: core::fmt::Debug>() {}
/// printable::<symbolon_ecdsa::Preprocessed>();
/// ```
pub struct Preprocessed {
    pub(crate) id: ItemId,
    pub(crate) setup: SetupId,
    pub(crate) serial: u32,
    pub(crate) pair: Pair,
    pub(crate) suite: Suite,
    pub(crate) own: OwnHalf,
    pub(crate) receiver: ReceiverShare<2>,
}

impl Preprocessed {
    /// Puts a batch together.
    ///
    /// # Errors
    /// [`Fault::Multiplication`] if the parts are not of one length, which no honest caller reaches.
    pub fn batch(setup: &PairSetup, halves: Vec<OwnHalf>, receiver: Vec<ReceiverShare<2>>) -> Result<Vec<Self>, Fault> {
        if halves.len() != receiver.len() {
            return Err(Fault::Multiplication);
        }
        let item = |(counter, (own, receiver)): (u64, (OwnHalf, ReceiverShare<2>))| Self {
            id: item_id(setup.pair().role(), counter, &own, &receiver),
            setup: setup.id(),
            serial: setup.serial(),
            pair: *setup.pair(),
            suite: setup.suite(),
            own,
            receiver,
        };
        Ok((0..).zip(halves.into_iter().zip(receiver)).map(item).collect())
    }

    /// The item's name, equal on both sides.
    #[must_use]
    pub const fn id(&self) -> ItemId {
        self.id
    }

    /// The pair setup that it was made over: when that is burned, the item is refused.
    #[must_use]
    pub const fn setup(&self) -> SetupId {
        self.setup
    }

    /// The pair serial it was made under; below the pair's floor it is stale (safety.md S6).
    #[must_use]
    pub const fn serial(&self) -> u32 {
        self.serial
    }

    /// The local role and both identities.
    #[must_use]
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }
}

/// `T("item", sid of the pre-processing, counter, commitments, digests of both directions)[..16]`; the client's
/// commitment is absent, and encoded as empty. The digests cover extension and multiplication messages.
fn item_id(role: Role, counter: u64, own: &OwnHalf, receiver: &ReceiverShare<2>) -> ItemId {
    let com = match &own.hidden {
        Hidden::Own(com, _) | Hidden::Peer(com) => com.as_bytes().as_slice(),
        Hidden::Open => &[],
    };
    let (from_client, from_server) = match role {
        Role::Client => (own.sender.digest(), receiver.digest()),
        Role::Server => (receiver.digest(), own.sender.digest()),
    };
    let id = Transcript::new("ecdsa", "item").part(own.sid).number(counter).part(com).part([]);
    ItemId::truncate(&id.part(from_client).part(from_server).finish())
}

/// The pair's floor, for an item made at `serial`. Default names are those of every pair in the world, and nothing is filed
/// under them.
pub(crate) fn pair_floor(pair: &Pair, serial: u32) -> Option<(FloorId, u64)> {
    pair.is_named().then(|| (pair.floor(), serial.into()))
}

impl Banked for Preprocessed {
    fn id(&self) -> ItemId {
        self.id
    }

    fn tokens(&self) -> Vec<Token> {
        [Token::Item { item: self.id, setup: self.setup }].into()
    }

    fn floors(&self) -> Vec<(FloorId, u64)> {
        pair_floor(&self.pair, self.serial).into_iter().collect()
    }
}

/// The bank of a two-party wallet's items; with [`crate::QuorumItem`] of those of sets of signers.
pub type Bank<I = Preprocessed> = symbolon_session::Bank<I>;
