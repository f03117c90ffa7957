//! Refresh of the multiplicative pair (docs/spec/keygen.md, refresh, steps 1 to 5): `a' = a/rho`, `b' = b*rho`, the
//! same `P`.
//!
//! `rho = rho_S * rho_C`, both non-zero; the server commits to its half before it sees the client's. The result is
//! generation `g + 1`, stored as pending beside `g`; the pending value keeps the opening frame, so that a lost opening
//! can be sent again, and only the caller's explicit `retire` erases generation `g` (safety.md S2).

use crate::keygen::{outcome, prepared};
use alloc::{vec, vec::Vec};
use symbolon_core::{
    Group, KeyId, PartyId, Role, Secp256k1, SecretScalar, SeedRng, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Storable, Suspend, Terms, To,
};
use symbolon_sharing::{Marks, PairFactor};

const COMMIT: &str = "pair refresh rho";

/// Which factor is refreshed, and to which generation.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct RefreshSetup {
    pair: Pair,
    key_id: KeyId,
    old_generation: u32,
    generation: u32,
    public: [u8; 32],
}

/// The new generation is not above the old one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the new generation must be above the factor's own: 1 + the highest pending or confirmed one")]
pub struct RefreshError;

impl RefreshSetup {
    /// Refreshes `factor` to `generation` = 1 + the highest generation that is pending or confirmed on this side.
    ///
    /// # Errors
    /// [`RefreshError`] unless the generation rises.
    pub fn new(factor: &PairFactor, generation: u32) -> Result<Self, RefreshError> {
        if generation <= factor.generation() {
            return Err(RefreshError);
        }
        Ok(Self {
            pair: *factor.pair(),
            key_id: factor.key_id(),
            old_generation: factor.generation(),
            generation,
            public: public_digest(factor),
        })
    }
}

/// `A`, `B`, `P`, chain code and marks of the factor that is refreshed, so that both sides start from one pair.
fn public_digest(factor: &PairFactor) -> [u8; 32] {
    let (big_a, big_b) = factor.points();
    Transcript::new("pair-refresh", "old pair")
        .point::<Secp256k1>(&big_a)
        .point::<Secp256k1>(&big_b)
        .point::<Secp256k1>(factor.public_key())
        .part(factor.chain_code())
        .number(factor.marks().to_byte())
        .finish()
}

impl Setup for RefreshSetup {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        let mut extra = Writer::new();
        extra.u32(self.old_generation).bytes(&self.public);
        Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            key_id: Some(self.key_id),
            generation: Some(self.generation),
            extra: extra.finish(),
            ..Terms::default()
        }
    }
}

impl Storable for RefreshSetup {
    fn encode(&self, w: &mut Writer) {
        self.pair.encode(w);
        w.bytes(self.key_id.as_ref()).u32(self.old_generation).u32(self.generation).bytes(&self.public);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            pair: Pair::decode(r)?,
            key_id: KeyId::from_bytes(r.array()?),
            old_generation: r.u32()?,
            generation: r.u32()?,
            public: r.array()?,
        })
    }
}

/// A refresh run: three messages, and the client's confirmation.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
pub enum PairRefresh {
    /// Server: committed to `rho_S`.
    Committed(OldFactor, SecretScalar<Secp256k1>, Opening),
    /// Client: waits for the commitment.
    Waiting(OldFactor),
    /// Client: has answered with `rho_C`.
    Answered(OldFactor, SecretScalar<Secp256k1>, Commitment),
}

/// What a run needs of the old factor; a copy that lives as long as the run.
pub struct OldFactor {
    secret: SecretScalar<Secp256k1>,
    peer_point: <Secp256k1 as Group>::Point,
    public_key: <Secp256k1 as Group>::Point,
    chain_code: [u8; 32],
    marks: Marks,
}

impl OldFactor {
    fn of(factor: &PairFactor) -> Self {
        Self {
            secret: SecretScalar::new(*factor.secret().expose()),
            peer_point: *factor.peer_point(),
            public_key: *factor.public_key(),
            chain_code: *factor.chain_code(),
            marks: factor.marks(),
        }
    }

    /// Step 5: `a' = a/rho`, `b' = b*rho`; the peer's point moves the other way. `PairFactor::new` checks `a'*B' = P`.
    fn refreshed(self, setup: &RefreshSetup, rho: &SecretScalar<Secp256k1>) -> Result<PairFactor, Fault> {
        let inverse = SecretScalar::<Secp256k1>::new(Secp256k1::invert(rho.expose()));
        let (own, peer) = match setup.pair.role() {
            Role::Server => (&inverse, rho),
            Role::Client => (rho, &inverse),
        };
        let secret = SecretScalar::new(*self.secret.expose() * *own.expose());
        let peer_point = Secp256k1::mul(&self.peer_point, peer.expose());
        let (key_id, g) = (setup.key_id, setup.generation);
        let factor = PairFactor::new(setup.pair, key_id, g, secret, peer_point, self.public_key, self.chain_code)
            .map_err(|_| Fault::Inconsistent)?;
        Ok(factor.with_marks(self.marks))
    }
}

/// Steps 3 and 4: `rho = rho_S * rho_C`; 0 and 1 are refused.
fn product(x: &SecretScalar<Secp256k1>, y: &SecretScalar<Secp256k1>) -> Result<SecretScalar<Secp256k1>, Fault> {
    let rho = SecretScalar::<Secp256k1>::new(*x.expose() * *y.expose());
    let zero_or_one = [0u64, 1].map(<Secp256k1 as Group>::Scalar::from);
    // ok to branch: the values to refuse are negligible, and refusing them ends the run
    if zero_or_one.contains(rho.expose()) { Err(Fault::Forbidden) } else { Ok(rho) }
}

/// Steps 3 and 4: the peer's half, not 0.
fn half(r: &mut Reader<'_>) -> Result<SecretScalar<Secp256k1>, Fault> {
    let scalar = SecretScalar::new(r.scalar::<Secp256k1>()?);
    if *scalar.expose() == <Secp256k1 as Group>::Scalar::from(0u64) { Err(Fault::Forbidden) } else { Ok(scalar) }
}

impl Protocol for PairRefresh {
    const NAME: &'static str = "pair-refresh";
    const ID: u8 = 3;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = true;
    const LOG_FRAMES: bool = true;
    type Setup = RefreshSetup;
    type LongTerm = PairFactor;
    type Input = ();
    type Held = ();
    type Output = PairFactor;

    fn sends(setup: &RefreshSetup, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Server, round, from)
    }

    fn max_body(_: &RefreshSetup, round: u8) -> usize {
        match round {
            1 | 2 => 32,
            3 => 64,
            _ => 0,
        }
    }

    fn fits(setup: &RefreshSetup, factor: &PairFactor, _: &()) -> Result<(), Agreed> {
        let fits = factor.pair() == &setup.pair
            && (factor.key_id(), factor.generation()) == (setup.key_id, setup.old_generation)
            && public_digest(factor) == setup.public;
        if fits { Ok(()) } else { Err(Agreed::Sharing) }
    }

    fn start(setup: &RefreshSetup, factor: &PairFactor, _: (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        let old = OldFactor::of(factor);
        match setup.pair.role() {
            Role::Server => {
                // step 1
                let rho = SecretScalar::<Secp256k1>::random(rng);
                let value = rho.to_bytes();
                let (com, opening) =
                    Commitment::commit(COMMIT, &run.sid0(), setup.pair.id(Role::Server), value.expose(), rng);
                let mut w = Writer::new();
                com.encode(&mut w);
                (Self::Committed(old, rho, opening), vec![(To::One(setup.pair.peer()), w.finish())])
            }
            Role::Client => (Self::Waiting(old), vec![]),
        }
    }

    fn advance(
        self,
        setup: &RefreshSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let peer = setup.pair.peer();
        let sid0_server = run.sid0_of(setup.pair.id(Role::Server));
        self.step(setup, &run.sid(), &sid0_server, inbox.private(peer), rng).map_err(|fault| Failed::new(peer, fault))
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl PairRefresh {
    fn step(
        self,
        setup: &RefreshSetup,
        sid: &Sid,
        sid0_server: &Sid,
        mut r: Reader<'_>,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Fault> {
        let to = To::One(setup.pair.peer());
        match self {
            Self::Waiting(old) => {
                // step 2
                let com = Commitment::decode(&mut r)?;
                r.finish()?;
                let rho_c = SecretScalar::<Secp256k1>::random(rng);
                let mut w = Writer::with_capacity(32);
                w.bytes(rho_c.to_bytes().expose());
                Ok(Next::Round(Self::Answered(old, rho_c, com), vec![(to, w.finish())]))
            }
            Self::Committed(old, rho_s, opening) => {
                // step 3
                let rho_c = half(&mut r)?;
                r.finish()?;
                let factor = old.refreshed(setup, &product(&rho_s, &rho_c)?)?;
                let mut w = Writer::with_capacity(64);
                w.bytes(rho_s.to_bytes().expose());
                opening.encode(&mut w);
                Ok(prepared(outcome(sid, &factor), factor, to, w))
            }
            Self::Answered(old, rho_c, com) => {
                // step 4
                let rho_s = half(&mut r)?;
                let opening = Opening::decode(&mut r)?;
                r.finish()?;
                com.verify(COMMIT, sid0_server, setup.pair.id(Role::Server), rho_s.to_bytes().expose(), &opening)
                    .map_err(|_| Fault::Opening)?;
                let factor = old.refreshed(setup, &product(&rho_s, &rho_c)?)?;
                Ok(prepared(outcome(sid, &factor), factor, to, Writer::new()))
            }
        }
    }
}

impl Suspend for PairRefresh {}
