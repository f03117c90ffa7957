//! Which share a file has to have: the key does not say.

use super::{PASSWORD, Place, Script, backup_at};
use std::fs;
use symbolon::{
    SysRng,
    backup::{Backup, NewSlot, Password, PasswordPolicy, Work},
};
use symbolon_examples::backup::store::Kept;

const WITH: &str = "--password-file @password";

/// The server's share in the place of the client's, for the client's own password: whoever knows both makes such a file.
fn swapped(place: &Place) {
    let Kept::Wallet(wallet) = place.store("kept/server").kept().unwrap() else { panic!("not a wallet") };
    let password = Password::new(PASSWORD, &PasswordPolicy::default()).unwrap();
    let slot = NewSlot::Password(&password, Work { log_n: 14, r: 8, p: 1 });
    let backup = Backup::create(wallet.share(), &[slot], &mut SysRng).unwrap();
    fs::write(place.at("swapped.pem"), backup.to_pem()).unwrap();
}

#[test]
fn the_public_share_tells_the_right_one() {
    for curve in ["secp256k1", "ed25519"] {
        let place = Place::with_wallet(&format!("expected-{curve}"), curve);
        place.back_up_both();
        let key = place.public("public_key");
        let [client, server] = ["2", "1"].map(|party| {
            let seen = ["kept/client", "kept/server"].map(|store| place.public_share(store, "public_shares", party));
            assert_eq!(seen[0], seen[1]);
            seen[0].clone()
        });
        assert_eq!(hex::encode(backup_at(&place, "client.pem").header().public_share()), client);
        for (store, party) in [("kept/client", 2), ("kept/server", 1)] {
            assert_eq!(place.json(&format!("{store}/wallet.json"))["party"], party);
        }

        // the key alone proves little, and that is said
        let (out, err) = place.both(&format!("check @client.pem --expect {key} {WITH}"));
        assert!(out.contains("NOT PROVEN") && out.contains(&client) && !out.contains("right share"), "{out}");
        assert!(err.is_empty(), "{err}");
        for proof in [&*format!("--expect {key} --share {client}"), "--store @kept/client", "--store @kept/server"] {
            let (out, err) = place.both(&format!("check @client.pem {proof} {WITH}"));
            assert!(out.contains("holds the right share") && !out.contains("NOT PROVEN") && err.is_empty(), "{out}");
        }
        // of the other party, or of nobody
        for wrong in [&server, &key] {
            let line = place.fails(1, &format!("check @client.pem --expect {key} --share {wrong} {WITH}"));
            assert!(line.contains("another share than expected") && line.contains(&client), "{line}");
            let line = place.fails(1, &format!("check @client.pem --store @kept/client --share {wrong} {WITH}"));
            assert!(line.contains("another share than expected"), "{line}");
            let open = format!("open @client.pem --expect {key} --share {wrong} --into @no {WITH}");
            assert!(place.fails(1, &open).contains("another share"));
            assert!(!std::path::Path::new(&place.at("no")).exists());
        }
        place.run(&format!("check @client.pem --store @kept/client --share {client} {WITH}"));

        // restored: with a warning, or without
        let (_, err) = place.both(&format!("open @client.pem --expect {key} --into @warned {WITH}"));
        assert!(err.contains("WARNING") && err.contains(&client) && err.contains("the other party"), "{err}");
        for (at, proof) in
            [&*format!("--expect {key} --share {client}"), "--store @kept/server"].into_iter().enumerate()
        {
            let (_, err) = place.both(&format!("open @client.pem {proof} --into @restored-{at} {WITH}"));
            assert_eq!(err, "");
        }
        assert_eq!(place.public_share("restored-0", "public_shares", "1"), server);
    }
}

#[test]
fn an_exit_with_a_store_expects_the_shares_of_both() {
    let place = Place::with_wallet("expected-exit", "secp256k1");
    place.back_up_both();
    let address = place.public("address");
    place.run(&format!("exit @client.pem @server.pem --store @kept/client --consent {address} {WITH}"));
}

#[test]
fn a_file_of_another_holder_is_not_changed() {
    let place = Place::with_wallet("expected-swapped", "secp256k1");
    place.back_up_both();
    swapped(&place);
    // even with its slots on record
    place.record("swapped.pem");
    for change in ["--new-password-file @other --log-n 14", "--add-device @device.pub"] {
        place.run("device --out @device --force");
        let line = place.fails(1, &format!("rewrap @swapped.pem --out @no --store @kept/client {WITH} {change}"));
        assert!(line.contains("another share than expected"), "{line}");
    }
    let line = place.fails(1, "rewrap @swapped.pem --out @no --store @kept/client --reseal");
    assert!(line.contains("another holder"), "{line}");
}

#[test]
fn a_factor_that_has_left_is_known_by_its_public_point() {
    let place = Place::with_wallet("expected-factor", "secp256k1");
    let point = place.public_share("kept/server", "public_factors", "2");
    assert_eq!(place.public_share("kept/client", "public_factors", "2"), point);
    let create = "create --store @kept/client --factor --out @factor --password-file @password --log-n 14";
    assert!(place.run(create).contains(&point));
    assert!(place.json("kept/client/wallet.json").get("public_factors").is_none());
    // the store does not have it any more, the other party's does
    let out = place.run(&format!("check @factor --store @kept/client {WITH}"));
    assert!(out.contains("NOT PROVEN") && out.contains(&point), "{out}");
    for proof in ["--store @kept/server".to_owned(), format!("--store @kept/client --share {point}")] {
        assert!(place.run(&format!("check @factor {proof} {WITH}")).contains("right share"));
    }
    let rewrap = format!("rewrap @factor --out @2 --store @kept/client {WITH} --new-password-file @other --log-n 14");
    let line = place.fails(1, &rewrap);
    assert!(line.contains("--share"), "{line}");
    place.run(&format!("{rewrap} --share {point}"));
    assert_eq!(place.ask(&mut Script::default(), &format!("check @2 --store @kept/server {WITH}")).0, 1);
    place.run("check @2 --store @kept/server --password-file @other");
}
