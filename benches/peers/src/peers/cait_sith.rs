//! `cait-sith`: it hands out bytes.

use crate::{
    Library, Operation,
    run::{Machine, Run, digest, sum, verify},
};
use cait_sith::{
    FullSignature, KeygenOutput, PresignArguments, PresignOutput, keygen, presign,
    protocol::{Action, Participant, Protocol},
    sign,
    triples::{TripleGenerationOutput, generate_triple},
};
use k256_013::{
    Scalar, Secp256k1, U256,
    elliptic_curve::{ops::Reduce, point::AffineCoordinates, sec1::ToEncodedPoint},
};
use symbolon_benches::Cost;

type Triple = TripleGenerationOutput<Secp256k1>;
type Presignature = PresignOutput<Secp256k1>;

/// Two parties with a key.
pub(crate) struct CaitSith {
    keys: [KeygenOutput<Secp256k1>; 2],
}

/// A party in a run.
struct Party<T> {
    other: Participant,
    protocol: Box<dyn Protocol<Output = T>>,
    output: Option<T>,
}

impl<T> Machine for Party<T> {
    type Output = T;

    fn step(&mut self, received: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        for bytes in received {
            self.protocol.message(self.other, bytes);
        }
        let mut out = Vec::new();
        loop {
            match self.protocol.poke().expect("honest") {
                Action::Wait => return out,
                Action::SendMany(bytes) | Action::SendPrivate(_, bytes) => out.push(bytes),
                Action::Return(output) => {
                    self.output = Some(output);
                    return out;
                }
            }
        }
    }

    fn output(self) -> Option<T> {
        self.output
    }
}

fn both() -> [Participant; 2] {
    [Participant::from(0), Participant::from(1)]
}

/// A run of what `start` makes for a party.
fn run<T, P: Protocol<Output = T> + 'static, E: std::fmt::Debug>(
    run: &mut Run,
    mut start: impl FnMut(usize, Participant) -> Result<P, E>,
) -> [T; 2] {
    run.protocol(|i| {
        let protocol = Box::new(start(i, both()[i]).expect("starts"));
        Party { other: both()[1 - i], protocol, output: None }
    })
}

fn make_key(on: &mut Run) -> [KeygenOutput<Secp256k1>; 2] {
    let keys = run(on, |_, me| keygen(&both(), me, 2));
    assert_eq!(keys[0].public_key, keys[1].public_key, "one key");
    keys
}

/// The two triples of one signature.
fn triples(on: &mut Run) -> [[Triple; 2]; 2] {
    on.at_once(|on| run(on, |_, me| generate_triple(&both(), me, 2)))
}

impl CaitSith {
    pub(crate) fn new() -> Self {
        Self { keys: make_key(&mut Run::new()) }
    }

    fn presign(&self, on: &mut Run) -> [Presignature; 2] {
        let triples = triples(on);
        run(on, |i, me| {
            let [triple0, triple1] = [&triples[0][i], &triples[1][i]].map(Clone::clone);
            presign(&both(), me, PresignArguments { triple0, triple1, keygen_out: self.keys[i].clone(), threshold: 2 })
        })
    }

    fn finish(&self, on: &mut Run, presignatures: [Presignature; 2]) {
        let mut presignatures = presignatures.map(Some);
        let key = self.keys[0].public_key;
        let signatures = run(on, |i, me| {
            let hash = <Scalar as Reduce<U256>>::reduce_bytes(&digest().into());
            sign(&both(), me, key, presignatures[i].take().expect("once"), hash)
        });
        for FullSignature { big_r, s } in signatures {
            let r = <Scalar as Reduce<U256>>::reduce_bytes(&big_r.x());
            verify(key.to_encoded_point(true).as_bytes(), &[r.to_bytes(), s.to_bytes()].concat());
        }
    }

    fn sign(&self) -> Cost {
        let mut run = Run::new();
        let presignatures = self.presign(&mut run);
        self.finish(&mut run, presignatures);
        run.cost()
    }

    fn keygen() -> Cost {
        let mut run = Run::new();
        make_key(&mut run);
        run.cost()
    }
}

impl Library for CaitSith {
    fn name(&self) -> String {
        super::version("cait-sith")
    }

    fn parameters(&self) -> &'static str {
        "its SECURITY_PARAMETER of 128 bits, also in checks; two committed Beaver triples a signature, each with 128 base OTs and an OT \
         extension of KOS as corrected, 256 extra columns, 384 OTs a product; no proof of security, no audit and no identifiable \
         abort, as its documentation says; authentication and encryption are left to the caller"
    }

    fn counted(&self) -> &'static str {
        "the bytes that it hands out; a signature from scratch is two triples made at once, with base OTs of their own (this version has \
         no setup that lasts), a pre-signature and the signature; a wallet ready to sign is a key and the triples of one signature; both \
         parties end with the signature, verified; the operating system's randomness"
    }

    fn run(&mut self, operation: Operation) -> Option<Cost> {
        match operation {
            Operation::Sign => Some(self.sign()),
            Operation::Create => {
                let mut run = Run::new();
                triples(&mut run);
                Some(sum(Self::keygen(), run.cost()))
            }
            Operation::Keygen => Some(Self::keygen()),
            Operation::First => Some(sum(Self::keygen(), self.sign())),
            Operation::Online => {
                let presignatures = self.presign(&mut Run::new());
                let mut run = Run::new();
                self.finish(&mut run, presignatures);
                Some(run.cost())
            }
        }
    }
}
