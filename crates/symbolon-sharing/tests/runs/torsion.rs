//! Points with a component of small order, and scalars that are not reduced, in every field of every message and stored
//! object on Ed25519 (attacks.md row 39).

use crate::dkg;
use crate::lies::{Forger, ends, lied};
use crate::net::*;
use crate::reshare::*;
use curve25519_dalek::{EdwardsPoint, Scalar, constants::EIGHT_TORSION};
use symbolon_core::{
    Ed25519, Group, SecretScalar, Transcript,
    wire::{DecodeError, Reader, Writer},
};
use symbolon_session::*;
use symbolon_sharing::*;

type G = Ed25519;

const POINT: Fault = Fault::Encoding(DecodeError::Point);
const SCALAR: Fault = Fault::Encoding(DecodeError::ScalarRange);

/// Adds a torsion point to an encoded point, which is good.
fn plus(field: &mut [u8], torsion: &EdwardsPoint) {
    let point = G::point_from_bytes(field).unwrap();
    field.copy_from_slice((point + torsion).compress().as_bytes());
}

/// `s + l`, little-endian; `l - 1` is -1.
fn plus_order(field: &mut [u8]) {
    let s = G::scalar_from_bytes(&(*field).try_into().unwrap()).unwrap();
    let mut carry = 1;
    for (to, l) in field.iter_mut().zip((-Scalar::ONE).to_bytes()) {
        let sum = u16::from(*to) + u16::from(l) + carry;
        (*to, carry) = (sum.to_le_bytes()[0], sum >> 8);
    }
    assert_eq!(Scalar::from_bytes_mod_order((*field).try_into().unwrap()), s, "the same scalar");
}

/// Changes one field of one body, which has exactly this length.
fn changed(of_round: u8, to: To, at: usize, len: usize, change: impl Fn(&mut [u8]) + 'static) -> Lie {
    Box::new(move |round, receiver, _, body| {
        if (round, receiver) == (of_round, to) {
            assert_eq!(body.len(), len, "these are all its fields");
            change(&mut body[at..at + 32]);
        }
    })
}

/// Party 1 changes each point and each scalar of what it sends: every honest party that sees it refuses it and names party 1.
/// `points` are all points of the broadcast of round 2, whose other fields `len` counts; `z` is its scalar. A private body of
/// round 2 is a scalar and, in a resharing, 32 bytes of chain code.
fn every_field<P: Protocol<Input = ()> + 'static>(
    members: impl Fn() -> Vec<(P::Setup, P::LongTerm)>,
    len: usize,
    (points, z): (&[usize], usize),
    private: usize,
) where
    P::Output: 'static,
{
    let all: Vec<_> = members().iter().map(|(setup, _)| setup.roster().me()).collect();
    let honest = || all.iter().copied().filter(|me| *me != id(1));
    let run = |lie| lied::<P>(members(), vec![(id(1), lie)]);
    let refused = |lie, fault: Fault| {
        let net = run(lie);
        assert!(net.outputs.is_empty() && net.rejected.is_empty());
        for at in honest() {
            let seen = net.failures.get(&at).unwrap_or_else(|| panic!("{at} saw nothing"));
            assert_eq!((seen.fault, seen.culprit), (fault, Some(id(1))), "{at}");
        }
        assert_eq!((fault.class(), fault.response()), (Class::Abort, Response::Exclude));
    };
    for at in points.iter().copied() {
        // the control: the first of the eight is the identity, and adds nothing
        let net = run(changed(2, To::All, at, len, |field| plus(field, &EIGHT_TORSION[0])));
        assert!(net.outputs.len() == all.len() && net.failures.is_empty());
        for torsion in &EIGHT_TORSION[1..] {
            refused(changed(2, To::All, at, len, |field| plus(field, torsion)), POINT);
        }
    }
    refused(changed(2, To::All, z, len, plus_order), SCALAR);
    for peer in honest() {
        let net = run(changed(2, To::One(peer), 0, private, plus_order));
        ends(&net, &[1], peer.get(), SCALAR, Some(1));
        assert!(honest().all(|at| at == peer || !net.failures.contains_key(&at)), "the others wait, and have nothing");
    }
}

/// Offsets of `t` commitments, and of the `K` and `z` that follow `extra` bytes and the opening.
fn layout(t: usize, extra: usize) -> (Vec<usize>, usize, usize) {
    let big_k = 32 * t + extra + 32;
    ((0..t).map(|i| 32 * i).chain([big_k]).collect(), big_k + 32, big_k + 64)
}

// round 2: t commitments, part of the chain code, opening, K, z
#[test]
fn row_39_every_field_of_key_generation() {
    let (points, z, len) = layout(3, 32);
    let members = || (1..=4).map(|me| (dkg::setup::<G>(me, 3, 4), ())).collect();
    every_field::<Dkg<G>>(members, len, (&points, z), 32);
}

/// Points of two dealers, marks, hash of the chain code.
const STATEMENT: usize = 2 * 32 + 1 + 32;

// round 2: t' commitments, statement, opening, K, z
#[test]
fn row_39_every_field_of_a_resharing() {
    let old = dkg::keygen::<G>(2, 3, 390);
    let one = |me: u16, dealers: &[u16]| refresh(&old[&id(me)], &ids(dealers), 1, Factors::Gone).unwrap();
    let (points, z, len) = layout(2, STATEMENT);
    let members = || (1..=3).map(|me| one(me, &[1, 2])).collect();
    every_field::<Reshare<G, Refreshes>>(members, len, (&points, z), 64);

    // an old member that is no dealer, a newcomer, and another threshold
    let plan = plan_to(&old, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3), (4, 4)], 3);
    let (points, z, len) = layout(3, STATEMENT);
    every_field::<Reshare<G, HandOver>>(|| ready_all(&plan, &old), len, (&points, z), 64);

    // the end of the broadcast: kind, ephemeral point, length, ciphertext, to the old share of holder 3
    let absent = [(id(3), SealTo::OldShare)];
    let (mut points, z, len) = layout(2, STATEMENT);
    points.push(len + 1);
    let members = || {
        let ready = [1, 2].map(|me| one(me, &[1, 2]));
        ready.map(|(setup, source)| (setup.with_offline(&absent).unwrap(), source)).into()
    };
    let len = len + symbolon_seal::Sealed::point_length::<G>(64);
    every_field::<Reshare<G, Refreshes>>(members, len, (&points, z), 64);
    dkg::check_sharing(&old);
}

// what dealers state about the old epoch, consistently committed to: an old holder knows better, and a newcomer that hears the
// same from all dealers decodes it
#[test]
fn row_39_stated_old_points_of_a_resharing() {
    let old = dkg::keygen::<G>(2, 3, 391);
    let plan = plan_to(&old, &ids(&[1, 2]), &[(1, 1), (2, 2), (3, 3), (4, 4)], 2);
    let weights = old[&id(1)].lambdas(&ids(&[1, 2])).unwrap();
    let chain_code = old[&id(1)].chain_code();
    let lie = |dealer: u16, statement: &[u8]| {
        let weight = weights[usize::from(dealer) - 1];
        let f = vec![weight * *old[&id(dealer)].secret().expose(), Scalar::from(7u64)];
        let forger = Forger::<G>::new("reshare dealing", &f, statement).of(id(dealer));
        (id(dealer), forger.lie(f, chain_code.to_vec()))
    };
    let mut w = Writer::new();
    old[&id(1)].members()[..2].iter().for_each(|member| {
        w.point::<G>(&member.public_share);
    });
    w.u8(0).bytes(&Transcript::new("reshare", "chain code").part(chain_code).finish());
    let truth = w.finish();
    assert_eq!(truth.len(), STATEMENT);
    for at in [0, 32] {
        for torsion in &EIGHT_TORSION[1..] {
            let mut statement = truth.clone();
            plus(&mut statement[at..at + 32], torsion);
            let net = lied::<Reshare<G, HandOver>>(ready_all(&plan, &old), vec![lie(1, &statement)]);
            for holder in [2, 3] {
                ends(&net, &[1], holder, Fault::Inconsistent, Some(1));
            }
            ends(&net, &[1], 4, Fault::Mismatch(Agreed::Sharing), None);
            let both = vec![lie(1, &statement), lie(2, &statement)];
            let net = lied::<Reshare<G, HandOver>>(ready_all(&plan, &old), both);
            ends(&net, &[1, 2], 3, Fault::Inconsistent, Some(1));
            ends(&net, &[1, 2], 4, POINT, Some(1));
        }
    }
}

/// One of `points` stands at `count` places of a stored object. With a torsion point added at any of them, it does not decode.
fn stored<T: Storable>(value: &T, points: &[EdwardsPoint], count: usize) {
    let bytes = value.to_secret_bytes();
    let decode = |bytes: &[u8]| Reader::new(bytes).whole(T::decode).map(drop);
    assert_eq!(decode(&bytes), Ok(()));
    let encoded: Vec<_> = points.iter().map(|point| point.compress().to_bytes()).collect();
    let holds = |at: &usize| encoded.iter().any(|point| bytes[*at..*at + 32] == *point);
    let found: Vec<usize> = (0..=bytes.len() - 32).filter(holds).collect();
    assert_eq!(found.len(), count);
    for at in found {
        for torsion in &EIGHT_TORSION[1..] {
            let mut changed = bytes.to_vec();
            plus(&mut changed[at..at + 32], torsion);
            assert_eq!(decode(&changed), Err(DecodeError::Point), "{at}");
        }
    }
}

/// The scalar at the end of a stored object.
fn stored_scalar<T: Storable>(value: &T) {
    let mut bytes = value.to_secret_bytes();
    let at = bytes.len() - 32;
    plus_order(&mut bytes[at..]);
    assert_eq!(Reader::new(&bytes).whole(T::decode).err(), Some(DecodeError::ScalarRange));
}

#[test]
fn row_39_stored_objects() {
    let points = |share: &KeyShare<G>| {
        let members = share.members().iter().map(|member| member.public_share);
        members.chain([*share.public_key()]).collect::<Vec<_>>()
    };
    let shares = dkg::keygen::<G>(2, 3, 392);
    let share = &shares[&id(1)];
    stored(share, &points(share), 4);
    stored_scalar(share);
    stored(&Plan::of(share, &ids(&[1, 2]), 1, Factors::Gone), &points(share), 1);
    let ready = |share| refresh(share, &ids(&[1, 2]), 1, Factors::Gone).unwrap();
    stored(&ready(share).0, &points(share), 4);

    // the outcomes of a resharing and of an import
    let reshared = reshare(shares.values().map(ready).collect(), 394).remove(&id(2)).unwrap();
    stored(&reshared, &points(reshared.share.as_ref().unwrap()), 4);
    stored_scalar(&reshared);
    let secret = SecretScalar::<G>::random(&mut rng(395));
    let plan = Import::<G> {
        dealer: members([1])[0],
        new: members([1, 2]),
        threshold: th(2),
        scheme: Scheme::Frost,
        public_key: secret.public(),
    };
    let key = |me| (me == 1).then(|| (SecretScalar::new(*secret.expose()), [6; 32]));
    let imports = [1, 2].map(|me| import(id(me), key(me), plan.clone()).unwrap());
    stored(&imports[1].0, &[secret.public()], 1);
    let imported = reshare(imports.into(), 396).remove(&id(2)).unwrap();
    stored(&imported, &[secret.public()], 1);
    stored_scalar(&imported);

    // a two-party key in split custody: the public side, and the client's half
    let pair = dkg::keygen::<G>(2, 2, 393);
    let custody = Custody::of(&pair[&id(1)], id(1)).unwrap();
    let points = [*custody.public_key(), *custody.public_key() - custody.server_point()];
    stored(&custody, &points, 2);
    let client = custody.client_share(&pair[&id(1)]).unwrap();
    stored(&client, &points, 2);
    stored_scalar(&client);
}
