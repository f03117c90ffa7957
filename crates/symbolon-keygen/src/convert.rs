//! Conversion of a multiplicative pair to additive shares (docs/spec/keygen.md, conversion): one multiplication in the
//! hardened form, then a 2-of-2 Shamir sharing of the same key. What is published and proved are the public shares
//! `X_i = x_i*G` of that sharing, with `x_i = z_i/lambda_i`: nobody has to divide a point.
//!
//! The proofs of knowledge of `x_I` and `x_R` are not optional: a cheater with input `a' != a` could publish
//! `X = (c*G + (a - a')*B)/lambda`, which passes the sum check although it does not know the logarithm.

use alloc::{vec, vec::Vec};
use rand_core::CryptoRng;
use symbolon_core::{
    Encoded, Group, KeyId, PartyId, Role, Secp256k1, SecretScalar, SeedRng, SharingId, Sid, Threshold, Transcript,
    wire::{Reader, Writer},
};
use symbolon_mta::{
    Exhausted, ExtReceiver, ExtSender, MulReceiver, MulSender, PairSetup, Purpose, SenderShare, extension_len,
    multiplication_len,
};
use symbolon_proofs::SchnorrProof;
use symbolon_session::{
    Agreed, Draft, Failed, Fault, Inbox, Next, Pair, Protocol, Roster, Run, Sends, Setup, Storable, Terms, To,
};
use symbolon_sharing::{KeyShare, Marks, Member, PairFactor, Parts, Scheme};

type Point = <Secp256k1 as Group>::Point;
type Scalar = <Secp256k1 as Group>::Scalar;

/// Bytes of the responder's extension message.
pub const EXTENSION_LEN: usize = extension_len(1);
/// Bytes of the initiator's part: multiplication message and `gamma_a`.
pub const MULTIPLICATION_LEN: usize = multiplication_len(1) + 32;
/// Bytes of the responder's proof part: `gamma_b, X_R, pi_R`.
pub const RESPONSE_LEN: usize = 32 + PROOF_LEN;
/// Bytes of the initiator's last part: `X_I, pi_I`.
pub const PROOF_LEN: usize = 33 + SchnorrProof::<Secp256k1>::LEN;

/// The parts of a factor that a conversion needs; a copy that lives as long as the run.
pub struct Inputs {
    pair: Pair,
    key_id: KeyId,
    epoch: u32,
    secret: SecretScalar<Secp256k1>,
    public_key: Point,
    /// Of `A`, `B`, `P`.
    encoded: [[u8; 33]; 3],
    chain_code: [u8; 32],
    marks: Marks,
}

impl Inputs {
    /// Converts `factor` to a sharing of the given epoch.
    #[must_use]
    pub fn new(factor: &PairFactor, epoch: u32) -> Self {
        Self {
            pair: *factor.pair(),
            key_id: factor.key_id(),
            epoch,
            secret: SecretScalar::new(*factor.secret().expose()),
            public_key: *factor.public_key(),
            encoded: *factor.encoded_points(),
            chain_code: *factor.chain_code(),
            marks: factor.marks(),
        }
    }

    /// Step 3: what a proof of `x` is bound to.
    fn context(&self, sid: &Sid, prover: PartyId) -> Transcript {
        let [big_a, big_b, public_key] = &self.encoded;
        Transcript::new("convert", "proof").part(sid).number(prover.get()).part(big_a).part(big_b).part(public_key)
    }

    fn index(&self, role: Role) -> Scalar {
        Scalar::from(u64::from(self.pair.id(role).get()))
    }

    /// Step 2: `x_i = z_i/lambda_i`, with `lambda_i = j/(j - i)`.
    fn own(&self, z: &SecretScalar<Secp256k1>) -> SecretScalar<Secp256k1> {
        let (i, j) = (self.index(self.pair.role()), self.index(self.pair.role().peer()));
        SecretScalar::new(*z.expose() * ((j - i) * Secp256k1::invert_vartime(&j)))
    }

    /// Steps 3, 4: no share is zero, and `lambda_1*X_1 + lambda_2*X_2 = P`, for any ids `j*X_i - i*X_j = (j - i)*P`.
    fn check(&self, big_x_i: &Point, big_x_r: &Point) -> Result<(), Fault> {
        let (i, j) = (self.index(Role::Server), self.index(Role::Client));
        let difference = Secp256k1::lincomb_vartime(&[(*big_x_i, j), (*big_x_r, -i), (self.public_key, i - j)]);
        let zero = [big_x_i, big_x_r].into_iter().any(Secp256k1::is_identity);
        if zero || !Secp256k1::is_identity(&difference) { Err(Fault::Conversion) } else { Ok(()) }
    }

    /// Step 4: the 2-of-2 sharing at the two party ids, and the outcome hash.
    fn share(
        self,
        sid: &Sid,
        x: SecretScalar<Secp256k1>,
        big_x_i: &Encoded<Secp256k1>,
        big_x_r: &Encoded<Secp256k1>,
    ) -> Result<Converted, Fault> {
        let member = |role: Role, big_x: &Encoded<Secp256k1>| Member {
            id: self.pair.id(role),
            identity: *self.pair.identity(role),
            public_share: *big_x.point(),
        };
        let members = vec![member(Role::Server, big_x_i), member(Role::Client, big_x_r)];
        let [big_a, big_b, public_key] = &self.encoded;
        let mut roster = Writer::new();
        self.pair.roster().encode_members(&mut roster);
        let outcome = Transcript::new("convert", "outcome")
            .part(sid)
            .part(roster.finish())
            .part(self.key_id)
            .number(self.epoch)
            .part(big_a)
            .part(big_b)
            .part(public_key)
            .part(self.chain_code)
            .part(big_x_i.bytes())
            .part(big_x_r.bytes())
            .number(self.marks.to_byte())
            .finish();
        let share = KeyShare::agree(Parts {
            scheme: Scheme::Ecdsa,
            key_id: self.key_id,
            sharing_id: SharingId::truncate(&outcome),
            epoch: self.epoch,
            members,
            threshold: Threshold::TWO,
            me: self.pair.me(),
            x,
            public_key: self.public_key,
            chain_code: self.chain_code,
            marks: self.marks,
        })
        .map_err(|_| Fault::Conversion)?;
        Ok(Converted { share, outcome })
    }
}

/// A new sharing and the hash that both confirm.
#[allow(clippy::exhaustive_structs, reason = "a share and its outcome hash")]
pub struct Converted {
    /// The additive share.
    pub share: KeyShare<Secp256k1>,
    /// Covers sid, identities, key id, epoch, `A, B, P`, chain code, `X_I`, `X_R`.
    pub outcome: [u8; 32],
}

/// The responder (client, multiplication receiver) after its extension message.
pub struct Responder {
    multiplication: MulReceiver,
}

/// The responder after its proof.
pub struct Proved {
    inputs: Inputs,
    x: SecretScalar<Secp256k1>,
    big_x: Encoded<Secp256k1>,
}

impl Responder {
    /// Step 1, receiver: writes the extension message.
    pub fn extend(ext: &ExtReceiver, sid: &Sid, w: &mut Writer, rng: &mut SeedRng) -> Self {
        Self { multiplication: MulReceiver::extend(ext, *sid, Purpose::Convert, 1, w, rng) }
    }

    /// Steps 1 to 3: checks the multiplication, writes `gamma_b = b - beta`, `X_R`, `pi_R`.
    ///
    /// # Errors
    /// [`Fault::Multiplication`], [`Fault::Conversion`], [`Fault::Encoding`].
    pub fn prove(
        self,
        inputs: Inputs,
        sid: &Sid,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<Proved, Fault> {
        let shares = self.multiplication.multiply::<1>(r)?;
        let gamma_a = r.scalar::<Secp256k1>()?;
        let share = shares.first().ok_or(Fault::Multiplication)?;
        let [r_share] = share.r();
        // step 2: z_R = r + gamma_a*beta
        let z = SecretScalar::<Secp256k1>::new(*r_share.expose() + gamma_a * *share.beta().expose());
        let gamma_b = *inputs.secret.expose() - *share.beta().expose();
        let x = inputs.own(&z);
        let (big_x, proof) = SchnorrProof::publish(&inputs.context(sid, inputs.pair.id(Role::Client)), &x, rng);
        if Secp256k1::is_identity(big_x.point()) {
            return Err(Fault::Conversion);
        }
        w.scalar::<Secp256k1>(&gamma_b);
        big_x.encode(w);
        proof.encode(w);
        Ok(Proved { inputs, x, big_x })
    }
}

impl Proved {
    /// Step 4, responder: checks `pi_I` and that the public shares make `P`.
    ///
    /// # Errors
    /// [`Fault::Conversion`], [`Fault::Encoding`].
    pub fn finish(self, sid: &Sid, r: &mut Reader<'_>) -> Result<Converted, Fault> {
        let big_x_i = Encoded::decode(r)?;
        let proof = SchnorrProof::<Secp256k1>::decode(r)?;
        proof
            .verify(&self.inputs.context(sid, self.inputs.pair.id(Role::Server)), &big_x_i)
            .map_err(|_| Fault::Conversion)?;
        self.inputs.check(big_x_i.point(), self.big_x.point())?;
        self.inputs.share(sid, self.x, &big_x_i, &self.big_x)
    }
}

/// The initiator (server, multiplication sender) after its multiplication message.
pub struct Initiator {
    inputs: Inputs,
    share: SenderShare<1>,
}

impl Initiator {
    /// Step 1, sender: checks the extension; writes the multiplication message and `gamma_a = a - alpha`.
    ///
    /// # Errors
    /// [`Fault::Extension`], [`Fault::Encoding`].
    pub fn multiply(
        ext: &ExtSender,
        inputs: Inputs,
        sid: &Sid,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut SeedRng,
    ) -> Result<Self, Fault> {
        let sender = MulSender::extend(ext, *sid, Purpose::Convert, 1, r)?;
        let mut shares = sender.multiply::<1>(w, rng);
        let share = shares.pop().ok_or(Fault::Multiplication)?;
        let [alpha] = share.alpha();
        w.scalar::<Secp256k1>(&(*inputs.secret.expose() - *alpha.expose()));
        Ok(Self { inputs, share })
    }

    /// Steps 2 to 4, initiator: `z_I = t + a*gamma_b`; checks `pi_R` and that the public shares make `P`; writes `X_I, pi_I`.
    ///
    /// # Errors
    /// [`Fault::Conversion`], [`Fault::Encoding`].
    pub fn finish(
        self,
        sid: &Sid,
        r: &mut Reader<'_>,
        w: &mut Writer,
        rng: &mut impl CryptoRng,
    ) -> Result<Converted, Fault> {
        let gamma_b = r.scalar::<Secp256k1>()?;
        let big_x_r = Encoded::decode(r)?;
        let proof = SchnorrProof::<Secp256k1>::decode(r)?;
        let [t] = self.share.t();
        let z = SecretScalar::<Secp256k1>::new(*t.expose() + *self.inputs.secret.expose() * gamma_b);
        proof
            .verify(&self.inputs.context(sid, self.inputs.pair.id(Role::Client)), &big_x_r)
            .map_err(|_| Fault::Conversion)?;
        let x = self.inputs.own(&z);
        let (big_x, own) = SchnorrProof::publish(&self.inputs.context(sid, self.inputs.pair.id(Role::Server)), &x, rng);
        self.inputs.check(big_x.point(), big_x_r.point())?;
        big_x.encode(w);
        own.encode(w);
        self.inputs.share(sid, x, &big_x, &big_x_r)
    }
}

/// Which factor is converted, over which pair setup, to which epoch.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ConvertSetup {
    pair: Pair,
    terms: Terms,
    epoch: u32,
}

impl ConvertSetup {
    /// Converts `factor` over `setup`, of which it counts one run. `epoch` is 0 for the first conversion of a key, else
    /// 1 + the highest epoch that is pending or confirmed.
    ///
    /// # Errors
    /// [`Exhausted`] when the setup has served all its runs.
    pub fn new(factor: &PairFactor, setup: &mut PairSetup, epoch: u32) -> Result<Self, Exhausted> {
        setup.begin_run()?;
        Ok(Self::describe(factor, setup, epoch))
    }

    fn describe(factor: &PairFactor, setup: &PairSetup, epoch: u32) -> Self {
        let mut extra = Writer::new();
        extra.bytes(factor.encoded_points().as_flattened());
        extra.bytes(factor.chain_code()).u8(factor.marks().to_byte());
        let terms = Terms {
            curve: Secp256k1::ID,
            scheme: "ecdsa",
            parameters: setup.suite().parameters(),
            threshold: Some(Threshold::TWO),
            key_id: Some(factor.key_id()),
            epoch: Some(epoch),
            generation: Some(factor.generation()),
            setups: vec![setup.id()],
            extra: extra.finish(),
            ..Terms::default()
        };
        Self { pair: *factor.pair(), terms, epoch }
    }
}

impl Setup for ConvertSetup {
    fn roster(&self) -> Roster {
        self.pair.roster()
    }

    fn terms(&self) -> Terms {
        self.terms.clone()
    }
}

/// The conversion as a run of its own: five messages, and the client's confirmation. The pair setup moves in and out.
#[allow(clippy::exhaustive_enums, reason = "one variant per round")]
pub enum Convert {
    /// Server: has sent its nonce.
    Greeted(PairSetup, Inputs),
    /// Client: waits for the nonce.
    Waiting(PairSetup, Inputs),
    /// Client: has sent its extension message.
    Extended(PairSetup, Inputs, Responder),
    /// Server: has sent its multiplication message.
    Multiplied(PairSetup, Initiator),
    /// Client: has proved `x_R`.
    Proved(PairSetup, Proved),
}

impl Protocol for Convert {
    const NAME: &'static str = "convert";
    const ID: u8 = 2;
    const ROUNDS: u8 = 6;
    const KEY_MAKING: bool = true;
    type Setup = ConvertSetup;
    type LongTerm = PairFactor;
    type Input = PairSetup;
    type Held = PairSetup;
    type Output = KeyShare<Secp256k1>;

    fn sends(setup: &ConvertSetup, round: u8, from: PartyId) -> Sends {
        setup.pair.turns(Role::Server, round, from)
    }

    fn max_body(_: &ConvertSetup, round: u8) -> usize {
        match round {
            2 => EXTENSION_LEN,
            3 => MULTIPLICATION_LEN,
            4 => RESPONSE_LEN,
            5 => PROOF_LEN,
            _ => 0,
        }
    }

    fn fits(setup: &ConvertSetup, factor: &PairFactor, input: &PairSetup) -> Result<(), Agreed> {
        if setup.terms.setups != [input.id()] || *input.pair() != setup.pair {
            return Err(Agreed::Setup);
        }
        let same = ConvertSetup::describe(factor, input, setup.epoch) == *setup;
        if same { Ok(()) } else { Err(Agreed::Sharing) }
    }

    fn start(
        setup: &ConvertSetup,
        factor: &PairFactor,
        input: PairSetup,
        _: &Run,
        _: &mut SeedRng,
    ) -> (Self, Vec<Draft>) {
        let inputs = Inputs::new(factor, setup.epoch);
        match setup.pair.role() {
            Role::Server => (Self::Greeted(input, inputs), vec![(To::One(setup.pair.peer()), vec![])]),
            Role::Client => (Self::Waiting(input, inputs), vec![]),
        }
    }

    fn advance(
        self,
        setup: &ConvertSetup,
        run: &Run,
        inbox: &Inbox,
        rng: &mut SeedRng,
    ) -> Result<Next<Self>, Failed<PairSetup>> {
        let (sid, peer) = (run.sid(), setup.pair.peer());
        let r = inbox.private(peer);
        let mut w = Writer::new();
        let to = To::One(peer);
        match self {
            Self::Waiting(ots, inputs) => match r.finish() {
                Ok(()) => {
                    let state = Responder::extend(ots.receiver(), &sid, &mut w, rng);
                    Ok(Next::Round(Self::Extended(ots, inputs, state), vec![(to, w.finish())]))
                }
                Err(error) => Err(ots.failed(error.into())),
            },
            Self::Greeted(ots, inputs) => {
                match r.whole(|r| Initiator::multiply(ots.sender(), inputs, &sid, r, &mut w, rng)) {
                    Ok(state) => Ok(Next::Round(Self::Multiplied(ots, state), vec![(to, w.finish())])),
                    Err(fault) => Err(ots.failed(fault)),
                }
            }
            Self::Extended(ots, inputs, state) => match r.whole(|r| state.prove(inputs, &sid, r, &mut w, rng)) {
                Ok(state) => Ok(Next::Round(Self::Proved(ots, state), vec![(to, w.finish())])),
                Err(fault) => Err(ots.failed(fault)),
            },
            Self::Multiplied(ots, state) => {
                let converted = r.whole(|r| state.finish(&sid, r, &mut w, rng));
                prepared(ots, converted, to, w)
            }
            Self::Proved(ots, state) => {
                let converted = r.whole(|r| state.finish(&sid, r));
                prepared(ots, converted, to, w)
            }
        }
    }

    fn cancel(self) -> Option<PairSetup> {
        match self {
            Self::Greeted(ots, _)
            | Self::Waiting(ots, _)
            | Self::Extended(ots, _, _)
            | Self::Multiplied(ots, _)
            | Self::Proved(ots, _) => Some(ots),
        }
    }
}

fn prepared(
    ots: PairSetup,
    result: Result<Converted, Fault>,
    to: To,
    last: Writer,
) -> Result<Next<Convert>, Failed<PairSetup>> {
    match result {
        Ok(Converted { share, outcome }) => Ok(Next::Prepared {
            encoded: share.encoded(),
            output: share,
            outcome,
            drafts: vec![(to, last.finish())],
            held: ots,
        }),
        Err(fault) => Err(ots.failed(fault)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use symbolon_session::Identity;

    fn id(id: u16) -> PartyId {
        PartyId::new(id).unwrap()
    }

    /// Both sides of `P = a*b*G` at these ids, server first.
    fn inputs(ids: [u16; 2], [a, b]: [Scalar; 2]) -> [Inputs; 2] {
        let [one, other] = ids.map(|i| (id(i), Identity::name(if i == ids[0] { "one" } else { "other" })));
        [(one.0, a, b), (other.0, b, a)].map(|(me, own, peer)| {
            let pair = Pair::between(me, one, other).unwrap();
            let peer = Secp256k1::mul_base(&peer);
            let secret = SecretScalar::new(own);
            let public_key = Secp256k1::mul(&peer, &own);
            let factor =
                PairFactor::new(pair, KeyId::from_bytes([1; 16]), 0, secret, peer, public_key, [2; 32]).unwrap();
            Inputs::new(&factor, 0)
        })
    }

    #[test]
    fn shares_of_any_two_ids_make_the_key() {
        let sid = Sid::from_bytes([3; 32]);
        let (a, b, z) = (Scalar::from(1111u64), Scalar::from(2222u64), Scalar::from(12345u64));
        for ids in [[1, 2], [1, 3], [2, 3], [3, 7], [1, u16::MAX], [u16::MAX - 1, u16::MAX]] {
            let both = inputs(ids, [a, b]);
            let sums = [z, a * b - z].map(SecretScalar::<Secp256k1>::new);
            let x = [both[0].own(&sums[0]), both[1].own(&sums[1])];
            let points = x.each_ref().map(|x| Encoded::new(x.public()));
            let [server, client] = points.each_ref().map(|big_x| *big_x.point());
            for (inputs, x) in both.into_iter().zip(x) {
                assert_eq!(inputs.check(&server, &client), Ok(()));
                let other = Secp256k1::generator();
                for wrong in [(server + other, client), (server, client + other), (client, server), (server, -client)] {
                    assert_eq!(inputs.check(&wrong.0, &wrong.1), Err(Fault::Conversion), "{ids:?}");
                }
                let [zero, key] = [Secp256k1::identity(), inputs.public_key];
                // one of them zero, the other one what the sum wants
                let (i, j) = (Scalar::from(u64::from(ids[0])), Scalar::from(u64::from(ids[1])));
                let alone = Secp256k1::mul(&key, &((j - i) * Secp256k1::invert(&j)));
                assert_eq!(inputs.check(&alone, &zero), Err(Fault::Conversion), "{ids:?}");
                // both the key itself: the sum is right, and one share is enough
                assert_eq!(inputs.check(&key, &key), Ok(()));
                let (share, outcome) =
                    inputs.share(&sid, x, &points[0], &points[1]).map(|c| (c.share, c.outcome)).unwrap();
                let lambdas = share.lambdas(&ids.map(id)).unwrap();
                assert_eq!(Secp256k1::mul(&server, &lambdas[0]) + Secp256k1::mul(&client, &lambdas[1]), key);
                assert_eq!(*share.sharing_id().as_ref(), outcome[..16]);
            }
            let [server, _] = inputs(ids, [a, b]);
            let key = Encoded::new(server.public_key);
            let share = server.share(&sid, SecretScalar::new(a * b), &key, &key);
            assert_eq!(share.err(), Some(Fault::Conversion), "{ids:?}");
        }
    }
}
