//! docs/spec/keygen.md, refresh. Bodies: server 1 `com(rho_S)`; client 1 `rho_C`; server 2 `rho_S | opening`.

use crate::*;
use std::collections::BTreeMap;
use symbolon_core::wire::DecodeError;
use symbolon_keygen::{PairRefresh, RefreshError, RefreshSetup};
use symbolon_proofs::Commitment;
use symbolon_session::{Agreed, Fault, Inbox, Next, Rejected, Run};
use symbolon_testkit::{Fate, duel};

fn setup(factor: &PairFactor) -> RefreshSetup {
    RefreshSetup::new(factor, factor.generation() + 1).unwrap()
}

fn server_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<PairRefresh> {
    let [s, c] = factors(1);
    let liar = lying::<PairRefresh>(Role::Server, setup(&s), &s, (), 1, lie);
    duel(start(Role::Client, setup(&c), &c, (), 2), liar, PartyId::CLIENT, PartyId::SERVER)
}

fn client_lies(lie: impl FnMut(&mut Telling<'_>) + 'static) -> Fate<PairRefresh> {
    let [s, c] = factors(1);
    let liar = lying::<PairRefresh>(Role::Client, setup(&c), &c, (), 2, lie);
    duel(start(Role::Server, setup(&s), &s, (), 1), liar, PartyId::SERVER, PartyId::CLIENT)
}

fn at(message: usize, change: impl Fn(&mut Vec<u8>) + 'static) -> impl FnMut(&mut Telling<'_>) + 'static {
    move |telling| {
        if telling.message == message {
            change(telling.body);
        }
    }
}

#[test]
fn without_a_lie_the_key_stays_and_the_factors_change() {
    let [s, c] = factors(1);
    let one = |role, factor: &PairFactor| start::<PairRefresh>(role, setup(factor), factor, (), 5);
    let [s2, c2] = Duo::new(one(Role::Server, &s), one(Role::Client, &c)).run().0.map(|end| end.output);
    for (old, new) in [(&s, &s2), (&c, &c2)] {
        assert_eq!(old.public_key(), new.public_key());
        assert_eq!((new.generation(), new.key_id(), new.chain_code()), (1, old.key_id(), old.chain_code()));
        assert_ne!(old.secret().expose(), new.secret().expose());
    }
    assert_eq!(*s2.public_key(), Secp256k1::mul(s2.peer_point(), s2.secret().expose()));
    assert_eq!(s2.points(), c2.points());
    // old and new halves do not meet
    assert_ne!(*s.public_key(), Secp256k1::mul(s2.peer_point(), s.secret().expose()));
    assert_eq!(RefreshSetup::new(&s2, 1), Err(RefreshError));
    assert!(RefreshSetup::new(&s2, 2).is_ok());
    assert!(matches!(server_lies(|_| ()), Fate::Done(..)));
    assert!(matches!(client_lies(|_| ()), Fate::Done(..)));
}

// attacks.md row 94: of everything that the setup value says about the factor, each part counts by itself
#[test]
fn row_94_the_factor_must_be_that_of_the_setup_value() {
    use symbolon_session::{Auth, Label, Session, StartError};
    let (secret, peer) = (Scalar::from(5u64), Secp256k1::mul_base(&Scalar::from(7u64)));
    let own = factor(Role::Client, secret, peer);
    let begin = |other: &PairFactor| {
        let (label, auth) = (Label::new("unfit").unwrap(), Auth::Signed(identity(Role::Client)));
        Session::<PairRefresh>::start(setup(&own), other, (), label, auth, &mut seeded(1)).map(|_| ())
    };
    let with = |pair: Pair, key_id: KeyId, generation: u32, secret: Scalar| {
        let public_key = Secp256k1::mul(&peer, &secret);
        PairFactor::new(pair, key_id, generation, SecretScalar::new(secret), peer, public_key, [8; 32]).unwrap()
    };
    let refused = Err(StartError::Mismatch(Agreed::Sharing));
    assert_eq!(begin(&with(pair(Role::Client), own.key_id(), 0, secret)), Ok(()));
    assert_eq!(begin(&with(pair(Role::Server), own.key_id(), 0, secret)), refused);
    assert_eq!(begin(&with(pair(Role::Client), KeyId::from_bytes([10; 16]), 0, secret)), refused);
    assert_eq!(begin(&with(pair(Role::Client), own.key_id(), 1, secret)), refused);
    assert_eq!(begin(&with(pair(Role::Client), own.key_id(), 0, secret + secret)), refused);
}

#[test]
fn bad_openings_name_the_server() {
    let opening = (Fault::Opening, SERVER, &[][..]);
    // another rho_S than committed, another opening, another commitment
    assert_eq!(server_lies(at(2, |body| bump(body, 0))).failure(), opening);
    assert_eq!(server_lies(at(2, |body| body[63] ^= 1)).failure(), opening);
    assert_eq!(server_lies(at(1, |body| body[0] ^= 1)).failure(), opening);
    // rho_S chosen after rho_C, so that the product is the server's choice
    let last_mover = |telling: &mut Telling<'_>| {
        if telling.message == 2 {
            let chosen = scalar(42) * Secp256k1::invert(&read_scalar(&telling.heard[0]));
            telling.body[..32].copy_from_slice(&Secp256k1::scalar_to_bytes(&chosen));
        }
    };
    assert_eq!(server_lies(last_mover).failure(), opening);
}

// attacks.md rows 28, 51: commitment and opening of an earlier refresh
#[test]
fn row_51_replayed_commitment_and_opening() {
    let old = std::rc::Rc::new(std::cell::RefCell::new(Vec::new()));
    let [s, c] = factors(1);
    let ear = std::rc::Rc::clone(&old);
    let liar =
        lying::<PairRefresh>(Role::Server, setup(&s), &s, (), 31, move |t| ear.borrow_mut().push(t.body.clone()));
    duel(start::<PairRefresh>(Role::Client, setup(&c), &c, (), 32), liar, PartyId::CLIENT, PartyId::SERVER);
    let old = old.take();
    let replay = move |telling: &mut Telling<'_>| telling.body.clone_from(&old[telling.message - 1]);
    assert_eq!(server_lies(replay).failure(), (Fault::Opening, SERVER, &[][..]));
}

#[test]
fn zero_is_forbidden_and_scalars_are_canonical() {
    let zero = |body: &mut Vec<u8>| body[..32].fill(0);
    assert_eq!(client_lies(at(1, zero)).failure(), (Fault::Forbidden, CLIENT, &[][..]));
    assert_eq!(server_lies(at(2, zero)).failure(), (Fault::Forbidden, SERVER, &[][..]));
    for bytes in bad_scalars() {
        let range = Fault::Encoding(DecodeError::ScalarRange);
        let set = move |body: &mut Vec<u8>| body[..32].copy_from_slice(&bytes);
        assert_eq!(client_lies(at(1, set)).failure(), (range, CLIENT, &[][..]));
        assert_eq!(server_lies(at(2, set)).failure(), (range, SERVER, &[][..]));
    }
    let short = Fault::Encoding(DecodeError::Truncated);
    assert_eq!(client_lies(at(1, |body| body.truncate(31))).failure(), (short, CLIENT, &[][..]));
    assert_eq!(server_lies(at(1, |body| body.truncate(31))).failure(), (short, SERVER, &[][..]));
    assert_eq!(server_lies(at(2, |body| body.truncate(63))).failure(), (short, SERVER, &[][..]));
    assert!(matches!(client_lies(at(1, |body| body.push(0))), Fate::Waiting(Some(Rejected::Size))));
}

/// A server that knows `rho_C` beforehand, as no peer does, with the commitment to match: the client's verdict.
fn client_meets(rho: impl Fn(Scalar) -> Scalar, factor: &PairFactor) -> Result<PairFactor, Fault> {
    let rng = || SeedRng::new(&[1; 32]);
    let rho_c = SecretScalar::<Secp256k1>::random(&mut rng());
    let rho_s = Secp256k1::scalar_to_bytes(&rho(*rho_c.expose()));
    let (com, opening) =
        Commitment::commit("pair refresh rho", &sid(1), PartyId::SERVER, &rho_s, &mut SeedRng::new(&[2; 32]));
    let sid0 = BTreeMap::from([(PartyId::SERVER, sid(1)), (PartyId::CLIENT, sid(3))]);
    let run = Run::new(PartyId::CLIENT, sid0, Some(sid(2)));
    let inbox = |body: Vec<u8>| {
        let mut inbox = Inbox::default();
        inbox.insert(PartyId::SERVER, false, body.into());
        inbox
    };
    let setup = setup(factor);
    let (state, _) = PairRefresh::start(&setup, factor, (), &run, &mut rng());
    let next = state.advance(&setup, &run, &inbox(com.as_bytes().to_vec()), &mut rng());
    let Ok(Next::Round(state, _)) = next else { panic!("the client answers") };
    let body = [&rho_s[..], &opening.to_bytes()].concat();
    match state.advance(&setup, &run, &inbox(body), &mut rng()) {
        Ok(Next::Prepared { output, .. }) => Ok(output),
        Ok(_) => panic!("the last round"),
        Err(failed) => {
            assert_eq!(failed.culprit, SERVER);
            Err(failed.fault)
        }
    }
}

#[test]
fn a_product_of_one_is_forbidden() {
    let [_, c] = factors(1);
    assert_eq!(client_meets(|rho_c| Secp256k1::invert(&rho_c), &c).err(), Some(Fault::Forbidden));
    // the control
    assert!(client_meets(|rho_c| Secp256k1::invert(&rho_c) * scalar(2), &c).is_ok());
    // the server meets it too: rho_S is that of a run before with the same generator
    let seen = std::rc::Rc::new(std::cell::Cell::new([0; 32]));
    let [s, c] = factors(1);
    let ear = std::rc::Rc::clone(&seen);
    let listen = lying::<PairRefresh>(Role::Server, setup(&s), &s, (), 1, move |telling| {
        if telling.message == 2 {
            ear.set(telling.body[..32].try_into().unwrap());
        }
    });
    duel(start::<PairRefresh>(Role::Client, setup(&c), &c, (), 2), listen, PartyId::CLIENT, PartyId::SERVER);
    let inverse = Secp256k1::scalar_to_bytes(&Secp256k1::invert(&read_scalar(&seen.get())));
    let fate = client_lies(at(1, move |body| body.copy_from_slice(&inverse)));
    assert_eq!(fate.failure(), (Fault::Forbidden, CLIENT, &[][..]));
}

// a' = b' would make P a square that one side computes alone: refused as any factor with A = B is
#[test]
fn equal_points_after_the_refresh_are_inconsistent() {
    // a = b*k^2, so that rho = k gives a' = b*k = b'
    let (b, k) = (scalar(1234), scalar(77));
    let client = factor(Role::Client, b, Secp256k1::mul_base(&(b * k * k)));
    assert_eq!(client_meets(|rho_c| k * Secp256k1::invert(&rho_c), &client).err(), Some(Fault::Inconsistent));
    assert!(client_meets(|rho_c| k * scalar(2) * Secp256k1::invert(&rho_c), &client).is_ok());
}

// attacks.md row 66: the key does not move, whatever rho a side applies: the outcomes differ, and nobody is done
#[test]
fn row_66_another_rho_or_point_is_a_mismatch() {
    let lie = |telling: &mut Telling<'_>| {
        if let Some(outcome) = telling.outcome.as_deref_mut() {
            outcome[31] ^= 0x80;
        }
    };
    assert_eq!(server_lies(lie).failure(), (Fault::Mismatch(Agreed::Outcome), None, &[][..]));
    assert!(matches!(client_lies(lie), Fate::Waiting(None)));
    // the client applies another rho_C than it sent: its own half sees another outcome
    assert!(matches!(client_lies(at(1, |body| bump(body, 0))), Fate::Waiting(None)));
}

#[test]
fn another_generation_or_factor_is_a_mismatch() {
    let ([s, c], [_, other]) = (factors(1), factors(50));
    let sid = (Fault::Mismatch(Agreed::Sid), None, &[][..]);
    let server = || start::<PairRefresh>(Role::Server, setup(&s), &s, (), 1);
    let later = RefreshSetup::new(&c, 2).unwrap();
    for (setup, factor) in [(later, &c), (setup(&other), &other)] {
        let honest = start::<PairRefresh>(Role::Client, setup, factor, (), 2);
        assert_eq!(duel(honest, server(), PartyId::CLIENT, PartyId::SERVER).failure(), sid);
    }
}

// attacks.md row 75: setup values, which travel in suspended sessions
#[test]
fn row_75_setup_values_have_one_encoding() {
    use symbolon_core::wire::Reader;
    use symbolon_session::Storable;
    let [s, c] = factors(1);
    for setup in [setup(&s), RefreshSetup::new(&c, 9).unwrap()] {
        let bytes = setup.to_secret_bytes();
        let mut r = Reader::new(&bytes);
        assert_eq!(RefreshSetup::decode(&mut r), Ok(setup));
        assert!(r.finish().is_ok());
        for len in 0..bytes.len() {
            assert!(RefreshSetup::decode(&mut Reader::new(&bytes[..len])).is_err());
        }
    }
    let bytes = KeygenSetup::new(pair(Role::Client)).to_secret_bytes();
    assert_eq!(KeygenSetup::decode(&mut Reader::new(&bytes)), Ok(KeygenSetup::new(pair(Role::Client))));
    for (at, value) in [(0, 1), (1, 0), (1, 3), (3, 2), (3, 0), (4, 0), (4, 3), (38, 1), (39, 9)] {
        let mut spoilt = bytes.to_vec();
        spoilt[at] = value;
        assert!(KeygenSetup::decode(&mut Reader::new(&spoilt)).is_err(), "byte {at} = {value}");
    }
    // one identity for both sides
    let mut twice = bytes.to_vec();
    twice.copy_within(4..37, 39);
    assert!(KeygenSetup::decode(&mut Reader::new(&twice)).is_err());
}

// attacks.md row 88: the opening is lost; generation g still makes the key, and the opening can be sent again
#[test]
fn row_88_a_lost_opening_loses_no_key() {
    use symbolon_session::Step;
    use symbolon_testkit::duo::stored;
    let [s, c] = factors(1);
    let (mut server, m1) = start::<PairRefresh>(Role::Server, setup(&s), &s, (), 1);
    let (mut client, _) = start::<PairRefresh>(Role::Client, setup(&c), &c, (), 2);
    let Ok(Step::Continue(m2)) = client.handle(PartyId::SERVER, &m1[0].bytes) else { panic!() };
    let Ok(Step::Prepared(pending, ())) = server.handle(PartyId::CLIENT, &m2[0].bytes) else { panic!() };
    assert!(server.resend().is_empty(), "nothing is opened before the own store");
    let Step::Continue(lost) = server.stored(stored(&pending)) else { panic!() };
    assert_eq!(lost.len(), 1);
    let key = |s: &PairFactor, c: &PairFactor| Secp256k1::mul_base(&(*s.secret().expose() * *c.secret().expose()));
    assert_eq!(key(&s, &c), *s.public_key(), "the old generation is whole");
    // sent again
    let again = server.resend();
    assert!(again == lost);
    let Ok(Step::Prepared(pending, ())) = client.handle(PartyId::SERVER, &again[0].bytes) else { panic!() };
    let Step::Done(c2, _, m4) = client.stored(stored(&pending)) else { panic!() };
    let Ok(Step::Done(s2, ..)) = server.handle(PartyId::CLIENT, &m4[0].bytes) else { panic!() };
    assert_eq!(key(&s2, &c2), *s.public_key());
    assert_eq!((s2.generation(), c2.generation()), (1, 1));
}
