//! One banked signing correlation, and the bank (safety.md S7).

use alloc::{sync::Arc, vec::Vec};
use k256::AffinePoint;
use rand_core::CryptoRng;
use symbolon_core::{Group, ItemId, Role, Secp256k1, SecretScalar, SecretVec, SetupId, Sid, Transcript, wire::Writer};
use symbolon_mta::{PairSetup, ReceiverShare, SenderShare, Suite};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Banked, Fault, FloorId, Pair, Token};

type Secret = SecretScalar<Secp256k1>;

pub(crate) const COMMIT: &str = "ecdsa R";

/// The nonce shares `k_i`, `R_i = k_i*G` of a batch, before the correlations are there.
pub struct Nonces(Vec<Nonce>);

struct Nonce {
    k: Secret,
    big_r: AffinePoint,
    hidden: Hidden,
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
        Self::draw(count, rng)
    }

    /// The server's: writes `Com(R_S)` of each under the pre-processing sid.
    pub fn committed(pair: &Pair, sid: &Sid, count: u16, w: &mut Writer, rng: &mut impl CryptoRng) -> Self {
        let mut nonces = Self::draw(count, rng);
        for Nonce { big_r, hidden, .. } in &mut nonces.0 {
            let encoded_r = Secp256k1::affine_to_bytes(big_r);
            let (com, opening) = Commitment::commit(COMMIT, sid, pair.id(Role::Server), &encoded_r, rng);
            com.encode(w);
            *hidden = Hidden::Own(com, opening);
        }
        nonces
    }

    fn draw(count: u16, rng: &mut impl CryptoRng) -> Self {
        let secrets: Vec<Secret> = (0..count).map(|_| Secret::random(rng)).collect();
        // their projective forms tell a little of how they were computed
        let points = SecretVec::new(secrets.iter().map(Secret::public).collect());
        let nonce = |(k, big_r)| Nonce { k, big_r, hidden: Hidden::Open };
        Self(secrets.into_iter().zip(Secp256k1::to_affine(&points)).map(nonce).collect())
    }
}

/// What the items of one batch share.
pub(crate) struct Origin {
    /// The sid that the server's commitments are bound to.
    pub(crate) sid: Sid,
    pub(crate) setup: SetupId,
    pub(crate) serial: u32,
    pub(crate) pair: Pair,
    pub(crate) suite: Suite,
}

/// What a party knows of one correlation before it has the peer's multiplication: its nonce share `k_i, R_i`, its sender
/// shares `alpha, t` of both products, and their points `Gamma_k = t_k*G`, `Gamma_x = t_x*G`.
pub struct OwnHalf {
    pub(crate) origin: Arc<Origin>,
    pub(crate) k: Secret,
    /// Affine: its encoding is not stored too.
    pub(crate) big_r: AffinePoint,
    pub(crate) hidden: Hidden,
    pub(crate) alpha: [Secret; 2],
    pub(crate) t: [Secret; 2],
    /// `Gamma_k`, `Gamma_x` encoded; computed at pre-processing, not online.
    pub(crate) big_gamma: [[u8; 33]; 2],
}

/// The halves of a batch, each with the digest of its multiplication: part of an item's name, and not kept after that.
pub type Halves = Vec<(OwnHalf, [u8; 32])>;

impl OwnHalf {
    /// Puts the halves of a batch together. `commitments` are the server's, on the client's side.
    ///
    /// # Errors
    /// [`Fault::Multiplication`] if the parts are not of one length, which no honest caller reaches.
    pub fn batch(
        setup: &PairSetup,
        sid: &Sid,
        nonces: Nonces,
        commitments: Vec<Commitment>,
        sender: Vec<SenderShare<2>>,
    ) -> Result<Halves, Fault> {
        let (pair, suite) = (*setup.pair(), setup.suite());
        let origin = Arc::new(Origin { sid: *sid, setup: setup.id(), serial: setup.serial(), pair, suite });
        let gammas: Vec<_> = sender.iter().flat_map(|s| s.t().each_ref().map(SecretScalar::public)).collect();
        let gammas = Secp256k1::points_to_bytes(&gammas);
        let mut gammas = gammas.as_chunks::<2>().0.iter();
        let mut commitments = commitments.into_iter();
        let mut sender = sender.into_iter();
        let mut halves = Vec::with_capacity(nonces.0.len());
        for Nonce { k, big_r, hidden } in nonces.0 {
            let hidden = match hidden {
                Hidden::Open => Hidden::Peer(commitments.next().ok_or(Fault::Multiplication)?),
                other => other,
            };
            let sender = sender.next().ok_or(Fault::Multiplication)?;
            let big_gamma = *gammas.next().ok_or(Fault::Multiplication)?;
            let digest = *sender.digest();
            let (alpha, t) = sender.into_shares();
            halves.push((Self { origin: Arc::clone(&origin), k, big_r, hidden, alpha, t, big_gamma }, digest));
        }
        Ok(halves)
    }

    /// The encoding of `R_i`.
    pub(crate) fn encoded_r(&self) -> [u8; 33] {
        Secp256k1::affine_to_bytes(&self.big_r)
    }
}

/// What a party knows of the peer's multiplication: its receiver shares `beta, r` of both products.
pub struct PeerHalf {
    pub(crate) beta: Secret,
    pub(crate) r: [Secret; 2],
}

impl From<ReceiverShare<2>> for PeerHalf {
    fn from(share: ReceiverShare<2>) -> Self {
        let (beta, r) = share.into_shares();
        Self { beta, r }
    }
}

/// One banked pre-processing: the own half and the peer's. Used once, by value; in memory only. It has less than 600 bytes, and what all
/// items of its batch share.
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
    pub(crate) own: OwnHalf,
    pub(crate) peer: PeerHalf,
}

impl Preprocessed {
    /// Puts a batch together.
    ///
    /// # Errors
    /// [`Fault::Multiplication`] if the parts are not of one length, which no honest caller reaches.
    pub fn batch(halves: Halves, receiver: Vec<ReceiverShare<2>>) -> Result<Vec<Self>, Fault> {
        if halves.len() != receiver.len() {
            return Err(Fault::Multiplication);
        }
        let item = |(counter, ((own, sent), receiver)): (u64, ((OwnHalf, [u8; 32]), ReceiverShare<2>))| Self {
            id: item_id(counter, &own, &sent, receiver.digest()),
            own,
            peer: receiver.into(),
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
    pub fn setup(&self) -> SetupId {
        self.own.origin.setup
    }

    /// The pair serial it was made under; below the pair's floor it is stale (safety.md S6).
    #[must_use]
    pub fn serial(&self) -> u32 {
        self.own.origin.serial
    }

    /// The local role and both identities.
    #[must_use]
    pub fn pair(&self) -> &Pair {
        &self.own.origin.pair
    }
}

/// `T("item", sid of the pre-processing, counter, commitments, digests of both directions)[..16]`; the client's
/// commitment is absent, and encoded as empty. The digests cover extension and multiplication messages.
fn item_id(counter: u64, own: &OwnHalf, sent: &[u8; 32], received: &[u8; 32]) -> ItemId {
    let com = match &own.hidden {
        Hidden::Own(com, _) | Hidden::Peer(com) => com.as_bytes().as_slice(),
        Hidden::Open => &[],
    };
    let (from_client, from_server) = match own.origin.pair.role() {
        Role::Client => (sent, received),
        Role::Server => (received, sent),
    };
    let id = Transcript::new("ecdsa", "item").part(own.origin.sid).number(counter).part(com).part([]);
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
        [Token::Item { item: self.id, setup: self.setup() }].into()
    }

    fn floors(&self) -> Vec<(FloorId, u64)> {
        pair_floor(self.pair(), self.serial()).into_iter().collect()
    }
}

/// The bank of a two-party wallet's items; with [`crate::QuorumItem`] of those of sets of signers.
pub type Bank<I = Preprocessed> = symbolon_session::Bank<I>;
