//! Lies that need all secrets of both sides, which no peer has: what would have to happen for the last checks to be
//! reached. Everything that a peer can do is in `tests/liar`.

pub(crate) mod statistics;

use crate::{
    DerivationPath, Payload, Preprocess, PreprocessSetup, Preprocessed, Request,
    item::{COMMIT, Hidden},
    online::{self, CLIENT_STEP_3_LEN, SERVER_STEP_3_LEN, Target},
};
use alloc::{vec, vec::Vec};
use symbolon_core::{
    Group, KeyId, PartyId, Role, Secp256k1, SecretScalar, SeedRng, SharingId, Sid, Threshold,
    wire::{Reader, Writer},
};
use symbolon_mta::{PairSetup, PairSetupRun, PairSetupTerms, Suite};
use symbolon_proofs::Commitment;
use symbolon_session::{Auth, Fault, Label, Pair, Protocol, Session};
use symbolon_sharing::{KeyShare, Marks, Member, Parts, Scheme};
use symbolon_testkit::{Duo, seeded};

type Scalar = <Secp256k1 as Group>::Scalar;
type Point = <Secp256k1 as Group>::Point;

const SID: Sid = Sid::from_bytes([6; 32]);

fn run<P: Protocol<LongTerm = ()>>(one: impl Fn(Role) -> (P::Setup, P::Input)) -> [P::Output; 2] {
    let start = |role: Role| {
        let (setup, input) = one(role);
        let (label, auth) = (Label::new("all secrets").unwrap(), Auth::Channel);
        Session::<P>::start(setup, &(), input, label, auth, &mut seeded(role.id().get().into())).unwrap()
    };
    Duo::new(start(Role::Server), start(Role::Client)).run().0.map(|end| end.output)
}

/// One item of the server and of the client.
fn items() -> [Preprocessed; 2] {
    let terms = |role| PairSetupTerms { pair: Pair::from(role), suite: Suite::Blake3, serial: 0 };
    let made = core::cell::RefCell::new(run::<PairSetupRun>(|role| (terms(role), ())).map(Some));
    let take = |role| made.borrow_mut()[usize::from(role == Role::Client)].take().unwrap();
    run::<Preprocess>(|role| {
        let mut ots: PairSetup = take(role);
        (PreprocessSetup::new(&mut ots, 1).unwrap(), ots)
    })
    .map(|mut items| items.remove(0))
}

fn target(role: Role) -> Target {
    let x = |role: Role| Scalar::from(77u64) + Scalar::from(1_000_003 * u64::from(role.id().get()));
    let member = |role: Role| Member {
        id: role.id(),
        identity: *Pair::from(role).identity(role),
        public_share: Secp256k1::mul_base(&x(role)),
    };
    let share = KeyShare::new(Parts {
        scheme: Scheme::Ecdsa,
        key_id: KeyId::from_bytes([1; 16]),
        sharing_id: SharingId::from_bytes([2; 16]),
        epoch: 0,
        members: vec![member(Role::Server), member(Role::Client)],
        threshold: Threshold::TWO,
        me: role.id(),
        x: SecretScalar::new(x(role)),
        public_key: Secp256k1::mul_base(&Scalar::from(77u64)),
        chain_code: [4; 32],
        marks: Marks::default(),
    });
    let share = share.unwrap();
    Request::new(&share, &Pair::from(role), Payload::personal_message("m"), DerivationPath::default())
        .unwrap()
        .target(&share)
}

fn encoded(point: &Point) -> [u8; 33] {
    Secp256k1::point_to_bytes(point).as_ref().try_into().unwrap()
}

/// Gives an item another nonce share, with everything that follows from it, commitment included.
fn with_nonce(items: &mut [Preprocessed; 2], role: Role, k: Scalar) {
    let [server, client] = items;
    let own = if role == Role::Server { &mut server.own } else { &mut client.own };
    own.k = SecretScalar::new(k);
    own.big_r = Secp256k1::mul_base(&k).to_affine();
    if role == Role::Server {
        let mut rng = SeedRng::new(&[3; 32]);
        let (com, opening) = Commitment::commit(COMMIT, &own.origin.sid, PartyId::SERVER, &own.encoded_r(), &mut rng);
        own.hidden = Hidden::Own(com, opening);
        client.own.hidden = Hidden::Peer(com);
    }
}

/// The client's step 3, and what the server makes of it.
fn server_meets([server, client]: [Preprocessed; 2]) -> (Result<Vec<u8>, Fault>, Preprocessed) {
    let mut m1 = Writer::with_capacity(CLIENT_STEP_3_LEN);
    online::open(&client.own, &target(Role::Client), &mut m1);
    let (m1, mut m2) = (m1.finish(), Writer::new());
    let mut r = Reader::new(&m1);
    let signed = online::server_signs(&SID, server.own, server.peer, &target(Role::Server), &mut r, &mut m2);
    (signed.map(|_| m2.finish()), client)
}

fn client_meets(client: Preprocessed, body: &[u8]) -> Result<crate::Signature, Fault> {
    online::client_finishes(&SID, client.own, client.peer, &target(Role::Client), &mut Reader::new(body))
}

/// Step 3 of a server that says nothing of use in step 4.
fn opened(server: &Preprocessed) -> Vec<u8> {
    let mut w = Writer::with_capacity(SERVER_STEP_3_LEN);
    online::open(&server.own, &target(Role::Server), &mut w);
    w.bytes(&[0; 96]);
    w.finish()
}

#[test]
fn without_a_lie_the_signature_is_there() {
    let (body, client) = server_meets(items());
    assert!(client_meets(client, &body.unwrap()).is_ok());
    // and with a nonce of our choice
    let mut items = items();
    with_nonce(&mut items, Role::Server, Scalar::from(5u64));
    let (body, client) = server_meets(items);
    assert!(client_meets(client, &body.unwrap()).is_ok());
}

// attacks.md row 53: R_S = -R_C, so that R = O
#[test]
fn row_53_opposite_nonces_give_no_signature() {
    let mut pair = items();
    let negative = -*pair[1].own.k.expose();
    with_nonce(&mut pair, Role::Server, negative);
    let body = opened(&pair[0]);
    let (server, client) = server_meets(pair);
    assert_eq!(server.err(), Some(Fault::DegenerateNonce));
    // and the client, if the server went on
    assert_eq!(client_meets(client, &body).err(), Some(Fault::DegenerateNonce));
}

// attacks.md row 50: a copied R that was even committed to
#[test]
fn row_50_a_copied_and_committed_r_is_forbidden() {
    let mut pair = items();
    let copy = *pair[1].own.k.expose();
    with_nonce(&mut pair, Role::Server, copy);
    let body = opened(&pair[0]);
    let (server, client) = server_meets(pair);
    assert_eq!(server.err(), Some(Fault::Forbidden));
    assert_eq!(client_meets(client, &body).err(), Some(Fault::Forbidden));
}

/// `u_C = k*beta + t_k + r_k + gamma'_k*beta`: docs/spec/ecdsa.md, step 4.
fn u_of_client(client: &Preprocessed, server_step_3: &[u8]) -> Scalar {
    let gamma_k = Secp256k1::scalar_from_bytes(server_step_3[65..97].try_into().unwrap()).unwrap();
    let beta = *client.peer.beta.expose();
    let [t_k, _] = &client.own.t;
    let [r_k, _] = &client.peer.r;
    *client.own.k.expose() * beta + *t_k.expose() + *r_k.expose() + gamma_k * beta
}

// attacks.md row 48: u_S = -u_C
#[test]
fn row_48_a_denominator_of_zero_is_an_error() {
    let (body, client) = server_meets(items());
    let mut body = body.unwrap();
    let u = u_of_client(&client, &body);
    body[195..227].copy_from_slice(&Secp256k1::scalar_to_bytes(&-u));
    assert_eq!(client_meets(client, &body).err(), Some(Fault::ZeroDenominator));
    // the control: the sum is (k_S + k_C)*(beta_S + beta_C)
    let pair = items();
    let k = *pair[0].own.k.expose() + *pair[1].own.k.expose();
    let beta = *pair[0].peer.beta.expose() + *pair[1].peer.beta.expose();
    let (body, client) = server_meets(pair);
    let body = body.unwrap();
    let u_s = Secp256k1::scalar_from_bytes(body[195..227].try_into().unwrap()).unwrap();
    assert_eq!(u_s + u_of_client(&client, &body), k * beta);
    assert!(client_meets(client, &body).is_ok());
}

// attacks.md row 18: a wrong input with a Gamma to match, for a beta that the liar has guessed right. The check in the
// exponent can't see it; the share of the product is wrong all the same, and the signature does not verify
#[test]
fn row_18_a_right_guess_of_beta_gains_no_signature() {
    for (small, big) in [(65, 129), (97, 162)] {
        let (body, client) = server_meets(items());
        let mut body = body.unwrap();
        let beta = *client.peer.beta.expose();
        let gamma: Scalar = Secp256k1::scalar_from_bytes(body[small..small + 32].try_into().unwrap()).unwrap();
        let big_gamma = Secp256k1::point_from_bytes(&body[big..big + 33]).unwrap();
        let more = Secp256k1::scalar_to_bytes(&(gamma + Scalar::from(1u64)));
        body[small..small + 32].copy_from_slice(&more);
        let moved = encoded(&(big_gamma - Secp256k1::mul_base(&beta)));
        body[big..big + 33].copy_from_slice(&moved);
        assert_eq!(client_meets(client, &body).err(), Some(Fault::Signature));
    }
}

// whoever passes parts of unequal length has a bug; it ends in an error, not in a shorter batch
#[test]
fn batches_of_unequal_parts_are_refused() {
    use crate::{Nonces, OwnHalf};
    let rng = || SeedRng::new(&[1; 32]);
    let terms = |role| PairSetupTerms { pair: Pair::from(role), suite: Suite::Blake3, serial: 0 };
    let [setup, _] = run::<PairSetupRun>(|role| (terms(role), ()));
    assert!(OwnHalf::batch(&setup, &SID, Nonces::open(1, &mut rng()), vec![], vec![]).is_err());
    let mut w = Writer::new();
    let nonces = Nonces::committed(&Pair::from(Role::Server), &SID, 1, &mut w, &mut rng());
    assert!(OwnHalf::batch(&setup, &SID, nonces, vec![], vec![]).is_err());
    let [server, _] = items();
    assert_eq!(Preprocessed::batch(vec![(server.own, [0; 32])], vec![]).err(), Some(Fault::Multiplication));
}
