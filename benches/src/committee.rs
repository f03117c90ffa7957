//! A committee of n members with signed frames.

use crate::{Cost, End, id, label, measure_all};
use rand_chacha::ChaCha12Rng;
use symbolon::{
    Auth, DerivationPath, Group, Identity, IdentityKey, PartyId, Payload, Protocol, Roster, Scheme, Secp256k1,
    SecretBytes, Session, Suite, Threshold,
};
use symbolon_ecdsa::{
    FullSetup, QuorumFull, QuorumFullSetup, QuorumItem, QuorumOnline, QuorumOnlineSetup, QuorumPreprocess,
    QuorumPreprocessSetup, QuorumRequest, Setups, SignFull, SignerShare,
};
use symbolon_mta::{CommitteeSetup, CommitteeTerms};
use symbolon_sharing::{Batch, Dkg, DkgSetup, Factors, KeyShare, Ready, Refreshes, Reshare, refresh, refresh_batch};
use symbolon_testkit::seeded;

/// What a session is started with.
type Started<P> = (<P as Protocol>::Setup, <P as Protocol>::LongTerm, <P as Protocol>::Input);

/// `t` of `n`, parties `1..=n`, with the identity key of each. On secp256k1 they sign with ECDSA, on Ed25519 with FROST.
pub struct Committee<G: Group> {
    pub(crate) rng: ChaCha12Rng,
    pub(crate) keys: Vec<IdentityKey>,
    pub(crate) threshold: Threshold,
    /// The shares of each key that was made for refreshes and signatures.
    pub(crate) shares: Vec<Vec<KeyShare<G>>>,
    /// The pair setups of the signers `1..=t`; they move into a run and back.
    setups: Vec<Setups>,
}

impl<G: Group> Committee<G> {
    /// Without a key.
    ///
    /// # Panics
    /// Unless `2 <= t <= n`.
    #[must_use]
    pub fn new(seed: u64, t: u16, n: u16) -> Self {
        let mut rng = seeded(seed);
        let mut key = |_| IdentityKey::from_seed(SecretBytes::random(&mut rng));
        let keys = (0..n).map(&mut key).collect();
        let threshold = Threshold::new(t, n.into()).expect("a threshold");
        Self { rng, keys, threshold, shares: Vec::new(), setups: Vec::new() }
    }

    /// Makes `count` keys, which refreshes and signatures begin from.
    #[must_use]
    pub fn with_keys(mut self, count: usize) -> Self {
        self.make_keys(count);
        self
    }

    /// Makes keys until there are `count`.
    pub(crate) fn make_keys(&mut self, count: usize) {
        while self.shares.len() < count {
            let shares = self.generate().0;
            self.shares.push(shares);
        }
    }

    pub(crate) fn n(&self) -> u16 {
        u16::try_from(self.keys.len()).expect("made from a u16")
    }

    fn roster(&self, me: PartyId) -> Roster {
        let identity = |i: u16| -> (PartyId, Identity) { (id(i), self.keys[usize::from(i) - 1].identity()) };
        Roster::new(me, (1..=self.n()).map(identity)).expect("distinct keys")
    }

    /// A run of the first members.
    fn run<P: Protocol>(&mut self, members: Vec<Started<P>>) -> (Vec<End<P>>, Cost) {
        let n = u16::try_from(members.len()).expect("at most 255");
        let mut members = members.into_iter().zip(&self.keys);
        let start = |_| {
            let ((setup, secrets, input), key) = members.next().expect("one for each party");
            Session::<P>::start(setup, &secrets, input, label(), Auth::Signed(key.handle()), &mut self.rng)
                .expect("starts")
        };
        measure_all(n, start)
    }

    fn generate(&mut self) -> (Vec<KeyShare<G>>, Cost) {
        let scheme = if G::ID == Secp256k1::ID { Scheme::Ecdsa } else { Scheme::Frost };
        let setup = |me| DkgSetup::new(self.roster(id(me)), self.threshold, scheme).expect("fits");
        let members = (1..=self.n()).map(|me| (setup(me), (), ())).collect();
        let (ends, cost) = self.run::<Dkg<G>>(members);
        (ends.into_iter().map(|end| end.0).collect(), cost)
    }

    /// Key generation.
    pub fn dkg(&mut self) -> Cost {
        self.generate().1
    }

    pub(crate) fn dealers(&self) -> Vec<PartyId> {
        (1..=self.threshold.get()).map(id).collect()
    }

    /// The refresh of the first key.
    ///
    /// # Panics
    /// If no key was made.
    pub fn refresh(&mut self) -> Cost {
        let ready = |share: &KeyShare<G>| refresh(share, &self.dealers(), share.epoch() + 1, Factors::Gone);
        let plan = |share| {
            let (setup, source): Ready<G, Refreshes> = ready(share).expect("a plan");
            (setup, source, ())
        };
        let members = self.shares[0].iter().map(plan).collect();
        self.run::<Reshare<G, Refreshes>>(members).1
    }

    /// The refresh of all keys in one run.
    ///
    /// # Panics
    /// If no key was made, or a key stays behind.
    pub fn refresh_batch(&mut self) -> Cost {
        let ready = |me: usize| {
            let shares: Vec<_> = self.shares.iter().map(|of| (&of[me], of[me].epoch() + 1, Factors::Gone)).collect();
            let (setup, source) = refresh_batch(&shares, &self.dealers()).expect("a plan");
            (setup, source, ())
        };
        let members = (0..self.keys.len()).map(ready).collect();
        let (ends, cost) = self.run::<Reshare<G, Batch<Refreshes>>>(members);
        assert!(ends.iter().all(|end| end.0.done.len() == self.shares.len()), "every key is refreshed");
        cost
    }
}

impl Committee<Secp256k1> {
    /// Makes the pair setups among the first `count` members.
    pub fn pair_setups(&mut self, count: u16) -> Cost {
        let holders: Vec<_> = (1..=count).map(|i| (id(i), self.keys[usize::from(i) - 1].identity())).collect();
        let terms = |me: u16| {
            let terms = CommitteeTerms::new(id(me), holders.iter().copied(), Suite::Blake3, 0);
            (terms.expect("a committee"), (), ())
        };
        let members = (1..=count).map(terms).collect();
        let (ends, cost) = self.run::<CommitteeSetup>(members);
        self.setups = ends.into_iter().map(|end| end.0).collect();
        cost
    }

    /// Key generation, and pair setups among all members in a run of their own.
    pub fn dkg_with_setups(&mut self) -> Cost {
        let (keys, setups) = (self.generate().1, self.pair_setups(self.n()));
        let both = keys.cpu.iter().zip(&setups.cpu).map(|(one, other)| *one + *other).collect();
        let bytes = keys.bytes.iter().zip(&setups.bytes).map(|(one, other)| one + other).collect();
        let flights = [keys.flights, setups.flights].concat();
        let (messages, rounds) = (keys.messages + setups.messages, flights.len());
        Cost { cpu: both, bytes, messages, flights, rounds }
    }

    /// Makes the pair setups of the signers `1..=t`.
    #[must_use]
    pub fn with_setups(mut self) -> Self {
        self.pair_setups(self.threshold.get());
        self
    }

    /// What a signer signs, and its additive share.
    fn request(&self, me: usize) -> (QuorumRequest, SignerShare) {
        let share = &self.shares[0][me];
        let (payload, path) = (Payload::personal_message("pay 1"), DerivationPath::root());
        let request = QuorumRequest::new(share, &self.dealers(), payload, path).expect("these signers");
        let signer = request.signer(share).expect("its share");
        (request, signer)
    }

    /// Pre-processing of `count` items by the signers `1..=t`: one list for each signer.
    ///
    /// # Panics
    /// If the pair setups were not made.
    pub fn preprocess(&mut self, count: u16) -> (Vec<Vec<QuorumItem>>, Cost) {
        let holders: Vec<_> = self.dealers().into_iter().zip(self.keys.iter().map(IdentityKey::identity)).collect();
        let setups = std::mem::take(&mut self.setups);
        let member = |(me, mut setups): (u16, Setups)| {
            let setup = QuorumPreprocessSetup::new(id(me), &holders, &mut setups, count).expect("these signers");
            (setup, (), setups)
        };
        let members = (1..).zip(setups).map(member).collect();
        let (ends, cost) = self.run::<QuorumPreprocess>(members);
        let (items, setups): (Vec<_>, Vec<_>) = ends.into_iter().unzip();
        self.setups = setups.into_iter().map(|setups| setups.expect("they come back")).collect();
        (items, cost)
    }

    /// A signature of the first key from scratch. Two signers take the two-party path, over a channel that authenticates.
    ///
    /// # Panics
    /// If the pair setups or the key were not made.
    pub fn sign_full(&mut self) -> Cost {
        if self.threshold.get() == 2 {
            return self.sign_full_of_two();
        }
        let setups = std::mem::take(&mut self.setups);
        let member = |(me, mut setups): (usize, Setups)| {
            let (request, signer) = self.request(me);
            (QuorumFullSetup::new(request, &mut setups).expect("these signers"), signer, setups)
        };
        let members = setups.into_iter().enumerate().map(member).collect();
        let (ends, cost) = self.run::<QuorumFull>(members);
        self.setups = ends.into_iter().map(|end| end.1.expect("they come back")).collect();
        cost
    }

    fn sign_full_of_two(&mut self) -> Cost {
        let setups = std::mem::take(&mut self.setups);
        let mut members = setups.into_iter().zip(&self.shares[0]);
        let (ends, cost) = measure_all::<SignFull>(2, |_| {
            let (mut setups, share) = members.next().expect("two signers");
            let (_, mut ots) = setups.pop_first().expect("a setup with the other signer");
            let (payload, path) = (Payload::personal_message("pay 1"), DerivationPath::root());
            let setup = FullSetup::new(share, &mut ots, payload, path).expect("these signers");
            Session::start(setup, share, ots, label(), Auth::Channel, &mut self.rng).expect("starts")
        });
        let back = |(ots, peer)| Setups::from([(id(peer), ots)]);
        let ots = ends.into_iter().map(|end| end.1.expect("it comes back"));
        self.setups = ots.zip([2, 1]).map(back).collect();
        cost
    }

    /// A signature of the first key from the bank; an item for each signer.
    ///
    /// # Panics
    /// If the key was not made.
    pub fn sign_online(&mut self, items: Vec<QuorumItem>) -> Cost {
        let member = |(me, item): (usize, QuorumItem)| {
            let (request, signer) = self.request(me);
            (QuorumOnlineSetup::new(request, &item).expect("these signers"), signer, item)
        };
        let members = items.into_iter().enumerate().map(member).collect();
        self.run::<QuorumOnline>(members).1
    }
}
