//! `dkls23`: its sessions, with its own frames for messages.

use crate::{
    Library, Operation,
    run::{Run, Seeded, digest, sum, verify},
};
use dkls23::{
    DkgSession, SignSession,
    protocols::{
        Parameters, PartyIndex,
        dkg::{
            BroadcastDerivationPhase2to4, BroadcastDerivationPhase3to4, ProofCommitment, TransmitInitMulPhase3to4,
            TransmitInitZeroSharePhase2to4, TransmitInitZeroSharePhase3to4,
        },
        messages::{MessageTag, PhaseInput, PhaseOutput},
        signing::{Broadcast3to4, SignData, TransmitPhase1to2, TransmitPhase2to3},
    },
    secp256k1::Party,
};
use k256::{
    Scalar, Secp256k1,
    elliptic_curve::{PrimeField, sec1::ToSec1Point},
};
use std::collections::BTreeMap;
use symbolon_benches::Cost;

/// Two parties with a key and its multiplication setup.
pub(crate) struct Dkls23 {
    rng: Seeded,
    parties: [Party; 2],
}

fn index(i: usize) -> PartyIndex {
    PartyIndex::new([1, 2][i]).expect("not zero")
}

fn other(i: usize) -> PartyIndex {
    index(1 - i)
}

/// A round's frames of a party, for the one other party. Each has its tag and its length.
fn encode(output: PhaseOutput) -> Vec<u8> {
    let p2p: Vec<_> = output.p2p.into_values().collect();
    [output.broadcasts.concat(), p2p.concat()].concat()
}

/// What party `i` got. Frames are found by their tags.
fn decode(i: usize, bytes: &[u8]) -> PhaseInput {
    let all = || BTreeMap::from([(other(i).as_u8(), bytes.to_vec())]);
    PhaseInput { broadcasts: all(), p2p: all() }
}

fn broadcast<T: MessageTag>(output: &mut PhaseOutput, message: &T) {
    output.add_broadcast(message).expect("encodes");
}

/// The message for the one other party.
fn send<T: MessageTag>(output: &mut PhaseOutput, i: usize, messages: &[T]) {
    output.add_p2p(other(i).as_u8(), &messages[0]).expect("encodes");
}

fn heard<T: MessageTag>(i: usize, input: &PhaseInput) -> T {
    input.get_broadcast(other(i).as_u8()).expect("decodes")
}

fn got<T: MessageTag>(i: usize, input: &PhaseInput) -> T {
    input.get_p2p(other(i).as_u8()).expect("decodes")
}

fn create(rng: &mut Seeded) -> ([Party; 2], Cost) {
    let id = rng.id();
    let mut run = Run::new();
    let mut sessions = [0, 1].map(|i| {
        let parameters = Parameters { threshold: 2, share_count: 2 };
        Some(DkgSession::<Secp256k1>::new(parameters, index(i), id.to_vec()))
    });
    let mut own = [Scalar::ZERO; 2];
    let fragments = run.exchange(|i| {
        let fragments = sessions[i].as_ref().expect("still there").phase1();
        own[i] = fragments[i];
        fragments[1 - i].to_repr().to_vec()
    });
    let mut proofs: [Vec<ProofCommitment<Secp256k1>>; 2] = Default::default();
    let mut derivations: [BTreeMap<PartyIndex, BroadcastDerivationPhase2to4>; 2] = Default::default();
    let second = run.exchange(|i| {
        let bytes: [u8; 32] = fragments[i][..].try_into().expect("32 bytes");
        let theirs = Scalar::from_repr(bytes.into()).expect("reduced");
        let mut all = [own[i]; 2];
        all[1 - i] = theirs;
        let session = sessions[i].as_mut().expect("still there");
        let (proof, zero, derivation) = session.phase2(&all).expect("honest");
        let mut output = PhaseOutput::new();
        broadcast(&mut output, &proof);
        broadcast(&mut output, &derivation);
        send(&mut output, i, &zero);
        proofs[i].push(proof);
        derivations[i].insert(index(i), derivation);
        encode(output)
    });
    let mut chain_codes: [BTreeMap<PartyIndex, BroadcastDerivationPhase3to4>; 2] = Default::default();
    let third = run.exchange(|i| {
        let (zero, multiplication, derivation) = sessions[i].as_mut().expect("still there").phase3().expect("honest");
        let mut output = PhaseOutput::new();
        broadcast(&mut output, &derivation);
        send(&mut output, i, &zero);
        send(&mut output, i, &multiplication);
        chain_codes[i].insert(index(i), derivation);
        encode(output)
    });
    let parties = run.both(|i| {
        let (second, third) = (decode(i, &second[i]), decode(i, &third[i]));
        // in the order of the parties
        proofs[i].insert(1 - i, heard(i, &second));
        derivations[i].insert(other(i), heard(i, &second));
        chain_codes[i].insert(other(i), heard(i, &third));
        let zeros: [TransmitInitZeroSharePhase2to4; 1] = [got(i, &second)];
        let zero_openings: [TransmitInitZeroSharePhase3to4; 1] = [got(i, &third)];
        let multiplications: [TransmitInitMulPhase3to4<Secp256k1>; 1] = [got(i, &third)];
        let session = sessions[i].take().expect("once");
        let made = session.phase4(
            &proofs[i],
            &zeros,
            &zero_openings,
            &multiplications,
            &derivations[i],
            &chain_codes[i],
            |_| String::new(),
        );
        made.unwrap_or_else(|abort| panic!("honest: {:?}", abort.description())).0
    });
    assert_eq!(parties[0].pk, parties[1].pk, "one key");
    (parties, run.cost())
}

impl Dkls23 {
    pub(crate) fn new(seed: u64) -> Self {
        let mut rng = Seeded::new(seed);
        let parties = create(&mut rng).0;
        Self { rng, parties }
    }

    fn sign(&mut self) -> Cost {
        let id = self.rng.id();
        let mut run = Run::new();
        let mut sessions = [None, None];
        let first = run.exchange(|i| {
            let data = SignData { sign_id: id.to_vec(), counterparties: vec![other(i)], message_hash: digest() };
            let (session, messages) = SignSession::new(&self.parties[i], data).expect("honest");
            sessions[i] = Some(session);
            let mut output = PhaseOutput::new();
            send(&mut output, i, &messages);
            encode(output)
        });
        let second = run.exchange(|i| {
            let received: TransmitPhase1to2 = got(i, &decode(i, &first[i]));
            let messages = sessions[i].as_mut().expect("still there").phase2(&[received]).expect("honest");
            let mut output = PhaseOutput::new();
            send(&mut output, i, &messages);
            encode(output)
        });
        let mut own = [None, None];
        let third = run.exchange(|i| {
            let received: TransmitPhase2to3<Secp256k1> = got(i, &decode(i, &second[i]));
            let message = sessions[i].as_mut().expect("still there").phase3(&[received]).expect("honest");
            let mut output = PhaseOutput::new();
            broadcast(&mut output, &message);
            own[i] = Some(message);
            encode(output)
        });
        let signatures = run.both(|i| {
            let theirs: Broadcast3to4<Secp256k1> = heard(i, &decode(i, &third[i]));
            let all = [own[i].take().expect("once"), theirs];
            sessions[i].take().expect("once").phase4(&all, true).expect("honest").to_bytes()
        });
        let key = self.parties[0].pk.to_sec1_point(true);
        signatures.iter().for_each(|signature| verify(key.as_bytes(), signature));
        run.cost()
    }
}

impl Library for Dkls23 {
    fn name(&self) -> String {
        super::version("dkls23")
    }

    fn parameters(&self) -> &'static str {
        "DKLs23, its RAW_SECURITY of 256 bits and 80 bits statistical security; endemic base OT with Fischlin's proofs; OT extension \
         of KOS as corrected, 256 base OTs in each direction, 208 columns of check; 416 OTs a multiplication, consistency checked; an \
         abort names the counterparty and says whether to ban it; messages are not authenticated"
    }

    fn counted(&self) -> &'static str {
        "its own frames; session ids are given to both parties; both end with the signature, verified; no address is \
         computed; the thread's generator of `rand`, which it does not let one choose"
    }

    fn run(&mut self, operation: Operation) -> Option<Cost> {
        match operation {
            Operation::Sign => Some(self.sign()),
            Operation::Create => Some(create(&mut self.rng).1),
            Operation::First => Some(sum(create(&mut self.rng).1, self.sign())),
            // key generation makes the setup; there are no pre-signatures
            Operation::Keygen | Operation::Online => None,
        }
    }
}
