//! Threshold Ed25519 by a committee.

use crate::{Committee, Cost, End, id, label, measure_all};
use symbolon::{Auth, KeyId, Marks, Member, PartyId, Protocol, Scheme, SecretScalar, Session, SharingId};
use symbolon_core::{Ed25519, Group};
use symbolon_eddsa::{
    FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest, FrostSign,
};
use symbolon_sharing::{KeyShare, Parts, split};

pub(crate) const MESSAGE: &[u8] = b"a message to sign, of 32 bytes..";

impl Committee<Ed25519> {
    /// With a key from a dealer, for committees whose key generation takes long. Only the signers `1..=t` get their shares.
    ///
    /// # Panics
    /// If the dealt shares are refused.
    #[must_use]
    pub fn with_dealt_key(mut self) -> Self {
        let secret = SecretScalar::<Ed25519>::random(&mut self.rng);
        let indices: Vec<_> = (1..=self.n()).map(|i| <Ed25519 as Group>::Scalar::from(u64::from(i))).collect();
        let (shares, _) = split(&secret, self.threshold, &indices, &mut self.rng).expect("distinct indices");
        let member = |i: u16| {
            let at = usize::from(i) - 1;
            Member { id: id(i), identity: self.keys[at].identity(), public_share: shares[at].value.public() }
        };
        let members: Vec<_> = (1..=self.n()).map(member).collect();
        let parts = |me: PartyId, x: &SecretScalar<Ed25519>| Parts {
            scheme: Scheme::Frost,
            key_id: KeyId::from_bytes([1; 16]),
            sharing_id: SharingId::from_bytes([2; 16]),
            epoch: 0,
            members: members.clone(),
            threshold: self.threshold,
            me,
            x: SecretScalar::new(*x.expose()),
            public_key: secret.public(),
            chain_code: [3; 32],
            marks: Marks::default(),
        };
        // each checks all public shares, which takes long too
        let signers = self.dealers().into_iter().zip(&shares);
        let shares = signers.map(|(me, share)| KeyShare::new(parts(me, &share.value)).expect("a share"));
        self.shares.push(shares.collect());
        self
    }

    /// A run of the signers `1..=t` with the first key. Two of them may leave authentication to their channel, as the
    /// two-party operations do; frames of more are signed. `setup` is part of the cost.
    fn quorum<P: Protocol<LongTerm = KeyShare<Ed25519>>>(
        &mut self,
        mut setup: impl FnMut(usize, &KeyShare<Ed25519>, &[PartyId]) -> (P::Setup, P::Input),
    ) -> (Vec<End<P>>, Cost) {
        let signers = self.dealers();
        let (rng, keys, shares) = (&mut self.rng, &self.keys, &self.shares[0]);
        let threshold = self.threshold.get();
        measure_all(threshold, |me| {
            let me = usize::from(me.get()) - 1;
            let (setup, input) = setup(me, &shares[me], &signers);
            let auth = if threshold == 2 { Auth::Channel } else { Auth::Signed(keys[me].handle()) };
            Session::<P>::start(setup, &shares[me], input, label(), auth, rng).expect("starts")
        })
    }

    /// Both rounds of a signature; every signer aggregates and verifies.
    ///
    /// # Panics
    /// If there is no key.
    pub fn frost_sign(&mut self) -> Cost {
        let request = |_, share: &_, signers: &_| (FrostRequest::new(share, signers, MESSAGE).expect("signers"), ());
        self.quorum::<FrostSign<Ed25519>>(request).1
    }

    /// Pre-processing of `count` items: one list for each signer.
    ///
    /// # Panics
    /// If there is no key.
    pub fn frost_preprocess(&mut self, count: u16) -> (Vec<Vec<FrostItem<Ed25519>>>, Cost) {
        let setup =
            |_, share: &_, signers: &_| (FrostPreprocessSetup::new(share, signers, count).expect("signers"), ());
        let (ends, cost) = self.quorum::<FrostPreprocess<Ed25519>>(setup);
        (ends.into_iter().map(|end| end.0).collect(), cost)
    }

    /// A signature from the bank; an item for each signer.
    ///
    /// # Panics
    /// If there is no key.
    pub fn frost_sign_online(&mut self, items: Vec<FrostItem<Ed25519>>) -> Cost {
        let mut items = items.into_iter();
        let setup = |_, share: &_, _: &_| {
            let item = items.next().expect("one for each signer");
            (FrostOnlineSetup::new(share, &item, MESSAGE).expect("its item"), item)
        };
        self.quorum::<FrostOnline<Ed25519>>(setup).1
    }
}
