//! Sessions that are suspended, and requests that are stored with them.

use crate::liars::sign_crowd;
use crate::world::*;
use std::collections::{BTreeMap, VecDeque};
use symbolon_core::{Ed25519, PartyId, Secp256k1, SecretBytes, wire::DecodeError, wire::Reader, wire::Writer};
use symbolon_eddsa::{FrostItem, FrostOnline, FrostPreprocess, FrostRequest, FrostSign, Nonces};
use symbolon_session::{
    Auth, MemoryLedger, Outgoing, ResumeError, Session, Step, Storable, StorageKey, Suspend, SuspendError,
};
use symbolon_testkit::{crowd::Ended, seeded};

const ALL: [u16; 3] = [1, 2, 3];

// attacks.md row 43, safety.md S1: what holds an item is not suspended; nonces and items have no copy
static_assertions::assert_impl_all!(FrostSign<Ed25519>: Suspend);
static_assertions::assert_not_impl_any!(FrostOnline<Ed25519>: Suspend);
static_assertions::assert_not_impl_any!(FrostPreprocess<Ed25519>: Suspend);
static_assertions::assert_not_impl_any!(FrostItem<Ed25519>: Clone, Storable, core::fmt::Debug);
static_assertions::assert_not_impl_any!(Nonces<Secp256k1>: Clone, Storable, core::fmt::Debug);

fn storage(key: u8) -> StorageKey {
    StorageKey::new(SecretBytes::new([key; 32]))
}

fn signed(me: PartyId) -> Auth {
    Auth::Signed(identity(me))
}

// attacks.md row 43: every session is suspended after every frame. It says the same as one that is not, byte for byte, and
// no copy comes back twice
#[test]
fn row_43_a_suspended_run_says_the_same_and_comes_back_once() {
    fn check<C: Curve>() {
        let (shares, all) = (shares::<C>(3), ids(&ALL));
        let expected = sign_crowd(&shares, &ALL, Vec::new()).run();
        let (mut ledger, mut rng) = (MemoryLedger::default(), seeded(1));
        let (mut blobs, mut mail, mut sent, mut outputs) =
            (BTreeMap::new(), VecDeque::new(), Vec::new(), BTreeMap::new());
        let mut post = |mail: &mut VecDeque<_>, from: PartyId, frames: Vec<Outgoing>| {
            for frame in frames {
                mail.extend(all.iter().filter(|to| **to != from).map(|to| (from, *to, frame.bytes.clone())));
                sent.push((from, frame));
            }
        };
        for me in &all {
            let (session, frames) = sign(&shares[me], &all, MESSAGE, SEED);
            assert!(session.resend() == frames);
            blobs.insert(*me, session.suspend(&storage(1), &mut rng).unwrap());
            post(&mut mail, *me, frames);
        }
        while let Some((from, to, frame)) = mail.pop_front() {
            let Some(blob) = blobs.remove(&to) else { continue };
            let mut back =
                || Session::<FrostSign<C>>::resume(&blob, &storage(1), &shares[&to], signed(to), &mut ledger);
            let mut session = back().unwrap();
            assert_eq!(back().map(|_| ()).unwrap_err(), ResumeError::Claimed);
            let before = session.resend();
            match session.handle(from, &frame).unwrap() {
                Step::Continue(frames) => {
                    let after = session.resend();
                    assert!(frames.is_empty() && after == before || frames.iter().all(|frame| after.contains(frame)));
                    post(&mut mail, to, frames);
                    blobs.insert(to, session.suspend(&storage(1), &mut rng).unwrap());
                }
                Step::Done(signature, _, frames) => {
                    post(&mut mail, to, frames);
                    outputs.insert(to, signature);
                    assert_eq!(session.suspend(&storage(1), &mut rng), Err(SuspendError::Finished));
                }
                Step::Prepared(..) => panic!("no key is made"),
            }
        }
        assert!(sent == expected.sent, "the same frames in the same order");
        for (me, end) in expected.ends {
            let Ended::Done(signature, _) = end else { panic!("{me} has no signature") };
            assert_eq!(outputs[&me], signature);
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// attacks.md rows 67, 70: with the share of another epoch or key, another identity, another storage key; and nothing of it
// claims the copy
#[test]
fn row_67_a_session_resumes_with_its_own_secrets_only() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let others = [(1, 1, 1), (1, 0, 1), (1, 1, 0), (2, 0, 0)].map(|other| shares_of::<Ed25519>(3, other));
    let me = id(1);
    let (session, frames) = sign(&shares[&me], &all, MESSAGE, 1);
    let blob = session.suspend(&storage(1), &mut seeded(1)).unwrap();
    let mut ledger = MemoryLedger::default();
    let mut resume = |blob: &[u8], key, share, auth| {
        Session::<FrostSign<Ed25519>>::resume(blob, &storage(key), share, auth, &mut ledger)
    };
    for other in &others {
        let back = resume(&blob, 1, &other[&me], signed(me)).map(|_| ()).unwrap_err();
        assert_eq!(back, ResumeError::Fingerprint);
    }
    let back = resume(&blob, 1, &shares[&id(2)], signed(me)).map(|_| ()).unwrap_err();
    assert_eq!(back, ResumeError::Fingerprint);
    assert!(resume(&blob, 1, &shares[&me], signed(id(2))).is_err());
    assert!(resume(&blob, 1, &shares[&me], Auth::Channel).is_err());
    assert!(matches!(resume(&blob, 2, &shares[&me], signed(me)), Err(ResumeError::Sealed(_))));
    for at in 0..blob.len() {
        let mut other = blob.clone();
        other[at] ^= 1;
        assert!(resume(&other, 1, &shares[&me], signed(me)).is_err());
        assert!(resume(&blob[..at], 1, &shares[&me], signed(me)).is_err());
    }
    assert!(resume(&blob, 1, &shares[&me], signed(me)).unwrap().resend() == frames);
}

// a signer that comes back after its peers have waited: they finish with what it sends again
#[test]
fn row_86_a_lost_frame_is_sent_again_after_a_crash() {
    let (shares, all) = (shares::<Ed25519>(3), ids(&ALL));
    let mut ledger = MemoryLedger::default();
    let one = |me: &PartyId| (*me, sign(&shares[me], &all, MESSAGE, SEED));
    let (mut session, _) = one(&id(1)).1;
    let sent = sign_crowd(&shares, &ALL, Vec::new()).run().sent;
    let of = |from: u16, n: usize| sent.iter().filter(|(id, _)| id.get() == from).nth(n).unwrap().1.bytes.clone();
    for from in [2, 3] {
        assert!(session.handle(id(from), &of(from, 0)).is_ok());
    }
    // it crashes with the frame of round 2 on its way
    let blob = session.suspend(&storage(1), &mut seeded(1)).unwrap();
    let session =
        Session::<FrostSign<Ed25519>>::resume(&blob, &storage(1), &shares[&id(1)], signed(id(1)), &mut ledger).unwrap();
    let again: Vec<_> = session.resend().into_iter().map(|frame| frame.bytes).collect();
    assert_eq!(again, [of(1, 0), of(1, 1)], "nobody has shown yet that it has the first one");
    for (me, other) in [(2, 3), (3, 2)] {
        let mut session = one(&id(me)).1.0;
        let mut last = None;
        // what the other one says too, in the order of the rounds
        for (from, frame) in
            [(other, of(other, 0)), (1, again[0].clone()), (1, again[1].clone()), (other, of(other, 1))]
        {
            last = Some(session.handle(id(from), &frame).unwrap());
        }
        let Some(Step::Done(signature, ..)) = last else { panic!("{me} waits") };
        assert!(Ed25519::strict(&public_key(), MESSAGE, &signature));
    }
}

fn decode<C: Curve>(bytes: &[u8]) -> Result<FrostRequest<C>, DecodeError> {
    Reader::new(bytes).whole(FrostRequest::decode)
}

// attacks.md row 75: what is stored decodes to what it was, or not at all
#[test]
fn row_75_a_stored_request_has_one_encoding() {
    fn check<C: Curve>() {
        let shares = shares::<C>(3);
        for message in [&b""[..], MESSAGE, &[7; 5000]] {
            for signers in [&[1, 2, 4][..], &[1, 2, 3, 4, 5]] {
                let request = FrostRequest::new(&shares[&id(2)], &ids(signers), message).unwrap();
                let mut w = Writer::new();
                request.encode(&mut w);
                let bytes = w.finish();
                assert!(bytes.len() <= request.max_len());
                assert_eq!(request.to_secret_bytes()[..], bytes);
                assert_eq!(decode(&bytes), Ok(request));
            }
        }
        let request = FrostRequest::<C>::new(&shares[&id(2)], &ids(&[1, 2, 4]), MESSAGE).unwrap();
        let bytes = request.to_secret_bytes();
        for len in 0..bytes.len() {
            assert!(decode::<C>(&bytes[..len]).is_err(), "{len}");
        }
        assert_eq!(decode::<C>(&[&bytes[..], &[0]].concat()), Err(DecodeError::Trailing));
        // curve, t, key, sharing, epoch, me, count, (id, kind, identity) three times, P, X_i, length, message
        let member = 2 + 1 + 32;
        let fields = [1, 2, 16, 16, 4, 2, 2, 3 * member, 4 * C::POINT_LEN, 4, MESSAGE.len()];
        assert_eq!(fields.iter().sum::<usize>(), bytes.len());
        let field = |at: usize| {
            let mut end = 0;
            fields.iter().position(|len| {
                end += len;
                at < end
            })
        };
        for at in 0..bytes.len() {
            for change in [1, 0x80] {
                let mut other = bytes.to_vec();
                other[at] ^= change;
                let Ok(read) = decode::<C>(&other) else { continue };
                assert_eq!(read.to_secret_bytes()[..], other);
                assert!(read != request);
                // t below the number of signers, the names of key and sharing, who this is, identities, the message: what
                // the share and the sid are compared with
                let free = [1, 2, 3, 4, 5, 7, 10];
                assert!(free.contains(&field(at).unwrap()), "byte {at}, field {:?}", field(at));
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
