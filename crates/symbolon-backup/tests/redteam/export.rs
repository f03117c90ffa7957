//! Export: requests and answers of people who do not follow the rules.

use crate::tools::Share;
use crate::world::{deal, rng};
use rand_core::TryCryptoRng;
use std::time::Duration;
use symbolon_backup::{AnswerError, Backed, Expected, ExportError, ExportRequest, Header, Receiver, export};
use symbolon_core::{KeyId, Secp256k1, SecretBytes, SecretScalar, SetupId, SharingId, Transcript, wire::Writer};
use symbolon_seal::{DevicePublicKey, seal_to_device};
use symbolon_session::{
    Claimed, Failures, FloorId, Identity, IdentityKey, Ledger, MemoryLedger, Sealed, Storable, Token,
};
use symbolon_sharing::{Change, Consent, KeyShare, Parts};
use symbolon_testkit::FailingRng;

type Given<E> = Result<(Vec<u8>, Share), (Share, ExportError<E>)>;

/// The owner, its device and a request for the share of `of`.
struct Asked {
    owner: [Identity; 1],
    receiver: Receiver,
    request: Vec<u8>,
    consent: Consent,
}

const NOW: Duration = Duration::from_secs(10);

fn ask(of: &Header) -> Asked {
    let device = IdentityKey::from_seed(SecretBytes::new([7; 32]));
    let receiver = Receiver::new(of, Duration::from_secs(20), &mut rng(1)).unwrap();
    let request = receiver.request(&device);
    let consent = Consent::new([Change::Exports(of.key_id(), receiver.asks().fingerprint())]);
    Asked { owner: [device.identity()], receiver, request, consent }
}

impl Asked {
    fn give<L: Ledger>(&self, share: Share, ledger: &mut L, rng: &mut impl TryCryptoRng) -> Given<L::Error> {
        export(share, &self.request, &self.owner, NOW, &self.consent, ledger, rng)
    }

    /// An answer to this request with any share in it: what a holder who does not follow the rules can make.
    fn answer(&self, index: u16, claimed: u16, share: &Share) -> Vec<u8> {
        // the identity and the signature
        let statement = &self.request[..self.request.len() - 97];
        let receiver = DevicePublicKey::from_bytes(statement[76..108].try_into().unwrap()).unwrap();
        let info = Transcript::new("backup", "export answer").part(statement).number(index).finish();
        let sealed = seal_to_device(&receiver, &info, &[], &share.to_secret_bytes(), &mut rng(2)).unwrap();
        let mut w = Writer::new();
        w.bytes(b"SYMBEXA\x01").bytes(&statement[8..40]).u16(claimed);
        sealed.write(&mut w);
        w.finish()
    }
}

/// The same share with other names.
fn named(share: &Share, sharing: u8, epoch: u32) -> Share {
    KeyShare::new(Parts {
        scheme: share.scheme(),
        key_id: share.key_id(),
        sharing_id: SharingId::from_bytes([sharing; 16]),
        epoch,
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code: *share.chain_code(),
        marks: share.marks(),
    })
    .unwrap()
}

#[test]
fn row_107_each_name_in_a_request_counts() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let asked = ask(&live.header());
    let others = [named(&live, 4, 5), named(&live, 4, 3), named(&live, 5, 4)];
    for other in others.into_iter().chain([crate::world::with_key_id(&live, KeyId::from_bytes([9; 16]))]) {
        let (back, error) = asked.give(other, &mut MemoryLedger::default(), &mut rng(2)).err().unwrap();
        assert_eq!(error, ExportError::OtherKey);
        assert!(!back.marks().exported);
    }
    assert!(asked.give(live, &mut MemoryLedger::default(), &mut rng(2)).is_ok());
}

#[test]
fn row_42_an_answer_is_what_was_asked_for() {
    let shares = deal::<Secp256k1>(2, 3, 4, 1);
    let live = &shares[0];
    let asked = ask(&live.header());
    let expected = Expected::live(live);
    let open = |answer: &[u8]| asked.receiver.open::<Share>(answer, &expected, NOW).err();
    assert_eq!(open(&asked.answer(1, 1, live)), None);
    // the index is sealed in
    assert_eq!(open(&asked.answer(1, 2, live)), Some(AnswerError::Refused));
    assert_eq!(open(&asked.answer(2, 2, live)), Some(AnswerError::Share));
    let renamed = crate::world::with_key_id(live, KeyId::from_bytes([9; 16]));
    for wrong in [&named(live, 4, 5), &named(live, 5, 4), &renamed, &deal::<Secp256k1>(2, 3, 4, 2)[0]] {
        assert_eq!(open(&asked.answer(1, 1, wrong)), Some(AnswerError::Share));
    }
    // other requests of this receiver's key cannot be: what is sealed is for this statement
    let mut other = ask(&live.header());
    other.request[40] ^= 1;
    assert_eq!(open(&other.answer(1, 1, live)), Some(AnswerError::Refused));
}

/// The fingerprint that people compare says everything that is asked for.
#[test]
fn row_107_a_fingerprint_is_of_the_whole_request() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let request = ask(&live.header()).request;
    let fingerprint = |bytes: &[u8]| ExportRequest::read::<()>(bytes).ok().map(|(request, ..)| request.fingerprint());
    let good = fingerprint(&request).unwrap();
    for at in 8..request.len() - 97 {
        let mut changed = request.clone();
        changed[at] ^= 1;
        assert!(fingerprint(&changed).is_none_or(|other| other != good), "{at}");
    }
}

/// A store that is away.
struct Away;

impl Ledger for Away {
    type Error = &'static str;

    fn claim(&mut self, _: &Token) -> Result<Claimed, Self::Error> {
        Err("away")
    }
    fn take(&mut self, _: &SetupId) -> Result<Option<Sealed>, Self::Error> {
        Err("away")
    }
    fn put(&mut self, _: SetupId, _: Sealed) -> Result<(), Self::Error> {
        Err("away")
    }
    fn burn(&mut self, _: &SetupId) -> Result<(), Self::Error> {
        Err("away")
    }
    fn floor(&mut self, _: &FloorId) -> Result<u64, Self::Error> {
        Err("away")
    }
    fn raise_floor(&mut self, _: &FloorId, _: u64) -> Result<(), Self::Error> {
        Err("away")
    }
    fn failures(&mut self, _: &KeyId) -> Result<Failures, Self::Error> {
        Err("away")
    }
    fn count_failure(&mut self, _: &KeyId) -> Result<Failures, Self::Error> {
        Err("away")
    }
    fn lift(&mut self, _: &KeyId) -> Result<(), Self::Error> {
        Err("away")
    }
}

#[test]
fn row_107_nothing_leaves_without_ledger_and_generator() {
    let live = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(0);
    let asked = ask(&live.header());
    let (live, error) = asked.give(live, &mut Away, &mut rng(2)).err().unwrap();
    assert_eq!(error, ExportError::Ledger("away"));
    assert!(!live.marks().exported, "nothing has left");
    let mut ledger = MemoryLedger::default();
    let (live, error) = asked.give(live, &mut ledger, &mut FailingRng::after(0)).err().unwrap();
    assert_eq!(error, ExportError::Rng);
    assert!(!live.marks().exported);
    let (_, live) = asked.give(live, &mut ledger, &mut rng(2)).ok().unwrap();
    assert!(live.marks().exported, "what failed has not used it up");
    let (_, error) = asked.give(live, &mut ledger, &mut rng(2)).err().unwrap();
    assert_eq!(error, ExportError::Replayed);
    // a request is for every holder: two of them may share a ledger
    let other = deal::<Secp256k1>(2, 3, 4, 1).swap_remove(1);
    assert!(asked.give(other, &mut ledger, &mut rng(2)).is_ok());
}
