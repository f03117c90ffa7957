//! The way out: what does not belong together makes no key, however alike it looks.

use crate::tools::{Share, forged_factor, forged_share};
use crate::world::{deal, factor};
use symbolon_backup::Backed;
use symbolon_core::{KeyId, Role, Secp256k1, SecretScalar, SharingId};
use symbolon_session::Identity;
use symbolon_sharing::{Change, Consent, ExitError, KeyShare, PairFactor, Parts, Scheme, exit, exit_pair};

fn with(share: &Share, change: impl FnOnce(&mut Parts<Secp256k1>)) -> Share {
    let mut parts = Parts {
        scheme: share.scheme(),
        key_id: share.key_id(),
        sharing_id: share.sharing_id(),
        epoch: share.epoch(),
        members: share.members().to_vec(),
        threshold: share.threshold(),
        me: share.me(),
        x: SecretScalar::new(*share.secret().expose()),
        public_key: *share.public_key(),
        chain_code: *share.chain_code(),
        marks: share.marks(),
    };
    change(&mut parts);
    KeyShare::new(parts).unwrap()
}

fn agreed(key: KeyId) -> Consent {
    Consent::new([Change::Exits(key)])
}

/// The names of a factor: key id, generation, chain code.
type Names = (KeyId, u32, [u8; 32]);
type Renamed<T> = (&'static str, fn(&mut T));

#[test]
fn shares_of_two_names_are_no_key() {
    let shares = deal::<Secp256k1>(2, 3, 4, 1);
    let same = |share: &Share| with(share, |_| {});
    let together = |other: Share| exit(&[same(&shares[0]), other], &agreed(shares[0].key_id())).err();
    assert_eq!(together(same(&shares[1])), None);
    // the same polynomial, so that the key would come out
    let changes: [Renamed<Parts<Secp256k1>>; 6] = [
        ("scheme", |parts| parts.scheme = Scheme::Frost),
        ("key id", |parts| parts.key_id = KeyId::from_bytes([9; 16])),
        ("sharing id", |parts| parts.sharing_id = SharingId::from_bytes([9; 16])),
        ("epoch", |parts| parts.epoch = 9),
        ("chain code", |parts| parts.chain_code = [9; 32]),
        ("identity", |parts| parts.members[0].identity = Identity::Key([9; 32])),
    ];
    for (name, change) in changes {
        assert_eq!(together(with(&shares[1], change)), Some(ExitError::Mixed), "{name}");
    }
    // a share out of thin air beside a right one
    assert_eq!(together(forged_share(&shares[1].header(), 4)), Some(ExitError::Mixed));
    assert_eq!(together(same(&shares[0])), Some(ExitError::Count), "one twice");
    let wrong = exit(&[same(&shares[0]), same(&shares[1])], &agreed(KeyId::from_bytes([9; 16])));
    assert_eq!(wrong.err(), Some(ExitError::Consent));
}

fn side(model: &PairFactor, change: impl FnOnce(&mut Names)) -> PairFactor {
    let mut names = (model.key_id(), model.generation(), *model.chain_code());
    change(&mut names);
    let secret = SecretScalar::new(*model.secret().expose());
    let role: Role = model.pair().role();
    PairFactor::new(role.into(), names.0, names.1, secret, *model.peer_point(), *model.public_key(), names.2).unwrap()
}

#[test]
fn factors_of_two_names_are_no_key() {
    let [server, client] = factor(4);
    let together = |other: &PairFactor| exit_pair(&server, other, &agreed(server.key_id())).err();
    assert_eq!(together(&client), None);
    let changes: [Renamed<Names>; 3] = [
        ("key id", |names| names.0 = KeyId::from_bytes([9; 16])),
        ("generation", |names| names.1 = 5),
        ("chain code", |names| names.2 = [9; 32]),
    ];
    for (name, change) in changes {
        assert_eq!(together(&side(&client, change)), Some(ExitError::Mixed), "{name}");
    }
    // each fits the public key, and they do not fit each other
    let forged = with_chain_code_of(&client, &forged_factor(client.public_key(), &client, 4));
    assert_eq!(together(&forged), Some(ExitError::Mixed));
    assert_eq!(together(&side(&server, |_| {})), Some(ExitError::Count));
    let wrong = exit_pair(&server, &client, &agreed(KeyId::from_bytes([9; 16])));
    assert_eq!(wrong.err(), Some(ExitError::Consent));
}

fn with_chain_code_of(model: &PairFactor, factor: &PairFactor) -> PairFactor {
    let chain_code = *model.chain_code();
    side(factor, |names| names.2 = chain_code)
}
