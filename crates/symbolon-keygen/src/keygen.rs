//! Two-party multiplicative key generation, `P = a*b*G` (docs/spec/keygen.md, steps 1 to 4).
//!
//! The server is the *initiator* (commits first, holds `a`), the client the *responder* (holds `b`). The steps are
//! functions over parts of a body, so that a composed run can pack them with steps of other protocols.

use alloc::{vec, vec::Vec};
use rand_core::CryptoRng;
use symbolon_core::{
    Encoded, Group, KeyId, PartyId, Role, Secp256k1, SecretBytes, SecretScalar, SecretVec, SeedRng, Sid, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_proofs::{Commitment, Opening, SchnorrProof};
use symbolon_session::{
    Draft, Failed, Fault, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Storable, Suspend, Terms, To,
};
use symbolon_sharing::PairFactor;

type Point = <Secp256k1 as Group>::Point;

const COMMIT: &str = "keygen A";

/// Bytes of the initiator's first part: `com_I`.
pub const COMMITMENT_LEN: usize = Commitment::LEN;
/// Bytes of the responder's part: `B, pi_B, chain_R`.
pub const RESPONSE_LEN: usize = 33 + SchnorrProof::<Secp256k1>::LEN + 32;
/// Bytes of the initiator's second part: `A, chain_I, opening, pi_A`.
pub const OPENING_LEN: usize = 33 + 32 + 32 + SchnorrProof::<Secp256k1>::LEN;

/// Who proves what: sid, prover, and the commitment that came before both points.
fn proof_context(sid: &Sid, prover: PartyId, com: &Commitment) -> Transcript {
    Transcript::new("keygen", "proof").part(sid).number(prover.get()).part(com.as_bytes())
}

fn committed_value(big_a: &[u8; 33], chain: &[u8; 32]) -> SecretVec<u8> {
    SecretVec::new([big_a.as_slice(), chain].concat())
}

/// What both sides know at the end.
fn factor(
    pair: &Pair,
    sid: &Sid,
    (secret, own_point): (SecretScalar<Secp256k1>, Point),
    peer_point: Point,
    chain_i: &[u8; 32],
    chain_r: &[u8; 32],
) -> Result<PairFactor, Fault> {
    let chain_code = Transcript::new("keygen", "chain").part(sid).part(chain_i).part(chain_r).finish();
    let name = |key: &[u8; 33]| KeyId::truncate(&Transcript::new("keygen", "key id").part(key).part(sid).finish());
    // step 4: it refuses P = O and A = B
    PairFactor::agree(*pair, 0, secret, own_point, peer_point, chain_code, name).map_err(|_| Fault::Forbidden)
}

/// The hash that both confirm: identities, sid, `A, B, P`, chain code, generation.
#[must_use]
pub fn outcome(sid: &Sid, factor: &PairFactor) -> [u8; 32] {
    let [big_a, big_b, public_key] = factor.encoded_points();
    let mut members = Writer::new();
    factor.pair().roster().encode_members(&mut members);
    Transcript::new("keygen", "confirm")
        .part(members.finish())
        .part(sid)
        .part(factor.key_id())
        .number(factor.generation())
        .part(big_a)
        .part(big_b)
        .part(public_key)
        .part(factor.chain_code())
        .number(factor.marks().to_byte())
        .finish()
}

/// Early key confirmation in a composed run: the outcome hash under the sender's role.
#[must_use]
pub fn confirmation(sid: &Sid, factor: &PairFactor, sender: Role) -> [u8; 32] {
    Transcript::new("keygen", "key confirmation")
        .part(outcome(sid, factor))
        .number(factor.pair().id(sender).get())
        .finish()
}

/// The initiator between steps 1 and 3.
pub struct Initiator {
    pair: Pair,
    a: SecretScalar<Secp256k1>,
    big_a: Encoded<Secp256k1>,
    chain: SecretBytes<32>,
    com: Commitment,
    opening: Opening,
}

impl Initiator {
    /// Step 1: `com_I = Com(sid0_I, I, A || chain_I)`.
    pub fn commit(pair: &Pair, sid0: &Sid, w: &mut Writer, rng: &mut impl CryptoRng) -> Self {
        let a = SecretScalar::<Secp256k1>::random(rng);
        let chain = SecretBytes::random(rng);
        let big_a = Encoded::new(a.public());
        let value = committed_value(big_a.bytes(), chain.expose());
        let (com, opening) = Commitment::commit(COMMIT, sid0, pair.id(Role::Server), &value, rng);
        com.encode(w);
        Self { pair: *pair, a, big_a, chain, com, opening }
    }

    /// Step 3: checks `B != O`, `B != A` and `pi_B`; writes `A, chain_I, opening, pi_A`.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Forbidden`], [`Fault::Proof`].
    pub fn open(
        self,
        sid: &Sid,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<PairFactor, Fault> {
        let big_b = Encoded::decode(r)?;
        let proof = SchnorrProof::<Secp256k1>::decode(r)?;
        let chain_r = r.array()?;
        let big_a = self.big_a;
        if big_b.point() == big_a.point() {
            return Err(Fault::Forbidden);
        }
        proof.verify(&proof_context(sid, self.pair.id(Role::Client), &self.com), &big_b).map_err(|_| Fault::Proof)?;
        let own = SchnorrProof::prove(&proof_context(sid, self.pair.id(Role::Server), &self.com), &self.a, &big_a, rng);
        big_a.encode(w);
        w.bytes(self.chain.expose());
        self.opening.encode(w);
        own.encode(w);
        factor(&self.pair, sid, (self.a, *big_a.point()), *big_b.point(), self.chain.expose(), &chain_r)
    }
}

/// The responder between steps 2 and 4.
pub struct Responder {
    pair: Pair,
    b: SecretScalar<Secp256k1>,
    big_b: Encoded<Secp256k1>,
    chain: [u8; 32],
    com: Commitment,
}

impl Responder {
    /// Step 2: keeps `com_I`; writes `B, pi_B` over the full sid and `com_I`, `chain_R`.
    ///
    /// # Errors
    /// [`Fault::Encoding`].
    pub fn respond(
        pair: &Pair,
        sid: &Sid,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<Self, Fault> {
        let com = Commitment::decode(r)?;
        let b = SecretScalar::<Secp256k1>::random(rng);
        let mut chain = [0; 32];
        rng.fill_bytes(&mut chain);
        let (big_b, proof) = SchnorrProof::publish(&proof_context(sid, pair.id(Role::Client), &com), &b, rng);
        big_b.encode(w);
        proof.encode(w);
        w.bytes(&chain);
        Ok(Self { pair: *pair, b, big_b, chain, com })
    }

    /// Step 4: checks the opening under the initiator's `sid0`, `A != O`, `A != B`, `pi_A`.
    ///
    /// # Errors
    /// [`Fault::Encoding`], [`Fault::Opening`], [`Fault::Forbidden`], [`Fault::Proof`].
    pub fn finish(self, sid: &Sid, sid0_initiator: &Sid, r: &mut Reader<'_>) -> Result<PairFactor, Fault> {
        let big_a = Encoded::decode(r)?;
        let chain_i = r.array()?;
        let opening = Opening::decode(r)?;
        let proof = SchnorrProof::<Secp256k1>::decode(r)?;
        self.com
            .verify(
                COMMIT,
                sid0_initiator,
                self.pair.id(Role::Server),
                &committed_value(big_a.bytes(), &chain_i),
                &opening,
            )
            .map_err(|_| Fault::Opening)?;
        if big_a.point() == self.big_b.point() {
            return Err(Fault::Forbidden);
        }
        proof.verify(&proof_context(sid, self.pair.id(Role::Server), &self.com), &big_a).map_err(|_| Fault::Proof)?;
        factor(&self.pair, sid, (self.b, *self.big_b.point()), *big_a.point(), &chain_i, &self.chain)
    }
}

/// Who makes the key.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KeygenSetup {
    pair: Pair,
}

impl KeygenSetup {
    /// A run between the two sides of `pair`.
    #[must_use]
    pub fn new(pair: impl Into<Pair>) -> Self {
        Self { pair: pair.into() }
    }
}

impl Setup for KeygenSetup {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        Terms { curve: Secp256k1::ID, scheme: "ecdsa", generation: Some(0), ..Terms::default() }
    }
}

impl Storable for KeygenSetup {
    fn encode(&self, w: &mut Writer) {
        self.pair.encode(w);
    }

    fn decode(r: &mut Reader<'_>) -> Result<Self, DecodeError> {
        Pair::decode(r).map(Self::new)
    }
}

/// Key generation as a run of its own: three messages, and the client's confirmation.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
pub enum Keygen {
    /// Server: committed, waits for the response.
    Committed(Initiator),
    /// Client: waits for the commitment.
    Waiting,
    /// Client: responded, waits for the opening.
    Responded(Responder),
}

impl Protocol for Keygen {
    const NAME: &'static str = "keygen";
    const ID: u8 = 1;
    const ROUNDS: u8 = 4;
    const KEY_MAKING: bool = true;
    const LOG_FRAMES: bool = true;
    type Setup = KeygenSetup;
    type LongTerm = ();
    type Input = ();
    type Held = ();
    type Output = PairFactor;

    fn sends(setup: &KeygenSetup, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Server, round, from)
    }

    fn max_body(_: &KeygenSetup, round: u8) -> usize {
        match round {
            1 => COMMITMENT_LEN,
            2 => RESPONSE_LEN,
            3 => OPENING_LEN,
            _ => 0,
        }
    }

    fn start(setup: &KeygenSetup, _: &(), _: (), run: &Run, rng: &mut SeedRng) -> (Self, Vec<Draft>) {
        match setup.pair.role() {
            Role::Server => {
                let mut w = Writer::new();
                let state = Initiator::commit(&setup.pair, &run.sid0(), &mut w, rng);
                (Self::Committed(state), vec![(To::One(setup.pair.peer()), w.finish())])
            }
            Role::Client => (Self::Waiting, vec![]),
        }
    }

    fn advance(
        self,
        setup: &KeygenSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<()>> {
        let peer = setup.pair.peer();
        self.step(setup, run, inbox.private(peer), rng).map_err(|fault| Failed::new(peer, fault))
    }

    fn cancel(self) -> Option<()> {
        None
    }
}

impl Keygen {
    fn step(self, setup: &KeygenSetup, run: &Run, mut r: Reader<'_>, rng: &mut SeedRng) -> Result<Next<Self>, Fault> {
        let (sid, peer) = (run.sid(), setup.pair.peer());
        let mut w = Writer::new();
        match self {
            Self::Waiting => {
                let state = Responder::respond(&setup.pair, &sid, &mut r, &mut w, rng)?;
                r.finish()?;
                Ok(Next::Round(Self::Responded(state), vec![(To::One(peer), w.finish())]))
            }
            Self::Committed(state) => {
                let factor = state.open(&sid, &mut r, &mut w, rng)?;
                r.finish()?;
                Ok(prepared(outcome(&sid, &factor), factor, To::One(peer), w))
            }
            Self::Responded(state) => {
                let factor = state.finish(&sid, &run.sid0_of(setup.pair.id(Role::Server)), &mut r)?;
                r.finish()?;
                Ok(prepared(outcome(&sid, &factor), factor, To::One(peer), w))
            }
        }
    }
}

/// The end of a run that makes a [`PairFactor`].
pub(crate) fn prepared<P: Protocol<Output = PairFactor, Held = ()>>(
    outcome: [u8; 32],
    output: PairFactor,
    to: To,
    last: Writer,
) -> Next<P> {
    let encoded = output.encoded();
    Next::Prepared { output, encoded, outcome, drafts: vec![(to, last.finish())], held: () }
}

impl Suspend for Keygen {}
