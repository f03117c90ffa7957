//! What must not compile. Moves are compile-fail doc-tests in the crates; here stands what no secret type implements.

use core::fmt::{Debug, Display};
use serde::{Serialize, de::DeserializeOwned};
use static_assertions::{assert_impl_all, assert_not_impl_any};
use symbolon::{
    Auth, IdentityKey, KeyShare, MtaFactors, PairFactor, PairSetup, Preprocessed, Secp256k1, SecretBytes, SecretScalar,
    StorageKey,
    wallet::{Create, Made, SignStateless, Wallet},
};
use symbolon_ecdsa::{ClientHalf, Nonces, OwnHalf, SignFull, SignOnline, online::Target};
use symbolon_keygen::{Convert, Keygen, PairRefresh, convert, keygen};
use symbolon_mta::{ExtReceiver, ExtSender, MulReceiver, MulSender, ReceiverShare, SenderShare};
use zeroize::Zeroize;

/// Neither printed, nor copied, nor compared in variable time, nor serialised field by field.
macro_rules! secret {
    ($($type:ty),* $(,)?) => {
        $(assert_not_impl_any!($type: Debug, Display, Clone, Copy, PartialEq, Serialize, DeserializeOwned);)*
    };
}

// values of years
secret!(Wallet, KeyShare<Secp256k1>, PairFactor, PairSetup, ExtSender, ExtReceiver, StorageKey, IdentityKey, Auth);
// nonces and correlations: used once
secret!(Preprocessed, OwnHalf, Nonces, SenderShare<1>, SenderShare<2>, ReceiverShare<1>, ReceiverShare<2>);
secret!(MulSender, MulReceiver, MtaFactors, Made, ClientHalf, Target);
// the states of all protocols
secret!(Keygen, PairRefresh, Convert, Create, SignFull, SignOnline, SignStateless);
secret!(keygen::Initiator, keygen::Responder, convert::Initiator, convert::Responder, convert::Proved, convert::Inputs);
// the newtypes that they are made of
secret!(SecretScalar<Secp256k1>, SecretBytes<32>, SecretBytes<16>);

// what may be seen
assert_impl_all!(symbolon::Signed: Debug, Clone, PartialEq);
assert_impl_all!(symbolon::Signature: Debug, Clone, PartialEq);
assert_impl_all!(symbolon::EthereumAddress: Debug, Display, Clone, PartialEq);
assert_impl_all!(symbolon::Payload: Debug, Clone, PartialEq);

/// Sessions, steps and errors print their kind and nothing of what they hold.
#[test]
fn what_prints_shows_no_secret() {
    use symbolon::{Label, Role, wallet};
    let mut rng = symbolon_testkit::seeded(1);
    let label = || Label::new("prints").expect("short");
    let (mut server, _) = wallet::create(Role::Server, label(), Auth::Channel, &mut rng).expect("starts");
    let (client, frames) = wallet::create(Role::Client, label(), Auth::Channel, &mut rng).expect("starts");
    assert_eq!(format!("{client:?}"), "Session(create, waiting for {PartyId(1)})");
    assert_eq!(format!("{:?}", frames[0]), format!("Outgoing(One(PartyId(1)), {} bytes)", frames[0].bytes.len()));
    let step = server.handle(Role::Client.id(), &frames[0].bytes).expect("honest");
    let printed = format!("{step:?} {server:?}");
    let symbolon::Step::Continue(frames) = step else { unreachable!() };
    for window in frames[0].bytes.windows(8) {
        assert!(!printed.contains(&hex::encode(window)));
    }
    assert!(printed.len() < 300, "{printed}");
}

/// Wiping is part of the type.
#[test]
fn secrets_wipe_themselves() {
    assert_impl_all!(SecretBytes<32>: zeroize::ZeroizeOnDrop);
    assert_impl_all!(SecretScalar<Secp256k1>: zeroize::ZeroizeOnDrop);
    let mut bytes = [7u8; 32];
    bytes.zeroize();
    assert_eq!(bytes, [0; 32]);
}
