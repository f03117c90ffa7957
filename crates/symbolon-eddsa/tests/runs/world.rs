//! A committee with a key, on both curves.

use std::collections::BTreeMap;
use symbolon_core::{Ed25519, Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold};
use symbolon_eddsa::{
    Ciphersuite, FrostItem, FrostOnline, FrostOnlineSetup, FrostPreprocess, FrostPreprocessSetup, FrostRequest,
    FrostSign, PublicKey, Signature,
};
use symbolon_session::{Auth, IdentityKey, Label, Protocol, Session};
use symbolon_sharing::{KeyShare, Marks, Member, Parts, Scheme, split};
use symbolon_testkit::{Crowd, Lie, Lying, crowd::Started, seeded};

/// The holders of a key in these tests, but for those that a real key generation makes.
pub(crate) const N: u16 = 5;
/// What is signed.
pub(crate) const MESSAGE: &[u8] = b"pay 1";
/// The seed of every run: the honest signers say the same in each.
pub(crate) const SEED: u64 = 20;
/// The seed of the items.
pub(crate) const ITEMS: u64 = 21;
/// Items of a batch.
pub(crate) const COUNT: u16 = 2;

pub(crate) type Shares<C> = BTreeMap<PartyId, KeyShare<C>>;
pub(crate) type Items<C> = BTreeMap<PartyId, Vec<FrostItem<C>>>;

/// A curve with another verifier of its signatures.
pub(crate) trait Curve: Ciphersuite {
    /// Whether somebody else's code takes the signature.
    fn strict(public_key: &PublicKey<Self>, message: &[u8], signature: &Signature<Self>) -> bool;
}

impl Curve for Ed25519 {
    fn strict(public_key: &PublicKey<Self>, message: &[u8], signature: &Signature<Self>) -> bool {
        let key = ed25519_dalek::VerifyingKey::from_bytes(&public_key.to_bytes()).unwrap();
        let signature = <[u8; 64]>::try_from(signature.to_bytes()).unwrap();
        key.verify_strict(message, &ed25519_dalek::Signature::from_bytes(&signature)).is_ok()
    }
}

impl Curve for Secp256k1 {
    /// Nobody else has this signature: `z*G = R + c*P`, term by term.
    fn strict(public_key: &PublicKey<Self>, message: &[u8], signature: &Signature<Self>) -> bool {
        let bytes = signature.to_bytes();
        let (big_r, z) = bytes.split_at(33);
        let c = Self::h2(&[big_r, &public_key.to_bytes(), message]);
        let (big_r, z) = (Self::point_from_bytes(big_r), Self::scalar_from_bytes(z.try_into().unwrap()));
        Self::mul_base(&z.unwrap()) == big_r.unwrap() + Self::mul(public_key.point(), &c)
    }
}

pub(crate) fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

pub(crate) fn ids(all: &[u16]) -> Vec<PartyId> {
    all.iter().copied().map(id).collect()
}

pub(crate) fn identity(id: PartyId) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(id.get()).unwrap(); 32]))
}

pub(crate) fn label() -> Label {
    Label::new("frost").unwrap()
}

pub(crate) fn start<P: Protocol>(
    me: PartyId,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    seed: u64,
) -> Started<P> {
    let auth = Auth::Signed(identity(me));
    Session::start(setup, secrets, input, label(), auth, &mut seeded(seed * 1000 + u64::from(me.get()))).unwrap()
}

pub(crate) fn scalar<C: Group>(k: u64) -> C::Scalar {
    C::Scalar::from(k)
}

fn secret<C: Ciphersuite>(key_id: u8) -> SecretScalar<C> {
    SecretScalar::new(scalar::<C>(0x5eed_5eed) * scalar::<C>(key_id.into()))
}

/// The public key of [`shares`].
pub(crate) fn public_key<C: Ciphersuite>() -> PublicKey<C> {
    PublicKey::new(&secret::<C>(1).public()).unwrap()
}

/// `t`-of-`N` shares of one key.
pub(crate) fn shares<C: Ciphersuite>(t: u16) -> Shares<C> {
    shares_of(t, (1, 0, 0))
}

/// The same by key id, sharing id and epoch. Another key id is another key.
pub(crate) fn shares_of<C: Ciphersuite>(t: u16, (key_id, sharing_id, epoch): (u8, u8, u32)) -> Shares<C> {
    let secret = secret::<C>(key_id);
    let indices: Vec<_> = (1..=u64::from(N)).map(C::Scalar::from).collect();
    let seed = u64::from(t) + 10 * u64::from(sharing_id) + 100 * u64::from(epoch);
    let threshold = Threshold::new(t, N.into()).unwrap();
    let (dealt, _) = split(&secret, threshold, &indices, &mut seeded(seed)).unwrap();
    let all: Vec<_> = (1..=N).map(id).collect();
    let member = |(id, share): (&PartyId, &symbolon_sharing::Share<C>)| Member {
        id: *id,
        identity: identity(*id).identity(),
        public_share: share.value.public(),
    };
    let members: Vec<_> = all.iter().zip(&dealt).map(member).collect();
    let one = |(me, share): (&PartyId, &symbolon_sharing::Share<C>)| {
        let share = KeyShare::new(Parts {
            scheme: Scheme::Frost,
            key_id: KeyId::from_bytes([key_id; 16]),
            sharing_id: SharingId::from_bytes([sharing_id; 16]),
            epoch,
            members: members.clone(),
            threshold,
            me: *me,
            x: SecretScalar::new(*share.value.expose()),
            public_key: secret.public(),
            chain_code: [4; 32],
            marks: Marks::default(),
        });
        (*me, share.unwrap())
    };
    all.iter().zip(&dealt).map(one).collect()
}

/// The same share, of a key for ECDSA.
pub(crate) fn as_ecdsa(share: &KeyShare<Secp256k1>) -> KeyShare<Secp256k1> {
    let parts = Parts {
        scheme: Scheme::Ecdsa,
        key_id: share.key_id(),
        sharing_id: share.sharing_id(),
        epoch: share.epoch(),
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code: [4; 32],
        marks: Marks::default(),
    };
    KeyShare::new(parts).unwrap()
}

/// One signer's run of both rounds.
pub(crate) fn sign<C: Curve>(
    share: &KeyShare<C>,
    signers: &[PartyId],
    message: &[u8],
    seed: u64,
) -> Started<FrostSign<C>> {
    start(share.me(), FrostRequest::new(share, signers, message).unwrap(), share, (), seed)
}

pub(crate) fn sign_liar<C: Curve>(share: &KeyShare<C>, signers: &[PartyId], lie: Lie) -> Started<Lying<FrostSign<C>>> {
    start(share.me(), FrostRequest::new(share, signers, MESSAGE).unwrap(), share, ((), lie), SEED)
}

/// One signer's pre-processing.
pub(crate) fn preprocess<C: Curve>(
    share: &KeyShare<C>,
    signers: &[PartyId],
    count: u16,
    seed: u64,
) -> Started<FrostPreprocess<C>> {
    start(share.me(), FrostPreprocessSetup::new(share, signers, count).unwrap(), share, (), seed)
}

pub(crate) fn preprocess_liar<C: Curve>(
    share: &KeyShare<C>,
    signers: &[PartyId],
    lie: Lie,
) -> Started<Lying<FrostPreprocess<C>>> {
    start(share.me(), FrostPreprocessSetup::new(share, signers, COUNT).unwrap(), share, ((), lie), SEED)
}

/// Two items of every signer; the same at every call, as no caller of the library can have them.
pub(crate) fn items<C: Curve>(shares: &Shares<C>, signers: &[PartyId]) -> Items<C> {
    let made = Crowd::new(signers.iter().map(|me| (*me, preprocess(&shares[me], signers, COUNT, ITEMS)))).outputs();
    made.into_iter().map(|(id, (items, _))| (id, items)).collect()
}

/// The first item of one signer.
pub(crate) fn item<C: Curve>(items: &mut Items<C>, me: PartyId) -> FrostItem<C> {
    items.get_mut(&me).unwrap().remove(0)
}

/// One signer's run from the bank.
pub(crate) fn online<C: Curve>(share: &KeyShare<C>, item: FrostItem<C>, message: &[u8]) -> Started<FrostOnline<C>> {
    start(share.me(), FrostOnlineSetup::new(share, &item, message).unwrap(), share, item, SEED)
}

pub(crate) fn online_liar<C: Curve>(
    share: &KeyShare<C>,
    item: FrostItem<C>,
    lie: Lie,
) -> Started<Lying<FrostOnline<C>>> {
    start(share.me(), FrostOnlineSetup::new(share, &item, MESSAGE).unwrap(), share, (item, lie), SEED)
}
