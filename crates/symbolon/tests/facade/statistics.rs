//! Shares and the names of runs are as random as numbers of their kind are. Choice bits, pads, gadgets and products are looked at
//! where they are made, in `symbolon-mta/src/tests/statistics.rs`; nonces, which no signature shows a bias of, in
//! `symbolon-ecdsa/src/tests/statistics.rs` and `symbolon-eddsa/src/tests/statistics.rs`; secrecy is counted exactly, in a group of 13
//! elements, in `symbolon-sharing/tests/toy.rs`.

use crate::crowd::Devices;
use crate::world::{label, pair};
use rand_core::Rng;
use std::collections::BTreeSet;
use symbolon::{Auth, Ed25519, Group, Header, Keygen, KeygenSetup, Role, Secp256k1, SecretScalar, SeedRng, Session};
use symbolon_sharing::split;
use symbolon_testkit::chi_square::{
    ALARM, accept, accept_bytes, accept_distinct, coin, independent, seed, tails, uniform,
};
use symbolon_testkit::seeded;

/// Published quantiles, and the closed forms of two and four degrees of freedom.
#[test]
fn the_distribution_is_the_published_one() {
    for (freedom, x, upper) in [
        (1.0, 3.841_458_821, 0.05),
        (1.0, 6.634_896_601, 0.01),
        (10.0, 18.307_038_05, 0.05),
        (10.0, 23.209_251_16, 0.01),
        (30.0, 59.702_630_73, 0.001),
        (100.0, 124.342_113_4, 0.05),
        (100.0, 77.929_465_17, 0.95),
        (255.0, 293.247_835, 0.05),
    ] {
        let (below, above) = tails(x, freedom);
        assert!((above - upper).abs() < 1e-6 && (below + above - 1.0).abs() < 1e-12, "{freedom} {x}: {above}");
    }
    for x in [0.5, 2.0, 10.0, 27.631_021_115_928_547, 60.0] {
        let (two, four) = (f64::exp(-x / 2.0), f64::exp(-x / 2.0) * (1.0 + x / 2.0));
        assert!((tails(x, 2.0).1 / two - 1.0).abs() < 1e-9);
        assert!((tails(x, 4.0).1 / four - 1.0).abs() < 1e-9);
    }
    // the rate of false alarms, of uniform numbers: none of a hundred histograms, and half of them above the median
    let (mut rng, mut above) = (seeded(1), 0);
    for _ in 0..100 {
        let mut counts = [0; 16];
        (0..4096).for_each(|_| counts[usize::try_from(rng.next_u64() & 15).unwrap()] += 1);
        let fit = uniform(&counts);
        assert!(fit > ALARM);
        above += u32::from(fit > 0.5);
    }
    assert!(coin(above, 100) > ALARM);
    assert!(coin(450, 1000) > ALARM && coin(400, 1000) < ALARM);
}

/// The bytes of a scalar that are uniform: the order of Ed25519 is a little above 2^252, and the last byte stays below 17.
fn uniform_bytes<G: Group>(scalar: &G::Scalar) -> Vec<u8> {
    let bytes = G::scalar_to_bytes(scalar);
    if G::ID == Secp256k1::ID { bytes.to_vec() } else { bytes[..31].to_vec() }
}

/// A byte that is uniform.
fn low<G: Group>(scalar: &G::Scalar) -> usize {
    uniform_bytes::<G>(scalar)[if G::ID == Secp256k1::ID { 31 } else { 0 }].into()
}

fn shares<G: Group>(from: u64) {
    const SPLITS: usize = 4096;
    let t = crate::crowd::th(3);
    let indices = [1, 2, 3, 4u64].map(G::Scalar::from);
    let mut rng = seeded(from);
    let secrets = [G::Scalar::from(1), G::random_scalar(&mut rng)];
    let mut bytes = vec![Vec::new(); indices.len()];
    let (mut of_secret, mut of_two, mut between) = ([[0; 16]; 2], [[0; 16]; 2], [[0; 4]; 4]);
    for (s, secret) in secrets.iter().enumerate() {
        for _ in 0..SPLITS {
            let (shares, _) = split(&SecretScalar::<G>::new(*secret), t, &indices, &mut rng).unwrap();
            let values: Vec<_> = shares.iter().map(|share| *share.value.expose()).collect();
            bytes.iter_mut().zip(&values).for_each(|(bytes, value)| bytes.extend(uniform_bytes::<G>(value)));
            let (one, other) = (low::<G>(&values[0]), low::<G>(&values[2]));
            of_secret[s][one & 15] += 1;
            // two shares together, where three are needed
            of_two[s][4 * (one & 3) + (other & 3)] += 1;
            between[one & 3][other & 3] += 1;
        }
    }
    bytes.iter().for_each(|bytes| accept_bytes("shares", bytes));
    accept("a share against the secret", independent(&of_secret));
    accept("two shares against the secret", independent(&of_two));
    accept("a share against another", independent(&between));
}

#[test]
fn shares_are_uniform_and_say_nothing_of_the_secret() {
    shares::<Secp256k1>(seed(1));
    shares::<Ed25519>(seed(2));
}

fn refreshed<G: Group>(from: u64) {
    let mut devices = Devices::<G>::create(2, 3, from);
    let (mut new, mut change) = ([0; 16], [0; 16]);
    let mut against = [[0; 4]; 4];
    for _ in 0..48 {
        let plan = devices.plan(&[1, 2]);
        let (old, _) = devices.run(&plan, &[]);
        for (me, old) in &old {
            let (old, now) = (*old.secret().expose(), *devices.at(*me).share().secret().expose());
            let difference = uniform_bytes::<G>(&(now - old));
            let (old, now) = (uniform_bytes::<G>(&old), uniform_bytes::<G>(&now));
            for (old, (now, difference)) in old.iter().zip(now.iter().zip(&difference)) {
                for shift in [0, 4] {
                    new[usize::from(now >> shift & 15)] += 1;
                    change[usize::from(difference >> shift & 15)] += 1;
                    against[usize::from(old >> shift & 3)][usize::from(now >> shift & 3)] += 1;
                }
            }
        }
    }
    accept("refreshed shares", uniform(&new));
    accept("what a refresh adds", uniform(&change));
    accept("a refreshed share against the old one", independent(&against));
}

#[test]
fn refreshed_shares_are_independent_of_the_old_ones() {
    refreshed::<Secp256k1>(seed(3));
    refreshed::<Ed25519>(seed(4));
}

/// Tags of runs, which are hashes of their nonces; scalars; and the generators of rounds: none twice in a million draws.
#[test]
fn names_of_runs_and_draws_never_repeat() {
    let mut rng = seeded(seed(7));
    let mut tags = Vec::new();
    for _ in 0..8192 {
        let setup = KeygenSetup::new(pair(Role::Server));
        let (_, frames) =
            Session::<Keygen>::start(setup, &(), (), label("one label"), Auth::Channel, &mut rng).unwrap();
        tags.push(Header::parse(&frames[0].bytes).unwrap().run);
    }
    accept_bytes("tags of runs", tags.iter().flat_map(AsRef::as_ref));
    assert_eq!(tags.iter().map(AsRef::as_ref).collect::<BTreeSet<&[u8]>>().len(), tags.len());

    let first = |bytes: &[u8]| u64::from_be_bytes(bytes[..8].try_into().unwrap());
    let scalars = (0..1_000_000).map(|_| first(&Secp256k1::scalar_to_bytes(&Secp256k1::random_scalar(&mut rng))));
    accept_distinct("scalars", &mut scalars.collect::<Vec<_>>());
    let mut key = [0; 32];
    rng.fill_bytes(&mut key);
    let rounds = (0..1_000_000u64).map(|n| {
        key[..8].copy_from_slice(&n.to_be_bytes());
        SeedRng::new(&key).next_u64()
    });
    accept_distinct("generators of rounds", &mut rounds.collect::<Vec<_>>());
}
