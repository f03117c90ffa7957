//! A committee of n members with signed frames.

use crate::{Cost, id, label, measure_all};
use rand_chacha::ChaCha12Rng;
use symbolon::{
    Auth, Identity, IdentityKey, PartyId, Protocol, Roster, Scheme, Secp256k1, SecretBytes, Session, Threshold,
};
use symbolon_sharing::{Batch, Dkg, DkgSetup, Factors, KeyShare, Ready, Refreshes, Reshare, refresh, refresh_batch};
use symbolon_testkit::seeded;

type Curve = Secp256k1;

/// `t` of `n`, parties `1..=n`, with the identity key of each.
pub struct Committee {
    rng: ChaCha12Rng,
    keys: Vec<IdentityKey>,
    threshold: Threshold,
    /// The shares of each key that was made for refreshes.
    shares: Vec<Vec<KeyShare<Curve>>>,
}

impl Committee {
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
        Self { rng, keys, threshold, shares: Vec::new() }
    }

    /// Makes `count` keys, which the refreshes below begin from.
    #[must_use]
    pub fn with_keys(mut self, count: usize) -> Self {
        for _ in 0..count {
            let shares = self.generate().0;
            self.shares.push(shares);
        }
        self
    }

    fn n(&self) -> u16 {
        u16::try_from(self.keys.len()).expect("made from a u16")
    }

    fn roster(&self, me: PartyId) -> Roster {
        let identity = |i: u16| -> (PartyId, Identity) { (id(i), self.keys[usize::from(i) - 1].identity()) };
        Roster::new(me, (1..=self.n()).map(identity)).expect("distinct keys")
    }

    fn run<P: Protocol<Input = ()>>(&mut self, members: Vec<(P::Setup, P::LongTerm)>) -> (Vec<P::Output>, Cost) {
        let n = self.n();
        let mut members = members.into_iter().zip(&self.keys);
        let start = |_| {
            let ((setup, secrets), key) = members.next().expect("one for each party");
            Session::<P>::start(setup, &secrets, (), label(), Auth::Signed(key.handle()), &mut self.rng)
                .expect("starts")
        };
        let (ends, cost) = measure_all(n, start);
        (ends.into_iter().map(|end| end.0).collect(), cost)
    }

    fn generate(&mut self) -> (Vec<KeyShare<Curve>>, Cost) {
        let setup = |me| DkgSetup::new(self.roster(id(me)), self.threshold, Scheme::Ecdsa).expect("fits");
        let members = (1..=self.n()).map(|me| (setup(me), ())).collect();
        self.run::<Dkg<Curve>>(members)
    }

    /// Key generation.
    pub fn dkg(&mut self) -> Cost {
        self.generate().1
    }

    fn dealers(&self) -> Vec<PartyId> {
        (1..=self.threshold.get()).map(id).collect()
    }

    /// The refresh of the first key.
    ///
    /// # Panics
    /// If no key was made.
    pub fn refresh(&mut self) -> Cost {
        let ready = |share: &KeyShare<Curve>| refresh(share, &self.dealers(), share.epoch() + 1, Factors::Gone);
        let members: Vec<Ready<Curve, Refreshes>> =
            self.shares[0].iter().map(|share| ready(share).expect("a plan")).collect();
        self.run::<Reshare<Curve, Refreshes>>(members).1
    }

    /// The refresh of all keys in one run.
    ///
    /// # Panics
    /// If no key was made, or a key stays behind.
    pub fn refresh_batch(&mut self) -> Cost {
        let ready = |me: usize| -> Ready<Curve, Batch<Refreshes>> {
            let shares: Vec<_> = self.shares.iter().map(|of| (&of[me], of[me].epoch() + 1, Factors::Gone)).collect();
            refresh_batch(&shares, &self.dealers()).expect("a plan")
        };
        let members = (0..self.keys.len()).map(ready).collect();
        let (outputs, cost) = self.run::<Reshare<Curve, Batch<Refreshes>>>(members);
        assert!(outputs.iter().all(|output| output.done.len() == self.shares.len()), "every key is refreshed");
        cost
    }
}
