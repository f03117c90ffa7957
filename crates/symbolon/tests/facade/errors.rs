//! Every variant of every public error stands in a test, and here are those that no other test makes.

use crate::world::{self, World, created, label, pair, storage};
use std::{collections::BTreeMap, fmt, fs, path::Path, time::Duration};
use symbolon::{
    Auth, Bank, Channel, Claimed, CloseError, DerivationPath, Failures, Fault, FloorId, KeyId, Keygen, KeygenSetup,
    Ledger, MemoryLedger, OpenError, PairRefresh, PartyId, Payload, Preprocessed, RefreshSetup, ResumeError, Role,
    RunError, Sealed, Secp256k1, Session, SetupId, SignError, StartError, SuspendError, Token,
    backup::{Expected, Limits, Password, ReadError, RestoreError, Unlock, restore},
    channel::{MemoryChannel, MemoryChannelError},
    close, run,
    store::{self, CurrentError, PutError, RetireError, SerialError, TakeError},
    wallet::{SignOverError, SignStartError, Wallet},
    wire::DecodeError,
};
use symbolon_ecdsa::hazmat::{ItemError, open_item};
use symbolon_testkit::{Duo, FailingRng, seeded};

/// A store that is never there.
struct Down;

#[derive(Debug, PartialEq, Eq)]
struct IsDown;

impl fmt::Display for IsDown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("down")
    }
}

impl Ledger for Down {
    type Error = IsDown;
    fn claim(&mut self, _: &Token) -> Result<Claimed, IsDown> {
        Err(IsDown)
    }
    fn take(&mut self, _: &SetupId) -> Result<Option<Sealed>, IsDown> {
        Err(IsDown)
    }
    fn put(&mut self, _: SetupId, _: Sealed) -> Result<(), IsDown> {
        Err(IsDown)
    }
    fn burn(&mut self, _: &SetupId) -> Result<(), IsDown> {
        Err(IsDown)
    }
    fn floor(&mut self, _: &FloorId) -> Result<u64, IsDown> {
        Err(IsDown)
    }
    fn raise_floor(&mut self, _: &FloorId, _: u64) -> Result<(), IsDown> {
        Err(IsDown)
    }
    fn failures(&mut self, _: &KeyId) -> Result<Failures, IsDown> {
        Err(IsDown)
    }
    fn count_failure(&mut self, _: &KeyId) -> Result<Failures, IsDown> {
        Err(IsDown)
    }
    fn lift(&mut self, _: &KeyId) -> Result<(), IsDown> {
        Err(IsDown)
    }
}

fn failing() -> FailingRng {
    FailingRng::after(0)
}

#[test]
fn a_store_that_fails_is_an_error_of_its_own() {
    let world = World::new(300);
    let setup = || world.setup(Role::Server);
    let mut memory = MemoryLedger::default();
    assert!(matches!(store::take_setup(&mut Down, &storage(), &setup().id()), Err(TakeError::Ledger(IsDown))));
    assert!(matches!(store::put_setup(&mut Down, &storage(), setup(), &mut seeded(1)), Err(PutError::Ledger(IsDown))));
    assert!(matches!(store::put_setup(&mut memory, &storage(), setup(), &mut failing()), Err(PutError::Seal(_))));
    // what is stored under this id does not open
    memory.put(setup().id(), Sealed::new(vec![0; 99])).unwrap();
    let garbage = store::take_setup(&mut memory, &storage(), &setup().id());
    assert!(matches!(garbage, Err(TakeError::Open(OpenError::Format))));

    let devices = crate::crowd::Devices::<Secp256k1>::create(2, 2, 301);
    assert!(matches!(store::current(&mut Down, devices.share(1)), Err(CurrentError::Ledger(IsDown))));
    let serial = store::committee_serial(&mut Down, crate::crowd::id(1), &devices.holders(), &[]);
    assert_eq!(serial, Err(SerialError::Ledger(IsDown)));

    // items of a bank that outlives the process
    let open = |sealed: &[u8]| open_item(sealed, &storage(), &mut Down).map(|_| ());
    let [items, _] = world.items(302, 1);
    let sealed =
        symbolon_ecdsa::hazmat::seal_item(items.into_iter().next().unwrap(), &storage(), &mut seeded(2)).unwrap();
    assert!(matches!(open(&sealed), Err(ItemError::Ledger(IsDown))));
    assert!(matches!(open(&sealed[1..]), Err(ItemError::Open(OpenError::Format))));
    let short = storage().seal(b"bankitem", &[0; 9], &mut seeded(3)).unwrap();
    assert!(matches!(open(&short), Err(ItemError::Decode(DecodeError::Value | DecodeError::Truncated))));
}

#[test]
fn a_factor_retires_for_its_successor_only() {
    let [(server, _), (client, _)] = created(303, |setup| setup);
    let (old, peer) = (server.into_parts().1.unwrap(), client.into_parts().1.unwrap());
    let refreshed = |one: &symbolon::PairFactor, other: &symbolon::PairFactor| {
        let mut rng = seeded(304);
        let mut start = |old| {
            let setup = RefreshSetup::new(old, 1).unwrap();
            Session::<PairRefresh>::start(setup, old, (), label("refresh"), Auth::Channel, &mut rng).unwrap()
        };
        let (ends, _) = Duo::new(start(one), start(other)).run();
        let [new, _] = ends;
        new.output
    };
    let (new, mut bank) = (refreshed(&old, &peer), Bank::<Preprocessed>::new());
    let Err(RetireError::NotItsSuccessor(new)) = store::retire(&mut Down, &mut bank, new, &old) else { panic!() };
    let Err(RetireError::Ledger(IsDown, old)) = store::retire(&mut Down, &mut bank, old, &new) else { panic!() };
    assert!(store::retire(&mut MemoryLedger::default(), &mut bank, old, &new).is_ok());
    // default names are those of every pair
    let mut rng = seeded(305);
    let mut start = |role: Role| {
        let setup = KeygenSetup::new(role);
        Session::<Keygen>::start(setup, &(), (), label("unnamed"), Auth::Channel, &mut rng).unwrap()
    };
    let ([one, other], _) = Duo::new(start(Role::Server), start(Role::Client)).run();
    let new = refreshed(&one.output, &other.output);
    let refused = store::retire(&mut MemoryLedger::default(), &mut bank, one.output, &new);
    assert!(matches!(refused, Err(RetireError::Unnamed(_))));
}

#[test]
fn sessions_that_wait() {
    type Started = (Session<Keygen>, Vec<symbolon::Outgoing>);
    let start = |role: Role| -> Started {
        Session::start(KeygenSetup::new(pair(role)), &(), (), label("wait"), world::signed(role), &mut seeded(4))
            .unwrap()
    };
    assert_eq!(
        start(Role::Server).0.suspend(&storage(), &mut failing()).err(),
        Some(SuspendError::Seal(symbolon::SealError))
    );
    let sealed = start(Role::Server).0.suspend(&storage(), &mut seeded(5)).unwrap();
    let auth = || world::signed(Role::Server);
    let resumed = Session::<Keygen>::resume(&sealed, &storage(), &(), auth(), &mut Down);
    assert_eq!(resumed.map(|_| ()).err(), Some(ResumeError::Ledger(IsDown)));
    // what another version might have written: the content ends too early; a log that does not replay
    let plain = storage().open(b"session\0", &sealed).unwrap();
    let resume = |content: &[u8]| {
        let sealed = storage().seal(b"session\0", content, &mut seeded(6)).unwrap();
        Session::<Keygen>::resume(&sealed, &storage(), &(), auth(), &mut MemoryLedger::default()).map(|_| ()).err()
    };
    assert_eq!(resume(&plain), None);
    assert_eq!(resume(&plain[..plain.len() - 1]), Some(ResumeError::Content(DecodeError::Truncated)));
    let log = [&plain[..plain.len() - 4], &1u32.to_be_bytes(), &3u32.to_be_bytes(), b"log"].concat();
    assert_eq!(resume(&log), Some(ResumeError::Replay));

    // an answer that the store did not take is none
    let (_, frames) = start(Role::Server);
    let roster = pair(Role::Client).roster();
    let auth = world::signed(Role::Client);
    let closed = close::<Keygen, _>(PartyId::SERVER, &frames[0].bytes, &roster, auth, &mut Down);
    assert_eq!(closed, Err(CloseError::Ledger(IsDown)));
}

#[test]
fn channels_and_wallets() {
    let patience = Duration::from_millis(1);
    let (mut one, other) = MemoryChannel::pair(patience);
    assert_eq!(one.receive(), Err(MemoryChannelError::TimedOut));
    drop(other);
    assert_eq!((one.receive(), one.send(&[1])), (Err(MemoryChannelError::Gone), Err(MemoryChannelError::Gone)));

    let (world, stranger) = (World::new(306), World::new(307));
    let (payload, path) = (Payload::personal_message("x"), DerivationPath::root);
    let wallet = world.wallet(Role::Client);
    // a generator that fails; a share that is not one of two
    let started = wallet.sign(payload, path(), Auth::Channel, &mut failing());
    assert!(matches!(started, Err(SignStartError::Start(StartError::Rng))));
    let shared =
        Wallet::from_share(crate::crowd::again(crate::crowd::Devices::<Secp256k1>::create(3, 3, 308).share(1)));
    let started = shared.sign(payload, path(), Auth::Channel, &mut seeded(7));
    assert!(matches!(started, Err(SignStartError::Sign(SignError::Signers))));
    let signed = shared.sign_over(&mut one, payload, path(), &mut seeded(7));
    assert!(matches!(signed, Err(SignOverError::Sign(SignError::Signers))));
    let signed = wallet.sign_over(&mut one, payload, path(), &mut seeded(7));
    assert!(matches!(signed, Err(SignOverError::Run(RunError::Channel { error: MemoryChannelError::Gone, .. }))));

    // two who mean different things: the run ends
    let (mut to_c, mut to_s) = MemoryChannel::pair(Duration::from_secs(20));
    let side = |role: Role, seed: u64, channel: &mut MemoryChannel| {
        // one label, two setups
        let setup = KeygenSetup::new(if role == Role::Server { pair(role) } else { symbolon::Pair::from(role) });
        let saved = |_: &symbolon::Pending<_>| Err("nothing is made");
        run::<Keygen, _, _>(setup, &(), (), label("differ"), Auth::Channel, &mut seeded(seed), channel, saved).err()
    };
    let ends = std::thread::scope(|scope| {
        let server = scope.spawn(|| side(Role::Server, 1, &mut to_c));
        let client = side(Role::Client, 2, &mut to_s);
        drop(to_s);
        [client, server.join().unwrap()]
    });
    let ended = |end: &Option<RunError<MemoryChannelError, &str, ()>>| matches!(end, Some(RunError::Ended(error)) if matches!(error.fault(), Some(Fault::Mismatch(_))));
    assert!(ends.iter().any(ended), "{ends:?}");

    let password = Password::entered("any").unwrap();
    let expected = Expected::key(*stranger.wallet(Role::Server).share().public_key());
    let file =
        restore::<symbolon::KeyShare<Secp256k1>>(&[], &Unlock::Password(&password), &expected, &Limits::default());
    assert_eq!(file.err(), Some(RestoreError::Read(ReadError::NotABackup)));
}

/// Enum, variant, why no test makes it. An entry that is not needed any more fails.
const NEVER: [(&str, &str, &str); 9] = [
    ("CreateError", "Device", "a public key of a device that cannot be sealed to does not decode"),
    ("SignError", "Derive", "a path without a key exists once in 2^127; `derive` is tested below the hash"),
    ("SignError", "Degenerate", "a sum of commitments that is the identity exists once in 2^252"),
    ("StartError", "NoItem", "for authors of protocols: the setups of this workspace are made of an item"),
    ("NotStarted", "Label", "a hash is a label"),
    ("SignStartError", "Label", "a hash is a label"),
    ("SignOverError", "Label", "a hash is a label"),
    ("AddressError", "Key", "carries a `KeyError`, whose codes are tested"),
    ("MakeError", "Check", "carries a `CheckError`, whose codes are tested"),
];

/// Sources of library crates, by crate: what is library, and what is test.
#[derive(Default)]
struct Sources {
    library: Vec<String>,
    tests: String,
}

fn sources() -> BTreeMap<String, Sources> {
    const DEV: [&str; 5] = ["symbolon-testkit", "symbolon-ct", "symbolon-fuzz", "symbolon-siege", "symbolon-residue"];
    let crates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let mut all: BTreeMap<String, Sources> = BTreeMap::new();
    let mut folders = vec![crates.to_owned()];
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            let name = path.strip_prefix(crates).unwrap().to_str().unwrap().to_owned();
            let (of, _) = name.split_once('/').unwrap_or((&name, ""));
            if DEV.contains(&of) || name.ends_with("/target") {
                continue;
            }
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let is_test = name.contains("/tests");
            let entry = all.entry(of.to_owned()).or_default();
            if name.ends_with(".rs") {
                let source = fs::read_to_string(&path).unwrap();
                let (library, test) = match source.split_once("#[cfg(test)]\nmod tests {") {
                    _ if is_test => ("", source.as_str()),
                    Some((library, test)) => (library, test),
                    None => (source.as_str(), ""),
                };
                entry.library.push(without_comments(library));
                entry.tests.push_str(&without_comments(test));
            } else if name.ends_with(".json") && name.contains("/testdata/") {
                entry.tests.push_str(&fs::read_to_string(&path).unwrap());
            }
        }
    }
    all
}

fn without_comments(source: &str) -> String {
    let lines = source.lines().filter(|line| !line.trim_start().starts_with("//"));
    lines.flat_map(|line| [line, "\n"]).collect()
}

/// Names and variants of the public enums of a file that say what went wrong.
fn errors(source: &str) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (start, _) in source.match_indices("\npub enum ") {
        let text = &source[start + 10..];
        let (head, body) = text.split_once('{').unwrap();
        let name: String = head.chars().take_while(|c| c.is_alphanumeric()).collect();
        if !name.ends_with("Error") && !["Fault", "Rejected", "Agreed", "NotStarted"].contains(&name.as_str()) {
            continue;
        }
        let body = body.split_once("\n}").unwrap().0;
        let variants = body.lines().filter_map(|line| {
            let rest = line.strip_prefix("    ").filter(|rest| rest.starts_with(|c: char| c.is_ascii_uppercase()))?;
            Some(rest.chars().take_while(|c| c.is_alphanumeric()).collect())
        });
        found.push((name, variants.collect()));
    }
    found
}

/// The code that a file's `code` gives a variant.
fn code<'s>(source: &'s str, variant: &str) -> Option<&'s str> {
    let (_, arm) = source.split_once(&format!("Self::{variant} => \"")).or_else(|| {
        let at = source.find(&format!("Self::{variant}(_) => \""))?;
        source[at..].split_once("=> \"")
    })?;
    arm.split_once('"').map(|(code, _)| code)
}

#[test]
fn every_variant_of_every_public_error_stands_in_a_test() {
    let all = sources();
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    for (name, _) in all.values().flat_map(|of| &of.library).flat_map(|source| errors(source)) {
        *names.entry(name).or_default() += 1;
    }
    let (mut variants, mut missing, mut excused) = (0, Vec::new(), Vec::new());
    for (of, sources) in &all {
        for source in &sources.library {
            for (name, list) in errors(source) {
                // where two crates have one name, the tests of the crate itself and of the facade tell
                let tests: Vec<&str> = match names[&name] {
                    1 => all.values().map(|of| of.tests.as_str()).collect(),
                    _ => [&sources.tests, &all["symbolon"].tests].map(String::as_str).into(),
                };
                for variant in list {
                    variants += 1;
                    let path = format!("{name}::{variant}");
                    let stands = |tests: &&str| {
                        let ends = |at: usize| !tests[at + path.len()..].starts_with(|c: char| c.is_alphanumeric());
                        let begins = |at: usize| !tests[..at].ends_with(|c: char| c.is_alphanumeric());
                        let by_name = tests.match_indices(&path).any(|(at, _)| ends(at) && begins(at));
                        by_name || code(source, &variant).is_some_and(|code| tests.contains(&format!("\"{code}\"")))
                    };
                    let excuse = NEVER.iter().position(|(n, v, _)| *n == name && *v == variant);
                    match (tests.iter().any(stands), excuse) {
                        (true, None) => (),
                        (false, Some(excuse)) => excused.push(excuse),
                        (false, None) => missing.push(format!("{of}: {path}")),
                        (true, Some(_)) => missing.push(format!("{of}: {path} needs no excuse")),
                    }
                }
            }
        }
    }
    assert!(missing.is_empty(), "{missing:#?}");
    excused.sort_unstable();
    excused.dedup();
    assert_eq!(excused.len(), NEVER.len(), "every excuse is of a variant");
    assert!(variants > 350, "{variants} variants");
}
