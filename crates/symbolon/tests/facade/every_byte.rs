//! Every byte matters: single-byte changes of every frame of a creation, a signature from scratch and one from the bank.
//! Small fields byte by byte, with the lowest and the highest bit; big matrices with a stride that meets every row.
//!
//! Over `Auth::Channel` the party whose frame was altered counts as the liar, and what it says is ignored. The other one
//! ends with the liar named, with a mismatch that names nobody, or refuses the frame and finishes when the true one
//! comes; or, where the liar stops first, without anything. It never has a result, except for [`FREE`] fields. With
//! `Auth::Signed` every change is refused, and names nobody.

use crate::world::{ROLES, World, label, pair, signed, slot};
use std::{
    cell::RefCell,
    collections::{BTreeMap, BTreeSet, VecDeque},
};
use symbolon::{
    Auth, Class, DerivationPath, Error, Fault, Header, Outgoing, PartyId, Payload, Preprocessed, Protocol, Role,
    Session, Signed, Step,
    wallet::{Create, CreateSetup, Wallet},
};
use symbolon_ecdsa::{FullSetup, OnlineSetup, SignFull, SignOnline};
use symbolon_testkit::{duo::stored, seeded};

/// Name, bytes, and how far apart the bytes are that are changed; 1 is all of them.
type Field = (&'static str, usize, usize);

/// Fields that a party may choose as it likes when it sends them, so that a change is simply another choice: message,
/// field, why.
const FREE: &[(&str, &str, &str)] = &[("create 5", "PPRF correction", UNUSED), ("create 6", "PPRF correction", UNUSED)];

/// docs/spec/mta.md: a flipped correction is seen only on the side that is used. Guessing that side is what the burn of a
/// failed check pays for.
const UNUSED: &str = "of the two corrections of a level the receiver uses one, and never reads the other";

/// Fields whose change the receiver cannot see, since it is what both then work with; the sender, which remembers
/// another value, stops by itself, and nobody has a result: message, field, why.
const SILENT: &[(&str, &str, &str)] = &[
    ("create 2", "com_I", "the client's proof covers it, and the server, which sent another one, refuses the proof"),
    ("create 2", "zero half", "the client's check depends on it, and the server, which sent another one, refuses it"),
    (
        "create 3",
        "e_j",
        "where the choice bit is 1 the server's answer depends on it, and the client refuses the answer",
    ),
    ("create 6", "gamma_a", "the client's X_R depends on it, and the server refuses X_R"),
];

const HEADER: Field = ("header", Header::LEN, 1);
const NONCE: Field = ("nonce", 32, 1);
const SID: Field = ("sid", 32, 1);
const POINT: usize = 33;

fn extension(name: [&'static str; 3], blocks: usize) -> [Field; 3] {
    // a row of one tree is `blocks + 1` blocks of 16 bytes: several changes in each
    [(name[0], 32 * (blocks + 1) * 16, 23), (name[1], 16, 1), (name[2], 32, 1)]
}

fn pprf() -> Vec<Field> {
    let tree = [("PPRF correction", 3 * 2 * 16, 19), ("t~", 32, 13)];
    let mut fields = tree.repeat(32);
    fields.push(("PPRF hash", 32, 1));
    fields
}

fn multiplication(ell: usize) -> [Field; 3] {
    [("a~ matrix", 768 * (ell + 1) * 32, if ell == 1 { 499 } else { 191 }), ("eta", 32, 1), ("mu", 32, 1)]
}

const SCHNORR: [Field; 2] = [("pi: K", POINT, 1), ("pi: z", 32, 1)];
const STEP_3: [Field; 5] =
    [("R", POINT, 1), ("gamma_k", 32, 1), ("gamma_x", 32, 1), ("Gamma_k", POINT, 1), ("Gamma_x", POINT, 1)];
const STEP_4: [Field; 3] = [("u", 32, 1), ("w", 32, 1), ("view hash", 32, 1)];
const EXTENSION: [&str; 3] = ["U", "x~", "extension hash"];
const BOOT: [&str; 3] = ["boot U", "boot x~", "boot hash"];

fn create_layout() -> Vec<Vec<Field>> {
    let stored = ("stored", 32, 1);
    vec![
        [vec![HEADER, NONCE, SID, ("base OT B", POINT, 1)], SCHNORR.to_vec(), vec![("zero com", 32, 1)]].concat(),
        vec![HEADER, NONCE, SID, ("com_I", 32, 1), ("A_j", 128 * POINT, 31), ("zero half", 32, 1)],
        [
            vec![HEADER, SID, ("B", POINT, 1)],
            SCHNORR.to_vec(),
            vec![("chain_R", 32, 1), ("e_j", 128 * 32, 29)],
            vec![("zero half", 32, 1), ("zero opening", 32, 1), ("zero check", 32, 1)],
        ]
        .concat(),
        [
            vec![HEADER, ("A", POINT, 1), ("chain_I", 32, 1), ("opening", 32, 1)],
            SCHNORR.to_vec(),
            vec![("responses", 128 * 32, 29)],
        ]
        .concat(),
        [
            vec![HEADER, ("key confirmation", 32, 1), ("openings", 128 * 64, 61)],
            pprf(),
            extension(BOOT, 1).to_vec(),
            extension(EXTENSION, 6).to_vec(),
        ]
        .concat(),
        [vec![HEADER, ("key confirmation", 32, 1)], pprf(), multiplication(1).to_vec(), vec![("gamma_a", 32, 1)]]
            .concat(),
        [vec![HEADER, ("gamma_b", 32, 1), ("X_R", POINT, 1)], SCHNORR.to_vec()].concat(),
        [vec![HEADER, ("X_I", POINT, 1)], SCHNORR.to_vec(), vec![stored]].concat(),
        vec![HEADER, stored],
    ]
}

fn full_layout() -> Vec<Vec<Field>> {
    let opening = vec![("opening", 32, 1)];
    vec![
        vec![HEADER, NONCE, SID],
        [vec![HEADER, NONCE, SID, ("com_S", 32, 1)], extension(EXTENSION, 6).to_vec()].concat(),
        [vec![HEADER, SID], extension(EXTENSION, 6).to_vec(), multiplication(2).to_vec(), STEP_3.to_vec()].concat(),
        [vec![HEADER], multiplication(2).to_vec(), opening, STEP_3.to_vec(), STEP_4.to_vec()].concat(),
    ]
}

fn banked_layout() -> Vec<Vec<Field>> {
    let opening = vec![("opening", 32, 1)];
    vec![
        [vec![HEADER, SID], STEP_3.to_vec()].concat(),
        [vec![HEADER, SID], opening, STEP_3.to_vec(), STEP_4.to_vec()].concat(),
    ]
}

/// Field, position, change.
fn changes(layout: &[Field]) -> Vec<(&'static str, usize, u8)> {
    let (mut start, mut all) = (0, Vec::new());
    for (name, len, stride) in layout {
        for (i, at) in (start..start + len).step_by(*stride).enumerate() {
            match stride {
                1 => all.extend([(*name, at, 1), (*name, at, 0x80)]),
                _ => all.push((*name, at, if i % 2 == 0 { 1 } else { 0x80 })),
            }
        }
        start += len;
    }
    all
}

/// Two sessions and what is on its way between them.
struct Match<P: Protocol> {
    sessions: [Session<P>; 2],
    queue: VecDeque<(Role, Vec<u8>)>,
    outputs: [Option<P::Output>; 2],
    over: [bool; 2],
    /// What the liar is given only if the honest side goes on.
    late: Vec<Vec<u8>>,
}

/// How a change ended for the receiver.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
enum Verdict {
    Rejected,
    Named,
    Mismatch,
    Silent,
    Free,
}

impl<P: Protocol> Match<P> {
    fn new(starts: [(Session<P>, Vec<Outgoing>); 2]) -> Self {
        let mut queue = VecDeque::new();
        for (role, (_, frames)) in ROLES.into_iter().zip(&starts) {
            queue.extend(frames.iter().map(|frame| (role.peer(), frame.bytes.clone())));
        }
        Self {
            sessions: starts.map(|start| start.0),
            queue,
            outputs: [None, None],
            over: [false, false],
            late: Vec::new(),
        }
    }

    fn give(&mut self, to: Role, frame: &[u8]) -> Result<(), Error<P::Held>> {
        let session = &mut self.sessions[slot(to)];
        let mut step = session.handle(to.peer().id(), frame)?;
        loop {
            let frames = match step {
                Step::Continue(frames) => frames,
                Step::Prepared(pending, _) => {
                    step = session.stored(stored(&pending));
                    continue;
                }
                Step::Done(output, _, frames) => {
                    self.outputs[slot(to)] = Some(output);
                    frames
                }
            };
            self.queue.extend(frames.into_iter().map(|frame| (to.peer(), frame.bytes)));
            return Ok(());
        }
    }

    /// Delivers the frames before number `k` (from 0), and takes frame `k`.
    fn until(&mut self, k: usize) -> (Role, Vec<u8>) {
        for _ in 0..k {
            let (to, frame) = self.queue.pop_front().unwrap();
            self.give(to, &frame).unwrap();
        }
        self.queue.pop_front().unwrap()
    }

    /// The same with the frames of a run that went before: only the receiver of frame `k` is brought there.
    fn until_again(&mut self, k: usize, frames: &[(Role, Vec<u8>)]) -> (Role, Vec<u8>) {
        let (to, frame) = frames[k].clone();
        for (other, earlier) in &frames[..k] {
            if *other == to {
                self.give(to, earlier).unwrap();
            } else {
                self.late.push(earlier.clone());
            }
        }
        self.queue.clear();
        (to, frame)
    }

    /// Goes on after an altered frame was taken by `honest`.
    fn go_on(&mut self, honest: Role, same: &dyn Fn([&P::Output; 2])) -> Verdict {
        let answers = core::mem::take(&mut self.queue);
        for frame in core::mem::take(&mut self.late) {
            self.give(honest.peer(), &frame).unwrap();
        }
        self.queue = answers;
        while let Some((to, frame)) = self.queue.pop_front() {
            if self.over[slot(to)] {
                continue;
            }
            match self.give(to, &frame) {
                Ok(()) | Err(Error::Rejected(_)) => (),
                Err(_) if to != honest => self.over[slot(to)] = true,
                Err(error) => return judge(&error, honest.peer().id()),
            }
        }
        match &self.outputs {
            [Some(server), Some(client)] => {
                same([server, client]);
                Verdict::Free
            }
            both if both[slot(honest)].is_some() => panic!("the honest side has a result that the liar has not"),
            _ => Verdict::Silent,
        }
    }
}

fn judge<H>(error: &Error<H>, liar: PartyId) -> Verdict {
    let (fault, culprit) = match error {
        Error::Rejected(_) => return Verdict::Rejected,
        Error::Aborted(aborted) => (aborted.fault, aborted.culprit),
        Error::Burned(burned) => (burned.fault, burned.culprit),
    };
    match culprit {
        Some(named) => {
            assert_eq!(named, liar, "{fault}");
            Verdict::Named
        }
        None => {
            assert!(
                matches!(fault.class(), Class::Mismatch | Class::Unattributed) || fault == Fault::View,
                "{fault} names nobody"
            );
            Verdict::Mismatch
        }
    }
}

/// The true frames of a run with their receivers.
fn record<P: Protocol>(mut run: Match<P>, count: usize) -> Vec<(Role, Vec<u8>)> {
    let next = |_| {
        let (to, frame) = run.queue.pop_front().unwrap();
        run.give(to, &frame).unwrap();
        (to, frame)
    };
    (0..count).map(next).collect()
}

/// Runs all changes of the frames that `liar` sends. `repeats`: every start gives the same frames.
fn every_byte<P: Protocol>(
    layout: &[Vec<Field>],
    liar: Role,
    repeats: bool,
    start: impl Fn(Role, bool) -> (Session<P>, Vec<Outgoing>),
    same: &dyn Fn([&P::Output; 2]),
) -> usize {
    let fresh = |signed| Match::new(ROLES.map(|role| start(role, signed)));
    let known = repeats.then(|| [false, true].map(|signed| record(fresh(signed), layout.len())));
    let reach = |k: usize, with_signature: bool| {
        let mut run = fresh(with_signature);
        let (to, frame) = match &known {
            Some(frames) => run.until_again(k, &frames[usize::from(with_signature)]),
            None => run.until(k),
        };
        (run, to, frame)
    };
    let mut total = 0;
    for (k, fields) in layout.iter().enumerate() {
        let message = format!("{} {}", P::NAME, k + 1);
        let (mut run, to, mut frame) = reach(k, false);
        let (mut signed, _, signed_frame) = reach(k, true);
        if to == liar {
            continue;
        }
        assert_eq!(frame.len(), fields.iter().map(|field| field.1).sum::<usize>(), "{message}");
        let mut table: BTreeMap<(&str, Verdict), usize> = BTreeMap::new();
        for (field, at, change) in changes(fields) {
            let mut altered = frame.clone();
            altered[at] ^= change;
            let verdict = match run.give(to, &altered) {
                Err(error) => judge(&error, liar.id()),
                Ok(()) => run.go_on(to, same),
            };
            *table.entry((field, verdict)).or_default() += 1;
            total += 1;
            if verdict != Verdict::Rejected {
                (run, _, frame) = reach(k, false);
            }
            // the signed twin refuses the same change
            let mut altered = signed_frame.clone();
            altered[at] ^= change;
            assert!(matches!(signed.give(to, &altered), Err(Error::Rejected(_))), "{message} {field} {at}");
        }
        // position and signature are part of the frame
        for at in signed_frame.len() - 65..signed_frame.len() {
            let mut altered = signed_frame.clone();
            altered[at] ^= 1;
            assert!(matches!(signed.give(to, &altered), Err(Error::Rejected(_))), "{message} signature {at}");
        }
        for (mut run, frame) in [(run, frame), (signed, signed_frame)] {
            run.give(to, &frame).unwrap();
            assert_eq!(run.go_on(to, same), Verdict::Free, "the true frame finishes the run");
        }
        let mut printed = BTreeSet::new();
        for field in fields.iter().filter(|field| printed.insert(field.0)) {
            let of = |verdict| table.get(&(field.0, verdict)).copied().unwrap_or(0);
            let [rejected, named, mismatch, silent, free] =
                [Verdict::Rejected, Verdict::Named, Verdict::Mismatch, Verdict::Silent, Verdict::Free].map(of);
            println!(
                "{message:10} {:24} rejected {rejected:4} named {named:4} mismatch {mismatch:4} silent {silent:3} free {free:3}",
                field.0
            );
            let listed = |list: &[(&str, &str, &str)]| list.iter().any(|l| l.0 == message && l.1 == field.0);
            assert!(free == 0 || listed(FREE), "{message}: a changed {} has a result", field.0);
            assert!(silent == 0 || listed(SILENT), "{message}: a changed {} ends in silence", field.0);
        }
    }
    total
}

fn auth(role: Role, with_signature: bool) -> Auth {
    if with_signature { signed(role) } else { Auth::Channel }
}

fn seed(role: Role) -> u64 {
    50 + u64::from(role.id().get())
}

fn create(liar: Role) -> usize {
    let start = |role, with_signature| {
        let (setup, auth) = (CreateSetup::new(pair(role)), auth(role, with_signature));
        Session::<Create>::start(setup, &(), (), label("bytes"), auth, &mut seeded(seed(role))).unwrap()
    };
    let same = |[server, client]: [&Wallet; 2]| {
        assert_eq!((server.address(), server.key_id()), (client.address(), client.key_id()));
        assert_eq!(server.share().chain_code(), client.share().chain_code());
        assert_eq!(server.share().sharing_id(), client.share().sharing_id());
    };
    every_byte(&create_layout(), liar, true, start, &same)
}

#[test]
fn every_byte_of_a_creation_that_the_client_sends() {
    assert_eq!(create(Role::Client), 2_704);
}

#[test]
fn every_byte_of_a_creation_that_the_server_sends() {
    assert_eq!(create(Role::Server), 2_138);
}

#[test]
fn every_byte_of_a_signature_from_scratch() {
    let world = World::new(51);
    let payload = Payload::personal_message("every byte");
    let start = |role, with_signature| {
        let (mut ots, share) = (world.setup(role), world.wallet(role).share());
        let setup = FullSetup::new(share, &mut ots, payload, DerivationPath::root()).unwrap();
        let auth = auth(role, with_signature);
        Session::<SignFull>::start(setup, share, ots, label("bytes"), auth, &mut seeded(seed(role))).unwrap()
    };
    let same = |both: [&Signed; 2]| world.check_signed(both, &payload);
    let total: usize = ROLES.map(|liar| every_byte(&full_layout(), liar, true, start, &same)).iter().sum();
    assert_eq!(total, 3_138);
}

#[test]
fn every_byte_of_a_signature_from_the_bank() {
    let world = World::new(52);
    let payload = Payload::personal_message("every byte");
    let items: RefCell<[Vec<Preprocessed>; 2]> = RefCell::default();
    let batch = RefCell::new(53);
    let start = |role: Role, with_signature| {
        if items.borrow()[slot(role)].is_empty() {
            *batch.borrow_mut() += 1;
            *items.borrow_mut() = world.items(*batch.borrow(), 256);
        }
        let item = items.borrow_mut()[slot(role)].pop().unwrap();
        let share = world.wallet(role).share();
        let setup = OnlineSetup::new(share, &item, payload, DerivationPath::root()).unwrap();
        let auth = auth(role, with_signature);
        Session::<SignOnline>::start(setup, share, item, label("bytes"), auth, &mut seeded(seed(role))).unwrap()
    };
    let same = |both: [&Signed; 2]| world.check_signed(both, &payload);
    let total: usize = ROLES.map(|liar| every_byte(&banked_layout(), liar, false, start, &same)).iter().sum();
    assert_eq!(total, 1_192);
}
