//! `tsslib`, its `dklstss`: parties that talk through a broker, in its binary encoding.

use crate::{
    Library, Operation,
    run::{Machine, Run, digest, sum, verify},
};
use std::{
    collections::BTreeMap,
    mem::take,
    sync::{Arc, Mutex},
};
use symbolon_benches::Cost;
use tsslib::{
    dklstss::{CheckedSigningParty, Error, Key, KeygenParty, Signature, SigningParty},
    tss::{BrokerResult, Message, MessageBroker, MessageReceiver, Parameters, PartyId, WireFormat},
};

/// Which of its two signing protocols.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Multiplication {
    /// The default: products are not checked.
    Plain,
    /// Each product is made twice and compared.
    Checked,
}

/// Two parties with a key and its OT setup.
pub(crate) struct Tsslib {
    multiplication: Multiplication,
    keys: [Key; 2],
}

/// Where handlers are registered.
type Handler = Arc<dyn MessageReceiver + Send + Sync>;

/// The broker of one party: messages out as bytes, messages in to the handlers.
struct Broker {
    me: PartyId,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    out: Vec<Vec<u8>>,
    handlers: BTreeMap<String, Handler>,
    /// Without a handler so far.
    waiting: BTreeMap<String, Vec<Message>>,
}

impl MessageReceiver for Broker {
    fn receive(&self, message: &Message) -> BrokerResult {
        let mut state = self.state.lock().expect("one thread");
        if message.from.as_ref() == Some(&self.me) {
            state.out.push(message.to_bytes().expect("encodes"));
            return Ok(());
        }
        match state.handlers.get(&message.typ).cloned() {
            Some(handler) => {
                drop(state);
                handler.receive(message)
            }
            None => {
                state.waiting.entry(message.typ.clone()).or_default().push(message.clone());
                Ok(())
            }
        }
    }
}

impl MessageBroker for Broker {
    fn connect(&self, typ: &str, to: Handler) {
        let mut state = self.state.lock().expect("one thread");
        state.handlers.insert(typ.into(), to.clone());
        let waiting = state.waiting.remove(typ).unwrap_or_default();
        drop(state);
        waiting.iter().for_each(|message| to.receive(message).expect("honest"));
    }
}

/// A party in a run; `result` is there when it is done.
struct Party<T> {
    broker: Arc<Broker>,
    result: Box<dyn Fn() -> Option<Result<T, Error>>>,
}

impl<T> Machine for Party<T> {
    type Output = T;

    fn step(&mut self, received: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        for bytes in received {
            let message = Message::from_bytes(&bytes).expect("decodes");
            self.broker.receive(&message).expect("honest");
        }
        take(&mut self.broker.state.lock().expect("one thread").out)
    }

    fn output(self) -> Option<T> {
        (self.result)().map(|result| result.expect("honest"))
    }
}

fn ids() -> Vec<PartyId> {
    PartyId::sort([1, 2].map(|i: u8| PartyId::new(i.to_string(), "", vec![i])).into(), 0)
}

/// A broker, and parameters with it. A threshold of 1 means two signers here.
fn begin(i: usize) -> (Arc<Broker>, Parameters) {
    let ids = ids();
    let me = ids[i].clone();
    let broker = Arc::new(Broker { me: me.clone(), state: Mutex::default() });
    (broker.clone(), Parameters::new(ids, &me, 1, broker).with_wire_format(WireFormat::Binary))
}

fn create() -> ([Key; 2], Cost) {
    let mut run = Run::new();
    let keys = run.protocol(|i| {
        let (broker, parameters) = begin(i);
        let party = KeygenParty::new(parameters).expect("starts");
        Party { broker, result: Box::new(move || party.try_result()) }
    });
    assert_eq!(public_key(&keys[0]), public_key(&keys[1]), "one key");
    (keys, run.cost())
}

fn public_key(key: &Key) -> [u8; 65] {
    key.ecdsa_pub.to_affine().expect("not the identity").to_sec1_uncompressed()
}

impl Tsslib {
    pub(crate) fn new(multiplication: Multiplication) -> Self {
        Self { multiplication, keys: create().0 }
    }

    fn sign(&self) -> Cost {
        let mut run = Run::new();
        // a session takes the key; its copy is made outside of the clock
        let mut keys = self.keys.clone().map(Some);
        let signatures = run.protocol(|i| {
            let (broker, parameters) = begin(i);
            let (key, hash) = (keys[i].take().expect("once"), digest().to_vec());
            let result: Box<dyn Fn() -> Option<Result<Signature, Error>>> = match self.multiplication {
                Multiplication::Plain => {
                    let party = SigningParty::new(parameters, key, hash, ids(), None).expect("starts");
                    Box::new(move || party.try_result())
                }
                Multiplication::Checked => {
                    let party = CheckedSigningParty::new(parameters, key, hash, ids(), None).expect("starts");
                    Box::new(move || party.try_result())
                }
            };
            Party { broker, result }
        });
        for Signature { r, s, .. } in &signatures {
            verify(&public_key(&self.keys[0]), &[&r[..], &s[..]].concat());
        }
        run.cost()
    }
}

impl Library for Tsslib {
    fn name(&self) -> String {
        let kind = if self.multiplication == Multiplication::Plain { "default" } else { "checked" };
        format!("{}, {kind}", super::version("tsslib"))
    }

    fn parameters(&self) -> &'static str {
        match self.multiplication {
            Multiplication::Plain => {
                "its DKLs23: 128 bits computational and 80 bits statistical security; Chou-Orlandi OT, 128 base OTs in each direction; OT \
                 extension of KOS, 80 challenges; Gilboa's multiplication with 416 OTs, of which 160 are padding, and NOT checked: its \
                 documentation says that a peer learns about one bit of a secret with each signature that it makes fail; broadcasts are \
                 echoed; authentication and encryption are left to the caller"
            }
            Multiplication::Checked => {
                "the same, but each product is made twice and compared, and who is inconsistent is named; its documentation says that an \
                 error put into both still leaks about one bit with each failed signature"
            }
        }
    }

    fn counted(&self) -> &'static str {
        if cfg!(feature = "purecrypto") {
            "its binary messages; both parties end with the signature, verified; the operating system's randomness; `purecrypto` with its \
             table of the generator and `getrandom`, which `tsslib` leaves off; no pre-signatures: one process makes them, with all keys"
        } else {
            "its binary messages; both parties end with the signature, verified; the operating system's randomness; `purecrypto` as \
             `tsslib` has it, without a table of the generator; no pre-signatures: one process makes them, with all keys"
        }
    }

    fn run(&mut self, operation: Operation) -> Option<Cost> {
        let plain = self.multiplication == Multiplication::Plain;
        match operation {
            Operation::Sign => Some(self.sign()),
            // the same for both
            Operation::Create => plain.then(|| create().1),
            Operation::First => Some(sum(create().1, self.sign())),
            Operation::Keygen | Operation::Online => None,
        }
    }
}
