//! What FROST signers and their coordinator read of each other: the crates of the Zcash Foundation read the same, and whoever sends
//! something wrong is named, and nobody else.

use crate::{
    bytes::Bytes,
    memory::bounded,
    world::{dealt, id},
};
use frost_core as zf;
use std::{collections::BTreeMap, sync::LazyLock};
use symbolon_core::{Ed25519, PartyId, Secp256k1, wire::DecodeError};
use symbolon_eddsa::{
    Ciphersuite, CommitmentList, Coordinator, NonceCommitments, Nonces, PublicKey, RefusedError, SignError, Signature,
    SignatureShare, Signers, SigningPackage,
};
use symbolon_sharing::{KeyShare, Scheme};
use symbolon_testkit::seeded;

/// A ciphersuite that both have.
trait Both: Ciphersuite {
    type Theirs: zf::Ciphersuite;
    fn signed() -> &'static Signed<Self>;
    /// A verifier that knows nothing of FROST, if there is one.
    fn anybody(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool>;
}

impl Both for Ed25519 {
    type Theirs = frost_ed25519::Ed25519Sha512;

    fn signed() -> &'static Signed<Self> {
        static SIGNED: LazyLock<Signed<Ed25519>> = LazyLock::new(signed);
        &SIGNED
    }

    fn anybody(public_key: &[u8], message: &[u8], signature: &[u8]) -> Option<bool> {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public_key.try_into().ok()?).ok()?;
        let signature = ed25519_dalek::Signature::from_bytes(signature.try_into().ok()?);
        Some(key.verify_strict(message, &signature).is_ok())
    }
}

impl Both for Secp256k1 {
    type Theirs = frost_secp256k1::Secp256K1Sha256;

    fn signed() -> &'static Signed<Self> {
        static SIGNED: LazyLock<Signed<Secp256k1>> = LazyLock::new(signed);
        &SIGNED
    }

    fn anybody(_: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
}

const MESSAGE: &[u8] = b"what is signed";
const CHOSEN: [u16; 3] = [1, 2, 4];

/// One signing of three of five, as honest signers do it.
struct Signed<C: Ciphersuite> {
    share: KeyShare<C>,
    commitments: BTreeMap<PartyId, Vec<u8>>,
    list: Vec<u8>,
    shares: BTreeMap<PartyId, Vec<u8>>,
    signature: Vec<u8>,
}

fn signed<C: Both>() -> Signed<C> {
    let mut all: Vec<_> = dealt::<C>(3, 5, Scheme::Frost, 5).into_iter().map(Some).collect();
    let mut take = |i: u16| all[usize::from(i) - 1].take().expect("once");
    let holders: Vec<_> = CHOSEN.map(&mut take).into();
    let nonces: Vec<_> = holders.iter().map(|share| nonces(share)).collect();
    let commitments: BTreeMap<_, _> =
        holders.iter().zip(&nonces).map(|(share, nonces)| (share.me(), *nonces.commitments())).collect();
    let list = CommitmentList::new(commitments.clone()).expect("three");
    let package = SigningPackage::new(signers(&holders[0]), list.clone(), MESSAGE.into()).expect("their own");
    let shares: BTreeMap<_, _> = holders
        .iter()
        .zip(nonces)
        .map(|(share, nonces)| (share.me(), package.sign(share, nonces).expect("honest")))
        .collect();
    let signature = package.aggregate(&shares).expect("honest").to_bytes();
    let share = holders.into_iter().next().expect("three");
    Signed {
        share,
        commitments: commitments.into_iter().map(|(id, commitments)| (id, commitments.to_bytes())).collect(),
        list: list.to_bytes(),
        shares: shares.into_iter().map(|(id, share)| (id, share.to_bytes().to_vec())).collect(),
        signature,
    }
}

fn nonces<C: Both>(share: &KeyShare<C>) -> Nonces<C> {
    Nonces::generate(share, &mut seeded(u64::from(share.me().get()))).expect("it does not fail")
}

fn signers<C: Both>(share: &KeyShare<C>) -> Signers<C> {
    Signers::of(share, &CHOSEN.map(id)).expect("holders")
}

/// The target. Gives whether something was read, or signed.
pub fn run(data: &[u8]) -> bool {
    let mut input = Bytes(data);
    let way = input.byte();
    if way & 0x80 == 0 { on::<Ed25519>(way, &mut input) } else { on::<Secp256k1>(way & 0x7f, &mut input) }
}

fn on<C: Both>(way: u8, input: &mut Bytes<'_>) -> bool {
    let of = C::signed();
    let from = id(CHOSEN[usize::from(input.byte() % 3)]);
    let mut bytes = match way % 8 {
        1 => of.commitments[&from].clone(),
        2 => of.shares[&from].clone(),
        3 => of.list.clone(),
        4 => of.signature.clone(),
        5 => PublicKey::of(&of.share).to_bytes().as_ref().to_vec(),
        6 => return coordinated::<C>(input),
        _ => return signer::<C>(input),
    };
    if input.byte().is_multiple_of(2) {
        input.overwrite(&mut bytes);
    } else {
        bytes = input.rest().to_vec();
    }
    match way % 8 {
        1 => commitments::<C>(&bytes),
        2 => share::<C>(&bytes),
        3 => list::<C>(&bytes),
        4 => signature::<C>(&bytes),
        _ => public_key::<C>(&bytes),
    }
}

fn is_point<C: Both>(bytes: &[u8]) -> bool {
    C::point_from_bytes(bytes).is_ok()
}

fn commitments<C: Both>(bytes: &[u8]) -> bool {
    let read = bounded(0, bytes, || NonceCommitments::<C>::from_bytes(bytes));
    let half = bytes.len().min(C::POINT_LEN);
    let theirs = |bytes: &[u8]| zf::round1::NonceCommitment::<C::Theirs>::deserialize(bytes).is_ok();
    let judged = theirs(&bytes[..half]) && theirs(&bytes[half..]);
    agreed::<C>(read.is_ok(), judged, bytes, &[&bytes[..half], &bytes[half..]]);
    read.is_ok_and(|commitments| {
        assert_eq!(commitments.to_bytes(), bytes);
        true
    })
}

/// What we read, they read; what only they read has a point with another encoding of ours, or a length that they do not look at.
fn agreed<C: Both>(ours: bool, theirs: bool, bytes: &[u8], points: &[&[u8]]) {
    if ours != theirs {
        assert!(theirs, "stricter than theirs, never laxer: {bytes:02x?}");
        assert!(points.iter().any(|point| !is_point::<C>(point)), "{bytes:02x?}");
    }
}

fn share<C: Both>(bytes: &[u8]) -> bool {
    let read = bounded(0, bytes, || SignatureShare::<C>::from_bytes(bytes));
    let theirs = zf::round2::SignatureShare::<C::Theirs>::deserialize(bytes);
    assert_eq!(read.is_ok(), theirs.is_ok(), "{bytes:02x?}");
    let Ok(share) = read else { return false };
    assert_eq!((share.to_bytes().to_vec(), theirs.expect("read").serialize()), (bytes.to_vec(), bytes.to_vec()));
    // it is wrong unless it is the signer's
    let (of, from) = (C::signed(), id(CHOSEN[0]));
    let verdict = package::<C>().verify_share(from, &share);
    let expected = if of.shares[&from] == bytes { Ok(()) } else { Err(SignError::Shares(vec![from])) };
    assert_eq!(verdict, expected);
    assert_eq!(package::<C>().verify_share(id(5), &share), Err(SignError::Signers));
    true
}

fn package<C: Both>() -> SigningPackage<C> {
    let of = C::signed();
    let list = CommitmentList::from_bytes(&of.list).expect("honest");
    SigningPackage::new(signers(&of.share), list, MESSAGE.into()).expect("honest")
}

fn list<C: Both>(bytes: &[u8]) -> bool {
    // two points in memory and their encodings, in a tree whose nodes have room for eleven
    let read = bounded(32, &[bytes, &[0; 256]].concat(), || CommitmentList::<C>::from_bytes(bytes));
    let Ok(list) = read else { return false };
    assert_eq!(list.to_bytes(), bytes);
    let ids: Vec<_> = list.signers().collect();
    assert!(ids.is_sorted_by(|a, b| a < b) && ids.iter().all(|id| list.get(*id).is_some()));
    let of = C::signed();
    let made = SigningPackage::new(signers(&of.share), list, MESSAGE.into());
    match &made {
        Ok(package) => {
            assert_eq!(package.digest() == self::package::<C>().digest(), bytes == of.list);
            // whoever is shown another list than with its own commitments in it does not sign
            let me = of.share.me();
            let own =
                package.commitments().get(me).map(NonceCommitments::to_bytes) == Some(of.commitments[&me].clone());
            assert_eq!(package.sign(&of.share, nonces(&of.share)).is_ok(), own);
        }
        Err(SignError::Signers) => assert!(ids != CHOSEN.map(id)),
        Err(error) => assert_eq!(*error, SignError::Degenerate),
    }
    true
}

fn public_key<C: Both>(bytes: &[u8]) -> bool {
    let read = bounded(0, bytes, || PublicKey::<C>::from_bytes(bytes));
    let theirs = zf::VerifyingKey::<C::Theirs>::deserialize(bytes).is_ok();
    agreed::<C>(read.is_ok(), theirs, bytes, &[bytes]);
    let Ok(key) = read else { return false };
    assert_eq!(key.to_bytes().as_ref(), bytes);
    let of = C::signed();
    let signature = Signature::<C>::from_bytes(&of.signature).expect("honest");
    let verified = signature.verify(&key, MESSAGE).is_ok();
    assert_eq!(verified, key == PublicKey::of(&of.share));
    assert_eq!(C::anybody(bytes, MESSAGE, &of.signature).unwrap_or(verified), verified);
    true
}

fn signature<C: Both>(bytes: &[u8]) -> bool {
    let read = bounded(0, bytes, || Signature::<C>::from_bytes(bytes));
    let Ok(signature) = read else { return false };
    assert_eq!(signature.to_bytes(), bytes);
    let of = C::signed();
    let key = PublicKey::of(&of.share);
    let verified = signature.verify(&key, MESSAGE).is_ok();
    assert_eq!(verified, bytes == of.signature, "nobody finds another signature");
    assert_eq!(C::anybody(key.to_bytes().as_ref(), MESSAGE, bytes).unwrap_or(verified), verified);
    let theirs = zf::Signature::<C::Theirs>::deserialize(bytes).ok().is_some_and(|signature| {
        let key = zf::VerifyingKey::<C::Theirs>::deserialize(key.to_bytes().as_ref()).expect("ours is theirs");
        key.verify(MESSAGE, &signature).is_ok()
    });
    assert_eq!(theirs, verified);
    true
}

/// A coordinator that is sent a few honest things and others.
fn coordinated<C: Both>(input: &mut Bytes<'_>) -> bool {
    let of = C::signed();
    let mut coordinator = Coordinator::new(signers(&of.share), MESSAGE);
    let mut filed = BTreeMap::new();
    for _ in 0..input.byte() % 5 {
        let (from, bytes) = sent(input, &of.commitments);
        let decoded = NonceCommitments::<C>::from_bytes(&bytes);
        expect(coordinator.commitments(from, &bytes), from, &bytes, decoded.err(), &mut filed);
    }
    for (from, bytes) in &of.commitments {
        let fresh = !filed.contains_key(from);
        assert_eq!(coordinator.waiting_for().any(|waiting| waiting == *from), fresh);
        assert_eq!(coordinator.commitments(*from, bytes).is_ok(), fresh || filed[from] == *bytes);
        filed.entry(*from).or_insert_with(|| bytes.clone());
    }
    assert_eq!(coordinator.waiting_for().count(), 0);
    let Ok(mut aggregator) = coordinator.aggregator() else { return false };
    let honest = filed == of.commitments;
    let mut filed = BTreeMap::new();
    for _ in 0..input.byte() % 5 {
        let (from, bytes) = sent(input, &of.shares);
        let decoded = SignatureShare::<C>::from_bytes(&bytes);
        if input.byte().is_multiple_of(2) {
            expect(aggregator.share(from, &bytes), from, &bytes, decoded.err(), &mut filed);
            continue;
        }
        let right = decoded.as_ref().is_ok_and(|share| aggregator.package().verify_share(from, share).is_ok());
        let taken = aggregator.verified_share(from, &bytes);
        if decoded.is_ok() && !right && of.shares.contains_key(&from) {
            assert_eq!(taken, Err(RefusedError::Share(from)));
        } else {
            expect(taken, from, &bytes, decoded.err(), &mut filed);
        }
    }
    assert_eq!(aggregator.finish().is_err_and(|error| error == SignError::Signers), filed.len() < 3);
    for (from, bytes) in &of.shares {
        assert_eq!(aggregator.share(*from, bytes).is_ok(), filed.get(from).is_none_or(|first| first == bytes));
        filed.entry(*from).or_insert_with(|| bytes.clone());
    }
    let wrong: Vec<_> = filed.iter().filter(|(id, share)| of.shares[id] != **share).map(|(id, _)| *id).collect();
    match aggregator.finish() {
        Ok(signature) => {
            // wrong shares may add up to the right sum
            assert!(!honest || signature.to_bytes() == of.signature || wrong.len() > 1);
            assert!(signature.verify(&PublicKey::of(&of.share), MESSAGE).is_ok());
            true
        }
        Err(SignError::Shares(named)) => {
            assert!(!honest || named == wrong, "{named:?} {wrong:?}");
            false
        }
        Err(error) => panic!("{error}"),
    }
}

/// Whom something comes from, and what: of a signer, of another one, of nobody; honest or changed.
fn sent(input: &mut Bytes<'_>, honest: &BTreeMap<PartyId, Vec<u8>>) -> (PartyId, Vec<u8>) {
    let [from, of] = [input.byte(), input.byte()].map(|byte| id(u16::from(byte % 6) + 1));
    let mut bytes = honest.get(&of).cloned().unwrap_or_default();
    if input.byte() % 2 == 1 {
        let len = input.byte();
        let mut piece = Bytes(input.take(usize::from(len)));
        piece.overwrite(&mut bytes);
    }
    (from, bytes)
}

fn expect(
    taken: Result<(), RefusedError>,
    from: PartyId,
    bytes: &[u8],
    malformed: Option<DecodeError>,
    filed: &mut BTreeMap<PartyId, Vec<u8>>,
) {
    let expected = match (malformed, filed.get(&from)) {
        _ if !CHOSEN.map(id).contains(&from) => Err(RefusedError::NotASigner(from)),
        (Some(error), _) => Err(RefusedError::Encoding(from, error)),
        (_, Some(first)) if first != bytes => Err(RefusedError::Twice(from)),
        _ => Ok(()),
    };
    assert_eq!(taken, expected);
    if taken.is_ok() {
        filed.insert(from, bytes.to_vec());
    }
}

/// A signer that is asked for signers and a list of the coordinator's choice, and uses its own message.
fn signer<C: Both>(input: &mut Bytes<'_>) -> bool {
    let of = C::signed();
    let asked: Vec<_> = (0..input.byte() % 6).map(|_| id(u16::from(input.byte() % 7) + 1)).collect();
    let signers = Signers::of(&of.share, &asked);
    let mut sorted = asked.clone();
    sorted.sort_unstable();
    sorted.dedup();
    let fits = sorted.len() == asked.len() && asked.len() >= 3 && asked.iter().all(|id| id.get() <= 5);
    assert_eq!(signers.is_ok(), fits);
    let Ok(signers) = signers else { return false };
    let mut entries = Vec::new();
    for who in asked {
        let nonces = &of.commitments[&id(CHOSEN[usize::from(input.byte() % 3)])];
        entries.push((who, NonceCommitments::<C>::from_bytes(nonces).expect("honest")));
    }
    let list = CommitmentList::new(entries.clone()).expect("distinct");
    let package = match SigningPackage::new(signers, list, input.rest().to_vec()) {
        Ok(package) => package,
        Err(error) => panic!("{error}"),
    };
    let me = of.share.me();
    let own = entries.iter().find(|(id, _)| *id == me).map(|(_, commitments)| commitments.to_bytes());
    let expected = match own {
        None => Some(SignError::Signers),
        Some(own) if own == of.commitments[&me] => None,
        Some(_) => Some(SignError::OwnCommitments),
    };
    let share = package.sign(&of.share, nonces(&of.share));
    assert_eq!(share.as_ref().err(), expected.as_ref());
    share.is_ok_and(|share| {
        assert_eq!(package.verify_share(me, &share), Ok(()));
        true
    })
}
