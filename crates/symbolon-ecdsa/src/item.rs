//! One banked signing correlation, and the bank (safety.md S7).

use alloc::{collections::BTreeMap, vec::Vec};
use core::mem::take;
use rand_core::CryptoRng;
use symbolon_core::{Group, ItemId, Role, Secp256k1, SecretScalar, SetupId, Sid, Transcript, wire::Writer};
use symbolon_mta::{PairSetup, ReceiverShare, SenderShare, Suite};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Fault, Pair};

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

/// What a [`Bank`] holds.
pub trait Banked {
    /// The item's name, equal at all its signers.
    fn id(&self) -> ItemId;
    /// Whether it was made over this pair setup.
    fn is_over(&self, setup: &SetupId) -> bool;
    /// Whether it was made over a setup of this pair whose serial is below `floor`.
    fn is_below(&self, pair: &Pair, floor: u32) -> bool;
}

impl Banked for Preprocessed {
    fn id(&self) -> ItemId {
        self.id
    }

    fn is_over(&self, setup: &SetupId) -> bool {
        self.setup == *setup
    }

    fn is_below(&self, pair: &Pair, floor: u32) -> bool {
        self.pair == *pair && self.serial < floor
    }
}

/// Banked items of any number of pairs (or, with [`crate::QuorumItem`], of sets of signers), in memory, each handed out
/// once. There is no way to put a taken item back other than the batch that made it.
pub struct Bank<I = Preprocessed>(BTreeMap<ItemId, I>);

impl<I> Default for Bank<I> {
    fn default() -> Self {
        Self(BTreeMap::new())
    }
}

impl Bank {
    /// An empty bank.
    #[must_use]
    pub const fn new() -> Self {
        Self(BTreeMap::new())
    }
}

impl<I: Banked> Bank<I> {
    /// Files a fresh batch.
    pub fn put(&mut self, items: impl IntoIterator<Item = I>) {
        self.0.extend(items.into_iter().map(|item| (item.id(), item)));
    }

    /// Takes the item that the peer's frame names ([`crate::item_of`], [`crate::quorum_item_of`]); `None` if it is gone.
    pub fn take(&mut self, id: &ItemId) -> Option<I> {
        self.0.remove(id)
    }

    /// Takes any item over this pair setup: what the sender of the first frame does.
    pub fn take_any(&mut self, setup: &SetupId) -> Option<I> {
        let id = self.ids(setup).next()?;
        self.0.remove(&id)
    }

    /// Destroys the items of a burned setup; those already taken may finish.
    pub fn burn(&mut self, setup: &SetupId) {
        self.0.retain(|_, item| !item.is_over(setup));
    }

    /// Destroys the items of a pair below its floor: after a refresh or resharing they are stale (safety.md S6).
    pub fn destroy_below(&mut self, pair: &Pair, floor: u32) {
        self.0.retain(|_, item| !item.is_below(pair, floor));
    }

    /// The ids of the items over a setup: what two banks compare after a restart, and what the sender of the first frame
    /// picks from.
    pub fn ids(&self, setup: &SetupId) -> impl Iterator<Item = ItemId> + '_ {
        let setup = *setup;
        self.0.values().filter(move |item| item.is_over(&setup)).map(Banked::id)
    }

    /// Items left over a setup.
    #[must_use]
    pub fn left(&self, setup: &SetupId) -> usize {
        self.ids(setup).count()
    }

    /// Takes everything out, for whoever distributes items to workers.
    pub fn drain(&mut self) -> Vec<I> {
        take(&mut self.0).into_values().collect()
    }
}
