//! Signing from a bank. Client: `R | gamma_k | gamma_x | Gamma_k | Gamma_x`. Server: `opening`, the same, `u | w | view`.

use crate::*;
use std::{cell::RefCell, rc::Rc};
use symbolon_core::wire::DecodeError;
use symbolon_session::{Error, Rejected, Response};
use symbolon_testkit::{Fate, duel};

/// Offsets in the client's body; the server's are 32 higher.
const R: usize = 0;
const SMALL_GAMMA_K: usize = 33;
const SMALL_GAMMA_X: usize = 65;
const BIG_GAMMA_K: usize = 97;
const BIG_GAMMA_X: usize = 130;
/// Of the server only.
const S: usize = 32;
const U: usize = 195;
const W: usize = 227;
const VIEW: usize = 259;

fn server_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<SignOnline> {
    duel(online(Role::Client, 100), online_liar(Role::Server, 100, lie), PartyId::CLIENT, PartyId::SERVER)
}

fn client_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<SignOnline> {
    duel(online(Role::Server, 100), online_liar(Role::Client, 100, lie), PartyId::SERVER, PartyId::CLIENT)
}

/// The server's body of an honest run with this item.
fn recorded_server(items: u64, second: bool) -> Vec<u8> {
    let body = Rc::new(RefCell::new(Vec::new()));
    let ear = Rc::clone(&body);
    let take = |role: Role| {
        let [server, client] = self::items(items);
        if role == Role::Server { server } else { client }.remove(usize::from(second))
    };
    let (own, item) = (share(Role::Server, KEY), take(Role::Server));
    let setup = OnlineSetup::new(&own, &item, payload(), path()).unwrap();
    let server = lying::<SignOnline>(Role::Server, setup, &own, item, 1, move |t| ear.borrow_mut().clone_from(t.body));
    let (own, item) = (share(Role::Client, KEY), take(Role::Client));
    let setup = OnlineSetup::new(&own, &item, payload(), path()).unwrap();
    let client = start::<SignOnline>(Role::Client, setup, &own, item, 1);
    assert!(matches!(duel(client, server, PartyId::CLIENT, PartyId::SERVER), Fate::Done(..)));
    body.take()
}

#[test]
fn without_a_lie_the_signature_is_there() {
    assert!(matches!(server_lies(|_| ()), Fate::Done(..)));
    assert!(matches!(client_lies(|_| ()), Fate::Done(..)));
}

// attacks.md rows 17, 18: an input to one multiplication that is not the one behind R_i or X_i
#[test]
fn row_18_wrong_inputs_fail_in_the_exponent() {
    let changes: [(Change, usize); 5] =
        [(shift, R), (bump, SMALL_GAMMA_K), (bump, SMALL_GAMMA_X), (shift, BIG_GAMMA_K), (shift, BIG_GAMMA_X)];
    for (change, offset) in changes {
        let fate = client_lies(at(1, move |body| change(body, offset)));
        assert_eq!(failure(&fate), burned(Fault::Exponent, CLIENT));
        let Fate::Failed(error) = fate else { panic!() };
        assert_eq!(error.response(), Some(Response::NewSetup));
        // R_S is under the commitment: only its own test reaches the exponent with another one
        if offset != R {
            let fate = server_lies(at(1, move |body| change(body, S + offset)));
            assert_eq!(failure(&fate), burned(Fault::Exponent, SERVER));
        }
    }
}

// errors in both products that would cancel under a guessed weight, and a Gamma that fits a guessed beta
#[test]
fn row_18_matching_wrong_gamma() {
    let d = Secp256k1::mul_base(&Scalar::from(12345u64));
    for weight in [1u64, 2, 7] {
        let cancel = move |body: &mut Vec<u8>, from: usize| {
            let share = Secp256k1::mul(&d, &Secp256k1::invert(&Scalar::from(weight)));
            add(body, from + BIG_GAMMA_K, &d);
            add(body, from + BIG_GAMMA_X, &-share);
        };
        assert_eq!(failure(&client_lies(at(1, move |b| cancel(b, 0)))), burned(Fault::Exponent, CLIENT));
        assert_eq!(failure(&server_lies(at(1, move |b| cancel(b, S)))), burned(Fault::Exponent, SERVER));
    }
    for (small, big) in [(SMALL_GAMMA_K, BIG_GAMMA_K), (SMALL_GAMMA_X, BIG_GAMMA_X)] {
        // gamma + 1 moves what the peer computes by -beta*G; the guess is beta = 3
        let guess = move |body: &mut Vec<u8>, from: usize| {
            bump(body, from + small);
            add(body, from + big, &-Secp256k1::mul_base(&Scalar::from(3u64)));
        };
        assert_eq!(failure(&client_lies(at(1, move |b| guess(b, 0)))), burned(Fault::Exponent, CLIENT));
        assert_eq!(failure(&server_lies(at(1, move |b| guess(b, S)))), burned(Fault::Exponent, SERVER));
    }
}

// a client that runs the whole protocol with the share of another key; a server that does is stopped by its own check
// of the client's values, and one that goes on sends another `gamma_x` (above)
#[test]
fn row_18_a_share_of_another_key() {
    let item = item(Role::Client, 100);
    let setup = OnlineSetup::new(&share(Role::Client, KEY), &item, payload(), path()).unwrap();
    let liar = lying::<SignOnline>(Role::Client, setup, &share(Role::Client, KEY + 1), item, 1, |_| ());
    let fate = duel(online(Role::Server, 100), liar, PartyId::SERVER, PartyId::CLIENT);
    assert_eq!(failure(&fate), burned(Fault::Exponent, CLIENT));
}

// attacks.md rows 48, 49, 55: nothing but a verified signature comes out, and nobody is named for what proves nothing
#[test]
fn row_48_wrong_partials_give_no_signature() {
    let signature = (Fault::Signature, None, vec![]);
    for offset in [U, W] {
        let fate = server_lies(at(1, move |body| bump(body, offset)));
        assert_eq!(failure(&fate), signature);
        let Fate::Failed(error) = fate else { panic!() };
        assert_eq!(error.response(), Some(Response::SlowDown), "counted, and never tried again with the same nonce");
        assert!(error.into_held().is_none(), "the item is gone");
    }
    let both = |body: &mut Vec<u8>| {
        body[U..VIEW].fill(0);
    };
    assert_eq!(failure(&server_lies(at(1, both))), signature);
    let swapped = |body: &mut Vec<u8>| body[U..VIEW].rotate_left(32);
    assert_eq!(failure(&server_lies(at(1, swapped))), signature);
}

#[test]
fn row_55_every_bit_of_the_last_partial_matters() {
    for offset in [U, U + 31, W, W + 31] {
        for bit in [0, 3, 7] {
            let fate = server_lies(at(1, move |body| body[offset] ^= 1 << bit));
            let (fault, culprit, setups) = failure(&fate);
            // a changed scalar may also be out of range
            match fault {
                Fault::Signature => assert_eq!((culprit, setups), (None, vec![])),
                _ => assert_eq!((fault, culprit), (Fault::Encoding(DecodeError::ScalarRange), SERVER)),
            }
        }
    }
    for offset in [VIEW, VIEW + 31] {
        let fate = server_lies(at(1, move |body| body[offset] ^= 1));
        assert_eq!(failure(&fate), (Fault::View, None, vec![]));
    }
}

// attacks.md row 49: a failed run is over (`duel` checks that it takes and repeats nothing), and no fault after step 3
// says "again with the same nonce": the item has moved in, and is gone
#[test]
fn row_49_no_failure_after_step_3_leaves_a_nonce() {
    let faults = [
        failure(&server_lies(at(1, |body| bump(body, U)))).0,
        failure(&server_lies(at(1, |body| bump(body, S + SMALL_GAMMA_K)))).0,
        failure(&server_lies(at(1, |body| body[0] ^= 1))).0,
        failure(&server_lies(at(1, |body| body[VIEW] ^= 1))).0,
        Fault::DegenerateNonce,
        Fault::ZeroDenominator,
    ];
    assert_eq!(faults[..4], [Fault::Signature, Fault::Exponent, Fault::Opening, Fault::View]);
    for fault in [Fault::Signature, Fault::DegenerateNonce, Fault::ZeroDenominator] {
        assert_eq!(fault.response(), Response::SlowDown);
    }
    // `Held` of this protocol is empty: no abort can hand an item back
    fn empty<P: Protocol<Held = ()>>() {}
    empty::<SignOnline>();
    // cancelled before the answer: the item is gone as well
    let (session, _) = online(Role::Client, 100);
    assert!(session.cancel().is_none());
}

#[test]
fn row_50_another_r_than_committed() {
    let opening = (Fault::Opening, SERVER, vec![]);
    assert_eq!(failure(&server_lies(at(1, |body| shift(body, S + R)))), opening);
    assert_eq!(failure(&server_lies(at(1, |body| body[0] ^= 1))), opening);
    // late: the client's own R, seen before, and its negative, so that R would be O
    for negative in [false, true] {
        let copy = move |telling: &mut Telling<'_>| {
            let mut r = telling.heard[0][..33].to_vec();
            r[0] ^= u8::from(negative);
            telling.body[S..S + 33].copy_from_slice(&r);
        };
        assert_eq!(failure(&server_lies(copy)), opening);
    }
}

// the client copies the server's R, which it cannot know: taken from a run of the same item
#[test]
fn row_50_a_copied_r_is_forbidden() {
    let r = recorded_server(100, false)[S..S + 33].to_vec();
    let fate = client_lies(at(1, move |body| body[..33].copy_from_slice(&r)));
    assert_eq!(failure(&fate), (Fault::Forbidden, CLIENT, vec![]));
}

// attacks.md row 51: commitment and opening of another item, of the same and of another pre-processing
#[test]
fn row_51_replayed_opening() {
    for old in [recorded_server(100, true), recorded_server(300, false)] {
        let fate = server_lies(at(1, move |body| body[..S + 33].copy_from_slice(&old[..S + 33])));
        assert_eq!(failure(&fate), (Fault::Opening, SERVER, vec![]));
    }
    // and the whole answer
    let old = recorded_server(300, false);
    let fate = server_lies(at(1, move |body| body.clone_from(&old)));
    assert_eq!(failure(&fate), (Fault::Opening, SERVER, vec![]));
}

#[test]
fn row_26_points_scalars_and_lengths() {
    for (bytes, error) in bad_points() {
        let put = move |body: &mut Vec<u8>, at: usize| body[at..at + 33].copy_from_slice(&bytes);
        let fault = Fault::Encoding(error);
        assert_eq!(failure(&client_lies(at(1, move |b| put(b, R)))), (fault, CLIENT, vec![]));
        assert_eq!(failure(&server_lies(at(1, move |b| put(b, S + R)))), (fault, SERVER, vec![]));
        // Gamma is compared as bytes: whatever is not the one encoding fails the check itself
        for offset in [BIG_GAMMA_K, BIG_GAMMA_X] {
            assert_eq!(failure(&client_lies(at(1, move |b| put(b, offset)))), burned(Fault::Exponent, CLIENT));
        }
    }
    let range = Fault::Encoding(DecodeError::ScalarRange);
    for bytes in bad_scalars() {
        let put = move |body: &mut Vec<u8>, at: usize| body[at..at + 32].copy_from_slice(&bytes);
        for offset in [SMALL_GAMMA_K, SMALL_GAMMA_X] {
            assert_eq!(failure(&client_lies(at(1, move |b| put(b, offset)))), (range, CLIENT, vec![]));
            assert_eq!(failure(&server_lies(at(1, move |b| put(b, S + offset)))), (range, SERVER, vec![]));
        }
        for offset in [U, W] {
            assert_eq!(failure(&server_lies(at(1, move |b| put(b, offset)))), (range, SERVER, vec![]));
        }
    }
    let short = Fault::Encoding(DecodeError::Truncated);
    for len in [0, 32, 162] {
        assert_eq!(failure(&client_lies(at(1, move |b| b.truncate(len)))), (short, CLIENT, vec![]));
        assert_eq!(failure(&server_lies(at(1, move |b| b.truncate(S + len)))), (short, SERVER, vec![]));
    }
    for fate in [client_lies(at(1, |b| b.push(0))), server_lies(at(1, |b| b.push(0)))] {
        assert!(matches!(fate, Fate::Waiting(Some(Rejected::Size))));
    }
}

// attacks.md row 60: a party's own message reflected by its peer
#[test]
fn row_60_reflected_step_3() {
    let reflect = |telling: &mut Telling<'_>| {
        let heard = telling.heard[0].clone();
        telling.body[S..S + heard.len()].copy_from_slice(&heard);
    };
    assert_eq!(failure(&server_lies(reflect)), (Fault::Opening, SERVER, vec![]));
}

// attacks.md row 58: a frame of a run with another item never reaches a check
#[test]
fn row_58_frames_of_another_item_are_rejected() {
    let (mut server, _) = online(Role::Server, 100);
    let (_, frames) = online(Role::Client, 300);
    assert!(matches!(server.handle(PartyId::CLIENT, &frames[0].bytes), Err(Error::Rejected(Rejected::Run))));
    let (_, frames) = online(Role::Client, 100);
    assert!(server.handle(PartyId::CLIENT, &frames[0].bytes).is_ok());
}
