//! Export to one receiver: the whole way, and everything that is refused on it.

use crate::world::{deal, factor, rng};
use std::time::Duration;
use symbolon_backup::{AnswerError, Backed, Expected, ExportError, ExportRequest, Receiver, export};
use symbolon_core::{Ed25519, Group, Secp256k1, SecretBytes};
use symbolon_session::{Identity, IdentityKey, MemoryLedger};
use symbolon_sharing::{Change, Consent, KeyShare, PairFactor, exit, exit_pair};

const NOW: Duration = Duration::from_secs(1_000_000);
const END: Duration = Duration::from_secs(1_000_600);

fn device(seed: u8) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([seed; 32]))
}

fn owners() -> [Identity; 2] {
    [device(1).identity(), device(2).identity()]
}

fn consent(request: &ExportRequest) -> Consent {
    Consent::new([Change::Exports(request.key_id(), request.fingerprint())])
}

fn give<S: Backed>(secret: S, receiver: &Receiver, ledger: &mut MemoryLedger) -> (Vec<u8>, S) {
    let request = receiver.request(&device(1));
    let consent = consent(&ExportRequest::read::<()>(&request).unwrap().0);
    export(secret, &request, &owners(), NOW, &consent, ledger, &mut rng(9)).map_err(|(_, error)| error).unwrap()
}

fn shares_become_the_key<G: Group>() {
    let mut shares = deal::<G>(2, 3, 3, 1);
    let public_key = *shares[0].public_key();
    let receiver = Receiver::new(&shares[0].header(), END, &mut rng(1)).unwrap();
    let mut received = Vec::new();
    for share in shares.drain(..2) {
        let expected = Expected::live(&share);
        let (answer, marked) = give(share, &receiver, &mut MemoryLedger::default());
        assert!(marked.marks().exported);
        received.push(receiver.open::<KeyShare<G>>(&answer, &expected, NOW).unwrap());
    }
    assert!(received.iter().all(|share| share.marks().exported), "the mark travels too");
    let whole = exit(&received, &Consent::new([Change::Exits(received[0].key_id())])).unwrap();
    assert!(whole.secret().public() == public_key);
}

#[test]
fn enough_answers_are_the_key() {
    shares_become_the_key::<Secp256k1>();
    shares_become_the_key::<Ed25519>();
    let [server, client] = factor(2);
    let public_key = *server.public_key();
    let receiver = Receiver::new(&server.header(), END, &mut rng(1)).unwrap();
    let [one, other] = [server, client].map(|side| {
        let expected = Expected::live(&side);
        let (answer, marked) = give(side, &receiver, &mut MemoryLedger::default());
        assert!(marked.marks().exported);
        receiver.open::<PairFactor>(&answer, &expected, NOW).unwrap()
    });
    let whole = exit_pair(&one, &other, &Consent::new([Change::Exits(one.key_id())])).unwrap();
    assert!(whole.secret().public() == public_key);
}

// attacks.md row 107
#[test]
fn row_107_only_the_owners_device_and_only_once() {
    let mut share = Some(deal::<Secp256k1>(2, 3, 3, 1).swap_remove(0));
    let header = share.as_ref().unwrap().header();
    let mut ledger = MemoryLedger::default();
    let receiver = Receiver::new(&header, END, &mut rng(1)).unwrap();
    let good = receiver.request(&device(1));
    let agreed = consent(receiver.asks());
    let mut refused = |request: &[u8], now, consent: &Consent, error| {
        let asked = export(share.take().unwrap(), request, &owners(), now, consent, &mut ledger, &mut rng(2));
        let (back, found) = asked.err().unwrap();
        assert_eq!(found, error);
        assert!(!back.marks().exported);
        share = Some(back);
    };
    // a stranger's device, an opaque name, a changed byte anywhere
    refused(&receiver.request(&device(3)), NOW, &agreed, ExportError::NotOwner);
    for at in 0..good.len() {
        let mut changed = good.clone();
        changed[at] ^= 1;
        let error = if at < 8 { ExportError::Malformed } else { ExportError::NotOwner };
        // the kind of the identity
        let error = if at == good.len() - 97 { ExportError::Malformed } else { error };
        refused(&changed, NOW, &agreed, error);
    }
    refused(&good[..good.len() - 1], NOW, &agreed, ExportError::Malformed);
    // a signature of the device for something else
    let other = Receiver::new(&header, END, &mut rng(3)).unwrap();
    let spliced = [&good[..good.len() - 97], &other.request(&device(1))[good.len() - 97..]].concat();
    refused(&spliced, NOW, &agreed, ExportError::NotOwner);
    // another epoch, sharing, key
    for (epoch, seed) in [(4, 1), (3, 2)] {
        let of = deal::<Secp256k1>(2, 3, epoch, seed)[0].header();
        let receiver = Receiver::new(&of, END, &mut rng(4)).unwrap();
        refused(&receiver.request(&device(2)), NOW, &consent(receiver.asks()), ExportError::OtherKey);
    }
    refused(&good, END + Duration::from_secs(1), &agreed, ExportError::Expired);
    // the consent is for this receiver: its fingerprint is what both sides show
    refused(&good, NOW, &Consent::new([]), ExportError::Consent);
    refused(&good, NOW, &consent(other.asks()), ExportError::Consent);

    let (answer, share) =
        export(share.unwrap(), &good, &owners(), END, &agreed, &mut ledger, &mut rng(2)).ok().unwrap();
    assert!(share.marks().exported);
    let again = export(share, &good, &owners(), NOW, &agreed, &mut ledger, &mut rng(2)).err().unwrap();
    assert_eq!(again.1, ExportError::Replayed);
    // a new request of the device is another one
    let request = other.request(&device(2));
    assert!(export(again.0, &request, &owners(), NOW, &consent(other.asks()), &mut ledger, &mut rng(2)).is_ok());

    let expected = Expected::live(&deal::<Secp256k1>(2, 3, 3, 1)[0]);
    let open =
        |receiver: &Receiver, answer: &[u8], now| receiver.open::<KeyShare<Secp256k1>>(answer, &expected, now).err();
    assert_eq!(open(&receiver, &answer, END), None);
    assert_eq!(open(&receiver, &answer, END + Duration::from_secs(1)), Some(AnswerError::Expired));
    assert_eq!(open(&other, &answer, NOW), Some(AnswerError::Refused));
    for at in 0..answer.len() {
        let mut changed = answer.clone();
        changed[at] ^= 1;
        assert!(matches!(open(&receiver, &changed, NOW), Some(AnswerError::Refused | AnswerError::Malformed)), "{at}");
    }
    let stranger = Expected::live(&deal::<Secp256k1>(2, 3, 3, 2)[0]);
    let another = Expected::live(&deal::<Secp256k1>(2, 3, 3, 1)[1]);
    for expected in [stranger, another] {
        let wrong = receiver.open::<KeyShare<Secp256k1>>(&answer, &expected, NOW).err();
        assert_eq!(wrong, Some(AnswerError::Share));
    }
    assert_eq!(receiver.open::<PairFactor>(&answer, &expected, NOW).err(), Some(AnswerError::Share));
    let key = Expected::key(*deal::<Secp256k1>(2, 3, 3, 1)[0].public_key());
    let unknown = receiver.open::<KeyShare<Secp256k1>>(&answer, &key, NOW).err();
    assert_eq!(unknown, Some(AnswerError::ShareUnknown));
}

// attacks.md row 42: whoever owns the way between the two puts in a key of its own, and old requests
#[test]
fn row_42_nothing_leaves_for_another_receiver() {
    let header = deal::<Secp256k1>(2, 3, 3, 1)[0].header();
    let expected = Expected::live(&deal::<Secp256k1>(2, 3, 3, 1)[0]);
    let mut ledger = MemoryLedger::default();
    let receiver = Receiver::new(&header, END, &mut rng(1)).unwrap();
    let eve = Receiver::new(&header, END, &mut rng(2)).unwrap();
    let good = receiver.request(&device(1));
    let mut asked = |request: &[u8], consent: &Consent| {
        let share = deal::<Secp256k1>(2, 3, 3, 1).swap_remove(0);
        export(share, request, &owners(), NOW, consent, &mut ledger, &mut rng(3)).map_err(|(_, error)| error)
    };
    // the user agrees to whatever fingerprint it is shown
    let blind = |request: &[u8]| {
        let (request, ..) = ExportRequest::read::<()>(request).unwrap();
        consent(&request)
    };
    // eve's key in the owner's request; eve's request under the owner's name
    let key = 8 + 32 + 16 + 16 + 4..8 + 32 + 16 + 16 + 4 + 32;
    let mut with_key = good.clone();
    with_key[key.clone()].copy_from_slice(&eve.request(&device(3))[key.clone()]);
    assert_ne!(with_key, good);
    assert_eq!(asked(&with_key, &blind(&with_key)).err(), Some(ExportError::NotOwner));
    let mut named = eve.request(&device(3));
    let signer = named.len() - 97..named.len() - 64;
    named[signer.clone()].copy_from_slice(&good[signer]);
    assert_eq!(asked(&named, &blind(&named)).err(), Some(ExportError::NotOwner));
    // a key of low order, for which everybody knows the shared secret: refused even where the owner has signed it
    for low_order in [[0; 32], {
        let mut one = [0; 32];
        one[0] = 1;
        one
    }] {
        let mut request = good.clone();
        request[key.clone()].copy_from_slice(&low_order);
        let statement = request.len() - 97;
        let signature = device(1).attest("export", &request[..statement]);
        request[statement + 33..].copy_from_slice(&signature);
        assert_eq!(asked(&request, &consent(receiver.asks())).err(), Some(ExportError::Malformed));
    }
    // the real one, its answer, and the same request once more
    let (answer, share) = asked(&good, &blind(&good)).ok().unwrap();
    assert!(share.marks().exported);
    assert_eq!(asked(&good, &blind(&good)).err(), Some(ExportError::Replayed));
    // the answer is of no use to eve, not even under the name of her request
    let open = |receiver: &Receiver, answer: &[u8]| {
        receiver.open::<KeyShare<Secp256k1>>(answer, &expected, NOW).map(|share| share.me())
    };
    assert_eq!(open(&eve, &answer), Err(AnswerError::Refused));
    let mut renamed = answer.clone();
    renamed[8..40].copy_from_slice(&eve.request(&device(3))[8..40]);
    assert_eq!(open(&eve, &renamed), Err(AnswerError::Refused));
    assert_eq!(open(&receiver, &answer), Ok(share.me()));
    // nor is an answer to one request one to the next, and its sender's index is bound
    let next = Receiver::new(&header, END, &mut rng(4)).unwrap();
    let (other, _) = asked(&next.request(&device(2)), &consent(next.asks())).ok().unwrap();
    assert_eq!(open(&receiver, &[&answer[..40], &other[40..]].concat()), Err(AnswerError::Refused));
    let mut moved = answer.clone();
    moved[41] ^= 3;
    assert_eq!(open(&receiver, &moved), Err(AnswerError::Refused));
}
