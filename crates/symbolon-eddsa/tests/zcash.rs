//! Signers of this crate and of the FROST crates of the Zcash Foundation in one signing, over each other's shares.
#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::std_instead_of_alloc,
    clippy::std_instead_of_core,
    missing_docs,
    reason = "tests"
)]

use frost_core as zf;
use std::collections::BTreeMap;
use symbolon_core::{Ed25519, KeyId, PartyId, Secp256k1, SecretScalar, SharingId, Threshold, wire::Writer};
use symbolon_eddsa::*;
use symbolon_session::{Auth, Identity, IdentityKey, Label, Protocol, Roster, Session};
use symbolon_sharing::{Dkg, DkgSetup, KeyShare, KeyShareError, Marks, Member, Parts, Scheme};
use symbolon_testkit::{Crowd, seeded};

/// Message lengths: none, one byte, a hash, several blocks.
const LENGTHS: [usize; 4] = [0, 1, 32, 1000];

/// A ciphersuite that both have.
trait Both: Ciphersuite {
    type Theirs: zf::Ciphersuite;
    /// A verifier that knows nothing of FROST.
    fn anybody(public_key: &[u8], message: &[u8], signature: &[u8]);
}

impl Both for Ed25519 {
    type Theirs = frost_ed25519::Ed25519Sha512;

    fn anybody(public_key: &[u8], message: &[u8], signature: &[u8]) {
        let key = ed25519_dalek::VerifyingKey::from_bytes(public_key.try_into().unwrap()).unwrap();
        let signature = ed25519_dalek::Signature::from_bytes(signature.try_into().unwrap());
        key.verify_strict(message, &signature).unwrap();
        assert!(key.verify_strict(&[message, b"."].concat(), &signature).is_err());
    }
}

impl Both for Secp256k1 {
    type Theirs = frost_secp256k1::Secp256K1Sha256;

    /// There is none: only FROST makes such signatures.
    fn anybody(_: &[u8], _: &[u8], _: &[u8]) {}
}

/// A generator of the testkit, for the traits that they use.
struct Old<R>(R);

impl<R: rand_core::CryptoRng> rand_core_06::RngCore for Old<R> {
    fn next_u32(&mut self) -> u32 {
        self.0.next_u32()
    }

    fn next_u64(&mut self) -> u64 {
        self.0.next_u64()
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        self.0.fill_bytes(to);
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.0.fill_bytes(to);
        Ok(())
    }
}

impl<R: rand_core::CryptoRng> rand_core_06::CryptoRng for Old<R> {}

fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

/// Their name of a party: its number as a scalar, as in the RFC.
fn theirs<C: Both>(id: PartyId) -> zf::Identifier<C::Theirs> {
    let identifier = zf::Identifier::deserialize(&C::scalar_to_bytes(&C::Scalar::from(u64::from(id.get())))).unwrap();
    assert_eq!(identifier, id.get().try_into().unwrap());
    identifier
}

fn identity_key(of: u16) -> IdentityKey {
    IdentityKey::generate(&mut seeded(1000 + u64::from(of))).unwrap()
}

/// All subsets of a size.
fn subsets(of: &[PartyId], size: usize) -> Vec<Vec<PartyId>> {
    if size == 0 {
        return vec![Vec::new()];
    }
    let with = |i: usize| subsets(&of[i + 1..], size - 1).into_iter().map(move |rest| [vec![of[i]], rest].concat());
    (0..of.len()).flat_map(with).collect()
}

/// Every share of one key, in both forms.
struct Keys<C: Both> {
    ours: BTreeMap<PartyId, KeyShare<C>>,
    theirs: BTreeMap<PartyId, zf::keys::KeyPackage<C::Theirs>>,
    public: zf::keys::PublicKeyPackage<C::Theirs>,
}

/// What a holder of theirs has, as a share of ours.
fn imported<C: Both>(
    public: &zf::keys::PublicKeyPackage<C::Theirs>,
    me: PartyId,
    share: &zf::keys::SigningShare<C::Theirs>,
) -> Result<KeyShare<C>, KeyShareError> {
    let n = public.max_signers();
    let member = |i: u16| Member {
        id: id(i),
        identity: identity_key(i).identity(),
        public_share: C::point_from_bytes(&public.verifying_shares()[&theirs::<C>(id(i))].serialize().unwrap())
            .unwrap(),
    };
    KeyShare::new(Parts {
        scheme: Scheme::Frost,
        key_id: KeyId::from_bytes([1; 16]),
        sharing_id: SharingId::from_bytes([2; 16]),
        epoch: 0,
        members: (1..=n).map(member).collect(),
        threshold: Threshold::new(public.min_signers().unwrap(), n.into()).unwrap(),
        me,
        x: SecretScalar::new(C::scalar_from_bytes(&share.serialize().try_into().unwrap()).unwrap()),
        public_key: C::point_from_bytes(&public.verifying_key().serialize().unwrap()).unwrap(),
        chain_code: [0; 32],
        marks: Marks::default(),
    })
}

/// A key of their trusted dealer.
fn of_their_dealer<C: Both>(t: u16, n: u16, seed: u64) -> Keys<C> {
    let any = zf::keys::IdentifierList::Default;
    let (dealt, public) = zf::keys::generate_with_dealer(n, t, any, &mut Old(seeded(seed))).unwrap();
    let share = |i: u16| (id(i), &dealt[&theirs::<C>(id(i))]);
    let ours = (1..=n).map(share).map(|(me, share)| (me, imported(&public, me, share.signing_share()).unwrap()));
    let theirs = (1..=n).map(share).map(|(me, share)| (me, share.clone().try_into().unwrap()));
    Keys { ours: ours.collect(), theirs: theirs.collect(), public }
}

/// The results of a run with signed frames.
fn run<P: Protocol<Input = ()> + 'static>(
    parties: impl IntoIterator<Item = (PartyId, P::Setup)>,
    secrets: impl Fn(PartyId) -> P::LongTerm,
    seed: u64,
) -> BTreeMap<PartyId, P::Output> {
    let start = |(me, setup): (PartyId, P::Setup)| {
        let (label, auth) = (Label::new("both").unwrap(), Auth::Signed(identity_key(me.get())));
        let mut rng = seeded(seed * 1000 + u64::from(me.get()));
        (me, Session::<P>::start(setup, &secrets(me), (), label, auth, &mut rng).unwrap())
    };
    let ends = Crowd::new(parties.into_iter().map(start)).outputs();
    ends.into_iter().map(|(me, end)| (me, end.0)).collect()
}

/// A key of our key generation, every part of which they read.
fn of_our_dkg<C: Both>(t: u16, n: u16, seed: u64) -> Keys<C> {
    let members: Vec<(PartyId, Identity)> = (1..=n).map(|i| (id(i), identity_key(i).identity())).collect();
    let setup = |me: u16| {
        let roster = Roster::new(id(me), members.iter().copied()).unwrap();
        (id(me), DkgSetup::new(roster, Threshold::new(t, n.into()).unwrap(), Scheme::Frost).unwrap())
    };
    let ours = run::<Dkg<C>>((1..=n).map(setup), |_| (), seed);
    let any = &ours[&id(1)];
    let public_key = zf::VerifyingKey::deserialize(C::point_to_bytes(any.public_key()).as_ref()).unwrap();
    let public_share = |member: &Member<C>| {
        let bytes = C::point_to_bytes(&member.public_share);
        (theirs::<C>(member.id), zf::keys::VerifyingShare::deserialize(bytes.as_ref()).unwrap())
    };
    let public_shares: BTreeMap<_, _> = any.members().iter().map(public_share).collect();
    let package = |(me, share): (&PartyId, &KeyShare<C>)| {
        let name = theirs::<C>(*me);
        let x = zf::keys::SigningShare::deserialize(share.secret().to_bytes().expose()).unwrap();
        // they compute x*G themselves
        assert_eq!(zf::keys::VerifyingShare::from(x), public_shares[&name]);
        let package = zf::keys::KeyPackage::new(name, x, public_shares[&name], public_key, t);
        (*me, zf::keys::KeyPackage::deserialize(&package.serialize().unwrap()).unwrap())
    };
    let theirs: BTreeMap<_, _> = ours.iter().map(package).collect();
    let all: Vec<_> = theirs.values().cloned().collect();
    assert_eq!(zf::VerifyingKey::from(&zf::keys::reconstruct(&all[1..]).unwrap()), public_key);
    let public = zf::keys::PublicKeyPackage::new(public_shares.clone(), public_key, Some(t));
    let public = zf::keys::PublicKeyPackage::deserialize(&public.serialize().unwrap()).unwrap();
    Keys { ours, theirs, public }
}

/// `D || E` of their commitments.
fn sent<C: Both>(commitments: &zf::round1::SigningCommitments<C::Theirs>) -> Vec<u8> {
    [commitments.hiding().serialize().unwrap(), commitments.binding().serialize().unwrap()].concat()
}

fn read<C: Both>(bytes: &[u8]) -> zf::round1::SigningCommitments<C::Theirs> {
    let point = |bytes: &[u8]| zf::round1::NonceCommitment::deserialize(bytes).unwrap();
    zf::round1::SigningCommitments::new(point(&bytes[..C::POINT_LEN]), point(&bytes[C::POINT_LEN..]))
}

/// The list of their package, as our coordinator would send it.
fn list_of<C: Both>(package: &zf::SigningPackage<C::Theirs>, quorum: &[PartyId]) -> Vec<u8> {
    assert_eq!(package.signing_commitments().len(), quorum.len());
    let mut w = Writer::with_capacity(0);
    w.u16(quorum.len().try_into().unwrap());
    for signer in quorum {
        w.u16(signer.get()).bytes(&sent::<C>(&package.signing_commitments()[&theirs::<C>(*signer)]));
    }
    w.finish()
}

/// The package of our list, as their coordinator would send it.
fn package_of<C: Both>(list: &[u8], message: &[u8]) -> zf::SigningPackage<C::Theirs> {
    let list = CommitmentList::<C>::from_bytes(list).unwrap();
    let entry = |signer| (theirs::<C>(signer), read::<C>(&list.get(signer).unwrap().to_bytes()));
    zf::SigningPackage::new(list.signers().map(entry).collect(), message)
}

/// A signer between its two rounds.
enum Waiting<C: Both> {
    Ours(Nonces<C>),
    Theirs(zf::round1::SigningNonces<C::Theirs>),
}

/// One signing after round two: a coordinator of each side, and the shares of all signers.
struct Signing<'k, C: Both> {
    keys: &'k Keys<C>,
    aggregator: Aggregator<C>,
    package: zf::SigningPackage<C::Theirs>,
    shares: BTreeMap<PartyId, Vec<u8>>,
}

impl<'k, C: Both> Signing<'k, C> {
    /// Both rounds. Our signers get the list of their coordinator, their signers that of ours.
    fn new(keys: &'k Keys<C>, quorum: &[PartyId], is_ours: impl Fn(usize) -> bool, message: &[u8], seed: u64) -> Self {
        let share = &keys.ours[&quorum[0]];
        let public_key = PublicKey::of(share);
        let holders: Vec<_> = share.members().iter().map(|member| (member.id, member.public_share)).collect();
        let signers = Signers::new(public_key, share.threshold(), &holders, quorum).unwrap();
        let mut coordinator = Coordinator::new(signers, message);
        let (mut commitments, mut waiting) = (BTreeMap::new(), BTreeMap::new());
        for (place, me) in quorum.iter().enumerate() {
            let mut rng = seeded(seed << 8 | u64::from(me.get()));
            let (secret, bytes) = if is_ours(place) {
                let nonces = Nonces::generate(&keys.ours[me], &mut rng).unwrap();
                let bytes = nonces.commitments().to_bytes();
                (Waiting::Ours(nonces), bytes)
            } else {
                let (nonces, commitments) = zf::round1::commit(keys.theirs[me].signing_share(), &mut Old(rng));
                (Waiting::Theirs(nonces), sent::<C>(&commitments))
            };
            coordinator.commitments(*me, &bytes).unwrap();
            commitments.insert(theirs::<C>(*me), read::<C>(&bytes));
            waiting.insert(*me, secret);
        }
        let aggregator = coordinator.aggregator().ok().unwrap();
        let package = zf::SigningPackage::new(commitments, message);

        let list = aggregator.package().commitments().to_bytes();
        assert_eq!(list, list_of::<C>(&package, quorum));
        assert_eq!(package, package_of::<C>(&list, message));
        let package = zf::SigningPackage::deserialize(&package.serialize().unwrap()).unwrap();
        let share = |(me, waiting): (PartyId, Waiting<C>)| match waiting {
            Waiting::Ours(nonces) => {
                let signers = Signers::of(&keys.ours[&me], quorum).unwrap();
                let list = CommitmentList::from_bytes(&list_of::<C>(&package, quorum)).unwrap();
                let package = SigningPackage::new(signers, list, message.to_vec()).unwrap();
                (me, package.sign(&keys.ours[&me], nonces).unwrap().to_bytes().to_vec())
            }
            Waiting::Theirs(nonces) => {
                let package = package_of::<C>(&list, message);
                (me, zf::round2::sign(&package, &nonces, &keys.theirs[&me]).unwrap().serialize())
            }
        };
        let shares = waiting.into_iter().map(share).collect();
        Self { keys, aggregator, package, shares }
    }

    /// The signature of our coordinator.
    fn of_ours(&mut self) -> Result<Vec<u8>, SignError> {
        for (from, share) in &self.shares {
            self.aggregator.share(*from, share).unwrap();
        }
        assert_eq!(self.aggregator.waiting_for().count(), 0);
        self.aggregator.finish().map(|signature| signature.to_bytes())
    }

    /// The signature of their coordinator, or who cheated.
    fn of_theirs(&self) -> Result<Vec<u8>, Vec<zf::Identifier<C::Theirs>>> {
        let share = |(from, share): (&PartyId, &Vec<u8>)| {
            (theirs::<C>(*from), zf::round2::SignatureShare::deserialize(share).unwrap())
        };
        let shares = self.shares.iter().map(share).collect();
        let all = zf::CheaterDetection::AllCheaters;
        match zf::aggregate_custom(&self.package, &shares, &self.keys.public, all) {
            Ok(signature) => Ok(signature.serialize().unwrap()),
            Err(zf::Error::InvalidSignatureShare { culprits }) => Err(culprits),
            Err(error) => panic!("{error}"),
        }
    }

    /// Both coordinators name exactly these, in order.
    fn names(&mut self, cheats: &[PartyId]) {
        assert_eq!(self.of_ours(), Err(SignError::Shares(cheats.to_vec())));
        assert_eq!(self.of_theirs(), Err(cheats.iter().map(|id| theirs::<C>(*id)).collect()));
    }

    /// Both coordinators make the same signature, and everybody takes it.
    fn check(mut self) {
        let message = self.package.message().clone();
        let signature = self.of_ours().unwrap();
        assert_eq!(self.of_theirs().as_ref(), Ok(&signature));
        let public_key = self.keys.public.verifying_key();
        for (from, share) in &self.shares {
            assert_eq!(self.aggregator.verified_share(*from, share), Ok(()));
            assert_eq!(SignatureShare::<C>::from_bytes(share).unwrap().to_bytes(), share[..]);
            let name = theirs::<C>(*from);
            let theirs = zf::round2::SignatureShare::deserialize(share).unwrap();
            assert_eq!(theirs.serialize(), *share);
            let public_share = &self.keys.public.verifying_shares()[&name];
            zf::verify_signature_share(name, public_share, &theirs, &self.package, public_key).unwrap();
        }
        let theirs = zf::Signature::deserialize(&signature).unwrap();
        assert_eq!(public_key.verify(&message, &theirs), Ok(()));
        assert!(public_key.verify(&[&message[..], b"."].concat(), &theirs).is_err());
        let public_key = public_key.serialize().unwrap();
        let ours = PublicKey::<C>::from_bytes(&public_key).unwrap();
        assert_eq!(Signature::from_bytes(&signature).unwrap().verify(&ours, &message), Ok(()));
        C::anybody(&public_key, &message, &signature);
    }
}

fn message(length: usize) -> Vec<u8> {
    (0..=u8::MAX).cycle().take(length).collect()
}

/// Every set of at least `t` signers, with every choice of whose each of them is. Gives the number of signings.
fn every_mix<C: Both>(keys: &Keys<C>, every_length: bool) -> u64 {
    let holders: Vec<_> = keys.ours.keys().copied().collect();
    let t = usize::from(keys.public.min_signers().unwrap());
    let mut lengths = LENGTHS.into_iter().cycle();
    let mut seed = 0;
    for quorum in (t..=holders.len()).flat_map(|size| subsets(&holders, size)) {
        for whose in 0..1 << quorum.len() {
            for length in lengths.by_ref().take(if every_length { LENGTHS.len() } else { 1 }) {
                Signing::new(keys, &quorum, |place| whose >> place & 1 == 1, &message(length), seed).check();
                seed += 1;
            }
        }
    }
    seed
}

fn mixed<C: Both>() {
    for keys in [of_their_dealer::<C>(2, 3, 11), of_our_dkg(2, 3, 12)] {
        assert_eq!(every_mix(&keys, true), (3 * 4 + 8) * 4);
    }
    for keys in [of_their_dealer::<C>(3, 5, 13), of_our_dkg(3, 5, 14)] {
        assert_eq!(every_mix(&keys, false), 10 * 8 + 5 * 16 + 32);
    }
}

#[test]
fn mixed_quorums_on_ed25519() {
    mixed::<Ed25519>();
}

#[test]
fn mixed_quorums_on_secp256k1() {
    mixed::<Secp256k1>();
}

// over the same share and with the same randomness both send the same bytes
#[test]
fn both_send_the_same_bytes() {
    fn check<C: Both>() {
        for keys in [of_their_dealer::<C>(2, 3, 21), of_our_dkg(2, 3, 22)] {
            let quorum = [id(1), id(3)];
            for length in LENGTHS {
                let sign = |whose: u8, seed| {
                    let mut signing =
                        Signing::new(&keys, &quorum, |place| whose >> place & 1 == 1, &message(length), seed);
                    let list = signing.aggregator.package().commitments().to_bytes();
                    let package = signing.package.serialize().unwrap();
                    (list, package, signing.shares.clone(), signing.of_ours().unwrap())
                };
                let all_theirs = sign(0b00, 5);
                (0b01..=0b11).for_each(|whose| assert_eq!(sign(whose, 5), all_theirs));
                assert_ne!(sign(0b11, 6).3, all_theirs.3);
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

#[test]
fn each_names_the_cheaters_of_the_other() {
    fn check<C: Both>() {
        let quorum = [1, 2, 4, 5].map(id);
        for keys in [of_their_dealer::<C>(3, 5, 31), of_our_dkg(3, 5, 32)] {
            for (seed, cheats) in (0..).zip([&[1][..], &[2], &[4], &[5], &[1, 5], &[1, 2, 4, 5]]) {
                let mut signing = Signing::new(&keys, &quorum, |place| place % 2 == 0, b"pay 1", seed);
                let cheats: Vec<_> = cheats.iter().copied().map(id).collect();
                let honest = signing.shares.clone();
                for (_, share) in signing.shares.iter_mut().filter(|(from, _)| cheats.contains(from)) {
                    let z = C::scalar_from_bytes(share[..].try_into().unwrap()).unwrap();
                    *share = C::scalar_to_bytes(&(z + C::Scalar::from(1))).to_vec();
                }
                let mut asked = Signing::new(&keys, &quorum, |place| place % 2 == 0, b"pay 1", seed).aggregator;
                for (from, share) in &signing.shares {
                    // a wrong one is refused at once, and the right one is taken after it
                    let wrong = cheats.contains(from).then_some(RefusedError::Share(*from));
                    assert_eq!(asked.verified_share(*from, share).err(), wrong);
                    assert_eq!(asked.waiting_for().any(|id| id == *from), wrong.is_some());
                    asked.verified_share(*from, &honest[from]).unwrap();
                }
                assert!(asked.finish().is_ok());
                signing.names(&cheats);
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

#[test]
fn who_signs_another_message_is_named() {
    fn check<C: Both>() {
        let keys = of_their_dealer::<C>(2, 3, 41);
        let quorum = [id(2), id(3)];
        for whose in 0b00..=0b11 {
            for cheat in quorum {
                // with the same seed the commitments are the same
                let sign = |message| Signing::new(&keys, &quorum, |place| whose >> place & 1 == 1, message, 7);
                let mut signing = sign(b"pay 1");
                signing.shares.insert(cheat, sign(b"pay 1000").shares[&cheat].clone());
                signing.names(&[cheat]);
                sign(b"pay 1").check();
            }
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

// a coordinator of theirs changes what our signer committed to, leaves it out, or names too few or other signers
#[test]
fn their_coordinator_cannot_lie_to_our_signer() {
    type C = Ed25519;
    let keys = of_our_dkg::<C>(2, 3, 51);
    let (me, quorum) = (id(1), [id(1), id(2)]);
    let share = &keys.ours[&me];
    let nonces = |seed| Nonces::generate(share, &mut seeded(seed)).unwrap();
    let (_, other) = zf::round1::commit(keys.theirs[&id(2)].signing_share(), &mut Old(seeded(3)));
    let package = |own: &Nonces<C>| {
        let own = read::<C>(&own.commitments().to_bytes());
        zf::SigningPackage::new([(theirs::<C>(me), own), (theirs::<C>(id(2)), other)].into(), b"pay 1")
    };
    let told = |package: &zf::SigningPackage<_>, listed: &[PartyId], signers: &[PartyId]| {
        let list = CommitmentList::from_bytes(&list_of::<C>(package, listed)).unwrap();
        let package = SigningPackage::new(Signers::of(share, signers)?, list, b"pay 1".to_vec())?;
        package.sign(share, nonces(1))
    };
    assert!(told(&package(&nonces(1)), &quorum, &quorum).is_ok());
    assert_eq!(told(&package(&nonces(2)), &quorum, &quorum), Err(SignError::OwnCommitments));
    assert_eq!(told(&package(&nonces(1)), &quorum, &[id(1), id(3)]), Err(SignError::Signers));
    let alone = zf::SigningPackage::new([(theirs::<C>(id(2)), other)].into(), b"pay 1");
    assert_eq!(told(&alone, &quorum[1..], &quorum), Err(SignError::Signers));
    assert_eq!(told(&alone, &quorum[1..], &quorum[1..]), Err(SignError::Signers));
}

#[test]
fn a_share_of_their_dealer_belongs_to_its_holder() {
    fn check<C: Both>() {
        let keys = of_their_dealer::<C>(2, 3, 61);
        let import = |public, share| imported::<C>(public, id(1), keys.theirs[&id(share)].signing_share()).err();
        assert_eq!(import(&keys.public, 1), None);
        assert_eq!(import(&keys.public, 2), Some(KeyShareError::SecretShare));
        let other = of_their_dealer::<C>(2, 3, 62).public;
        let shares = keys.public.verifying_shares().clone();
        let mixed = zf::keys::PublicKeyPackage::new(shares, *other.verifying_key(), Some(2));
        assert_eq!(import(&mixed, 1), Some(KeyShareError::PublicShares));
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}

#[test]
fn a_key_of_their_dealer_signs_in_our_sessions() {
    fn check<C: Both>() {
        let keys = of_their_dealer::<C>(3, 5, 71);
        let share = |me| imported::<C>(&keys.public, me, keys.theirs[&me].signing_share()).unwrap();
        let quorum = [2, 3, 5].map(id);
        let request = |me| (me, FrostRequest::new(&share(me), &quorum, b"pay 1").unwrap());
        let signatures = run::<FrostSign<C>>(quorum.map(request), share, 9);
        assert_eq!(signatures.len(), 3);
        for signature in signatures.values() {
            let (public_key, bytes) = (keys.public.verifying_key(), signature.to_bytes());
            assert_eq!(public_key.verify(b"pay 1", &zf::Signature::deserialize(&bytes).unwrap()), Ok(()));
            C::anybody(&public_key.serialize().unwrap(), b"pay 1", &bytes);
        }
    }
    check::<Ed25519>();
    check::<Secp256k1>();
}
