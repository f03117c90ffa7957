//! Made, lost, restored, used again, and left with.

use super::{PASSWORD, Place, Script};
use ed25519_dalek::{Signature as Ed25519Signature, VerifyingKey};
use std::{env, fs, process::Command};
use symbolon::{Auth, DerivationPath, Payload, Role, Secp256k1, Signed, SysRng, backup, wallet::Wallet};
use symbolon_core::{Group, SecretScalar};
use symbolon_examples::{
    backup::store::{Kept, Store},
    wallet::play,
};

fn restored(place: &Place, name: &str) -> Kept {
    Store::open(place.at(name).as_ref()).unwrap().kept().unwrap()
}

fn wallet(place: &Place, name: &str) -> Box<Wallet> {
    let Kept::Wallet(wallet) = restored(place, name) else { panic!("not a wallet") };
    wallet
}

/// Both sign, from scratch.
fn sign(client: &Wallet, server: &Wallet, path: &DerivationPath) {
    let start = |role| {
        let side = if role == Role::Client { client } else { server };
        side.sign(Payload::personal_message("again"), path.clone(), Auth::Channel, &mut SysRng)
    };
    let (client, server, _) = play("sign", start, |_, _| Err("nothing is stored".into())).unwrap();
    let (Signed::Signature(signature), Signed::Released(released)) = (client.0, server.0) else {
        panic!("no signature")
    };
    assert!(released.is_completed_by(&signature));
}

/// Digits of a key that `exit` wrote, and no trace of them in what it said.
fn key_of(place: &Place, arguments: &str) -> SecretScalar<Secp256k1> {
    let (status, out, err) = place.ask(&mut Script::default(), &format!("{arguments} --format hex --out @key"));
    assert_eq!(status, 0, "{err}");
    assert!(err.contains("not hardened") && err.contains("whole key"), "{err}");
    let digits = fs::read_to_string(place.at("key")).unwrap();
    assert!(!out.contains(digits.trim()) && !err.contains(digits.trim()));
    fs::remove_file(place.at("key")).unwrap();
    let bytes: [u8; 32] = hex::decode(digits.trim()).unwrap().try_into().unwrap();
    SecretScalar::new(Secp256k1::scalar_from_bytes(&bytes).unwrap())
}

#[test]
fn a_wallet_comes_back_from_its_backups_and_the_key_leaves() {
    let place = Place::with_wallet("story", "secp256k1");
    let (key, address) = (place.public("public_key"), place.public("address"));
    let before = wallet(&place, "kept/client");
    let path: DerivationPath = "m/44/60/0".parse().unwrap();
    let child = before.address_at(&path).unwrap().to_string();
    place.back_up_both();
    let inspected = place.run("inspect @client.pem");
    for part in
        [&key, &address, "party 2", "2 of 2", "ECDSA on secp256k1", "2^14", "16 MiB", "nothing of this is verified"]
    {
        assert!(inspected.contains(part), "{part}: {inspected}");
    }
    let json: serde_json::Value = serde_json::from_str(&place.run("inspect @client.pem --json")).unwrap();
    assert_eq!((json["address"].as_str(), json["verified"].as_bool()), (Some(address.as_str()), Some(false)));
    assert_eq!(json["slots"], serde_json::json!([{ "kind": "password", "log_n": 14, "r": 8, "p": 1 }]));
    let share = place.public_share("kept/server", "public_shares", "2");
    assert!(inspected.contains(&share) && json["public_share"] == *share);
    for expected in [format!("--expect {key} --share {share}"), "--store @kept/server".to_owned()] {
        let checked = place.run(&format!("check @client.pem {expected} --password-file @password"));
        assert!(checked.contains("opens") && checked.contains("right share"), "{checked}");
    }

    // everything is lost
    fs::remove_dir_all(place.at("kept")).unwrap();
    for side in ["client", "server"] {
        place.run(&format!("open @{side}.pem --expect {key} --into @new-{side} --password-file @password"));
    }
    let (client, server) = (wallet(&place, "new-client"), wallet(&place, "new-server"));
    assert_eq!((client.address(), server.address()), (before.address(), before.address()));
    for path in [DerivationPath::root(), path.clone()] {
        sign(&client, &server, &path);
    }
    // a restored store goes on with new backups: it has no record of who put the slots into the one that it comes from
    let line = place.fails(1, "rewrap @client.pem --out @resealed.pem --reseal --store @new-client");
    assert!(line.contains("recorded no slots") && line.contains("backup create"), "{line}");
    place.run("create --store @new-client --out @renewed.pem --password-file @password --log-n 14");
    place.run("rewrap @renewed.pem --out @resealed.pem --reseal --store @new-client");

    // the way out; with prompts, and only for whoever types the address
    let exit = format!("exit @client.pem @server.pem --expect {key}");
    let mut person = Script::new(&[&format!("{address}\n"), PASSWORD, PASSWORD]);
    let (status, out, err) = place.ask(&mut person, &format!("{exit} --path m --path {path} --path=m/0"));
    assert_eq!(status, 0, "{err}");
    assert!(person.asked[0].contains("WHOLE KEY") && person.asked[0].contains(&address));
    assert!(person.asked[1].contains("client.pem") && person.asked[2].contains("server.pem"), "{:?}", person.asked);
    let addresses: Vec<_> = out.lines().skip(1).map(|line| line.split_whitespace().last().unwrap()).collect();
    let last = before.address_at(&"m/0".parse().unwrap()).unwrap().to_string();
    assert_eq!(addresses, [&*address, &*child, &*last]);

    let exit = format!("{exit} --consent {address} --password-file @password");
    let whole = key_of(&place, &exit);
    assert!(whole.public() == *before.share().public_key());
    place.run(&format!("{exit} --out @xprv"));
    let xprv = backup::xprv(&whole, before.share().chain_code());
    assert_eq!(fs::read_to_string(place.at("xprv")).unwrap(), format!("{}\n", *xprv));
    // to the standard output only if it is asked for, and then nothing else goes there
    let (status, out, err) = place.ask(&mut Script::default(), &format!("{exit} --out -"));
    assert_eq!((status, out), (0, format!("{}\n", *xprv)));
    assert!(err.contains(&address) && !err.contains(&**xprv));
    // in one order or the other; and a rehearsal writes nothing
    let files = || fs::read_dir(&place.0).unwrap().count();
    let count = files();
    assert!(place.run(&exit.replace("@client.pem @server.pem", "@server.pem @client.pem")).contains(&address));
    assert_eq!(files(), count);
}

#[test]
fn both_factors_are_the_key_too() {
    let place = Place::with_wallet("factors", "secp256k1");
    let (key, address) = (place.public("public_key"), place.public("address"));
    for side in ["client", "server"] {
        let create = format!("create --store @kept/{side} --password-file @password --log-n 14");
        // nothing is lost where the file cannot be written: the share has its mark, and the store the factor
        place.fails(2, &format!("{create} --factor --out @no/such/directory"));
        let kept = wallet(&place, &format!("kept/{side}"));
        assert!(kept.factor().is_some() && kept.share().marks().factor_kept);
        place.run(&format!("{create} --factor --out @{side}.factor"));
        // it has left the store, and the share says so
        let kept = wallet(&place, &format!("kept/{side}"));
        assert!(kept.factor().is_none() && kept.share().marks().factor_kept);
        assert!(place.fails(2, &format!("{create} --factor --out @again")).contains("has no factor"));
        place.run(&format!("{create} --out @{side}.share"));
    }
    let exit = |one: &str, other: &str| {
        format!("exit @{one} @{other} --expect {key} --consent {address} --password-file @password")
    };
    let [factors, shares] = ["factor", "share"].map(|kind| {
        let (one, other) = (format!("client.{kind}"), format!("server.{kind}"));
        key_of(&place, &exit(&one, &other)).to_bytes()
    });
    assert_eq!(factors.expose(), shares.expose());
    assert!(place.fails(2, &exit("client.factor", "server.share")).contains("two of one kind"));
    assert!(place.fails(1, &exit("client.factor", "client.factor")).contains("different parties"));
    assert!(place.fails(1, &exit("client.share", "client.share")).contains("different parties"));

    place.run(&format!("open @client.factor --expect {key} --into @restored --password-file @password"));
    assert!(matches!(restored(&place, "restored"), Kept::Factor(_)));
    assert_eq!(place.json("restored/wallet.json")["holds"], "factor");
    // and can be backed up again
    place.run("create --store @restored --out @second.factor --password-file @other --log-n 14");
    place.run(&format!("check @second.factor --expect {key} --password-file @other"));
}

#[test]
fn an_ed25519_key_leaves_as_a_scalar_that_signs() {
    let place = Place::with_wallet("ed25519", "ed25519");
    let (key, address) = (place.public("public_key"), place.public("address"));
    assert_eq!(bs58::decode(&address).into_vec().unwrap(), hex::decode(&key).unwrap());
    assert!(place.fails(2, "create --store @kept/client --out @x --factor").contains("no factors"));
    place.back_up_both();
    fs::remove_dir_all(place.at("kept")).unwrap();
    // the address is the key
    place.run(&format!("open @client.pem --expect {address} --into @restored --password-file @password"));
    assert!(matches!(restored(&place, "restored"), Kept::Ed25519(_)));

    fs::write(place.at("message"), b"move everything").unwrap();
    let exit = format!("exit @client.pem @server.pem --expect {key} --consent {address} --password-file @password");
    let out = place.run(&format!("{exit} --sign @message --out @scalar"));
    let signature = out.lines().find(|line| line.starts_with("signature")).unwrap().split_whitespace().last().unwrap();
    let verifier = VerifyingKey::from_bytes(&hex::decode(&key).unwrap().try_into().unwrap()).unwrap();
    let signature = Ed25519Signature::from_slice(&hex::decode(signature).unwrap()).unwrap();
    verifier.verify_strict(b"move everything", &signature).unwrap();
    let scalar = fs::read_to_string(place.at("scalar")).unwrap();
    assert!(!out.contains(scalar.trim()));
    let scalar: [u8; 32] = hex::decode(scalar.trim()).unwrap().try_into().unwrap();
    let scalar = SecretScalar::<symbolon::Ed25519>::new(symbolon::Ed25519::scalar_from_bytes(&scalar).unwrap());
    assert_eq!(symbolon::Ed25519::point_to_bytes(&scalar.public()), *hex::decode(&key).unwrap());

    for (more, why) in [
        ("--format xprv --out @no", "no seed"),
        ("--format keystore --out @no", "no seed"),
        ("--path m/0", "no keys below"),
        ("--format hex", "goes with --out"),
    ] {
        let line = place.fails(2, &format!("{exit} {more}"));
        assert!(line.contains(why), "{line}");
    }
}

/// What Python's eth-account makes of a keystore.
const READ_KEYSTORE: &str = "
import sys
from eth_account import Account
key = Account.decrypt(open(sys.argv[1]).read(), sys.argv[2])
print(Account.from_key(key).address)
";

#[test]
fn another_program_opens_the_keystore() {
    let place = Place::with_wallet("keystore", "secp256k1");
    let (key, address) = (place.public("public_key"), place.public("address"));
    place.back_up_both();
    let exit = format!("exit @client.pem @server.pem --expect {key} --consent {address} --password-file @password");
    place.run(&format!("{exit} --format keystore --new-password-file @other --log-n 14 --out @keystore.json"));
    let program = env::var_os("SYMBOLON_PYTHON").unwrap_or_else(|| "python3".into());
    let read = |password: &str| {
        let keystore = place.at("keystore.json");
        Command::new(&program).args(["-B", "-c", READ_KEYSTORE, &keystore, password]).output().unwrap()
    };
    let found = Command::new(&program).args(["-B", "-c", "import eth_account"]).output();
    assert!(
        found.is_ok_and(|output| output.status.success()),
        "{} lacks eth-account. Make an environment and name it:\n\
         python3 -m venv target/python && target/python/bin/pip install -r docs/readers/requirements.txt\n\
         export SYMBOLON_PYTHON=$PWD/target/python/bin/python",
        program.display()
    );
    let output = read(super::OTHER);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(String::from_utf8(output.stdout).unwrap().trim(), address);
    assert!(!read(PASSWORD).status.success());
    assert!(place.json("keystore.json")["address"].as_str().unwrap().eq_ignore_ascii_case(&address[2..]));

    // its password is typed twice, and is one that every wallet types alike
    let ask = |typed: &[&str]| {
        place.ask(&mut Script::new(typed), &format!("{exit} --format keystore --log-n 14 --out @typed.json"))
    };
    assert_eq!(ask(&["a keystore password", "a keystore password"]).0, 0);
    for (typed, why) in [
        (&["a keystore password", "another password"][..], "differ"),
        (&["passwort für schlüssel", "passwort für schlüssel"], "ASCII"),
        (&["short"], "too short"),
        (&[], "--new-password-file"),
    ] {
        fs::remove_file(place.at("typed.json")).ok();
        let (status, _, err) = ask(typed);
        assert!(status == 2 && err.contains(why), "{err}");
    }
}
