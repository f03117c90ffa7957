//! What two honest callers must have fixed alike: any difference ends as mismatch, before a partial exists; nothing is
//! burned, nobody named.

use crate::*;
use symbolon_ecdsa::{SignError, hazmat, pair_of, pair_with};
use symbolon_session::{Agreed, Response, Storable};
use symbolon_testkit::duel;

const MISMATCH: Fault = Fault::Mismatch(Agreed::Sid);

/// A request of one side.
struct Wish {
    key: u64,
    payload: Payload,
    path: &'static str,
}

impl Wish {
    fn usual() -> Self {
        Self { key: KEY, payload: payload(), path: "m/0/5" }
    }

    fn online(&self, role: Role) -> Started<SignOnline> {
        let (share, item) = (share(role, self.key), item(role, 100));
        let setup = OnlineSetup::new(&share, &item, self.payload, self.path.parse().unwrap()).unwrap();
        start(role, setup, &share, item, 1)
    }

    fn full(&self, role: Role) -> Started<SignFull> {
        let (share, mut ots) = (share(role, self.key), setup(role));
        let setup = FullSetup::new(&share, &mut ots, self.payload, self.path.parse().unwrap()).unwrap();
        start(role, setup, &share, ots, 1)
    }
}

/// The server meets a client that wants something else, in both ways of signing, and the other way round.
fn never_meet(server: &Wish, client: &Wish) {
    for (server, client) in [(server, client), (client, server)] {
        // a bank item is claimed by a server that has seen nothing but its name
        let fate = duel(server.online(Role::Server), client.online(Role::Client), PartyId::SERVER, PartyId::CLIENT);
        assert_eq!(failure(&fate), (MISMATCH, None, vec![]));
        assert_eq!(MISMATCH.response(), Response::Retry);
        let fate = duel(server.full(Role::Server), client.full(Role::Client), PartyId::SERVER, PartyId::CLIENT);
        assert_eq!(failure(&fate), (MISMATCH, None, vec![]));
        assert_eq!(fate.held().map(|ots| ots.id()), Some(setup_id()), "the setup comes back");
    }
}

#[test]
fn equal_wishes_meet() {
    let wish = Wish::usual();
    let ends = Duo::new(wish.online(Role::Server), wish.online(Role::Client)).run().1;
    assert_eq!(ends.messages, 2);
    let ends = Duo::new(wish.full(Role::Server), wish.full(Role::Client)).run().1;
    assert_eq!(ends.messages, 4);
}

// attacks.md rows 47, 106: another message or preimage; there is no API to take one from the peer
#[test]
fn row_47_different_messages_end_before_any_partial() {
    let texts = ["pay 2", "pay 1 ", ""];
    for text in texts {
        never_meet(&Wish::usual(), &Wish { payload: Payload::personal_message(text), ..Wish::usual() });
    }
    // no byte leaves a server that disagrees: it has not even a frame to repeat
    let other = Wish { payload: Payload::personal_message("pay 2"), ..Wish::usual() };
    let (_, frames) = other.online(Role::Client);
    let (mut server, sent) = Wish::usual().online(Role::Server);
    assert!(sent.is_empty());
    assert!(server.handle(PartyId::CLIENT, &frames[0].bytes).is_err());
    assert!(server.resend().is_empty());
}

// attacks.md row 106: the same digest under another kind of preimage is another message
#[test]
fn row_106_another_preimage_with_an_equal_digest() {
    let text = "pay 1";
    let eip_191 = format!("\x19Ethereum Signed Message:\n{}{text}", text.len());
    let as_bytes = Payload::keccak256(eip_191.as_bytes());
    let usual = Payload::personal_message(text);
    assert_eq!(as_bytes.digest(), usual.digest());
    never_meet(&Wish { payload: usual, ..Wish::usual() }, &Wish { payload: as_bytes, ..Wish::usual() });
}

// attacks.md row 44: a raw digest exists in `hazmat` only, and never meets a party that has the preimage
#[test]
fn row_44_a_raw_digest_meets_no_preimage() {
    let raw = hazmat::prehash(payload().digest().as_bytes()).unwrap();
    assert_eq!(raw.digest(), payload().digest());
    never_meet(&Wish::usual(), &Wish { payload: raw, ..Wish::usual() });
    assert!(hazmat::prehash(&[0; 31]).is_err());
}

// attacks.md row 45: the same item under another path or key
#[test]
fn row_45_another_path_or_key() {
    for path in ["m", "m/0/6", "m/5/0", "m/0/5/0"] {
        never_meet(&Wish::usual(), &Wish { path, ..Wish::usual() });
    }
    never_meet(&Wish::usual(), &Wish { key: KEY + 1, ..Wish::usual() });
}

// an item or a setup of another pair is refused before any message
#[test]
fn row_45_items_of_another_pair_are_refused() {
    let share = share(Role::Client, KEY);
    let mine = item(Role::Server, 100);
    let refused = OnlineSetup::new(&share, &mine, payload(), path());
    assert_eq!(refused.err(), Some(SignError::Pair));
    let refused = FullSetup::new(&share, &mut setup(Role::Server), payload(), path());
    assert_eq!(refused.err(), Some(SignError::Pair));
}

// attacks.md row 90: two sharings of one key do not meet
#[test]
fn row_90_two_sharings_of_one_key() {
    let other = |role: Role| {
        let bytes = share(role, KEY).to_secret_bytes();
        // magic, curve, scheme, key id; then the sharing id
        let mut bytes = bytes.to_vec();
        bytes[12 + 16] ^= 1;
        Share::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap()
    };
    let (share, item) = (other(Role::Client), item(Role::Client, 100));
    assert_ne!(share.sharing_id(), self::share(Role::Client, KEY).sharing_id());
    let setup = OnlineSetup::new(&share, &item, payload(), path()).unwrap();
    let client = start::<SignOnline>(Role::Client, setup, &share, item, 1);
    let fate = duel(online(Role::Server, 100), client, PartyId::SERVER, PartyId::CLIENT);
    assert_eq!(failure(&fate), (MISMATCH, None, vec![]));
}

// attacks.md row 110: a share that claims the highest epoch: this run ends, the next works
#[test]
fn row_110_a_claimed_epoch_ends_one_run_only() {
    let mut bytes = share(Role::Client, KEY).to_secret_bytes().to_vec();
    // magic, curve, scheme, key id, sharing id; then the epoch
    bytes[12 + 32..12 + 36].fill(0xff);
    let claimed = Share::decode(&mut symbolon_core::wire::Reader::new(&bytes)).unwrap();
    assert_eq!(claimed.epoch(), u32::MAX);
    let mut ots = setup(Role::Client);
    let setup = FullSetup::new(&claimed, &mut ots, payload(), path()).unwrap();
    let client = start::<SignFull>(Role::Client, setup, &claimed, ots, 1);
    let fate = duel(full(Role::Server, 2), client, PartyId::SERVER, PartyId::CLIENT);
    assert_eq!(failure(&fate), (MISMATCH, None, vec![]));
    let ots = fate.held().unwrap();
    let share = share(Role::Server, KEY);
    let mut ots = ots;
    let setup = FullSetup::new(&share, &mut ots, payload(), path()).unwrap();
    let server = start::<SignFull>(Role::Server, setup, &share, ots, 3);
    assert!(matches!(duel(server, full(Role::Client, 4), PartyId::SERVER, PartyId::CLIENT), Fate::Done(..)));
}

// attacks.md row 94: a session that is given another share, item or setup than its setup value was made for would look
// like a liar to the peer; it does not start
#[test]
fn row_94_secrets_and_resources_must_be_those_of_the_setup_value() {
    use symbolon_session::StartError;
    let refused = |result: Result<(), StartError>, what| assert_eq!(result, Err(StartError::Mismatch(what)));
    fn begin<P: Protocol>(setup: P::Setup, secrets: &P::LongTerm, input: P::Input) -> Result<(), StartError> {
        let (label, auth) = (Label::new("unfit").unwrap(), Auth::Signed(identity(Role::Client)));
        Session::<P>::start(setup, secrets, input, label, auth, &mut seeded(1)).map(|_| ())
    }
    let (own, other) = (share(Role::Client, KEY), share(Role::Client, KEY + 1));
    let two = || items(100)[1].drain(..).collect::<Vec<_>>();
    let setup = |item: &Preprocessed| OnlineSetup::new(&own, item, payload(), path()).unwrap();
    let [first, second] = two().try_into().ok().unwrap();
    refused(begin::<SignOnline>(setup(&first), &own, second), Agreed::Item);
    refused(begin::<SignOnline>(setup(&first), &other, first), Agreed::Sharing);
    let mut ots = self::setup(Role::Client);
    let full = || FullSetup::new(&own, &mut self::setup(Role::Client), payload(), path()).unwrap();
    refused(begin::<SignFull>(full(), &other, self::setup(Role::Client)), Agreed::Sharing);
    refused(begin::<SignFull>(full(), &own, self::setup(Role::Server)), Agreed::Setup);
    let batch = PreprocessSetup::new(&mut ots, 1).unwrap();
    refused(begin::<Preprocess>(batch, &(), self::setup(Role::Server)), Agreed::Setup);
    assert_eq!(begin::<SignFull>(full(), &own, ots), Ok(()));
}

/// A share of party 1 of this many members.
fn share_of(members: u16, threshold: u16, scheme: Scheme) -> Share {
    let identity = |id: u16| IdentityKey::from_seed(SecretBytes::new([u8::try_from(id).unwrap(); 32])).identity();
    let (secret, slope) = (Scalar::from(77u64), Scalar::from(5u64));
    let x = |id: u16| (1..threshold).fold(secret, |x, power| x + slope * Scalar::from(u64::from(id).pow(power.into())));
    let party = |id: u16| PartyId::new(id).unwrap();
    KeyShare::new(Parts {
        scheme,
        key_id: KeyId::from_bytes([1; 16]),
        sharing_id: SharingId::from_bytes([2; 16]),
        epoch: 0,
        members: (1..=members)
            .map(|id| Member { id: party(id), identity: identity(id), public_share: Secp256k1::mul_base(&x(id)) })
            .collect(),
        threshold: Threshold::new(threshold, members.into()).unwrap(),
        me: party(1),
        x: SecretScalar::new(x(1)),
        public_key: Secp256k1::mul_base(&secret),
        chain_code: [4; 32],
        marks: Marks::default(),
    })
    .unwrap()
}

#[test]
fn any_two_of_a_2_of_n_key_are_a_pair_and_no_others() {
    let party = |id: u16| PartyId::new(id).unwrap();
    let share = share_of(4, 2, Scheme::Ecdsa);
    for peer in 2..=4 {
        let pair = pair_with(&share, party(peer)).unwrap();
        assert_eq!((pair.me(), pair.peer()), (party(1), party(peer)));
        for member in share.members().iter().filter(|m| [party(1), party(peer)].contains(&m.id)) {
            let role = if member.id == party(1) { Role::Server } else { Role::Client };
            assert_eq!(*pair.identity(role), member.identity);
        }
    }
    assert_eq!(pair_with(&share, party(1)), Err(SignError::Signers), "with itself");
    assert_eq!(pair_with(&share, party(5)), Err(SignError::Signers), "no member");
    assert_eq!(pair_of(&share), Err(SignError::Signers), "which of them");
    assert_eq!(pair_of(&share_of(2, 2, Scheme::Ecdsa)), pair_with(&share, party(2)));
    assert_eq!(pair_with(&share_of(3, 3, Scheme::Ecdsa), party(2)), Err(SignError::Signers), "two are not enough");
    assert_eq!(pair_of(&share_of(2, 2, Scheme::Frost)), Err(SignError::Signers));
    assert_eq!(pair_with(&share_of(3, 2, Scheme::Frost), party(2)), Err(SignError::Signers));
}
