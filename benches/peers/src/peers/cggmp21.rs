//! `cggmp21`: its state machines, messages in postcard.

use crate::{
    Library, Operation,
    run::{Machine, Run, Seeded, digest, sum, verify},
};
use cggmp21::{
    DataToSign, ExecutionId, KeyShare, PartialSignature, PregeneratedPrimes, Presignature, Signature,
    generic_ec::Scalar, security_level::SecurityLevel128, supported_curves::Secp256k1,
};
use round_based::{
    Incoming, MessageType,
    state_machine::{ProceedResult, StateMachine},
};
use serde::{Serialize, de::DeserializeOwned};
use std::fmt::Debug;
use symbolon_benches::Cost;

type Share = KeyShare<Secp256k1, SecurityLevel128>;

/// Two parties with a key and its Paillier moduli.
pub(crate) struct Cggmp21 {
    rngs: [Seeded; 2],
    keys: [Share; 2],
}

/// A party in a run.
struct Party<S, T> {
    other: u16,
    machine: S,
    output: Option<T>,
}

impl<S, M, T, E> Machine for Party<S, T>
where
    S: StateMachine<Output = Result<T, E>, Msg = M>,
    M: Serialize + DeserializeOwned,
    E: Debug,
{
    type Output = T;

    fn step(&mut self, received: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        let (mut received, mut out) = (received.into_iter(), Vec::new());
        // a finished machine must not be asked again
        while self.output.is_none() {
            match self.machine.proceed() {
                ProceedResult::SendMsg(message) => {
                    let all = message.recipient.is_broadcast();
                    out.push(postcard::to_allocvec(&(all, message.msg)).expect("encodes"));
                }
                ProceedResult::NeedsOneMoreMessage => {
                    let Some(bytes) = received.next() else { break };
                    let (all, msg) = postcard::from_bytes(&bytes).expect("decodes");
                    let msg_type = if all { MessageType::Broadcast } else { MessageType::P2P };
                    let message = Incoming { id: 0, sender: self.other, msg_type, msg };
                    assert!(self.machine.received_msg(message).is_ok(), "it asked for one");
                }
                ProceedResult::Yielded => {}
                ProceedResult::Output(output) => self.output = Some(output.expect("honest")),
                ProceedResult::Error(error) => panic!("honest: {error}"),
            }
        }
        out
    }

    fn output(self) -> Option<T> {
        self.output
    }
}

/// A run of what `start` makes for a party.
fn run<'r, S, M, T, E>(
    run: &mut Run,
    rngs: &'r mut [Seeded; 2],
    mut start: impl FnMut(u16, &'r mut Seeded) -> S,
) -> [T; 2]
where
    S: StateMachine<Output = Result<T, E>, Msg = M>,
    M: Serialize + DeserializeOwned,
    E: Debug,
{
    let mut rngs = rngs.iter_mut().zip([0, 1]);
    run.protocol(|_| {
        let (rng, me) = rngs.next().expect("two parties");
        Party { other: 1 - me, machine: start(me, rng), output: None }
    })
}

fn keygen(on: &mut Run, rngs: &mut [Seeded; 2]) -> [cggmp21::IncompleteKeyShare<Secp256k1>; 2] {
    let id = rngs[0].id();
    run(on, rngs, |me, rng| cggmp21::keygen::<Secp256k1>(ExecutionId::new(&id), me, 2).into_state_machine(rng))
}

fn create(rngs: &mut [Seeded; 2]) -> ([Share; 2], Cost) {
    let mut on = Run::new();
    let mut primes = on.both(|i| Some(PregeneratedPrimes::<SecurityLevel128>::generate(&mut rngs[i])));
    let id = rngs[0].id();
    let aux = run(&mut on, rngs, |me, rng| {
        let primes = primes[usize::from(me)].take().expect("once");
        cggmp21::aux_info_gen(ExecutionId::new(&id), me, 2, primes)
            .precompute_multiexp_tables(true)
            .precompute_crt(true)
            .into_state_machine(rng)
    });
    let mut parts = keygen(&mut on, rngs).into_iter().zip(aux);
    let keys = on.both(|_| Share::from_parts(parts.next().expect("two parties")).expect("honest"));
    (keys, on.cost())
}

fn data() -> DataToSign<Secp256k1> {
    DataToSign::from_scalar(Scalar::from_be_bytes_mod_order(digest()))
}

impl Cggmp21 {
    /// Takes minutes.
    pub(crate) fn new(seed: u64) -> Self {
        let mut rngs = [Seeded::new(seed), Seeded::new(seed + 1)];
        let keys = create(&mut rngs).0;
        Self { rngs, keys }
    }

    fn check(&self, signature: &Signature<Secp256k1>) {
        let mut bytes = [0; 64];
        signature.write_to_slice(&mut bytes);
        verify(&self.keys[0].shared_public_key.to_bytes(true), &bytes);
    }

    fn sign(&mut self) -> Cost {
        let (mut on, id) = (Run::new(), self.rngs[0].id());
        let keys = &self.keys;
        let signatures = run(&mut on, &mut self.rngs, |me, rng| {
            cggmp21::signing(ExecutionId::new(&id), me, &[0, 1], &keys[usize::from(me)]).sign_sync(rng, data())
        });
        signatures.iter().for_each(|signature| self.check(signature));
        on.cost()
    }

    fn online(&mut self) -> Cost {
        let id = self.rngs[0].id();
        let keys = &self.keys;
        let made: [Presignature<Secp256k1>; 2] = run(&mut Run::new(), &mut self.rngs, |me, rng| {
            cggmp21::signing(ExecutionId::new(&id), me, &[0, 1], &keys[usize::from(me)]).generate_presignature_sync(rng)
        });
        let (mut on, mut made) = (Run::new(), made.map(Some));
        let mut own = [None, None];
        let partial = on.exchange(|i| {
            let partial = made[i].take().expect("once").issue_partial_signature(data());
            let bytes = postcard::to_allocvec(&partial).expect("encodes");
            own[i] = Some(partial);
            bytes
        });
        let signatures = on.both(|i| {
            let theirs: PartialSignature<Secp256k1> = postcard::from_bytes(&partial[i]).expect("decodes");
            let both = [own[i].take().expect("once"), theirs];
            let signature = PartialSignature::combine(&both).expect("honest");
            signature.verify(&self.keys[i].shared_public_key, &data()).expect("honest");
            signature
        });
        signatures.iter().for_each(|signature| self.check(signature));
        on.cost()
    }
}

impl Library for Cggmp21 {
    fn name(&self) -> String {
        super::version("cggmp21")
    }

    fn parameters(&self) -> &'static str {
        "CGGMP21, its SecurityLevel128: Paillier moduli of 3072 bits from safe primes of 1536, epsilon 230, ell 256, ell' 848, 128 \
         repetitions in set-up proofs; not constant-time and no identifiable abort, as its documentation says; audited; \
         authentication and encryption are left to the caller"
    }

    fn counted(&self) -> &'static str {
        "messages in postcard; ids of runs are given to both parties; the creation makes its safe primes, and tables for faster proofs; \
         reliable broadcast, as is its default; both parties end with the signature, verified; ChaCha12, seeded; few samples"
    }

    fn run(&mut self, operation: Operation) -> Option<Cost> {
        match operation {
            Operation::Sign => Some(self.sign()),
            Operation::Create => Some(create(&mut self.rngs).1),
            Operation::Keygen => {
                let mut on = Run::new();
                keygen(&mut on, &mut self.rngs);
                Some(on.cost())
            }
            Operation::First => Some(sum(create(&mut self.rngs).1, self.sign())),
            Operation::Online => Some(self.online()),
        }
    }

    fn samples(&self, operation: Operation) -> Option<usize> {
        match operation {
            Operation::Create | Operation::First => Some(1),
            Operation::Sign | Operation::Online => Some(5),
            Operation::Keygen => None,
        }
    }
}
