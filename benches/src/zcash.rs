//! The same operations with the FROST crate of the Zcash Foundation, for comparison. It leaves authentication, framing and
//! agreement on what is signed to its caller, so that none of these is in its times. Messages cross as bytes, as ours do.

use crate::{Cost, cpu, frost::MESSAGE};
use frost_ed25519::{
    Identifier, SigningPackage, aggregate,
    keys::{IdentifierList, KeyPackage, PublicKeyPackage, dkg, generate_with_dealer},
    round1, round2,
};
use rand_chacha::ChaCha12Rng;
use rand_core_06::{CryptoRng, RngCore};
use std::{collections::BTreeMap, time::Duration};
use symbolon_testkit::seeded;

/// The generator that our side has too, for the traits that they use.
struct Old(ChaCha12Rng);

impl RngCore for Old {
    fn next_u32(&mut self) -> u32 {
        rand_chacha::rand_core::Rng::next_u32(&mut self.0)
    }

    fn next_u64(&mut self) -> u64 {
        rand_chacha::rand_core::Rng::next_u64(&mut self.0)
    }

    fn fill_bytes(&mut self, to: &mut [u8]) {
        rand_chacha::rand_core::Rng::fill_bytes(&mut self.0, to);
    }

    fn try_fill_bytes(&mut self, to: &mut [u8]) -> Result<(), rand_core_06::Error> {
        self.fill_bytes(to);
        Ok(())
    }
}

impl CryptoRng for Old {}

/// `t` of `n` holders.
pub struct Zcash {
    rng: Old,
    threshold: u16,
    ids: Vec<Identifier>,
    keys: BTreeMap<Identifier, KeyPackage>,
    public: PublicKeyPackage,
}

/// What each party sent, as bytes.
type Mail = BTreeMap<Identifier, Vec<u8>>;

/// Adds the times of parties to a cost.
struct Clock(Cost);

impl Clock {
    fn new(parties: usize) -> Self {
        // their key generation and their signing have two rounds
        Self(Cost { rounds: 2, cpu: vec![Duration::ZERO; parties], bytes: vec![0; parties], ..Cost::default() })
    }

    /// The result of what each party computes.
    fn each<T>(&mut self, ids: &[Identifier], mut f: impl FnMut(Identifier) -> T) -> BTreeMap<Identifier, T> {
        let party = |(i, id): (usize, &Identifier)| {
            let before = cpu();
            let result = f(*id);
            self.0.cpu[i] += cpu() - before;
            (*id, result)
        };
        ids.iter().enumerate().map(party).collect()
    }

    fn sent<'a>(&mut self, place: usize, messages: impl Iterator<Item = &'a Vec<u8>>) {
        for message in messages {
            self.0.messages += 1;
            self.0.bytes[place] += message.len();
        }
    }
}

/// What one party reads of what all sent.
fn read<T>(
    mail: &Mail,
    me: Identifier,
    decode: impl Fn(&[u8]) -> Result<T, frost_ed25519::Error>,
) -> BTreeMap<Identifier, T> {
    let peers = mail.iter().filter(|(from, _)| **from != me);
    peers.map(|(from, bytes)| (*from, decode(bytes).expect("an honest message"))).collect()
}

impl Zcash {
    /// With a key from their dealer.
    ///
    /// # Panics
    /// Unless `2 <= t <= n`.
    #[must_use]
    pub fn new(seed: u64, t: u16, n: u16) -> Self {
        let mut rng = Old(seeded(seed));
        let (shares, public) = generate_with_dealer(n, t, IdentifierList::Default, &mut rng).expect("a threshold");
        let ids = (1..=n).map(|i| i.try_into().expect("not zero")).collect();
        let package = |(id, share)| (id, KeyPackage::try_from(share).expect("an honest dealer"));
        Self { rng, threshold: t, ids, keys: shares.into_iter().map(package).collect(), public }
    }

    /// Key generation.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn keygen(&mut self) -> Cost {
        let (t, n) = (self.threshold, u16::try_from(self.ids.len()).expect("made from a u16"));
        let mut clock = Clock::new(self.ids.len());
        let first = clock.each(&self.ids, |me| {
            let (secret, package) = dkg::part1(me, n, t, &mut self.rng).expect("a threshold");
            (secret, package.serialize().expect("encodes"))
        });
        let (mut secrets, mut broadcast) = (BTreeMap::new(), Mail::new());
        for (place, (id, (secret, bytes))) in first.into_iter().enumerate() {
            clock.sent(place, [&bytes].into_iter());
            secrets.insert(id, secret);
            broadcast.insert(id, bytes);
        }
        let second = clock.each(&self.ids, |me| {
            let packages = read(&broadcast, me, dkg::round1::Package::deserialize);
            let (secret, shares) = dkg::part2(secrets.remove(&me).expect("once"), &packages).expect("honest");
            let shares = shares.iter().map(|(to, share)| (*to, share.serialize().expect("encodes")));
            (secret, packages, shares.collect::<Mail>())
        });
        for (place, (_, _, shares)) in second.values().enumerate() {
            clock.sent(place, shares.values());
        }
        let made = clock.each(&self.ids, |me| {
            let shares = second.iter().filter(|(from, _)| **from != me);
            let shares = shares.map(|(from, (_, _, shares))| {
                (*from, dkg::round2::Package::deserialize(&shares[&me]).expect("an honest message"))
            });
            let (secret, packages, _) = &second[&me];
            dkg::part3(secret, packages, &shares.collect()).expect("honest")
        });
        let mut keys = made.values().map(|(_, public)| public.verifying_key());
        let first = keys.next();
        assert!(keys.all(|key| Some(key) == first), "one key");
        clock.0
    }

    /// Both rounds of a signature of the first `t` holders; every signer aggregates and verifies.
    ///
    /// # Panics
    /// If an honest run fails.
    pub fn sign(&mut self) -> Cost {
        let signers = &self.ids[..usize::from(self.threshold)];
        let mut clock = Clock::new(signers.len());
        let mut first = clock.each(signers, |me| {
            let (nonces, commitments) = round1::commit(self.keys[&me].signing_share(), &mut self.rng);
            (nonces, commitments, commitments.serialize().expect("encodes"))
        });
        let broadcast: Mail = first.iter().map(|(id, (_, _, bytes))| (*id, bytes.clone())).collect();
        let second = clock.each(signers, |me| {
            let (nonces, commitments, _) = first.remove(&me).expect("once");
            let mut all = read(&broadcast, me, round1::SigningCommitments::deserialize);
            all.insert(me, commitments);
            let package = SigningPackage::new(all, MESSAGE);
            let share = round2::sign(&package, &nonces, &self.keys[&me]).expect("honest");
            (package, share, share.serialize())
        });
        let shares: Mail = second.iter().map(|(id, (_, _, bytes))| (*id, bytes.clone())).collect();
        for (place, id) in signers.iter().enumerate() {
            clock.sent(place, [&broadcast[id], &shares[id]].into_iter());
        }
        let made = clock.each(signers, |me| {
            let (package, own, _) = &second[&me];
            let mut all = read(&shares, me, round2::SignatureShare::deserialize);
            all.insert(me, *own);
            let signature = aggregate(package, &all, &self.public).expect("honest");
            signature.serialize().expect("encodes")
        });
        let mut signatures = made.values();
        let first = signatures.next();
        assert!(signatures.all(|signature| Some(signature) == first), "one signature");
        clock.0
    }
}
