//! Signing from a banked item (two messages) and from scratch (four messages); docs/spec/ecdsa.md, packing.

use crate::{
    DerivationPath, DeriveError, Payload, Signature, derive,
    item::{Nonces, OwnHalf, Preprocessed},
    online::{self, CLIENT_STEP_3_LEN, SERVER_STEP_3_LEN, STEP_4_LEN, Target},
    preprocess::{commit_len, multiply, multiply_len, read_commitments, server_commits},
};
use alloc::{vec, vec::Vec};
use symbolon_core::{
    Group, ItemId, PartyId, Role, Secp256k1, SeedRng, Sid,
    wire::{Reader, Writer},
};
use symbolon_mta::{Exhausted, MulReceiver, PairSetup, Purpose, extension_len};
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Header, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Terms, To,
};
use symbolon_sharing::{CustodyError, KeyShare, Scheme};

type Point = <Secp256k1 as Group>::Point;
type Share = KeyShare<Secp256k1>;

/// A signing run that cannot start.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SignError {
    /// These two parties are not members of the key, or two are not exactly enough, or it is not an ECDSA key.
    #[error("these two parties are not exactly enough signers of this key, or it is not an ECDSA key")]
    Signers,
    /// Two signers use the two-party path.
    #[error("two signers use the two-party path: SignFull, SignOnline or a stateless run")]
    TwoSigners,
    /// The pair of the setup or item has other identities than the members of the key.
    #[error("the pair setup or bank item belongs to other parties than the key")]
    Pair,
    /// The nodes do not belong to this custody.
    #[error(transparent)]
    Custody(#[from] CustodyError),
    /// BIP-32 derivation.
    #[error(transparent)]
    Derive(#[from] DeriveError),
    /// The pair setup has served all its runs.
    #[error(transparent)]
    Exhausted(#[from] Exhausted),
}

/// Message, key and path of one signature, fixed by the local caller (safety.md S4).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Request {
    pair: Pair,
    payload: Payload,
    path: DerivationPath,
    tweak: <Secp256k1 as Group>::Scalar,
    public_key: Point,
    terms: Terms,
}

impl Request {
    /// Fixes message, key, path, and the two of the key's members that sign.
    ///
    /// # Errors
    /// [`SignError::Signers`], [`SignError::Pair`], [`SignError::Derive`].
    pub fn new(share: &Share, pair: &Pair, payload: Payload, path: DerivationPath) -> Result<Self, SignError> {
        if pair.me() != share.me() || pair_with(share, pair.peer())? != *pair {
            return Err(SignError::Pair);
        }
        let pair = *pair;
        let derived = derive(share.public_key(), share.chain_code(), &path)?;
        let terms = Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            threshold: Some(share.threshold()),
            key_id: Some(share.key_id()),
            sharing_id: Some(share.sharing_id()),
            epoch: Some(share.epoch()),
            path: path.indices().to_vec(),
            digest: Some(payload.sid_digest()),
            ..Terms::default()
        };
        Ok(Self { pair, payload, path, tweak: derived.tweak, public_key: derived.public_key, terms })
    }

    /// The key that the signature will verify under.
    #[must_use]
    pub const fn public_key(&self) -> &Point {
        &self.public_key
    }

    /// The derivation path.
    #[must_use]
    pub const fn path(&self) -> &DerivationPath {
        &self.path
    }

    /// The local role and both identities.
    #[must_use]
    pub const fn pair(&self) -> &Pair {
        &self.pair
    }

    /// What the sid absorbs of it.
    #[must_use]
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether `share` is the one that the request was made for.
    ///
    /// # Errors
    /// [`Agreed::Sharing`].
    pub fn fits(&self, share: &Share) -> Result<(), Agreed> {
        let terms = &self.terms;
        let same = terms.key_id == Some(share.key_id())
            && terms.sharing_id == Some(share.sharing_id())
            && terms.epoch == Some(share.epoch())
            && share.me() == self.pair.me();
        if same { Ok(()) } else { Err(Agreed::Sharing) }
    }

    /// The key material of the run: the weighted, tweaked share and its public counterpart.
    #[must_use]
    pub fn target(&self, share: &Share) -> Target {
        let lambdas = share.lambdas(&[self.pair.me(), self.pair.peer()]).unwrap_or_default();
        let lambda = lambdas.first().copied().unwrap_or_default();
        let (x, digest) = (*share.secret().expose(), self.payload.digest());
        online::target(x, lambda, self.tweak, &self.pair, self.public_key, digest)
    }

    /// The responder's output.
    #[must_use]
    pub fn released(&self, big_r: Point) -> Signed {
        Signed::Released(Released { public_key: self.public_key, payload: self.payload, big_r })
    }
}

/// The two members of a 2-of-2 ECDSA key, as a pair.
///
/// # Errors
/// [`SignError::Signers`] for any other key.
pub fn pair_of(share: &Share) -> Result<Pair, SignError> {
    match share.members() {
        [one, other] => pair_with(share, if one.id == share.me() { other.id } else { one.id }),
        _ => Err(SignError::Signers),
    }
}

/// This member and another one of a 2-of-n ECDSA key, as a pair: any two sign.
///
/// # Errors
/// [`SignError::Signers`] if `peer` is no other member, if two are not exactly enough, or for a key that is not for ECDSA.
pub fn pair_with(share: &Share, peer: PartyId) -> Result<Pair, SignError> {
    let member = |id: PartyId| share.members().iter().find(|member| member.id == id).map(|m| (m.id, m.identity));
    match (member(share.me()), member(peer)) {
        (Some(me), Some(peer)) if share.scheme() == Scheme::Ecdsa && share.threshold().get() == 2 => {
            Pair::between(share.me(), me, peer).map_err(|_| SignError::Signers)
        }
        _ => Err(SignError::Signers),
    }
}

/// How a signing run ends for its two sides.
#[derive(Clone, PartialEq, Eq, Debug)]
#[allow(clippy::exhaustive_enums, reason = "the two sides of a run")]
#[allow(clippy::large_enum_variant, reason = "one value per run")]
pub enum Signed {
    /// The initiator (client) has the signature, verified.
    Signature(Signature),
    /// The responder (server) has released its share: it counts the message as signed, whatever the peer says.
    Released(Released),
}

/// What the responder signed. It can check the signature when the peer hands it back.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Released {
    public_key: Point,
    payload: Payload,
    big_r: Point,
}

impl Released {
    /// What was signed.
    #[must_use]
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The key that it was signed for.
    #[must_use]
    pub const fn public_key(&self) -> &Point {
        &self.public_key
    }

    /// Whether `signature` is the one of this run: it verifies, and has this run's `r`.
    #[must_use]
    pub fn is_completed_by(&self, signature: &Signature) -> bool {
        let bytes = Secp256k1::point_to_bytes(&self.big_r);
        let x = bytes.split_first_chunk::<1>().map(|(_, x)| x);
        // r is x(R) mod q; the rare reduced case is told by the recovery id
        let same_r = signature.recovery_id().is_x_reduced() || x == Some(signature.r().as_slice());
        same_r && signature.verify(&self.public_key, &self.payload.digest()).is_ok()
    }
}

/// The bank item that a first frame asks for, so that the responder can take it from its own bank.
#[must_use]
pub fn item_of(frame: &[u8]) -> Option<ItemId> {
    let header = Header::parse(frame).ok()?;
    (header.protocol == SignOnline::ID).then(|| ItemId::from_bytes(*header.run.as_bytes()))
}

/// Signing from a bank: message, key, path, and the id of the item.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct OnlineSetup(Request);

impl OnlineSetup {
    /// One signature with `item`, which then moves into the session.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn new(share: &Share, item: &Preprocessed, payload: Payload, path: DerivationPath) -> Result<Self, SignError> {
        let mut request = Request::new(share, item.pair(), payload, path)?;
        request.terms.parameters = item.own.origin.suite.parameters();
        request.terms.setups = vec![item.setup()];
        request.terms.item = Some(item.id);
        Ok(Self(request))
    }

    /// Message, key and path.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.0
    }
}

impl Setup for OnlineSetup {
    fn roster(&self) -> Roster {
        self.0.pair.roster()
    }

    fn terms(&self) -> Terms {
        self.0.terms.clone()
    }
}

/// One signature from a banked item in one round trip. The item moves in and is gone, however the run ends.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
#[allow(clippy::large_enum_variant, reason = "one value per session, moved a few times")]
pub enum SignOnline {
    /// Client: has opened `R_C`, waits for the partial.
    Opened(Preprocessed, Target),
    /// Server: waits for the request.
    Waiting(Preprocessed, Target),
}

/// A fault of signing from a bank: the item is dead in any case; a failed check in the exponent burns its setup.
fn failed_online(peer: PartyId, item_setup: symbolon_core::SetupId, fault: Fault) -> Failed<()> {
    Failed { held: None, ..Failed::with(peer, fault, item_setup, ()) }
}

impl Protocol for SignOnline {
    const NAME: &'static str = "sign-online";
    const ID: u8 = 7;
    const ROUNDS: u8 = 2;
    const NONCES: bool = false;
    type Setup = OnlineSetup;
    type LongTerm = Share;
    type Input = Preprocessed;
    type Held = ();
    type Output = Signed;

    fn sends(setup: &OnlineSetup, round: u8, from: PartyId) -> Sends {
        setup.0.pair.turns(Role::Client, round, from)
    }

    fn max_body(_: &OnlineSetup, round: u8) -> usize {
        match round {
            1 => CLIENT_STEP_3_LEN,
            _ => SERVER_STEP_3_LEN + STEP_4_LEN,
        }
    }

    fn fits(setup: &OnlineSetup, share: &Share, item: &Preprocessed) -> Result<(), Agreed> {
        let terms = &setup.0.terms;
        if terms.item != Some(item.id) || terms.setups != [item.setup()] || setup.0.pair != *item.pair() {
            return Err(Agreed::Item);
        }
        setup.0.fits(share)
    }

    fn start(setup: &OnlineSetup, share: &Share, item: Preprocessed, _: &Run, _: &mut SeedRng) -> (Self, Vec<Draft>) {
        let target = setup.0.target(share);
        match setup.0.pair.role() {
            Role::Client => {
                let mut w = Writer::with_capacity(CLIENT_STEP_3_LEN);
                online::open(&item.own, &target, &mut w);
                (Self::Opened(item, target), vec![(To::One(setup.0.pair.peer()), w.finish())])
            }
            Role::Server => (Self::Waiting(item, target), vec![]),
        }
    }

    fn advance(self, setup: &OnlineSetup, run: &Run, inbox: &Inbox, _: &mut SeedRng) -> Result<Next<Self>, Failed<()>> {
        let (sid, peer) = (run.sid(), setup.0.pair.peer());
        let r = inbox.private(peer);
        match self {
            Self::Opened(item, target) => {
                let burn = item.setup();
                r.whole(|r| online::client_finishes(&sid, item.own, item.peer, &target, r))
                    .map(|signature| Next::Done(Signed::Signature(signature), vec![], ()))
                    .map_err(|fault| failed_online(peer, burn, fault))
            }
            Self::Waiting(item, target) => {
                let burn = item.setup();
                let mut w = Writer::with_capacity(SERVER_STEP_3_LEN + STEP_4_LEN);
                r.whole(|r| online::server_signs(&sid, item.own, item.peer, &target, r, &mut w))
                    .map(|big_r| Next::Done(setup.0.released(big_r), vec![(To::One(peer), w.finish())], ()))
                    .map_err(|fault| failed_online(peer, burn, fault))
            }
        }
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

/// Signing from scratch: message, key and path, over a pair setup.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct FullSetup(Request);

impl FullSetup {
    /// One signature over `setup`, of which it counts one run; the setup then moves into the session.
    ///
    /// # Errors
    /// [`SignError`].
    pub fn new(
        share: &Share,
        setup: &mut PairSetup,
        payload: Payload,
        path: DerivationPath,
    ) -> Result<Self, SignError> {
        let mut request = Request::new(share, setup.pair(), payload, path)?;
        setup.begin_run()?;
        request.terms.parameters = setup.suite().parameters();
        request.terms.setups = vec![setup.id()];
        Ok(Self(request))
    }

    /// Message, key and path.
    #[must_use]
    pub const fn request(&self) -> &Request {
        &self.0
    }
}

impl Setup for FullSetup {
    fn roster(&self) -> Roster {
        self.0.pair.roster()
    }

    fn terms(&self) -> Terms {
        self.0.terms.clone()
    }
}

/// One signature from scratch in two round trips. The pair setup moves in and out.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
#[allow(clippy::large_enum_variant, reason = "one value per session, moved a few times")]
pub enum SignFull {
    /// Client: has sent its nonce.
    Greeted(PairSetup, Target),
    /// Server: waits for the nonce.
    Waiting(PairSetup, Target),
    /// Server: committed to `R_S`, sent its extension message.
    Committed(PairSetup, Target, Nonces, MulReceiver),
    /// Client: has multiplied and opened, waits for the partial.
    Opened(PairSetup, Target, ClientHalf),
}

/// The client's half of the pre-processing inside a run from scratch: everything but the server's multiplication.
pub struct ClientHalf {
    own: OwnHalf,
    receiver: MulReceiver,
}

impl ClientHalf {
    /// F3: checks the server's extension; writes the own extension and multiplication messages, and step 3.
    fn multiply(
        ots: &PairSetup,
        target: &Target,
        sid: &Sid,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut SeedRng,
    ) -> Result<Self, Fault> {
        let commitments = read_commitments(1, r)?;
        let nonces = Nonces::open(1, rng);
        let receiver = MulReceiver::extend(ots.receiver(), *sid, Purpose::Preprocess, 1, w, rng);
        let sender = multiply(ots, sid, 1, r, w, rng)?;
        let (own, _) = OwnHalf::batch(ots, sid, nonces, commitments, sender)?.pop().ok_or(Fault::Multiplication)?;
        online::open(&own, target, w);
        Ok(Self { own, receiver })
    }

    /// F4 as the client reads it: the server's multiplication, its step 3 and its partial.
    fn sign(self, target: &Target, sid: &Sid, r: &mut Reader<'_>) -> Result<Signature, Fault> {
        let receiver = self.receiver.multiply::<2>(r)?.pop().ok_or(Fault::Multiplication)?;
        online::client_finishes(sid, self.own, receiver.into(), target, r)
    }
}

/// F3 as the server reads it, and F4: multiplication message, steps 3 and 4. Gives `R`.
fn server_signs(
    ots: &PairSetup,
    target: &Target,
    sid: &Sid,
    (nonces, receiver): (Nonces, MulReceiver),
    r: &mut Reader<'_>,
    w: &mut Writer,
    rng: &mut SeedRng,
) -> Result<Point, Fault> {
    let sender = multiply(ots, sid, 1, r, w, rng)?;
    let (own, _) = OwnHalf::batch(ots, sid, nonces, vec![], sender)?.pop().ok_or(Fault::Multiplication)?;
    let receiver = receiver.multiply::<2>(r)?.pop().ok_or(Fault::Multiplication)?;
    online::server_signs(sid, own, receiver.into(), target, r, w)
}

impl Protocol for SignFull {
    const NAME: &'static str = "sign";
    const ID: u8 = 6;
    const ROUNDS: u8 = 4;
    type Setup = FullSetup;
    type LongTerm = Share;
    type Input = PairSetup;
    type Held = PairSetup;
    type Output = Signed;

    fn sends(setup: &FullSetup, round: u8, from: PartyId) -> Sends {
        setup.0.pair.turns(Role::Client, round, from)
    }

    fn max_body(_: &FullSetup, round: u8) -> usize {
        match round {
            2 => commit_len(1),
            3 => extension_len(1) + multiply_len(1) + CLIENT_STEP_3_LEN,
            4 => multiply_len(1) + SERVER_STEP_3_LEN + STEP_4_LEN,
            _ => 0,
        }
    }

    fn fits(setup: &FullSetup, share: &Share, ots: &PairSetup) -> Result<(), Agreed> {
        if setup.0.terms.setups != [ots.id()] || setup.0.pair != *ots.pair() {
            return Err(Agreed::Setup);
        }
        setup.0.fits(share)
    }

    fn start(setup: &FullSetup, share: &Share, ots: PairSetup, _: &Run, _: &mut SeedRng) -> (Self, Vec<Draft>) {
        let target = setup.0.target(share);
        match setup.0.pair.role() {
            Role::Client => (Self::Greeted(ots, target), vec![(To::One(setup.0.pair.peer()), vec![])]),
            Role::Server => (Self::Waiting(ots, target), vec![]),
        }
    }

    fn advance(
        self,
        setup: &FullSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<PairSetup>> {
        let (sid, to) = (run.sid(), To::One(setup.0.pair.peer()));
        let r = inbox.private(setup.0.pair.peer());
        let mut w = Writer::new();
        match self {
            Self::Waiting(ots, target) => match r.finish() {
                Ok(()) => {
                    let (nonces, receiver) = server_commits(&ots, &sid, 1, &mut w, rng);
                    Ok(Next::Round(Self::Committed(ots, target, nonces, receiver), vec![(to, w.finish())]))
                }
                Err(error) => Err(ots.failed(error.into())),
            },
            Self::Greeted(ots, target) => {
                let half = r.whole(|r| ClientHalf::multiply(&ots, &target, &sid, r, &mut w, rng));
                match half {
                    Ok(half) => Ok(Next::Round(Self::Opened(ots, target, half), vec![(to, w.finish())])),
                    Err(fault) => Err(ots.failed(fault)),
                }
            }
            Self::Committed(ots, target, nonces, receiver) => {
                let step = r.whole(|r| server_signs(&ots, &target, &sid, (nonces, receiver), r, &mut w, rng));
                match step {
                    Ok(big_r) => Ok(Next::Done(setup.0.released(big_r), vec![(to, w.finish())], ots)),
                    Err(fault) => Err(ots.failed(fault)),
                }
            }
            Self::Opened(ots, target, half) => match r.whole(|r| half.sign(&target, &sid, r)) {
                Ok(signature) => Ok(Next::Done(Signed::Signature(signature), vec![], ots)),
                Err(fault) => Err(ots.failed(fault)),
            },
        }
    }

    fn cancel(self) -> Option<PairSetup> {
        match self {
            Self::Greeted(ots, ..) | Self::Waiting(ots, ..) | Self::Committed(ots, ..) | Self::Opened(ots, ..) => {
                Some(ots)
            }
        }
    }
}
