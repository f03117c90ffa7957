//! A committee with a key and pair setups, made once.

use std::collections::BTreeMap;
use std::sync::OnceLock;
use symbolon_core::{Group, KeyId, PartyId, Secp256k1, SecretBytes, SecretScalar, SharingId, Threshold};
use symbolon_ecdsa::{
    DerivationPath, Payload, QuorumFull, QuorumItem, QuorumOnline, QuorumPreprocess, QuorumPreprocessSetup,
    QuorumRequest, Setups,
};
use symbolon_mta::{CommitteeSetup, CommitteeTerms, PairSetup, Suite};
use symbolon_session::{Auth, Identity, IdentityKey, Label, Outgoing, Protocol, Session, StorageKey};
use symbolon_sharing::{KeyShare, Marks, Member, Parts, Scheme, split};
use symbolon_testkit::{Crowd, seeded};

pub(crate) type Share = KeyShare<Secp256k1>;
pub(crate) type Scalar = <Secp256k1 as Group>::Scalar;

/// The largest committee of these tests.
pub(crate) const N: u16 = 5;

pub(crate) fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

pub(crate) fn ids(all: &[u16]) -> Vec<PartyId> {
    all.iter().copied().map(id).collect()
}

pub(crate) fn identity(id: PartyId) -> IdentityKey {
    IdentityKey::from_seed(SecretBytes::new([u8::try_from(id.get()).unwrap(); 32]))
}

pub(crate) fn holders(all: &[PartyId]) -> Vec<(PartyId, Identity)> {
    all.iter().map(|id| (*id, identity(*id).identity())).collect()
}

pub(crate) fn start<P: Protocol>(
    me: PartyId,
    setup: P::Setup,
    secrets: &P::LongTerm,
    input: P::Input,
    seed: u64,
) -> (Session<P>, Vec<Outgoing>) {
    let (label, auth) = (Label::new("quorum").unwrap(), Auth::Signed(identity(me)));
    Session::start(setup, secrets, input, label, auth, &mut seeded(seed * 1000 + u64::from(me.get()))).unwrap()
}

/// `t`-of-`N` shares of one key. Another epoch is another sharing of it.
pub(crate) fn shares(t: u16, epoch: u32) -> BTreeMap<PartyId, Share> {
    shares_of(t, 1, u8::try_from(epoch).unwrap(), epoch)
}

/// The same by key id, sharing id and epoch.
pub(crate) fn shares_of(t: u16, key_id: u8, sharing_id: u8, epoch: u32) -> BTreeMap<PartyId, Share> {
    let secret = SecretScalar::<Secp256k1>::new(Scalar::from(0x5eed_5eedu64));
    let threshold = Threshold::new(t, N.into()).unwrap();
    let indices: Vec<_> = (1..=u64::from(N)).map(Scalar::from).collect();
    let (dealt, _) =
        split(&secret, threshold, &indices, &mut seeded(u64::from(t) + 10 * u64::from(sharing_id))).unwrap();
    let all: Vec<_> = (1..=N).map(id).collect();
    let member = |(id, share): (&PartyId, &symbolon_sharing::Share<Secp256k1>)| Member {
        id: *id,
        identity: identity(*id).identity(),
        public_share: share.value.public(),
    };
    let members: Vec<_> = all.iter().zip(&dealt).map(member).collect();
    let one = |(me, share): (&PartyId, &symbolon_sharing::Share<Secp256k1>)| {
        let share = KeyShare::new(Parts {
            scheme: Scheme::Ecdsa,
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

fn key() -> StorageKey {
    StorageKey::new(SecretBytes::new([5; 32]))
}

type Sealed = BTreeMap<(PartyId, PartyId), Vec<u8>>;

/// The batches of pair setups that these tests have.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Batch {
    Usual,
    /// Of the same pairs, suite and serial.
    Other,
    Aes,
}

/// The pair setups of all `N`, made in one run; sealed, so that every test has its own, as no caller of the library can.
fn sealed(batch: Batch) -> &'static Sealed {
    static MADE: [OnceLock<Sealed>; 3] = [const { OnceLock::new() }; 3];
    let (slot, suite) = match batch {
        Batch::Usual => (0, Suite::Blake3),
        Batch::Other => (1, Suite::Blake3),
        Batch::Aes => (2, Suite::Aes),
    };
    MADE[slot].get_or_init(|| {
        let all: Vec<_> = (1..=N).map(id).collect();
        let one = |me: &PartyId| {
            let terms = CommitteeTerms::new(*me, holders(&all), suite, 0).unwrap();
            (*me, start::<CommitteeSetup>(*me, terms, &(), (), 1 + u64::try_from(slot).unwrap()))
        };
        let made = Crowd::new(all.iter().map(one)).outputs();
        let mut sealed = BTreeMap::new();
        for (me, (setups, _)) in made {
            for (peer, setup) in setups {
                sealed.insert((me, peer), setup.seal(&key(), &mut seeded(3)).unwrap());
            }
        }
        sealed
    })
}

/// One setup of `me`.
pub(crate) fn pair_setup(batch: Batch, me: PartyId, peer: PartyId) -> PairSetup {
    PairSetup::open(&sealed(batch)[&(me, peer)], &key()).unwrap()
}

/// The setups of `me` with the other signers.
pub(crate) fn setups(me: PartyId, signers: &[PartyId]) -> Setups {
    let peers = signers.iter().filter(|peer| **peer != me);
    peers.map(|peer| (*peer, pair_setup(Batch::Usual, me, *peer))).collect()
}

pub(crate) fn payload() -> Payload {
    Payload::personal_message("pay 1")
}

pub(crate) fn path() -> DerivationPath {
    "m/0/5".parse().unwrap()
}

/// One signer's run from scratch.
pub(crate) fn full(share: &Share, signers: &[PartyId], seed: u64) -> (Session<QuorumFull>, Vec<Outgoing>) {
    let mut setups = setups(share.me(), signers);
    let (setup, secret) = QuorumRequest::from_scratch(share, signers, &mut setups, payload(), path()).unwrap();
    start(share.me(), setup, &secret, setups, seed)
}

/// One signer's pre-processing of two items.
pub(crate) fn preprocess(me: PartyId, signers: &[PartyId], seed: u64) -> (Session<QuorumPreprocess>, Vec<Outgoing>) {
    let mut setups = setups(me, signers);
    let setup = QuorumPreprocessSetup::new(me, &holders(signers), &mut setups, 2).unwrap();
    start(me, setup, &(), setups, seed)
}

/// Two items of every signer.
pub(crate) fn items(signers: &[PartyId], seed: u64) -> BTreeMap<PartyId, Vec<QuorumItem>> {
    let made = Crowd::new(signers.iter().map(|me| (*me, preprocess(*me, signers, seed)))).outputs();
    made.into_iter().map(|(id, (items, _))| (id, items)).collect()
}

/// One signer's run from the bank.
pub(crate) fn online(share: &Share, item: QuorumItem, seed: u64) -> (Session<QuorumOnline>, Vec<Outgoing>) {
    let (setup, secret) = QuorumRequest::from_bank(share, &item, payload(), path()).unwrap();
    start(share.me(), setup, &secret, item, seed)
}
