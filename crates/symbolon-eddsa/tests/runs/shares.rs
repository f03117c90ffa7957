//! Wrong signature shares: all of what a liar can make of its own, and what of it the others find.

use crate::liars::*;
use crate::world::*;
use ed25519_dalek::{Signer, SigningKey};
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, Group, PartyId, Secp256k1, SecretBytes, SecretScalar, Transcript, wire::DecodeError};
use symbolon_eddsa::{Nonces, SignatureShare, Signers, SigningPackage};
use symbolon_session::{Error, Fault, Header, Outgoing, Protocol, Rejected, Session, Step, StorageKey, SuspendError};
use symbolon_sharing::lagrange;
use symbolon_testkit::{Crowd, Lie, seeded};

const ALL: [u16; 3] = [1, 2, 3];

#[test]
fn without_a_lie_everybody_has_a_result() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        for mode in MODES {
            assert_signed(&run(mode, &shares, &ALL, liar(2, no_lie())));
        }
        let ends = prepare(&shares, &ALL, liar(2, no_lie()));
        let End::Items(items) = &ends[&1] else { panic!("{ends:?}") };
        assert_eq!(items.len(), usize::from(COUNT));
        assert_eq!(ends[&1], ends[&3], "one name everywhere");
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

/// The order, as bytes of a scalar.
fn order<C: Curve>() -> [u8; 32] {
    let mut bytes = C::scalar_to_bytes(&-scalar::<C>(1));
    // the last digit is no 9: no carry
    bytes[if C::ID == Ed25519::ID { 0 } else { 31 }] += 1;
    bytes
}

// bad inputs 20 to 23
#[test]
fn row_26_shares_out_of_range_name_their_sender() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let mut above = order::<C>();
        above[if C::ID == Ed25519::ID { 0 } else { 31 }] += 1;
        for mode in MODES {
            for bad in [order::<C>(), above, [0xff; 32]] {
                assert!(SignatureShare::<C>::from_bytes(&bad).is_err());
                let lie = mode.share(move |z| z.copy_from_slice(&bad));
                let ends = run(mode, &shares, &ALL, liar(2, lie));
                assert_failed(&ends, Fault::Encoding(DecodeError::ScalarRange), Some(2));
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// the right share and the order: another encoding of the same value
#[test]
fn row_26_a_share_has_one_encoding() {
    let shares = shares::<Ed25519>(3);
    let plus_order = |z: &mut [u8]| {
        let mut carry = 0;
        for (byte, more) in z.iter_mut().zip(order::<Ed25519>()) {
            let sum = u16::from(*byte) + u16::from(more) + carry;
            [*byte, _] = sum.to_le_bytes();
            carry = sum >> 8;
        }
        assert_eq!(carry, 0);
    };
    for mode in MODES {
        let ends = run(mode, &shares, &ALL, liar(2, mode.share(plus_order)));
        assert_failed(&ends, Fault::Encoding(DecodeError::ScalarRange), Some(2));
    }
}

// bad inputs 60
#[test]
fn row_48_a_wrong_share_names_its_sender_at_everybody() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let lies: [fn(&mut [u8]); 4] = [
            |z| add_scalar::<C>(z, scalar::<C>(1)),
            |z| z.fill(0),
            |z| {
                let minus = -C::scalar_from_bytes(&(&*z).try_into().unwrap()).unwrap();
                z.copy_from_slice(&C::scalar_to_bytes(&minus));
            },
            |z| z.copy_from_slice(&C::scalar_to_bytes(&scalar::<C>(1))),
        ];
        for mode in MODES {
            for lie in lies {
                for odd in ALL {
                    let ends = run(mode, &shares, &ALL, liar(odd, mode.share(lie)));
                    assert_failed(&ends, Fault::SignatureShare, Some(odd));
                }
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// two wrong shares whose sum is right make a right signature; two others name the first of both, never the third signer
#[test]
fn row_48_two_cheaters_at_once() {
    let shares = shares::<Ed25519>(3);
    let more = |d: u64| move |z: &mut [u8]| add_scalar::<Ed25519>(z, scalar::<Ed25519>(d));
    let less = |z: &mut [u8]| add_scalar::<Ed25519>(z, -scalar::<Ed25519>(5));
    for mode in MODES {
        let liars = |second: Lie| {
            let one = |id, lie| Liar { id, lie, second: None };
            vec![one(2, mode.share(more(5))), one(3, second)]
        };
        assert_signed(&run(mode, &shares, &ALL, liars(mode.share(less))));
        let ends = run(mode, &shares, &ALL, liars(mode.share(more(6))));
        assert_failed(&ends, Fault::SignatureShare, Some(2));
    }
}

// attacks.md rows 49, 55: a run that has failed is over: no frame of it is taken, repeated, stored; no signature comes out
#[test]
fn row_49_nothing_comes_after_a_failure() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let sent = sign_crowd(&shares, &ALL, liar(2, Mode::Sign.share(|z| z.fill(0)))).run().sent;
    let right = overheard(Mode::Sign, &shares, &ALL);
    let (mut session, _) = sign(&shares[&id(1)], &all, MESSAGE, SEED);
    let mut failed = None;
    for (from, frame) in sent.iter().filter(|(from, _)| *from != id(1)) {
        match session.handle(*from, &frame.bytes) {
            Ok(Step::Done(..) | Step::Prepared(..)) => panic!("a wrong share"),
            Ok(Step::Continue(_)) => (),
            Err(error) => failed = Some((error.fault(), error.culprit())),
        }
    }
    assert_eq!(failed, Some((Some(Fault::SignatureShare), Some(id(2)))));
    for (from, frame) in right.iter().chain(&sent) {
        let error = session.handle(*from, &frame.bytes).map(|_| ()).unwrap_err();
        assert!(matches!(error, Error::Rejected(Rejected::Finished)));
    }
    assert!(session.resend().is_empty() && session.waiting_for().is_empty());
    let key = StorageKey::new(SecretBytes::new([1; 32]));
    assert_eq!(session.suspend(&key, &mut seeded(1)), Err(SuspendError::Finished));
}

/// A `closed` answer of 2 to the run of whoever sent this frame, as a member of a key-making run could send it.
fn closed(frame: &[u8]) -> Vec<u8> {
    let header = Header::parse(frame).unwrap();
    let mut closed = frame[..Header::LEN].to_vec();
    closed[2] = Header::CLOSED;
    closed[3..5].copy_from_slice(&2u16.to_be_bytes());
    closed[5..7].copy_from_slice(&header.sender.get().to_be_bytes());
    let digest = Transcript::new("session", "frame").bulk(&closed).finish();
    let signature = SigningKey::from_bytes(&[2; 32]).sign(&digest);
    closed.push(1);
    closed.extend(signature.to_bytes());
    closed
}

// attacks.md row 48: there is nothing to close in a run that makes no key. A signer can't end it without being named
#[test]
fn row_48_a_closed_answer_does_not_end_a_signature() {
    fn check<P: Protocol<Held = ()>>(mut session: Session<P>, own: &Outgoing) {
        for _ in 0..2 {
            match session.handle(id(2), &closed(&own.bytes)) {
                Err(Error::Rejected(why)) => assert_eq!(why, Rejected::Slot),
                _ => panic!("closed by a signer"),
            }
        }
        assert!(session.closed_by().is_empty());
        assert_eq!(session.waiting_for().len(), 2, "it goes on");
    }
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let (session, own) = sign(&shares[&id(1)], &all, MESSAGE, SEED);
    check(session, &own[0]);
    let (session, own) = preprocess(&shares[&id(1)], &all, COUNT, SEED);
    check(session, &own[0]);
    let (session, own) = online(&shares[&id(1)], item(&mut items(&shares, &all), id(1)), MESSAGE);
    check(session, &own[0]);
}

/// What a liar signs with in the place of what it should.
struct Forger<C: Curve> {
    message: &'static [u8],
    secret: SecretScalar<C>,
    /// Says `E || D`.
    swapped: bool,
}

/// A liar with nonces of its own: it may sign what it likes, in the view of everybody.
fn forger<C: Curve>(shares: &Shares<C>, me: u16, forger: Forger<C>) -> Lie {
    let share = &shares[&id(me)];
    let nonces = Nonces::generate(share, &mut seeded(77)).unwrap();
    let own = nonces.commitments().to_bytes();
    let mut list = commitments(shares, &ALL);
    list.insert(me, own.clone());
    let signers = Signers::of(share, &ids(&ALL)).unwrap();
    let package = SigningPackage::new(signers, list_of(&list), forger.message.to_vec()).unwrap();
    let mut z = package.sign(share, nonces).unwrap().to_bytes();
    let [_, _, weight] = factors::<C>(&list, forger.message, me);
    add_scalar::<C>(&mut z, weight * (*forger.secret.expose() - *share.secret().expose()));
    let said = if forger.swapped { [&own[C::POINT_LEN..], &own[..C::POINT_LEN]].concat() } else { own };
    list.insert(me, said.clone());
    Box::new(move |telling| {
        *telling.body = match telling.message {
            COMMIT => said.clone(),
            _ => [view(telling.run, &list), z].concat(),
        }
    })
}

// attacks.md rows 47, 48, 50, 90: a right view, nonces of the liar's own, and a share over something else
#[test]
fn row_90_a_share_over_something_else_names_its_sender() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let own = |factor: C::Scalar| SecretScalar::<C>::new(*shares[&id(2)].secret().expose() * factor);
        let one = scalar::<C>(1);
        let usual = || Forger { message: MESSAGE, secret: own(one), swapped: false };
        assert_signed(&run(Mode::Sign, &shares, &ALL, liar(2, forger(&shares, 2, usual()))));
        // as if the signers were 2, 3, 4
        let lambda = |of: [u64; 3], at: usize| lagrange::<C>(&of.map(C::Scalar::from)).unwrap()[at];
        let ratio = lambda([2, 3, 4], 0) * C::invert(&lambda([1, 2, 3], 1));
        let secret_of = |shares: &Shares<C>, of: u16| SecretScalar::<C>::new(*shares[&id(of)].secret().expose());
        let (refreshed, other_key) = (shares_of::<C>(3, (1, 2, 1)), shares_of::<C>(3, (2, 0, 0)));
        for (name, wrong) in [
            ("message", Forger { message: b"pay 2", ..usual() }),
            ("lambda", Forger { secret: own(ratio), ..usual() }),
            ("epoch", Forger { secret: secret_of(&refreshed, 2), ..usual() }),
            ("key", Forger { secret: secret_of(&other_key, 2), ..usual() }),
            ("holder", Forger { secret: secret_of(&shares, 4), ..usual() }),
            ("hiding and binding", Forger { swapped: true, ..usual() }),
        ] {
            let ends = run(Mode::Sign, &shares, &ALL, liar(2, forger(&shares, 2, wrong)));
            let named = End::Failed(Fault::SignatureShare, Some(2));
            assert!(ends.len() == 2 && ends.values().all(|end| *end == named), "{name}: {ends:?}");
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md rows 43, 90: from the bank; the share of the same item over another message, and with the share of another
// epoch: z + c*lambda*(x' - x)
#[test]
fn row_43_a_banked_share_over_something_else_names_its_sender() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let mut batch = items(&shares, &all);
        let one = |me: &PartyId| (*me, online(&shares[me], item(&mut batch, *me), b"pay 2"));
        let sent = Crowd::new(all.iter().map(one).collect::<Vec<_>>()).run().sent;
        let other = body(&sent, 2, 1);
        let ends = run(Mode::Online, &shares, &ALL, liar(2, Mode::Online.share(move |z| z.copy_from_slice(&other))));
        assert_failed(&ends, Fault::SignatureShare, Some(2));

        let signature = assert_signed(&run(Mode::Online, &shares, &ALL, Vec::new()));
        let key = public_key::<C>().to_bytes();
        let c = C::h2(&[&signature[..C::POINT_LEN], key.as_ref(), MESSAGE]);
        let lambda = lagrange::<C>(&[1, 2, 3].map(C::Scalar::from)).unwrap()[1];
        let x = |shares: &Shares<C>| *shares[&id(2)].secret().expose();
        let more = c * lambda * (x(&shares_of(3, (1, 2, 1))) - x(&shares));
        let ends = run(Mode::Online, &shares, &ALL, liar(2, Mode::Online.share(move |z| add_scalar::<C>(z, more))));
        assert_failed(&ends, Fault::SignatureShare, Some(2));
        // as if the signers were 2, 3, 4
        let more = c * (lagrange::<C>(&[2, 3, 4].map(C::Scalar::from)).unwrap()[0] - lambda) * x(&shares);
        let ends = run(Mode::Online, &shares, &ALL, liar(2, Mode::Online.share(move |z| add_scalar::<C>(z, more))));
        assert_failed(&ends, Fault::SignatureShare, Some(2));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 50: a rushing liar that says the commitments of another signer, or their negation: it cannot answer
#[test]
fn row_50_copied_commitments_name_their_copier() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        let honest = commitments(&shares, &ALL);
        let negated: Vec<u8> = {
            let point = |at: usize| C::point_from_bytes(&honest[&1][at..at + C::POINT_LEN]).unwrap();
            let negated = [0, C::POINT_LEN].map(|at| C::point_to_bytes(&-point(at)));
            negated.iter().flat_map(|bytes| bytes.as_ref().to_vec()).collect()
        };
        for copied in [honest[&1].clone(), honest[&3].clone(), negated] {
            let ends = run(Mode::Sign, &shares, &ALL, liar(2, other_commitments(2, &honest, copied)));
            assert_failed(&ends, Fault::SignatureShare, Some(2));
        }
        // copied with the share: 1's share in the name of 2
        let sent = overheard(Mode::Sign, &shares, &ALL);
        let z: Vec<u8> = body(&sent, 1, 2)[32..].to_vec();
        let mut lie = other_commitments(2, &honest, honest[&1].clone());
        let both: Lie = Box::new(move |telling| {
            lie(telling);
            if telling.message == SHARE {
                telling.body[32..].copy_from_slice(&z);
            }
        });
        assert_failed(&run(Mode::Sign, &shares, &ALL, liar(2, both)), Fault::SignatureShare, Some(2));
        // D = E of the liar's own is its own affair: the binding factor tells them apart (bad inputs 63)
        let nonces = Nonces::generate(&shares[&id(2)], &mut seeded(5)).unwrap();
        let d = nonces.commitments().to_bytes()[..C::POINT_LEN].to_vec();
        let ends = run(Mode::Sign, &shares, &ALL, liar(2, other_commitments(2, &honest, [&d[..], &d].concat())));
        assert_failed(&ends, Fault::SignatureShare, Some(2));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md row 48: a cheater among 1, 2, 3 of five is named by both others; they and somebody else sign
#[test]
fn row_48_a_named_cheater_is_left_out() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        for cheater in ALL {
            for mode in MODES {
                let lie = mode.share(|z| add_scalar::<C>(z, scalar::<C>(1)));
                let ends = run(mode, &shares, &ALL, liar(cheater, lie));
                let mut named = BTreeMap::new();
                for end in ends.values() {
                    let End::Failed(Fault::SignatureShare, Some(culprit)) = end else { panic!("{ends:?}") };
                    *named.entry(*culprit).or_insert(0) += 1;
                }
                assert_eq!(named, [(cheater, 2)].into());
                let left: Vec<u16> = (1..=N).filter(|id| *id != cheater).collect();
                for others in [left[..3].to_vec(), left[1..].to_vec(), left] {
                    assert_signed(&run(mode, &shares, &others, Vec::new()));
                }
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
