//! docs/spec/keygen.md, key generation. Bodies: server 1 `com`; client 1 `B | K | z | chain_R`; server 2
//! `A | chain_I | opening | K | z`.

use crate::*;
use std::{cell::RefCell, rc::Rc};
use symbolon_core::{
    Transcript,
    wire::{DecodeError, Reader},
};
use symbolon_keygen::keygen::{Initiator, OPENING_LEN, RESPONSE_LEN, Responder};
use symbolon_proofs::{Commitment, Opening};
use symbolon_session::{Agreed, Error, Fault, Rejected, Step};
use symbolon_testkit::{Fate, duel};

fn honest(role: Role, seed: u64) -> Started<Keygen> {
    start(role, KeygenSetup::new(pair(role)), &(), (), seed)
}

fn liar(role: Role, seed: u64, lie: impl FnMut(&mut Telling<'_>) + 'static) -> Started<Lying<Keygen>> {
    lying(role, KeygenSetup::new(pair(role)), &(), (), seed, lie)
}

/// The honest client's fate.
fn server_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<Keygen> {
    duel(honest(Role::Client, 2), liar(Role::Server, 1, lie), PartyId::CLIENT, PartyId::SERVER)
}

/// The honest server's fate.
fn client_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<Keygen> {
    duel(honest(Role::Server, 1), liar(Role::Client, 2, lie), PartyId::SERVER, PartyId::CLIENT)
}

/// Changes one message.
fn at(message: usize, change: impl Fn(&mut Vec<u8>) + 'static) -> impl FnMut(&mut Telling<'_>) + 'static {
    move |telling| {
        if telling.message == message {
            change(telling.body);
        }
    }
}

/// `T("proof", sid, prover, com)`: docs/spec/keygen.md.
fn context(sid: &Sid, prover: PartyId, com: &[u8]) -> Transcript {
    Transcript::new("keygen", "proof").part(sid).number(prover.get()).part(com)
}

/// Records the bodies of a run in which nobody lies: the server's, the client's.
fn recorded(seeds: [u64; 2]) -> [Vec<Vec<u8>>; 2] {
    let ear = |store: &Rc<RefCell<Vec<Vec<u8>>>>| {
        let store = Rc::clone(store);
        move |telling: &mut Telling<'_>| store.borrow_mut().push(telling.body.clone())
    };
    let (s, c) = (Rc::default(), Rc::default());
    Duo::new(liar(Role::Server, seeds[0], ear(&s)), liar(Role::Client, seeds[1], ear(&c))).run();
    [s.take(), c.take()]
}

const NOBODY: Option<PartyId> = None;

#[test]
fn without_a_lie_both_agree() {
    assert!(matches!(server_lies(|_| ()), Fate::Done(..)));
    assert!(matches!(client_lies(|_| ()), Fate::Done(..)));
    let [server, client] = recorded([1, 2]);
    assert_eq!((server[0].len(), server[1].len(), server.len()), (32, OPENING_LEN, 2));
    assert_eq!((client[0].len(), client[1].len(), client.len()), (RESPONSE_LEN, 0, 2));
}

// the server has seen B when it opens; it opens a point that it has made since, with a proof of its logarithm
#[test]
fn row_27_rogue_key_of_the_last_mover() {
    let rogue = |telling: &mut Telling<'_>| {
        if telling.message == 2 {
            telling.body[..33].copy_from_slice(&encoded(&point(1234)));
            // com_I is not known to a tamperer; the opening is checked before the proof
            telling.body[97..]
                .copy_from_slice(&proof(&context(&telling.run.sid(), PartyId::SERVER, &[0; 32]), scalar(1234)));
        }
    };
    assert_eq!(server_lies(rogue).failure(), (Fault::Opening, SERVER, &[][..]));
    // the client has not seen A; it claims a point whose logarithm it does not know, with a proof of another point
    let other = at(1, |body| shift(body, 0));
    assert_eq!(client_lies(other).failure(), (Fault::Proof, CLIENT, &[][..]));
    // and with a proof copied from an honest run
    let copied = recorded([11, 12])[1][0][33..98].to_vec();
    let copied = at(1, move |body| body[33..98].copy_from_slice(&copied));
    assert_eq!(client_lies(copied).failure(), (Fault::Proof, CLIENT, &[][..]));
}

#[test]
fn row_28_mirrored_point_and_proof() {
    let mirror = |telling: &mut Telling<'_>| {
        if telling.message == 2 {
            let heard = &telling.heard[0];
            telling.body[..33].copy_from_slice(&heard[..33]);
            telling.body[97..].copy_from_slice(&heard[33..98]);
        }
    };
    assert_eq!(server_lies(mirror).failure(), (Fault::Opening, SERVER, &[][..]));
}

#[test]
fn row_28_replay_from_another_session() {
    let [server, client] = recorded([11, 12]);
    let (com, opening) = (server[0].clone(), server[1].clone());
    let first = com.clone();
    // commitment, opening, point and proof of another session
    let all = scripted::<Keygen>(Role::Server, KeygenSetup::new(pair(Role::Server)), 1, move |_, heard, _| {
        Some(if heard.is_none() { first.clone() } else { [opening.clone(), vec![0; 32]].concat() })
    });
    let fate = duel(honest(Role::Client, 2), all, PartyId::CLIENT, PartyId::SERVER);
    assert_eq!(fate.failure(), (Fault::Opening, SERVER, &[][..]));
    // the commitment only, opened with what this session committed to
    let opening_only = {
        let old = server[1].clone();
        at(2, move |body| body.clone_from(&old))
    };
    assert_eq!(server_lies(opening_only).failure(), (Fault::Opening, SERVER, &[][..]));
    // the client's whole answer
    let answer = client[0].clone();
    assert_eq!(client_lies(at(1, move |body| body.clone_from(&answer))).failure(), (Fault::Proof, CLIENT, &[][..]));
}

/// A client that makes its own B and proves it under a context of its choice.
fn proving_client(prover: PartyId, other_com: bool, other_sid: bool) -> Fate<Keygen> {
    let setup = KeygenSetup::new(pair(Role::Client));
    let script = scripted::<Keygen>(Role::Client, setup, 2, move |run, heard, _| {
        let com = heard.unwrap().rest();
        if com.len() != 32 {
            // the confirmation of another outcome, for a server that is content
            return Some(vec![0; 32]);
        }
        let sid = if other_sid { run.sid0() } else { run.sid() };
        let com = if other_com { vec![1; 32] } else { com.to_vec() };
        let body = [&encoded(&point(77))[..], &proof(&context(&sid, prover, &com), scalar(77)), &[5; 32]];
        Some(body.concat())
    });
    duel(honest(Role::Server, 1), script, PartyId::SERVER, PartyId::CLIENT)
}

#[test]
fn row_28_proof_bound_to_role_session_and_commitment() {
    // the control passes every check; the server has stored and confirmed, and in doubt no frame ends the run
    let control = proving_client(PartyId::CLIENT, false, false);
    assert!(matches!(control, Fate::Waiting(Some(Rejected::Confirmation))));
    for fate in [
        proving_client(PartyId::SERVER, false, false),
        proving_client(PartyId::CLIENT, true, false),
        proving_client(PartyId::CLIENT, false, true),
    ] {
        assert_eq!(fate.failure(), (Fault::Proof, CLIENT, &[][..]));
    }
}

/// A server that commits to its own A and proves it under a context of its choice.
fn proving_server(prover: PartyId, under_sid0: bool) -> Fate<Keygen> {
    let setup = KeygenSetup::new(pair(Role::Server));
    let mut kept = None;
    let script = scripted::<Keygen>(Role::Server, setup, 1, move |run, heard, rng| {
        if heard.is_none() {
            let value = [&encoded(&point(55))[..], &[6; 32]].concat();
            let (com, opening) = Commitment::commit("keygen A", &run.sid0(), PartyId::SERVER, &value, rng);
            let bytes = com.as_bytes().to_vec();
            kept = Some((com, opening));
            return Some(bytes);
        }
        let (com, opening) = kept.take()?;
        let sid = if under_sid0 { run.sid0() } else { run.sid() };
        let pi = proof(&context(&sid, prover, com.as_bytes()), scalar(55));
        Some([&encoded(&point(55))[..], &[6; 32], &opening.to_bytes(), &pi, &[0; 32]].concat())
    });
    duel(honest(Role::Client, 2), script, PartyId::CLIENT, PartyId::SERVER)
}

#[test]
fn row_28_server_proof_bound_to_role_and_session() {
    // the control passes every check; the outcome that the script confirms is not computed
    assert_eq!(proving_server(PartyId::SERVER, false).failure(), (Fault::Mismatch(Agreed::Outcome), NOBODY, &[][..]));
    assert_eq!(proving_server(PartyId::CLIENT, false).failure(), (Fault::Proof, SERVER, &[][..]));
    assert_eq!(proving_server(PartyId::SERVER, true).failure(), (Fault::Proof, SERVER, &[][..]));
}

// the same nonce, commitment, point and opening as in an earlier run, and its proof
#[test]
fn row_109_replay_of_an_old_nonce_point_and_proof() {
    let old = recorded([1, 12])[0][1].clone();
    let now = recorded([1, 2])[0][1].clone();
    assert_eq!(old[..97], now[..97], "the run repeats commitment, point, chain and opening");
    let replay = at(2, move |body| body[97..].copy_from_slice(&old[97..]));
    assert_eq!(server_lies(replay).failure(), (Fault::Proof, SERVER, &[][..]));
}

#[test]
fn row_29_every_field_of_both_messages_is_bound() {
    type Change = fn(&mut Vec<u8>);
    let server: [(Change, Fault); 5] = [
        (|b| shift(b, 0), Fault::Opening),
        (|b| b[40] ^= 1, Fault::Opening),
        (|b| b[70] ^= 1, Fault::Opening),
        (|b| shift(b, 97), Fault::Proof),
        (|b| bump(b, 130), Fault::Proof),
    ];
    for (change, fault) in server {
        assert_eq!(server_lies(at(2, change)).failure(), (fault, SERVER, &[][..]));
    }
    let client: [Change; 3] = [|b| shift(b, 0), |b| shift(b, 33), |b| bump(b, 66)];
    for change in client {
        assert_eq!(client_lies(at(1, change)).failure(), (Fault::Proof, CLIENT, &[][..]));
    }
}

// one chain code to the peer, another for itself: the outcome hashes differ, and no side is done
#[test]
fn row_37_chain_code_equivocation() {
    // the client's own half stops at the server's confirmation; the server stays in doubt
    assert!(matches!(client_lies(at(1, |body| body[100] ^= 1)), Fate::Waiting(None)));
    // the server cannot: its chain is under the commitment
    assert_eq!(server_lies(at(2, |body| body[33] ^= 1)).failure(), (Fault::Opening, SERVER, &[][..]));
}

#[test]
fn row_40_bad_points_scalars_and_lengths_name_the_sender() {
    for (bytes, error) in bad_points() {
        for offset in [0, 33] {
            let fate = client_lies(at(1, move |body| body[offset..offset + 33].copy_from_slice(&bytes)));
            assert_eq!(fate.failure(), (Fault::Encoding(error), CLIENT, &[][..]));
        }
        for offset in [0, 97] {
            let fate = server_lies(at(2, move |body| body[offset..offset + 33].copy_from_slice(&bytes)));
            assert_eq!(fate.failure(), (Fault::Encoding(error), SERVER, &[][..]));
        }
    }
    let range = Fault::Encoding(DecodeError::ScalarRange);
    for bytes in bad_scalars() {
        let fate = client_lies(at(1, move |body| body[66..98].copy_from_slice(&bytes)));
        assert_eq!(fate.failure(), (range, CLIENT, &[][..]));
        let fate = server_lies(at(2, move |body| body[130..162].copy_from_slice(&bytes)));
        assert_eq!(fate.failure(), (range, SERVER, &[][..]));
    }
    let short = Fault::Encoding(DecodeError::Truncated);
    assert_eq!(client_lies(at(1, |body| body.truncate(129))).failure(), (short, CLIENT, &[][..]));
    assert_eq!(client_lies(at(1, Vec::clear)).failure(), (short, CLIENT, &[][..]));
    assert_eq!(server_lies(at(1, |body| body.truncate(31))).failure(), (short, SERVER, &[][..]));
    assert_eq!(server_lies(at(2, |body| body.truncate(161))).failure(), (short, SERVER, &[][..]));
    // longer than the round allows: the driver's bound
    for fate in [server_lies(at(2, |body| body.push(0))), client_lies(at(1, |body| body.push(0)))] {
        assert!(matches!(fate, Fate::Waiting(Some(Rejected::Size))));
    }
}

#[test]
fn row_27_the_peers_own_point_is_forbidden() {
    // B = A: known only to a test, which has run the same server before
    let a = honest(Role::Server, 1);
    let [server, _] = Duo::new(a, honest(Role::Client, 2)).run().0.map(|end| end.output);
    let (secret, big_a) = (*server.secret().expose(), server.points().0);
    let setup = KeygenSetup::new(pair(Role::Client));
    let script = scripted::<Keygen>(Role::Client, setup, 2, move |run, heard, _| {
        let com = heard.unwrap().rest();
        let pi = proof(&context(&run.sid(), PartyId::CLIENT, com), secret);
        Some([&encoded(&big_a)[..], &pi, &[5; 32]].concat())
    });
    let fate = duel(honest(Role::Server, 1), script, PartyId::SERVER, PartyId::CLIENT);
    assert_eq!(fate.failure(), (Fault::Forbidden, CLIENT, &[][..]));
}

#[test]
fn row_27_a_equal_to_b_is_forbidden() {
    // the responder's b is the first scalar of its generator; the commitment to it is made before
    let rng = || SeedRng::new(&[1; 32]);
    let b = SecretScalar::<Secp256k1>::random(&mut rng());
    let value = [&encoded(&b.public())[..], &[6; 32]].concat();
    let (com, opening) = Commitment::commit("keygen A", &sid(1), PartyId::SERVER, &value, &mut SeedRng::new(&[2; 32]));
    let mut w = Writer::new();
    let state =
        Responder::respond(&pair(Role::Client), &sid(2), &mut Reader::new(com.as_bytes()), &mut w, &mut rng()).unwrap();
    let pi = proof(&context(&sid(2), PartyId::SERVER, com.as_bytes()), *b.expose());
    let body = [&value[..], &opening.to_bytes(), &pi].concat();
    assert_eq!(state.finish(&sid(2), &sid(1), &mut Reader::new(&body)).err(), Some(Fault::Forbidden));
}

#[test]
fn steps_agree_without_a_driver() {
    let mut rng = SeedRng::new(&[4; 32]);
    let (mut m1, mut m2, mut m3) = (Writer::new(), Writer::new(), Writer::new());
    let i = Initiator::commit(&pair(Role::Server), &sid(1), &mut m1, &mut rng);
    let (m1, sid) = (m1.finish(), sid(2));
    let r = Responder::respond(&pair(Role::Client), &sid, &mut Reader::new(&m1), &mut m2, &mut rng).unwrap();
    let server = i.open(&sid, &mut Reader::new(&m2.finish()), &mut m3, &mut rng).unwrap();
    let client = r.finish(&sid, &crate::sid(1), &mut Reader::new(&m3.finish())).unwrap();
    // P = a*b*G, chain code and key id as written in the specification
    let ab = *server.secret().expose() * *client.secret().expose();
    assert_eq!(*server.public_key(), Secp256k1::mul_base(&ab));
    assert_eq!(server.public_key(), client.public_key());
    assert_eq!(server.chain_code(), client.chain_code());
    let id = Transcript::new("keygen", "key id").point::<Secp256k1>(server.public_key()).part(sid).finish();
    assert_eq!((server.key_id(), client.key_id()), (KeyId::truncate(&id), KeyId::truncate(&id)));
    use symbolon_keygen::keygen::{confirmation, outcome};
    assert_eq!(outcome(&sid, &server), outcome(&sid, &client));
    // the early confirmation of one role is not that of the other
    assert_ne!(confirmation(&sid, &server, Role::Server), confirmation(&sid, &server, Role::Client));
    assert!(Opening::decode(&mut Reader::new(&[0; 31])).is_err());
}

#[test]
fn another_outcome_is_a_mismatch_and_names_nobody() {
    let lie = |telling: &mut Telling<'_>| {
        if let Some(outcome) = telling.outcome.as_deref_mut() {
            outcome[0] ^= 1;
        }
    };
    assert_eq!(server_lies(lie).failure(), (Fault::Mismatch(Agreed::Outcome), NOBODY, &[][..]));
    // the server has stored and confirmed by then: it stays in doubt (a wrong confirmation: see row 28's control)
    assert!(matches!(client_lies(lie), Fate::Waiting(None)));
}

#[test]
fn row_58_frames_of_an_earlier_run_change_nothing() {
    let mut old = Vec::new();
    let mut sessions = [honest(Role::Server, 21), honest(Role::Client, 22)];
    let mut queue: Vec<(usize, Vec<u8>)> = Vec::new();
    queue.extend(sessions[0].1.drain(..).map(|f| (1, f.bytes)));
    while let Some((to, frame)) = queue.pop() {
        old.push((to, frame.clone()));
        let from = if to == 1 { PartyId::SERVER } else { PartyId::CLIENT };
        let mut step = sessions[to].0.handle(from, &frame).unwrap();
        loop {
            match step {
                Step::Prepared(pending, ()) => step = sessions[to].0.stored(symbolon_testkit::duo::stored(&pending)),
                Step::Continue(frames) | Step::Done(_, _, frames) => {
                    break queue.extend(frames.into_iter().map(|f| (1 - to, f.bytes)));
                }
            }
        }
    }
    assert_eq!(old.len(), 4);
    // the same parties and label; all old frames before each new one
    let mut sessions = [honest(Role::Server, 23), honest(Role::Client, 24)];
    let mut queue: Vec<(usize, Vec<u8>)> = sessions[0].1.drain(..).map(|f| (1, f.bytes)).collect();
    let mut done = 0;
    while let Some((to, frame)) = queue.pop() {
        let from = if to == 1 { PartyId::SERVER } else { PartyId::CLIENT };
        let mut step = sessions[to].0.handle(from, &frame).unwrap();
        // a session that has heard nothing yet could not tell; this one has (the driver's tests have the other case)
        for (_, frame) in old.iter().filter(|(receiver, _)| *receiver == to) {
            let answer = sessions[to].0.handle(from, frame);
            assert!(matches!(answer, Err(Error::Rejected(_))), "{answer:?}");
        }
        loop {
            match step {
                Step::Prepared(pending, ()) => step = sessions[to].0.stored(symbolon_testkit::duo::stored(&pending)),
                Step::Continue(frames) => break queue.extend(frames.into_iter().map(|f| (1 - to, f.bytes))),
                Step::Done(_, _, frames) => {
                    done += 1;
                    break queue.extend(frames.into_iter().map(|f| (1 - to, f.bytes)));
                }
            }
        }
    }
    assert_eq!(done, 2);
}
