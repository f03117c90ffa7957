//! What a store records of its backups, and that nothing else is changed or re-sealed.

use super::{Place, Script};
use std::{fs, path::Path};

const RESEAL: &str = "--out @no --reseal --store @kept/client";

/// How many sets of slots the client has on record.
fn count(place: &Place) -> usize {
    place.store("kept/client").recorded().unwrap().len()
}

#[test]
fn a_removed_device_receives_nothing_more() {
    let place = Place::with_wallet("removed", "secp256k1");
    place.run("device --out @device");
    let create = "create --store @kept/client --out @client.pem --password-file @password --log-n 14";
    place.run(&format!("{create} --device @device.pub"));
    fs::copy(place.at("client.pem"), place.at("with-device.pem")).unwrap();
    place.run(&format!("rewrap @with-device.pem {RESEAL}").replace("@no", "@resealed.pem"));

    // overwritten by one without the device: the old file comes back from its storage
    let out = place.run(&format!("{create} --force"));
    assert!(!out.contains("forget"), "{out}");
    let line = place.fails(1, &format!("rewrap @with-device.pem {RESEAL}"));
    assert!(line.contains("not those that the store has recorded"), "{line}");
    let change = "rewrap @with-device.pem --out @no --store @kept/client --device-key @device --add-phrase";
    assert!(place.fails(1, change).contains("has recorded"));
    place.run(&format!("rewrap @client.pem {RESEAL} --force").replace("@no", "@client.pem"));

    // the same with rewrap: the device leaves
    place.run(&format!("{create} --force --device @device.pub"));
    fs::copy(place.at("client.pem"), place.at("with-device.pem")).unwrap();
    place.run("rewrap @client.pem --out @2.pem --store @kept/client --password-file @password --remove 2");
    for file in ["client.pem", "with-device.pem"] {
        assert!(place.fails(1, &format!("rewrap @{file} {RESEAL}")).contains("has recorded"));
    }
    place.run(&format!("rewrap @2.pem {RESEAL}").replace("@no", "@3.pem"));
    assert!(!Path::new(&place.at("no")).exists());
    assert_eq!(count(&place), 1);
}

#[test]
fn what_rewrap_overwrites_is_forgotten_too() {
    let place = Place::with_wallet("overwritten", "secp256k1");
    place.run("device --out @device");
    let create = "create --store @kept/client --password-file @password --log-n 14";
    place.run(&format!("{create} --out @1.pem"));
    place.run(&format!("{create} --out @2.pem --device @device.pub"));
    assert_eq!(count(&place), 2);
    fs::copy(place.at("2.pem"), place.at("old.pem")).unwrap();
    place.run("rewrap @1.pem --out @2.pem --force --reseal --store @kept/client");
    assert_eq!(count(&place), 1);
    assert!(place.fails(1, &format!("rewrap @old.pem {RESEAL}")).contains("has recorded"));
    // where there was something else, which file it should have been is not known
    fs::write(place.at("2.pem"), "swapped by its storage").unwrap();
    let out = place.run(&format!("{create} --out @2.pem --force"));
    assert!(out.contains("no backup on record") && out.contains("1 other(s)") && out.contains("forget"), "{out}");
    assert_eq!(count(&place), 2);
}

#[test]
fn a_failure_records_nothing() {
    let place = Place::with_wallet("failure", "secp256k1");
    let create = "create --store @kept/client --password-file @password --log-n 14";
    place.run(&format!("{create} --out @client.pem"));
    let before = place.store("kept/client").recorded().unwrap();
    fs::create_dir(place.at("directory")).unwrap();
    for to in ["no/such/directory", "directory --force"] {
        place.fails(2, &format!("{create} --out @{to}"));
        place.fails(2, &format!("rewrap @client.pem --out @{to} --reseal --store @kept/client"));
        let change = "--password-file @password --new-password-file @other --log-n 14 --store @kept/client";
        place.fails(2, &format!("rewrap @client.pem --out @{to} {change}"));
        assert_eq!(place.store("kept/client").recorded().unwrap(), before, "{to}");
    }
    // a wrong password neither
    let wrong = "rewrap @client.pem --out @no --store @kept/client --password-file @other --add-phrase";
    assert_eq!(place.ask(&mut Script::default(), wrong).0, 1);
    // and a file that is opened does not become one of the store's
    place.run("open @client.pem --store @kept/client --into @restored --password-file @password");
    assert_eq!(place.store("restored").recorded().unwrap(), []);
    assert_eq!(place.store("kept/client").recorded().unwrap(), before);
    place.run(&format!("rewrap @client.pem {RESEAL}").replace("@no", "@2.pem"));
}

#[test]
fn records_are_forgotten_by_kind() {
    let place = Place::with_wallet("forget", "secp256k1");
    let create = "create --store @kept/client --password-file @password --log-n 14";
    place.run(&format!("{create} --out @factor --factor"));
    place.run(&format!("{create} --out @1.pem"));
    place.run(&format!("{create} --out @2.pem"));
    let out = place.run("forget --store @kept/client");
    assert!(out.starts_with("2 backup(s) of the share forgotten") && out.contains("create"), "{out}");
    assert_eq!(count(&place), 1);
    let line = place.fails(1, &format!("rewrap @1.pem {RESEAL}"));
    assert!(line.contains("recorded no slots") && line.contains("backup create"), "{line}");
    let out = place.run("forget --store @kept/client --factor");
    assert!(out.starts_with("1 backup(s) of the factor forgotten"), "{out}");
    assert!(place.run("forget --store @kept/client").starts_with("0 "));
    assert_eq!(count(&place), 0);
    // a store of a factor has no other kind
    let key = place.public("public_key");
    place.run(&format!("open @factor --expect {key} --into @restored --password-file @password"));
    place.run("create --store @restored --out @3 --password-file @password --log-n 14");
    assert!(place.run("forget --store @restored").starts_with("1 backup(s) of the factor"));
}

#[test]
fn no_file_is_written_into_a_store() {
    let place = Place::with_wallet("inside", "secp256k1");
    place.back_up_both();
    place.run("device --out @device");
    fs::create_dir(place.at("kept/client/below")).unwrap();
    std::os::unix::fs::symlink(place.at("kept/server"), place.at("elsewhere")).unwrap();
    let (key, address) = (place.public("public_key"), place.public("address"));
    let files = ["storage.key", "wallet.sealed", "wallet.json", "backup.slots"];
    let read = || files.map(|file| fs::read(place.at(&format!("kept/client/{file}"))).unwrap());
    let before = read();
    let targets = ["kept/client/new", "kept/client/below/new", "elsewhere/wallet.sealed", "kept/client/../server/x"];
    for to in files.map(|file| format!("kept/client/{file}")).iter().map(String::as_str).chain(targets) {
        for arguments in [
            "create --store @kept/client --password-file @password --log-n 14".to_owned(),
            "create --store @kept/server --password-file @password --log-n 14".into(),
            "rewrap @client.pem --store @kept/client --reseal".into(),
            "device".into(),
            format!("exit @client.pem @server.pem --expect {key} --consent {address} --password-file @password"),
        ] {
            let line = place.fails(2, &format!("{arguments} --force --out @{to}"));
            assert!(line.contains("is in the store"), "{line}");
        }
    }
    let open = "open @client.pem --store @kept/client --password-file @password --into @kept/client/restored";
    assert!(place.fails(2, open).contains("is in the store"));
    assert_eq!(read(), before);
    // beside them there is place
    place.run("device --out @kept/device");
}
