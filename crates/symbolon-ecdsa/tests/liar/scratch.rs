//! Signing from scratch. Server: 1 `com | extension`, 2 `matrix.. | step 3 | step 4`. Client: 1 empty, 2 `extension |
//! matrix.. | step 3`.

use crate::*;
use std::{cell::RefCell, rc::Rc};
use symbolon_core::{SeedRng, wire::DecodeError};
use symbolon_mta::{extension_len, multiplication_len};
use symbolon_proofs::Commitment;
use symbolon_session::Rejected;
use symbolon_testkit::{Fate, duel};

const EXTENSION: usize = extension_len(1);
const MATRIX: usize = multiplication_len(2);
/// Step 3 in the client's second body and in the server's, and step 4.
const CLIENT_3: usize = EXTENSION + MATRIX;
const SERVER_3: usize = MATRIX;
const SERVER_4: usize = SERVER_3 + 195;

fn server_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<SignFull> {
    duel(full(Role::Client, 2), full_liar(Role::Server, 1, lie), PartyId::CLIENT, PartyId::SERVER)
}

fn client_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<SignFull> {
    duel(full(Role::Server, 1), full_liar(Role::Client, 2, lie), PartyId::SERVER, PartyId::CLIENT)
}

/// The liar's bodies in an honest run with these seeds.
fn recorded(role: Role, seeds: [u64; 2]) -> Vec<Vec<u8>> {
    let bodies = Rc::new(RefCell::new(Vec::new()));
    let ear = Rc::clone(&bodies);
    let liar = full_liar(role, seeds[0], move |telling| ear.borrow_mut().push(telling.body.clone()));
    duel(full(role.peer(), seeds[1]), liar, role.peer().id(), role.id());
    bodies.take()
}

#[test]
fn without_a_lie_the_signature_is_there_and_the_setup_comes_back() {
    for fate in [server_lies(|_| ()), client_lies(|_| ())] {
        assert!(matches!(fate, Fate::Done(_, Some(_))));
        assert_eq!(fate.held().map(|ots| ots.id()), Some(setup_id()));
    }
}

#[test]
fn extension_faults_burn() {
    let start = 32;
    for offset in [0, 1000, EXTENSION - 1] {
        let fate = server_lies(at(1, move |body| body[start + offset] ^= 1));
        assert_eq!(failure(&fate), burned(Fault::Extension, SERVER));
        assert!(fate.held().is_none());
        let fate = client_lies(at(2, move |body| body[offset] ^= 1));
        assert_eq!(failure(&fate), burned(Fault::Extension, CLIENT));
    }
}

#[test]
fn multiplication_faults_burn() {
    for offset in [0, MATRIX - 64] {
        let fate = server_lies(at(2, move |body| bump(body, offset)));
        assert_eq!(failure(&fate), burned(Fault::Multiplication, SERVER));
        let fate = client_lies(at(2, move |body| bump(body, EXTENSION + offset)));
        assert_eq!(failure(&fate), burned(Fault::Multiplication, CLIENT));
    }
    let fate = server_lies(at(2, |body| body[MATRIX - 1] ^= 1));
    assert_eq!(failure(&fate), burned(Fault::Multiplication, SERVER));
}

#[test]
fn row_18_wrong_inputs_fail_in_the_exponent() {
    let changes: [(Change, usize); 4] = [(bump, 33), (bump, 65), (shift, 97), (shift, 130)];
    for (change, offset) in changes {
        let fate = client_lies(at(2, move |body| change(body, CLIENT_3 + offset)));
        assert_eq!(failure(&fate), burned(Fault::Exponent, CLIENT));
        assert!(fate.held().is_none(), "a burned setup does not come back");
        let fate = server_lies(at(2, move |body| change(body, SERVER_3 + 32 + offset)));
        assert_eq!(failure(&fate), burned(Fault::Exponent, SERVER));
    }
    let fate = client_lies(at(2, |body| shift(body, CLIENT_3)));
    assert_eq!(failure(&fate), burned(Fault::Exponent, CLIENT));
}

// the server commits to another point than k_S*G and opens it: the opening fits, the product does not
#[test]
fn row_18_a_committed_r_of_another_nonce() {
    let mut opened = None;
    let lie = move |telling: &mut Telling<'_>| {
        let r: [u8; 33] =
            Secp256k1::point_to_bytes(&Secp256k1::mul_base(&Scalar::from(99u64))).as_ref().try_into().unwrap();
        if telling.message == 1 {
            let mut rng = SeedRng::new(&[1; 32]);
            let (com, opening) = Commitment::commit("ecdsa R", &telling.run.sid(), PartyId::SERVER, &r, &mut rng);
            telling.body[..32].copy_from_slice(com.as_bytes());
            opened = Some(opening);
        } else {
            telling.body[SERVER_3..SERVER_3 + 32].copy_from_slice(&opened.take().unwrap().to_bytes());
            telling.body[SERVER_3 + 32..SERVER_3 + 65].copy_from_slice(&r);
        }
    };
    assert_eq!(failure(&server_lies(lie)), burned(Fault::Exponent, SERVER));
}

#[test]
fn row_48_wrong_partials_give_the_setup_back() {
    for offset in [SERVER_4, SERVER_4 + 32] {
        let fate = server_lies(at(2, move |body| bump(body, offset)));
        assert_eq!(failure(&fate), (Fault::Signature, None, vec![]));
        assert_eq!(fate.held().map(|ots| ots.id()), Some(setup_id()));
    }
    let fate = server_lies(at(2, |body| body[SERVER_4 + 64] ^= 1));
    assert_eq!(failure(&fate), (Fault::View, None, vec![]));
}

#[test]
fn row_50_openings() {
    let changes: [fn(&mut Vec<u8>); 3] =
        [|body| shift(body, SERVER_3 + 32), |body| body[SERVER_3] ^= 1, |body| body[SERVER_3 + 31] ^= 0x80];
    for change in changes {
        let fate = server_lies(at(2, change));
        assert_eq!(failure(&fate), (Fault::Opening, SERVER, vec![]));
        assert_eq!(fate.held().map(|ots| ots.id()), Some(setup_id()), "an opening burns nothing");
    }
    // another commitment than is opened
    assert_eq!(failure(&server_lies(at(1, |body| body[0] ^= 1))), (Fault::Opening, SERVER, vec![]));
    // commitment, opening and R of an earlier run: bound to its sid
    let old = recorded(Role::Server, [11, 12]);
    let replay = move |telling: &mut Telling<'_>| match telling.message {
        1 => telling.body[..32].copy_from_slice(&old[0][..32]),
        _ => telling.body[SERVER_3..SERVER_3 + 65].copy_from_slice(&old[1][SERVER_3..SERVER_3 + 65]),
    };
    assert_eq!(failure(&server_lies(replay)), (Fault::Opening, SERVER, vec![]));
}

// attacks.md row 60: what was said in another direction or run is nothing here
#[test]
fn row_60_messages_of_other_directions_and_runs_fail() {
    // the peer's own extension and matrix, reflected
    let reflect_matrix = |telling: &mut Telling<'_>| {
        if telling.message == 2 {
            telling.body[..MATRIX].copy_from_slice(&telling.heard[1][EXTENSION..EXTENSION + MATRIX]);
        }
    };
    assert_eq!(failure(&server_lies(reflect_matrix)), burned(Fault::Multiplication, SERVER));
    let reflect_extension = |telling: &mut Telling<'_>| {
        if telling.message == 2 {
            telling.body[..EXTENSION].copy_from_slice(&telling.heard[0][32..]);
        }
    };
    assert_eq!(failure(&client_lies(reflect_extension)), burned(Fault::Extension, CLIENT));
    // those of an earlier run over the same setup
    let old = recorded(Role::Server, [11, 12]);
    let (first, second) = (old[0].clone(), old[1].clone());
    let fate = server_lies(at(1, move |body| body[32..].copy_from_slice(&first[32..])));
    assert_eq!(failure(&fate), burned(Fault::Extension, SERVER));
    let fate = server_lies(at(2, move |body| body[..MATRIX].copy_from_slice(&second[..MATRIX])));
    assert_eq!(failure(&fate), burned(Fault::Multiplication, SERVER));
}

#[test]
fn row_25_lengths() {
    let short = Fault::Encoding(DecodeError::Truncated);
    for len in [0, 31, 32 + EXTENSION - 1] {
        let fate = server_lies(at(1, move |body| body.truncate(len)));
        assert_eq!(failure(&fate), (short, SERVER, vec![]));
        assert_eq!(fate.held().map(|ots| ots.id()), Some(setup_id()));
    }
    for len in [0, EXTENSION - 1, CLIENT_3 - 1, CLIENT_3 + 162] {
        assert_eq!(failure(&client_lies(at(2, move |body| body.truncate(len)))), (short, CLIENT, vec![]));
    }
    for len in [0, MATRIX - 1, SERVER_4 - 1, SERVER_4 + 95] {
        assert_eq!(failure(&server_lies(at(2, move |body| body.truncate(len)))), (short, SERVER, vec![]));
    }
    // longer than the round allows
    let long = [
        server_lies(at(1, |b| b.push(0))),
        server_lies(at(2, |b| b.push(0))),
        client_lies(at(1, |b| b.push(0))),
        client_lies(at(2, |b| b.push(0))),
    ];
    assert!(long.iter().all(|fate| matches!(fate, Fate::Waiting(Some(Rejected::Size)))));
}
