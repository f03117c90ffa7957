//! The protocols over the real driver, the stored form, and what a burn leaves.

use super::*;
use alloc::{collections::VecDeque, vec};
use symbolon_core::{PartyId, SecretBytes, wire::DecodeError};
use symbolon_session::{
    Agreed, Auth, Error, Label, Ledger, MemoryLedger, OpenError, Protocol, Sealed, Session, Step, StorageKey,
};

type End<P> = Result<(<P as Protocol>::Output, Option<<P as Protocol>::Held>), Error<<P as Protocol>::Held>>;

fn start<P: Protocol>(
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    seed: u64,
) -> (Session<P>, Vec<Vec<u8>>) {
    let label = Label::new("test").unwrap();
    let (session, frames) = Session::start(setup, secrets, input, label, Auth::Channel, &mut rng(seed)).unwrap();
    (session, frames.into_iter().map(|frame| frame.bytes).collect())
}

/// Runs two sessions; `tamper` may rewrite the n-th frame on the wire. A side that got no end is `None`.
fn play<P: Protocol>(
    client: (Session<P>, Vec<Vec<u8>>),
    server: (Session<P>, Vec<Vec<u8>>),
    mut tamper: impl FnMut(usize, &mut Vec<u8>),
) -> [Option<End<P>>; 2] {
    let mut sessions = [client.0, server.0];
    let mut ends = [None, None];
    let mut wire: VecDeque<(usize, Vec<u8>)> = VecDeque::new();
    wire.extend(client.1.into_iter().map(|frame| (1, frame)));
    wire.extend(server.1.into_iter().map(|frame| (0, frame)));
    let mut n = 0;
    while let Some((to, mut frame)) = wire.pop_front() {
        n += 1;
        tamper(n, &mut frame);
        let from = [PartyId::SERVER, PartyId::CLIENT][to];
        let frames = match sessions[to].handle(from, &frame) {
            Ok(Step::Continue(frames)) => frames,
            Ok(Step::Done(output, held, frames)) => {
                ends[to] = Some(Ok((output, held)));
                frames
            }
            Ok(Step::Prepared(..)) => panic!("no key material here"),
            Err(error) => {
                ends[to] = Some(Err(error));
                Vec::new()
            }
        };
        wire.extend(frames.into_iter().map(|frame| (1 - to, frame.bytes)));
    }
    ends
}

fn terms(role: Role, suite: Suite, serial: u32) -> PairSetupTerms {
    PairSetupTerms { pair: role.into(), suite, serial }
}

fn made(suite: Suite, seed: u64) -> Both {
    let client = start::<PairSetupRun>(terms(Role::Client, suite, 3), &(), (), seed);
    let server = start::<PairSetupRun>(terms(Role::Server, suite, 3), &(), (), seed + 1);
    let [client, server] = play(client, server, |_, _| ()).map(|end| end.unwrap().unwrap().0);
    Both { client, server }
}

fn factors(values: &[u64]) -> MtaFactors {
    MtaFactors::new(values.iter().map(|n| scalar(*n)).collect()).unwrap()
}

fn multiplying(mut setup: PairSetup, values: &[u64], seed: u64) -> (Session<Mta>, Vec<Vec<u8>>) {
    let factors = factors(values);
    let terms = MtaSetup::new(&mut setup, &factors).unwrap();
    start(terms, &factors, setup, seed)
}

#[test]
fn a_setup_and_products_over_the_driver() {
    for suite in SUITES {
        let mut both = made(suite, 1);
        assert_eq!(both.client.id(), both.server.id());
        assert_eq!((both.client.serial(), both.server.suite()), (3, suite));
        for run in 0..2 {
            let client = multiplying(both.client, &[5, 0, 7], 10 + run);
            let server = multiplying(both.server, &[11, 13, 17], 20 + run);
            let [client, server] = play(client, server, |_, _| ()).map(|end| end.unwrap().unwrap());
            for ((c, s), product) in client.0.iter().zip(&server.0).zip([55u64, 0, 119]) {
                assert_eq!(*c.expose() + *s.expose(), Scalar::from(product));
            }
            both = Both { client: client.1.unwrap(), server: server.1.unwrap() };
        }
        assert_eq!(both.client.runs_left(), PairSetup::MAX_RUNS - 2);
        assert_eq!(both.server.runs_left(), PairSetup::MAX_RUNS - 2);
    }
}

#[test]
fn different_terms_end_as_a_mismatch_that_names_nobody() {
    for server in [terms(Role::Server, Suite::Aes, 3), terms(Role::Server, Suite::Blake3, 4)] {
        let client = start::<PairSetupRun>(terms(Role::Client, Suite::Blake3, 3), &(), (), 31);
        let server = start::<PairSetupRun>(server, &(), (), 32);
        let ends = play(client, server, |_, _| ());
        let Some(Err(Error::Aborted(aborted))) = ends.into_iter().flatten().next() else { panic!("one side sees it") };
        assert_eq!((aborted.fault, aborted.culprit), (Fault::Mismatch(Agreed::Sid), None));
    }
    // another number of products, another setup: nothing burns
    for (values, other) in [(&[1, 2][..], false), (&[1][..], true)] {
        let both = made(Suite::Blake3, 33);
        let server = if other { made(Suite::Blake3, 35).server } else { both.server };
        let ends = play(multiplying(both.client, values, 1), multiplying(server, &[3], 2), |_, _| ());
        let Some(Err(Error::Aborted(aborted))) = ends.into_iter().flatten().next() else { panic!("one side sees it") };
        assert_eq!((aborted.fault, aborted.culprit), (Fault::Mismatch(Agreed::Sid), None));
        assert!(aborted.held.is_some());
    }
}

#[test]
fn a_run_made_for_another_setup_is_refused_and_gives_it_back() {
    let (mut a, b) = (made(Suite::Blake3, 41), made(Suite::Blake3, 43));
    let factors = factors(&[1]);
    let terms = MtaSetup::new(&mut a.client, &factors).unwrap();
    // the terms of one setup, the other one moved in
    let client = start::<Mta>(terms, &factors, b.client, 1);
    let [client, _] = play(client, multiplying(a.server, &[3], 2), |_, _| ());
    let Some(Err(Error::Aborted(aborted))) = client else { panic!("refused") };
    assert_eq!(aborted.fault, Fault::Mismatch(Agreed::Setup));
    assert_eq!(aborted.held.unwrap().id(), b.server.id());
}

#[test]
fn burn_class_faults_burn_and_others_give_back() {
    // frame 2 is the client's extension, frame 3 the server's message, frame 4 the client's deltas
    type At = (usize, fn(&mut Vec<u8>), usize, Fault, bool);
    let last = |m: &mut Vec<u8>| *m.last_mut().unwrap() ^= 1;
    let cases: [At; 4] = [
        (2, last, 1, Fault::Extension, true),
        (
            3,
            |m| {
                let at = m.len() - 40;
                m[at] ^= 1;
            },
            0,
            Fault::Multiplication,
            true,
        ),
        (
            3,
            |m| {
                let at = m.len() - 32;
                m[at..].fill(0xff);
            },
            0,
            Fault::Encoding(DecodeError::ScalarRange),
            false,
        ),
        (
            4,
            |m| {
                let at = m.len() - 32;
                m[at..].fill(0xff);
            },
            1,
            Fault::Encoding(DecodeError::ScalarRange),
            false,
        ),
    ];
    for (frame, change, who, fault, burns) in cases {
        let both = made(Suite::Blake3, 51);
        let id = both.client.id();
        let mut ends = play(multiplying(both.client, &[2], 1), multiplying(both.server, &[3], 2), |n, m| {
            if n == frame {
                change(m);
            }
        });
        let culprit = Some([PartyId::SERVER, PartyId::CLIENT][who]);
        match ends[who].take().unwrap().map(|_| ()).unwrap_err() {
            Error::Burned(burned) if burns => {
                assert_eq!((burned.fault, burned.culprit, burned.setups), (fault, culprit, vec![id]));
                assert!(burned.held.is_none());
            }
            Error::Aborted(aborted) if !burns => {
                assert_eq!((aborted.fault, aborted.culprit), (fault, culprit));
                assert_eq!(aborted.held.unwrap().id(), id);
            }
            error => panic!("{error}"),
        }
    }
}

#[test]
fn cancel_gives_the_setup_back() {
    let both = made(Suite::Blake3, 61);
    let id = both.client.id();
    assert_eq!(multiplying(both.client, &[2], 1).0.cancel().unwrap().id(), id);
    assert_eq!(multiplying(both.server, &[2], 1).0.cancel().unwrap().id(), id);
    // before there is one
    let (session, _) = start::<PairSetupRun>(terms(Role::Client, Suite::Blake3, 3), &(), (), 63);
    assert!(session.cancel().is_none());
}

#[test]
fn row_84_one_of_500_guesses_is_checked() {
    let key = StorageKey::new(SecretBytes::new([1; 32]));
    let mut ledger = MemoryLedger::default();
    let both = made(Suite::Blake3, 71);
    let id = both.server.id();
    let again = both.server.to_secret_bytes();
    ledger.put(id, Sealed::new(both.server.seal(&key, &mut rng(1)).unwrap())).unwrap();
    // all guesses exist before the first one is answered: one run of the client per guess
    let mut client = Some(both.client);
    let guesses = (0..500u64).map(|n| {
        let (session, frames) = multiplying(client.take().unwrap(), &[2], n);
        client = session.cancel();
        frames
    });
    let guesses: Vec<_> = guesses.collect();
    let mut checked = 0;
    for n in 0..guesses.len() {
        // by type: a session needs the one setup by value; by store: it can be taken once
        let Some(sealed) = ledger.take(&id).unwrap() else { continue };
        assert!(ledger.take(&id).unwrap().is_none(), "a run beside this one finds nothing");
        let setup = PairSetup::open(sealed.as_bytes(), &key).unwrap();
        let server = multiplying(setup, &[3], 5000);
        let client = multiplying(client.take().unwrap(), &[2], u64::try_from(n).unwrap());
        let [_, server] = play(client, server, |n, m| {
            if n == 2 {
                *m.last_mut().unwrap() ^= 1;
            }
        });
        let Some(Err(Error::Burned(burned))) = server else { panic!("a wrong guess burns") };
        burned.setups.iter().for_each(|id| ledger.burn(id).unwrap());
        checked += 1;
        // putting a copy back stores nothing (row 11)
        ledger.put(id, Sealed::new(again.to_vec())).unwrap();
    }
    assert_eq!(checked, 1);
    assert!(ledger.take(&id).unwrap().is_none());
}

#[test]
fn the_stored_form_has_one_encoding() {
    for suite in SUITES {
        let both = setup(suite, 81);
        for setup in [&both.client, &both.server] {
            let bytes = setup.to_secret_bytes().into_vec();
            // the buffer never grew
            assert_eq!(bytes.len(), bytes.capacity());
            let mut r = Reader::new(&bytes);
            let decoded = PairSetup::decode(&mut r).unwrap();
            r.finish().unwrap();
            assert_eq!(*decoded.to_secret_bytes(), *bytes);
            assert_eq!(decoded.id(), setup.id());
            assert_eq!(decoded.pair(), setup.pair());
            for len in 0..bytes.len() {
                assert!(PairSetup::decode(&mut Reader::new(&bytes[..len])).is_err());
            }
            let longer = [&bytes[..], &[0]].concat();
            let mut r = Reader::new(&longer);
            PairSetup::decode(&mut r).unwrap();
            assert_eq!(r.finish(), Err(DecodeError::Trailing));
        }
        // a decoded setup still multiplies with its peer
        let server = PairSetup::decode(&mut Reader::new(&both.server.to_secret_bytes())).unwrap();
        assert_products(&multiply::<2>((server.sender(), both.client.receiver()), 1, 1), 1);
    }
}

#[test]
fn the_stored_form_is_checked() {
    let both = setup(Suite::Blake3, 82);
    let bytes = both.server.to_secret_bytes();
    let refused = |at: usize, value: u8| {
        let mut bytes = bytes.to_vec();
        assert_ne!(bytes[at], value);
        bytes[at] = value;
        PairSetup::decode(&mut Reader::new(&bytes)).err()
    };
    // magic, version, kind; own id; suite; runs above the limit
    assert_eq!(refused(0, 0), Some(DecodeError::Unsupported));
    assert_eq!(refused(8, 2), Some(DecodeError::Unsupported));
    assert_eq!(refused(9, 1), Some(DecodeError::Unsupported));
    assert_eq!(refused(11, 3), Some(DecodeError::Value));
    assert_eq!(refused(82, 9), Some(DecodeError::Value));
    assert_eq!(refused(87, 1), Some(DecodeError::Count));
    // Delta, every bit: then a known leaf stands where none may be
    let delta = bytes.len() - 32 - 8192 - 16;
    for bit in 0..128 {
        let at = delta + bit / 8;
        assert_eq!(refused(at, bytes[at] ^ 1 << (bit % 8)), Some(DecodeError::Value), "bit {bit}");
    }
}

#[test]
fn a_setup_serves_two_to_the_sixteen_runs() {
    let both = setup(Suite::Blake3, 83);
    let mut bytes = both.server.to_secret_bytes();
    bytes[87..91].copy_from_slice(&(PairSetup::MAX_RUNS - 1).to_be_bytes());
    let mut setup = PairSetup::decode(&mut Reader::new(&bytes)).unwrap();
    assert_eq!(setup.runs_left(), 1);
    assert_eq!(setup.begin_run(), Ok(()));
    assert_eq!(setup.begin_run(), Err(Exhausted));
    assert_eq!(MtaSetup::new(&mut setup, &factors(&[1])), Err(MtaError::Exhausted(Exhausted)));
    assert_eq!(setup.runs_left(), 0);
    assert!(PairSetup::decode(&mut Reader::new(&setup.to_secret_bytes())).is_ok());
    assert_eq!(MtaFactors::new(Vec::new()).err(), Some(MtaError::Count(0)));
    assert_eq!(MtaFactors::new((0..257).map(scalar).collect()).err(), Some(MtaError::Count(257)));
}

#[test]
fn sealed_setups_open_with_their_key_only() {
    let both = setup(Suite::Aes, 84);
    let (key, other) = (StorageKey::new(SecretBytes::new([1; 32])), StorageKey::new(SecretBytes::new([2; 32])));
    let id = both.client.id();
    let sealed = both.client.seal(&key, &mut rng(1)).unwrap();
    assert_eq!(PairSetup::open(&sealed, &key).unwrap().id(), id);
    assert_eq!(PairSetup::open(&sealed, &other).err(), Some(OpenError::Key));
    let mut changed = sealed.clone();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(PairSetup::open(&changed, &key).err(), Some(OpenError::Key));
    let other_kind = key.seal(b"somethng", &[1, 2, 3], &mut rng(2)).unwrap();
    assert_eq!(PairSetup::open(&other_kind, &key).err(), Some(OpenError::Kind));
}

#[test]
fn bodies_stay_under_their_bound() {
    let largest = |n: usize| {
        let both = made(Suite::Blake3, 91);
        let values = vec![1; n];
        let mut sizes = Vec::new();
        let _ = play(multiplying(both.client, &values, 1), multiplying(both.server, &values, 2), |_, m| {
            sizes.push(m.len() - symbolon_session::Header::LEN);
        });
        sizes
    };
    for n in [1, 4] {
        let mut both = made(Suite::Blake3, 91);
        let terms = MtaSetup::new(&mut both.client, &factors(&vec![1; n])).unwrap();
        let bounds: Vec<usize> = (1..=4).map(|round| Mta::max_body(&terms, round)).collect();
        // nonce and sid0; nonce and sid; sid; nothing
        let sizes: Vec<usize> = largest(n).iter().zip([64, 64, 32, 0]).map(|(size, added)| size - added).collect();
        assert_eq!(sizes, bounds);
    }
}
