//! Files that somebody makes for a slot: hash and MAC are right.

use crate::{
    both::{Ask, Reader, Secret, clear_len},
    world::{Forged, deal, factor, forge, rng},
};
use rand_chacha::ChaCha12Rng;
use std::collections::BTreeSet;
use symbolon_backup::{Backed, Backup, NewSlot};
use symbolon_core::{Ed25519, Group, Secp256k1};
use symbolon_seal::DeviceKey;

/// Bytes of payload and clear part changed, every `step`-th, under a right MAC: what protects the share when the slot's key is public.
fn forged<S: Backed>(reader: &mut Reader, secret: &S, step: usize) {
    let (mut rng, mut seen) = (rng(61), BTreeSet::new());
    let device = DeviceKey::generate(&mut rng).unwrap();
    let key = Secret::Device(*device.to_bytes().expose());
    let honest = Backup::create(secret, &[NewSlot::Device(device.public())], &mut rng).unwrap().to_bytes();
    let (clear, payload) = (&honest[..clear_len(&honest)], secret.to_secret_bytes());
    let header = secret.header();
    let ask = Ask { secret: &key, public_key: header.public_key(), epoch: header.epoch() };
    let slot = || Forged::device(device.public(), [9; 32]);
    let opened = reader.both(&forge(clear, &payload, slot(), &mut rng), &ask);
    assert_eq!(opened, reader.both(&honest, &ask));
    let mut try_it = |clear: &[u8], payload: &[u8], rng: &mut ChaCha12Rng| {
        seen.insert(reader.both(&forge(clear, payload, slot(), rng), &ask));
    };
    for at in (0..payload.len()).step_by(step) {
        for change in [1, 0x80] {
            let mut changed = payload.to_vec();
            changed[at] ^= change;
            try_it(clear, &changed, &mut rng);
        }
        try_it(clear, &payload[..at], &mut rng);
    }
    try_it(clear, &[&payload[..], &[0]].concat(), &mut rng);
    for at in (8..clear.len()).step_by(step) {
        for change in [1, 2, 0x80] {
            let mut changed = clear.to_vec();
            changed[at] ^= change;
            try_it(&changed, &payload, &mut rng);
        }
    }
    assert!(seen.contains("wrong share"));
}

#[test]
fn forged_under_a_right_mac() {
    let mut reader = Reader::new("forged");
    forged(&mut reader, &deal::<Secp256k1>(2, 3, 3, 62)[1], 2);
    forged(&mut reader, &deal::<Ed25519>(2, 2, 3, 63)[0], 5);
    for side in factor(2) {
        forged(&mut reader, &side, 2);
    }
}

/// Clear part and payload of a secret, to be changed.
fn parts<S: Backed>(secret: &S) -> (Vec<u8>, Vec<u8>) {
    let mut rng = rng(64);
    let device = DeviceKey::generate(&mut rng).unwrap();
    let honest = Backup::create(secret, &[NewSlot::Device(device.public())], &mut rng).unwrap().to_bytes();
    (honest[..clear_len(&honest)].to_vec(), secret.to_secret_bytes().to_vec())
}

/// What both say of these, by who expects the key that the clear part names.
fn says(reader: &mut Reader, clear: &[u8], payload: &[u8]) -> String {
    let mut rng = rng(65);
    let device = DeviceKey::generate(&mut rng).unwrap();
    let secret = Secret::Device(*device.to_bytes().expose());
    let ask = Ask { secret: &secret, public_key: &clear[58..58 + usize::from(clear[57])], epoch: 0 };
    reader.both(&forge(clear, payload, Forged::device(device.public(), [9; 32]), &mut rng), &ask)
}

/// Bytes put into other bytes at some place.
fn put(into: &[u8], at: usize, bytes: &[u8]) -> Vec<u8> {
    let mut changed = into.to_vec();
    changed[at..at + bytes.len()].copy_from_slice(bytes);
    changed
}

#[test]
fn wrong_shares() {
    fn check<G: Group>(reader: &mut Reader) {
        let (clear, payload) = parts(&deal::<G>(2, 2, 3, 66)[0]);
        // where members, public key, secret and the point in the clear part begin
        let n = G::POINT_LEN;
        let (one, two, key, x, own_at) = (55, 90 + n, 125 + 2 * n, payload.len() - 32, clear.len() - n);
        let (own, other) = (&payload[one + 35..two], &payload[two + 35..key]);
        let opened = says(reader, &clear, &payload);
        assert!(opened.starts_with("key share"));
        assert_eq!(says(reader, &clear, &put(&payload, one + 2, &[2])), opened, "two members may be names");
        let zero = G::scalar_to_bytes(&G::Scalar::default());
        let members = |first: &[u8], second: &[u8]| put(&payload, one, &[first, second].concat());
        let (first, second) = (&payload[one..two], &payload[two..key]);
        let mut cases = vec![
            // a polynomial of degree 0: this share alone is the key
            (put(&clear, 58, own), put(&put(&payload, two + 35, own), key, own)),
            // one identity twice; another order; one member twice
            (clear.clone(), put(&payload, two + 2, &first[2..35])),
            (clear.clone(), members(second, first)),
            (clear.clone(), members(first, first)),
            // the other member's point as one's own
            (put(&clear, own_at, other), payload.clone()),
            (put(&clear, own_at, other), put(&payload, one + 35, other)),
            // the index of nobody, and of the other member
            (put(&clear, 51, &[0, 3]), put(&payload, 51, &[0, 3])),
            (put(&clear, 51, &[0, 2]), put(&payload, 51, &[0, 2])),
            (clear.clone(), put(&payload, x, &zero)),
            (clear.clone(), put(&payload, x, &[0xff; 32])),
        ];
        if G::ID == Ed25519::ID {
            // the same scalar once more, not reduced
            let order = hex::decode("edd3f55c1a631258d69cf7a2def9de1400000000000000000000000000000010").unwrap();
            let mut carry = 0;
            let sum = payload[x..].iter().zip(&order).map(|(a, b)| {
                let sum = u16::from(*a) + u16::from(*b) + carry;
                carry = sum >> 8;
                sum.to_be_bytes()[1]
            });
            let sum: Vec<_> = sum.collect();
            cases.push((clear.clone(), put(&payload, x, &sum)));
        }
        for (i, (clear, payload)) in cases.iter().enumerate() {
            assert_eq!(says(reader, clear, payload), "wrong share", "{i}");
        }
        // of three members none is a name
        let (clear, payload) = parts(&deal::<G>(2, 3, 3, 66)[0]);
        assert_eq!(says(reader, &clear, &put(&payload, one + 2, &[2])), "wrong share");
    }
    let mut reader = Reader::new("shares");
    check::<Secp256k1>(&mut reader);
    check::<Ed25519>(&mut reader);
}

#[test]
fn wrong_factors() {
    let mut reader = Reader::new("factors");
    let [server, _] = factor(2);
    let (clear, payload) = parts(&server);
    let (server_at, client_at, peer_at, key_at) = (13, 48, 104, 137);
    // the peer's factor is the own one
    let own = server.secret().public();
    let square = Secp256k1::point_to_bytes(&Secp256k1::mul(&own, server.secret().expose()));
    let equal = put(&put(&payload, peer_at, &Secp256k1::point_to_bytes(&own)), key_at, &square);
    let (server_id, client_id) = (&payload[server_at..client_at], &payload[client_at..83]);
    for (clear, payload) in [
        (put(&clear, 58, &square), equal),
        // one identity for both; both in the other order; one twice; an index of neither
        (clear.clone(), put(&payload, client_at + 2, &server_id[2..])),
        (clear.clone(), put(&payload, server_at, &[client_id, server_id].concat())),
        (clear.clone(), put(&payload, client_at, &[0, 1])),
        (put(&clear, 51, &[0, 7]), put(&payload, 11, &[0, 7])),
        // what a factor does not have
        (put(&clear, 10, &[2]), payload.clone()),
        (put(&clear, 27, &[1]), payload.clone()),
        (put(&clear, 43, &[0, 0, 0, 1]), payload.clone()),
        (put(&clear, 53, &[0, 2, 0, 3]), payload.clone()),
    ] {
        assert_eq!(says(&mut reader, &clear, &payload), "wrong share");
    }
    assert!(says(&mut reader, &clear, &payload).starts_with("pair factor"));
}
