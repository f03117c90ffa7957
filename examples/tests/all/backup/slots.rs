//! Slots that change, files that are replaced, and shares that are renewed.

use super::{OTHER, PASSWORD, Place, Script, backup_at};
use std::{fs, os::unix::fs::PermissionsExt, path::Path};
use symbolon::{
    Auth, KeyShare, PartyId, Role, Secp256k1, StorageKey, SysRng,
    committee::{self, Factors, Plan, Refreshes, Reshare},
    wallet::Wallet,
};
use symbolon_examples::{backup::store::Kept, wallet::play};

#[test]
fn passwords_words_and_devices_change() {
    let place = Place::with_wallet("rewrap", "secp256k1");
    let key = place.public("public_key");
    place.back_up_both();
    let opens = |file: &str, with: &str| {
        place.ask(&mut Script::default(), &format!("check @{file} --expect {key} {with}")).0 == 0
    };
    let (old, new) = ("--password-file @password", "--password-file @other");

    // another password: asked for, twice
    let expect = "--store @kept/client";
    let rewrap = |typed: &[&str], arguments: &str| {
        let mut person = Script::new(typed);
        let (status, out, err) = place.ask(&mut person, &format!("rewrap {arguments}"));
        (status, out, err, person)
    };
    let change = format!("@client.pem --out @2.pem {expect} --new-password --log-n 14");
    let (status, out, err, _) = rewrap(&[PASSWORD, OTHER, OTHER], &change);
    assert_eq!(status, 0, "{err}");
    assert!(out.contains("still open with what opened them"), "{out}");
    assert!(opens("2.pem", new) && !opens("2.pem", old));
    assert!(opens("client.pem", old) && !opens("client.pem", new), "the old copy is as it was");
    // what it was made of is on record no more
    let (status, _, err, _) = rewrap(&[PASSWORD], &change.replace("2.pem", "no.pem"));
    assert!(status == 1 && err.contains("has recorded") && err.contains("backup create"), "{err}");
    place.record("client.pem");
    for (typed, why) in [
        (&[PASSWORD, OTHER, "a typo in the second"][..], "differ"),
        (&[PASSWORD, "eleven char"], "at least 12"),
        (&[OTHER, PASSWORD, PASSWORD], "wrong password"),
    ] {
        let (status, _, err, _) = rewrap(typed, &change.replace("2.pem", "no.pem"));
        assert!(status != 0 && err.contains(why), "{err}");
        assert!(!Path::new(&place.at("no.pem")).exists());
    }

    // words and a device in addition, and the password renewed at once
    place.run("device --out @device");
    let more = format!("@client.pem --out @3.pem {expect} {old} --add-phrase --add-device @device.pub");
    let (status, out, err, person) = rewrap(&[], &format!("{more} --new-password-file @other --log-n 14"));
    assert_eq!(status, 0, "{err}");
    assert!(person.shown.contains("no wallet") && person.shown.contains("once"), "{}", person.shown);
    let words: Vec<_> = person.shown.lines().filter(|line| line.starts_with("  ")).collect();
    let words = words.join(" ");
    let list: Vec<_> = words.split_whitespace().collect();
    assert_eq!(list.len(), 24);
    assert!(list.windows(3).all(|three| !out.contains(&three.join(" "))), "only people see them");
    fs::write(place.at("words"), &words).unwrap();
    let (words, device) = ("--phrase-file @words", "--device-key @device");
    for (with, does) in [(old, false), (new, true), (words, true), (device, true)] {
        assert_eq!(opens("3.pem", with), does, "{with}");
    }
    // words may be typed, too
    let mut person = Script::new(&[&fs::read_to_string(place.at("words")).unwrap()]);
    assert_eq!(place.ask(&mut person, &format!("check @3.pem --expect {key} --ask-phrase")).0, 0);

    // one slot less, opened by the one that goes, with a new password in the same step
    let less = format!("@3.pem --out @4.pem {expect} {words} --remove 2 --new-password-file @password --log-n 14");
    let (status, _, err, _) = rewrap(&[], &less);
    assert_eq!(status, 0, "{err}");
    for (with, does) in [(old, true), (new, false), (words, false), (device, true)] {
        assert_eq!(opens("4.pem", with), does, "{with}");
    }
    // a second password; then it has to be said which one changes
    let (status, _, err, _) = rewrap(&[], &format!("@4.pem --out @5.pem {expect} {device} --remove 1"));
    assert_eq!(status, 0, "{err}");
    let add = format!("--out @6.pem {expect} {device} --new-password-file @password --log-n 14");
    assert_eq!(rewrap(&[], &format!("@5.pem {add}")).0, 0, "without a password it gets one");
    assert!(opens("6.pem", old) && opens("6.pem", device) && !opens("5.pem", old));

    place.record("3.pem");
    place.record("client.pem");
    for (arguments, status, why) in [
        (format!("@3.pem --out @no {expect} {new}"), 2, "say what changes"),
        (format!("@3.pem --out @no {expect} {new} --slot 1"), 2, "--slot goes with"),
        (format!("@3.pem --out @no {expect} {new} --remove 4"), 2, "has 3 slot(s)"),
        (format!("@3.pem --out @no {expect} {new} --remove 0"), 2, "has 3 slot(s)"),
        (
            format!("@3.pem --out @no {expect} {new} --new-password-file @password --slot 2"),
            2,
            "does not name a password",
        ),
        (format!("@3.pem --out @no {expect} {new} --new-password-file @password --remove 1"), 2, "one of the two"),
        (format!("@3.pem --out @no {expect} {new} --add-device @device.pub"), 2, "no two of them alike"),
        (format!("@client.pem --out @no {expect} {old} --remove 1"), 2, "1 to 8 slots"),
        (format!("@3.pem --out @no {expect} {old} --remove 1"), 1, "wrong password"),
        (format!("@3.pem --out @no --expect {key} --reseal"), 2, "no option --expect"),
        ("@3.pem --out @no --reseal".into(), 2, "needs --store"),
        (format!("@3.pem --out @no {new} --remove 1"), 2, "needs --store"),
        ("@3.pem --out @no --store @kept/client --reseal --new-password".into(), 2, "changes no slot"),
        ("@5.pem --out @no --store @kept/client --reseal".into(), 1, "not those that the store has recorded"),
    ] {
        let (found, _, err, _) = rewrap(&[], &arguments);
        assert!(found == status && err.contains(why), "{arguments}: {err}");
    }
    assert!(!Path::new(&place.at("no")).exists());
}

#[test]
fn several_passwords_are_told_apart() {
    let place = Place::with_wallet("passwords", "secp256k1");
    place.run("device --out @device");
    let create = "create --store @kept/client --out @1.pem --password-file @password --log-n 14 --device @device.pub";
    place.run(create);
    // no option makes a second password: the library does
    let backup = backup_at(&place, "1.pem");
    let [first, second] = [PASSWORD, OTHER].map(|text| symbolon::backup::Password::entered(text).unwrap());
    let slot = symbolon::backup::NewSlot::Password(&second, symbolon::backup::Work { log_n: 14, r: 8, p: 1 });
    let unlock = symbolon::backup::Unlock::Password(&first);
    let Kept::Wallet(wallet) = place.store("kept/client").kept().unwrap() else { panic!("not a wallet") };
    let expected = symbolon::backup::Expected::live(wallet.share()).slots(backup.slot_set());
    let limits = symbolon::backup::Limits::default();
    let two = backup.add_slot::<KeyShare<Secp256k1>>(&slot, &unlock, &expected, &limits, &mut SysRng).unwrap();
    fs::write(place.at("two"), two.to_pem()).unwrap();
    place.record("two");

    fs::write(place.at("third"), "the third of the passwords").unwrap();
    let rewrap =
        "rewrap @two --store @kept/client --out @3.pem --device-key @device --new-password-file @third --log-n 14";
    assert!(place.fails(2, rewrap).contains("--slot"));
    place.run(&format!("{rewrap} --slot 3"));
    let opens = |with: &str| {
        let check = format!("check @3.pem --store @kept/client --password-file @{with}");
        place.ask(&mut Script::default(), &check).0 == 0
    };
    assert_eq!(["password", "other", "third"].map(opens), [true, false, true]);
}

fn mode(path: &str) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

#[test]
fn files_are_of_their_owner_and_whole_and_not_overwritten() {
    let place = Place::with_wallet("files", "secp256k1");
    let key = place.public("public_key");
    let create = "create --store @kept/client --out @client.pem --password-file @password --log-n 14";
    // what a crash has left is in nobody's way
    fs::write(place.at(".client.pem.0123456789abcdef.tmp"), b"half of").unwrap();
    place.run(create);
    place.run("device --out @device");
    place.run(&format!("open @client.pem --expect {key} --into @restored --password-file @password"));
    for directory in ["kept", "kept/client", "kept/server", "restored"] {
        assert_eq!(mode(&place.at(directory)), 0o700, "{directory}");
    }
    let stored = ["storage.key", "wallet.sealed", "wallet.json", "backup.slots"];
    for file in ["client.pem", "device", "device.pub"] {
        assert_eq!(mode(&place.at(file)), 0o600, "{file}");
    }
    for (directory, files) in [("kept/client", &stored[..]), ("kept/server", &stored[..3]), ("restored", &stored[..3])]
    {
        let mut found: Vec<_> =
            fs::read_dir(place.at(directory)).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        found.sort();
        let mut files = files.to_vec();
        files.sort_unstable();
        assert_eq!(found, files, "and nothing temporary");
        files.iter().for_each(|file| assert_eq!(mode(&place.at(&format!("{directory}/{file}"))), 0o600));
    }
    assert!(fs::read_to_string(place.at("kept/client/storage.key")).unwrap().contains("KMS"));

    let before = fs::read(place.at("client.pem")).unwrap();
    for arguments in
        [create, "device --out @device", "rewrap @client.pem --out @client.pem --store @kept/client --reseal"]
    {
        assert!(place.fails(2, arguments).contains("--force"));
    }
    let open = format!("open @client.pem --expect {key} --into @restored --password-file @password");
    assert!(place.fails(2, &open).contains("exists"));
    assert_eq!(fs::read(place.at("client.pem")).unwrap(), before);
    for arguments in
        [create, "device --out @device", "rewrap @client.pem --out @client.pem --store @kept/client --reseal"]
    {
        place.run(&format!("{arguments} --force"));
        assert_ne!(fs::read(place.at("client.pem")).unwrap(), before);
    }
    assert_eq!(mode(&place.at("client.pem")), 0o600);
    // a link counts as existing, wherever it leads; with --force the link goes, and not its target
    std::os::unix::fs::symlink(place.at("nowhere"), place.at("link")).unwrap();
    let to_link = create.replace("client.pem", "link");
    assert!(place.fails(2, &to_link).contains("--force"));
    place.run(&format!("{to_link} --force"));
    assert!(!Path::new(&place.at("nowhere")).exists() && Path::new(&place.at("link")).is_file());
    assert!(place.fails(2, &create.replace("client.pem", "no/such/directory")).contains("cannot write"));
    // the wallet's program does not overwrite either
    let (mut out, mut err) = (Vec::new(), Vec::new());
    let kept = place.at("kept");
    let keep = ["--message", "hello", "--keep", &kept];
    assert_eq!(symbolon_examples::cli::run(keep, &mut out, &mut err), 2);
    assert!(String::from_utf8(err).unwrap().contains("exists: choose another directory"));
}

/// A refresh of both shares: every store has its new one.
fn refresh(place: &Place) {
    let stores = ["kept/client", "kept/server"].map(|name| place.store(name));
    let shares = stores.each_ref().map(|store| {
        let Kept::Wallet(wallet) = store.kept().unwrap() else { panic!("not a wallet") };
        wallet.into_share()
    });
    let both = [PartyId::SERVER, PartyId::CLIENT];
    let start = |role| {
        let share = if role == Role::Client { &shares[0] } else { &shares[1] };
        let plan = Plan::of(share, &both, share.epoch() + 1, Factors::Gone);
        committee::refresh(share, &plan, &[], Auth::Channel, &mut SysRng)
    };
    let (client, server, _) = play::<Reshare<Secp256k1, Refreshes>, _>("refresh", start, |_, pending| {
        Ok(pending.seal(&StorageKey::generate(&mut SysRng)?, &mut SysRng)?.stored())
    })
    .unwrap();
    for (store, end) in stores.iter().zip([client, server]) {
        store.put(&Kept::Wallet(Box::new(Wallet::from_share(end.0.share.unwrap())))).unwrap();
    }
}

#[test]
fn a_refresh_reseals_without_any_password() {
    let place = Place::with_wallet("reseal", "secp256k1");
    let (key, address) = (place.public("public_key"), place.public("address"));
    place.back_up_both();
    // the slots are those of the last file that the store has seen
    place.run("rewrap @client.pem --out @client-2.pem --store @kept/client --password-file @password --new-password-file @other --log-n 14");
    refresh(&place);
    assert_eq!(place.json("kept/client/wallet.json")["epoch"], 1);

    // nothing that the store knows is the old file
    let old = place.fails(1, "check @client-2.pem --store @kept/client --password-file @other");
    assert!(old.contains("of epoch 0, and the key is at 1"), "{old}");
    let reseal =
        |from: &str, to: &str, store: &str| format!("rewrap @{from} --out @{to} --reseal --store @kept/{store}");
    assert!(place.fails(1, &reseal("client.pem", "no", "client")).contains("recorded"));
    assert!(place.fails(1, &reseal("server.pem", "no", "client")).contains("recorded"));
    let out = place.run(&reseal("client-2.pem", "client-3.pem", "client"));
    assert!(out.contains("of epoch 1") && out.contains("destroy them"), "{out}");
    place.run(&reseal("server.pem", "server-3.pem", "server"));
    place.run("check @client-3.pem --store @kept/client --password-file @other");
    // again and again
    place.run(&reseal("client-3.pem", "client-4.pem", "client"));

    let exit = |client: &str, server: &str| {
        let keys = "--password-file @other --password-file @password";
        format!("exit @{client} @{server} --expect {key} --consent {address} {keys}")
    };
    place.run(&exit("client-4.pem", "server-3.pem"));
    place.run(&exit("client-2.pem", "server.pem"));
    let mixed = place.fails(1, &exit("client-2.pem", "server-3.pem"));
    assert!(mixed.contains("epochs 0, 1"), "{mixed}");
    // a share that is older than the backup, as after a store that was restored from an old backup
    place.run(&format!("open @client-2.pem --expect {key} --into @behind --password-file @other"));
    assert!(place.fails(1, "rewrap @client-4.pem --out @no --reseal --store @behind").contains("recorded no slots"));
    let of = backup_at(&place, "client-4.pem");
    place.store("behind").record(of.header().kind(), of.slot_set()).unwrap();
    let behind = place.fails(1, "rewrap @client-4.pem --out @no --reseal --store @behind");
    assert!(behind.contains("older than what the backup says"), "{behind}");
}
