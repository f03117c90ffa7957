//! Everything that is refused: in one line, each for its own reason.

use super::{Place, Script};
use sha2::{Digest, Sha256};
use std::{fs, path::Path};
use symbolon::{SysRng, backup as library};
use symbolon_examples::backup::{self, USAGE};

#[test]
fn arguments() {
    let place = Place::new("arguments");
    let cases = [
        ("", "say what to do"),
        ("restore", "unknown command"),
        ("--what", "--what"),
        ("create", "--store"),
        ("create stray", "takes no file"),
        ("create --store @none --out @x", "cannot read"),
        ("create --store @none --out @x --out @y", "--out once"),
        ("create --store", "--store"),
        ("create --store @none --out @x --log-n 13", "14 to 20"),
        ("create --store @none --out @x --log-n 21", "--log-n"),
        ("create --json", "no option --json"),
        ("create --expect 02", "no option --expect"),
        ("device", "--out"),
        ("inspect", "takes one file"),
        ("inspect @one @two", "takes one file"),
        ("inspect @none", "cannot read"),
        ("inspect @password --large", "no option --large"),
        ("check @password", "--expect PUBLIC_KEY or --store DIR"),
        ("check @password --expect 02", "no public key"),
        ("check @password --store @none --epoch 1", "a store knows its epoch"),
        ("open @password --expect 02 --store @none", "one of them"),
        ("rewrap @password", "--out"),
        ("rewrap @password --out @x --remove 1", "rewrap needs --store"),
        ("rewrap @password --out @x --expect 02", "no option --expect"),
        ("check @password --expect 02 --share 02", "--share \"02\" is no public key"),
        ("exit @password @other --share 02", "no option --share"),
        ("forget", "forget needs --store"),
        ("forget @password --store @none", "takes no file"),
        ("exit @password", "as many files"),
        ("exit @password @other --expect zz", "no public key"),
    ];
    for (arguments, why) in cases {
        let line = place.fails(2, arguments);
        assert!(line.contains(why), "{arguments}: {line}");
        assert!(line.contains("try --help"), "{line}");
    }
    for arguments in ["--help", "-h", "exit --help", "create --store @x -h"] {
        assert_eq!(place.run(arguments), USAGE);
    }
}

/// A file changed in one byte, with its hash made right again or not.
fn spoilt(place: &Place, from: &str, at: usize, to: u8, with_hash: bool) {
    let backup = library::Backup::from_pem(&fs::read_to_string(place.at(from)).unwrap()).unwrap();
    let mut bytes = backup.to_bytes();
    bytes[at] = to;
    if with_hash {
        let end = bytes.len() - 32;
        let hash = Sha256::digest(&bytes[..end]);
        bytes[end..].copy_from_slice(&hash);
    }
    fs::write(place.at("spoilt"), bytes).unwrap();
}

#[test]
fn every_reason_has_its_own_words() {
    let place = Place::with_wallet("reasons", "secp256k1");
    let stranger = Place::with_wallet("stranger", "ed25519");
    place.back_up_both();
    let key = place.public("public_key");
    let check = |file: &str, more: &str| format!("check @{file} --expect {key} {more}");
    let with_password = |file: &str| check(file, "--password-file @password");

    assert!(place.fails(1, &check("client.pem", "--password-file @other")).contains("wrong password"));
    place.run("device --out @device");
    let line = place.fails(1, &check("client.pem", "--device-key @device"));
    assert!(line.contains("no slot of this kind") && line.contains("It opens with: password"), "{line}");

    // a file for words and a device only
    let mut person = Script::default();
    let create = "create --store @kept/client --out @words.pem --no-password --phrase --device @device.pub";
    assert_eq!(place.ask(&mut person, create).0, 0);
    let line = place.fails(1, &check("words.pem", ""));
    assert!(line.contains("has no password. It opens with: phrase, device key. Use --phrase-file"), "{line}");
    place.run("device --out @lost");
    assert!(place.fails(1, &check("words.pem", "--device-key @lost")).contains("wrong device key"));
    let words = library::Phrase::generate(&mut SysRng).unwrap();
    fs::write(place.at("words"), &**words.words()).unwrap();
    assert!(place.fails(1, &check("words.pem", "--phrase-file @words")).contains("wrong phrase"));
    fs::write(place.at("words"), words.words().replacen(' ', " żółw ", 1)).unwrap();
    assert!(place.fails(2, &check("words.pem", "--phrase-file @words")).contains("24 words"));

    // bytes
    spoilt(&place, "client.pem", 100, 0xff, false);
    assert!(place.fails(1, &with_password("spoilt")).contains("damaged: look for another copy"));
    assert!(place.fails(1, "inspect @spoilt").contains("damaged"));
    spoilt(&place, "client.pem", 7, 2, true);
    assert!(place.fails(1, &with_password("spoilt")).contains("version 2: use a newer program"));
    let text = fs::read_to_string(place.at("client.pem")).unwrap();
    fs::write(place.at("cut"), &text[..text.len() - 40]).unwrap();
    assert!(place.fails(1, &with_password("cut")).contains("not the text form"));
    assert!(place.fails(1, "inspect @password").contains("not a share backup"));
    // the last byte of the MAC is before nonce (12), length (4), ciphertext and hash (32)
    let backup = library::Backup::from_pem(&text).unwrap().to_bytes();
    let mac = backup.len() - 32 - 16 - ciphertext_len(&backup) - 1;
    spoilt(&place, "client.pem", mac, backup[mac] ^ 1, true);
    assert!(place.fails(1, &with_password("spoilt")).contains("changed by somebody"));

    // work: log2 N is the second byte of the slot's body
    let log_n = slot(&backup) + 4;
    assert_eq!(backup[log_n], 14);
    for (n, more, why) in [(19, "", "--large allows 1 GiB"), (21, "--large", "are allowed"), (13, "", "too weakly")] {
        spoilt(&place, "client.pem", log_n, n, true);
        let line = place.fails(1, &format!("{} {more}", with_password("spoilt")));
        assert!(line.contains(why), "{line}");
    }
    let line = place.fails(1, &format!("{} --large", with_password("spoilt")));
    assert!(!line.contains("--large allows"), "{line}");

    // another key, of either curve; an older epoch
    let other = stranger.public("public_key");
    let line = place.fails(1, &with_password("client.pem").replace(&key, &other));
    assert!(line.contains("another key than expected") && line.contains(&key), "{line}");
    let third = Place::with_wallet("third", "secp256k1").public("public_key");
    assert!(place.fails(1, &with_password("client.pem").replace(&key, &third)).contains("another key"));
    let line = place.fails(1, &format!("{} --epoch 1", with_password("client.pem")));
    assert!(line.contains("epoch 0") && line.contains("the last refresh"), "{line}");
    // nobody is there to ask
    assert!(place.fails(2, &check("client.pem", "")).contains("--password-file"));
    // a store whose key is another
    fs::copy(stranger.at("kept/client/storage.key"), place.at("kept/client/storage.key")).unwrap();
    assert!(place.fails(1, "create --store @kept/client --out @x --no-password --phrase").contains("storage key"));
}

/// Where the first slot begins: after the clear part and the number of slots.
fn slot(backup: &[u8]) -> usize {
    57 + 2 * (1 + usize::from(backup[57])) + 1
}

fn ciphertext_len(backup: &[u8]) -> usize {
    // the only slot, then the MAC and the nonce
    let slot = slot(backup);
    let len = usize::from(u16::from_be_bytes([backup[slot + 1], backup[slot + 2]]));
    let at = slot + 3 + len + 32 + 12;
    u32::from_be_bytes(backup[at..at + 4].try_into().unwrap()).try_into().unwrap()
}

#[test]
fn an_exit_takes_the_address_and_shares_of_one_key() {
    let place = Place::with_wallet("consent", "secp256k1");
    place.back_up_both();
    let (key, address) = (place.public("public_key"), place.public("address"));
    let exit = format!("exit @client.pem @server.pem --expect {key} --password-file @password --out @key");
    let other = "0x0000000000000000000000000000000000000000";
    for wrong in [other, &address.to_lowercase(), &address[2..], &key, "yes"] {
        let line = place.fails(2, &format!("{exit} --consent {wrong}"));
        assert!(line.contains("letter by letter"), "{line}");
        let (status, _, err) = place.ask(&mut Script::new(&[wrong]), &exit);
        assert!(status == 2 && err.contains("letter by letter"), "{err}");
    }
    assert!(place.fails(2, &exit).contains("--consent ADDRESS"));
    let exit = format!("{exit} --consent {address}");
    for (more, why) in [
        ("--format pem", "unknown format"),
        ("--sign @password", "for ed25519"),
        ("--path m/0'", "hardened"),
        ("--password-file @other --password-file @other", "3 options"),
    ] {
        let line = place.fails(2, &format!("{exit} {more}"));
        assert!(line.contains(why), "{line}");
    }
    // the second file has another password
    assert!(place.fails(1, &format!("{exit} --password-file @other")).contains("server.pem: wrong password"));
    // a share of another key
    let stranger = Place::with_wallet("consent-stranger", "secp256k1");
    stranger.back_up_both();
    fs::copy(stranger.at("server.pem"), place.at("server.pem")).unwrap();
    assert!(place.fails(1, &exit).contains("server.pem: the backup is of another key"));
    assert!(!Path::new(&place.at("key")).exists());
}

#[test]
fn without_a_place_to_write_there_is_one_line() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("full"))
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let mut err = Vec::new();
    assert_eq!(backup::run(["--help"], &mut Script::default(), &mut Full, &mut err), 1);
    assert_eq!(String::from_utf8(err).unwrap(), "backup: full\n");
}
