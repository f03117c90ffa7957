//! A wallet's life with honest parties.

use symbolon::{
    Auth, DerivationPath, Label, Payload, Preprocess, PreprocessSetup, Role, Session, Signed,
    wallet::{self, Create, CreateSetup, Made, Wallet},
};
use symbolon_testkit::{Duo, Traffic, seeded};

fn label() -> Label {
    Label::new("test wallet").unwrap()
}

fn create(setup: impl Fn(Role) -> CreateSetup, seed: u64) -> ([(Wallet, Made); 2], Traffic) {
    let mut rng = seeded(seed);
    let mut start = |role| wallet::create(setup(role), label(), Auth::Channel, &mut rng).unwrap();
    let (ends, traffic) = Duo::<Create>::new(start(Role::Server), start(Role::Client)).run();
    (ends.map(|end| (end.output, end.held.unwrap())), traffic)
}

#[test]
fn create_then_sign_in_every_way() {
    let ([(server, made_s), (client, made_c)], traffic) = create(|role| CreateSetup::new(role).bank(2), 1);
    assert_eq!(traffic.messages, 9);
    assert_eq!(server.address(), client.address());
    assert_eq!(made_s.items.len(), 2);
    let payload = || Payload::personal_message("hello");
    let path: DerivationPath = "m/0/5".parse().unwrap();
    let key = symbolon_ecdsa_derive(&client, &path);
    let mut rng = seeded(2);

    // from the bank
    let ids: Vec<_> = made_s.items.iter().map(symbolon::Preprocessed::id).collect();
    assert_eq!(ids, made_c.items.iter().map(symbolon::Preprocessed::id).collect::<Vec<_>>());
    for (item_s, item_c) in made_s.items.into_iter().zip(made_c.items) {
        let s = server.sign_banked(item_s, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let c = client.sign_banked(item_c, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let ([s, c], traffic) = Duo::new(s, c).run();
        assert_eq!(traffic.messages, 2);
        assert!(traffic.bytes.iter().all(|n| *n <= 512), "{traffic:?}");
        check(&c.output, &s.output, &payload(), &key);
    }

    // from scratch, twice over one setup
    let (mut ots_s, mut ots_c) = (made_s.setup, made_c.setup);
    for _ in 0..2 {
        let s = server.sign_with(ots_s, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let c = client.sign_with(ots_c, payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
        let ([s, c], traffic) = Duo::new(s, c).run();
        assert_eq!(traffic.messages, 4);
        assert!(traffic.bytes.iter().all(|n| *n <= 82_000), "{traffic:?}");
        check(&c.output, &s.output, &payload(), &key);
        (ots_s, ots_c) = (s.held.unwrap(), c.held.unwrap());
    }

    // a refill
    let mut start = |mut ots: symbolon::PairSetup| {
        let setup = PreprocessSetup::new(&mut ots, 3).unwrap();
        Session::<Preprocess>::start(setup, &(), ots, label(), Auth::Channel, &mut rng).unwrap()
    };
    let ([s, c], traffic) = Duo::new(start(ots_s), start(ots_c)).run();
    assert_eq!((traffic.messages, s.output.len(), c.output.len()), (4, 3, 3));

    // with nothing kept
    let s = server.sign(payload(), path.clone(), Auth::Channel, &mut rng).unwrap();
    let c = client.sign(payload(), path, Auth::Channel, &mut rng).unwrap();
    let ([s, c], traffic) = Duo::new(s, c).run();
    assert_eq!(traffic.messages, 8);
    check(&c.output, &s.output, &payload(), &key);
}

fn symbolon_ecdsa_derive(wallet: &Wallet, path: &DerivationPath) -> symbolon::EthereumAddress {
    wallet.address_at(path).unwrap()
}

fn check(client: &Signed, server: &Signed, payload: &Payload, address: &symbolon::EthereumAddress) {
    let (Signed::Signature(signature), Signed::Released(released)) = (client, server) else {
        panic!("the client has the signature, the server a record")
    };
    assert!(released.is_completed_by(signature));
    let recovered = signature.recover(&payload.digest()).unwrap();
    assert_eq!(symbolon::EthereumAddress::from_public_key(&recovered), *address);
}
