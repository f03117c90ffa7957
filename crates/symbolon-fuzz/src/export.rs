//! Export requests and answers: what is read has one encoding; nothing is answered or opened that was changed.

use crate::{backup::GOLDEN, bytes::Bytes, memory::bounded};
use rand_chacha::{ChaCha12Rng, rand_core::SeedableRng};
use std::{sync::LazyLock, time::Duration};
use symbolon_backup::{AnswerError, Backup, Expected, ExportError, ExportRequest, Receiver, export};
use symbolon_core::{Group, PartyId, Role, Secp256k1, SecretBytes, SecretScalar};
use symbolon_session::{Identity, IdentityKey, MemoryLedger};
use symbolon_sharing::{Change, Consent, PairFactor};

const NOW: Duration = Duration::from_secs(1_000_000);

struct World {
    owner: IdentityKey,
    receiver: Receiver,
    request: Vec<u8>,
    answer: Vec<u8>,
    expected: Expected<Secp256k1>,
}

/// The client's side of a two-party key.
fn factor() -> PairFactor {
    let [a, b] = [2u64, 3].map(|number| SecretScalar::<Secp256k1>::new(number.into()));
    let public_key = Secp256k1::mul(&b.public(), a.expose());
    let key_id = Backup::from_bytes(GOLDEN[2]).expect("a golden file").header().key_id();
    PairFactor::new(Role::Client.into(), key_id, 1, b, a.public(), public_key, [3; 32]).expect("a factor")
}

static WORLD: LazyLock<World> = LazyLock::new(|| {
    let mut rng = ChaCha12Rng::seed_from_u64(1);
    let owner = IdentityKey::from_seed(SecretBytes::new([1; 32]));
    let receiver = Receiver::new(&symbolon_backup::Backed::header(&factor()), NOW, &mut rng).expect("a generator");
    let request = receiver.request(&owner);
    let answer = answered(&request, &owner.identity()).expect("the owner's own request");
    World { owner, receiver, request, answer, expected: Expected::live(&factor()) }
});

/// What the holder says to a request, with the consent of a user who agrees to everything.
fn answered(request: &[u8], owner: &Identity) -> Option<Vec<u8>> {
    let (read, ..) = ExportRequest::read::<()>(request).ok()?;
    let consent = Consent::new([Change::Exports(read.key_id(), read.fingerprint())]);
    let (mut ledger, mut rng) = (MemoryLedger::default(), ChaCha12Rng::seed_from_u64(2));
    export(factor(), request, &[*owner], NOW, &consent, &mut ledger, &mut rng).ok().map(|(answer, _)| answer)
}

/// The target. Gives whether something was read as a request, or opened.
pub fn run(data: &[u8]) -> bool {
    let whole = request(data) || opened(data);
    let mut input = Bytes(data);
    let built = match input.byte() {
        1 => request(&[b"SYMBEXQ\x01", input.rest()].concat()),
        2 => changed_request(&mut input),
        // an answer to this request
        3 => opened(&[b"SYMBEXA\x01", &WORLD.request[8..40], input.rest()].concat()),
        4 => changed_answer(&mut input),
        _ => false,
    };
    whole || built
}

fn request(data: &[u8]) -> bool {
    let read = bounded(1, data, || ExportRequest::read::<()>(data));
    let Ok((request, identity, signature)) = read else {
        assert_eq!(read.err(), Some(ExportError::Malformed));
        return false;
    };
    // magic, id, key id, sharing id, epoch, receiver, time; identity, signature
    assert_eq!((data.len(), &data[..8]), (8 + 32 + 16 + 16 + 4 + 32 + 8 + 33 + 64, &b"SYMBEXQ\x01"[..]));
    assert_eq!((request.key_id().as_ref(), &signature[..]), (&data[40..56], &data[149..]));
    assert_eq!(request.not_after().as_secs().to_be_bytes(), data[108..116]);
    // nobody but the owner's device is heard
    assert_eq!(answered(data, &WORLD.owner.identity()).is_some(), data == WORLD.request);
    if identity != WORLD.owner.identity() {
        assert_eq!(answered(data, &identity), None, "nobody else has signed");
    }
    true
}

fn opened(data: &[u8]) -> bool {
    let World { receiver, expected, .. } = &*WORLD;
    let opened = bounded(4, data, || receiver.open::<PairFactor>(data, expected, NOW));
    match &opened {
        Ok(factor) => {
            assert_eq!(data, WORLD.answer);
            assert!(factor.marks().exported && factor.pair().me() == PartyId::CLIENT);
        }
        Err(error) => assert!(matches!(error, AnswerError::Malformed | AnswerError::Refused)),
    }
    opened.is_ok()
}

fn changed_request(input: &mut Bytes<'_>) -> bool {
    let mut bytes = WORLD.request.clone();
    input.edit(&mut bytes, 0);
    request(&bytes)
}

fn changed_answer(input: &mut Bytes<'_>) -> bool {
    let mut bytes = WORLD.answer.clone();
    input.edit(&mut bytes, 0);
    bytes.truncate(bytes.len() - usize::from(input.byte() % 4));
    opened(&bytes)
}
