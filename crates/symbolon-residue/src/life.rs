//! The whole life of a wallet in one run: made, used, refreshed, backed up, lost, restored, exported, left.

use crate::{
    Needles,
    report::{Pass, Report},
    run::{Twist, play, storage},
    secrets::{Recording, Secrets},
};
use core::time::Duration;
use symbolon::{
    Auth, Bank, Convert, ConvertSetup, DerivationPath, Identity, IdentityKey, KeyShare, MemoryLedger, OnlineSetup,
    Pair, PairFactor, PairRefresh, PairSetup, PairSetupRun, PairSetupTerms, Payload, Preprocessed, RefreshSetup, Role,
    Secp256k1, SecretBytes, SignOnline, Suite,
    backup::{self, Change, Consent, Expected, Limits, NewSlot, Phrase, Receiver, Unlock, xprv},
    store,
    wallet::{Create, CreateSetup, Made, SignStateless, StatelessSetup},
};
use symbolon_backup::Backed;

type Share = KeyShare<Secp256k1>;

/// What one side has.
struct Side {
    pair: Pair,
    ledger: MemoryLedger,
    bank: Bank<Preprocessed>,
    share: Share,
    factor: PairFactor,
}

fn sides() -> [Pair; 2] {
    let names = [Identity::name("the server"), Identity::name("the client")];
    [Role::Server, Role::Client].map(|role| Pair::new(role, names[0], names[1]).expect("two names"))
}

/// Runs it.
pub fn all(reports: &mut Vec<Report>, only: Option<&str>) {
    Report::add(reports, only, "a whole life", life);
}

fn setups(r: &mut Report, serial: u32) -> Vec<PairSetup> {
    let terms = sides().map(|pair| PairSetupTerms { pair, suite: Suite::Blake3, serial });
    let ends = play::<PairSetupRun>(r, terms.map(|terms| (terms, &(), (), Auth::Channel)).into(), Twist::Honest, 81);
    ends.into_values().filter_map(|end| end.output).collect()
}

fn sign(r: &mut Report, shares: &[&Share], seed: u64) {
    let path: DerivationPath = "m/0/5".parse().expect("a path");
    let parties = shares.iter().map(|share| {
        let pair = symbolon::pair_of(share).expect("two parties");
        let payload = Payload::personal_message("pay");
        let setup = StatelessSetup::new(share, &pair, Suite::Blake3, payload, path.clone()).expect("this key");
        (setup, *share, (), Auth::Channel)
    });
    play::<SignStateless>(r, parties.collect(), Twist::Honest, seed);
}

fn life(r: &mut Report) {
    let key = storage();
    let mut rng = Recording::new(80);
    // made, with items in the bank
    let parties = sides().map(|pair| (CreateSetup::new(pair).bank(2), &(), (), Auth::Channel));
    let mut all = Vec::new();
    for ((_, end), pair) in play::<Create>(r, parties.into(), Twist::Honest, 80).into_iter().zip(sides()) {
        let (share, factor) = end.output.expect("it is made").into_parts();
        let (mut ledger, mut bank) = (MemoryLedger::default(), Bank::default());
        let Made { setup, items } = end.held.expect("it comes back");
        let id = r.entry("store::put_setup", || store::put_setup(&mut ledger, &key, setup, &mut rng)).expect("stored");
        let setup = r.entry("store::take_setup", || store::take_setup(&mut ledger, &key, &id)).expect("taken");
        r.entry("drop", || drop(setup));
        bank.put(items);
        all.push(Side { pair, ledger, bank, share, factor: factor.expect("not decided") });
    }
    // signs from the bank
    let mut parties = Vec::new();
    let name = all[0].bank.items().next().expect("two items").id();
    for side in &mut all {
        let (ledger, bank) = (&mut side.ledger, &mut side.bank);
        let item = r.entry("store::take_item", || store::take_item(ledger, bank, &name)).expect("it is there");
        let path = "m/0/5".parse().expect("a path");
        let setup = OnlineSetup::new(&side.share, &item, Payload::personal_message("pay"), path).expect("this key");
        parties.push((setup, &side.share, item, Auth::Channel));
    }
    play::<SignOnline>(r, parties, Twist::Honest, 82);
    // refreshed, and what is old is retired
    let parties =
        all.iter().map(|side| (RefreshSetup::new(&side.factor, 1).expect("later"), &side.factor, (), Auth::Channel));
    let ends = play::<PairRefresh>(r, parties.collect(), Twist::Honest, 83);
    let mut serial = 0;
    for (side, (_, end)) in all.iter_mut().zip(ends) {
        let new = end.output.expect("refreshed");
        let old = core::mem::replace(&mut side.factor, new);
        let (ledger, bank, new) = (&mut side.ledger, &mut side.bank, &side.factor);
        serial = r.entry("store::retire", || store::retire(ledger, bank, old, new)).expect("its successor");
    }
    let made = setups(r, serial);
    let mut parties = Vec::new();
    for (side, mut ots) in all.iter().zip(made) {
        let setup = ConvertSetup::new(&side.factor, &mut ots, 1).expect("runs left");
        parties.push((setup, &side.factor, ots, Auth::Channel));
    }
    let ends = play::<Convert>(r, parties, Twist::Honest, 84);
    for (side, (_, end)) in all.iter_mut().zip(ends) {
        let old = core::mem::replace(&mut side.share, end.output.expect("converted"));
        r.entry("drop", || drop((old, end.held)));
    }
    sign(r, &[&all[0].share, &all[1].share], 85);
    // backed up, and lost
    let phrase = r.entry("Phrase::generate", || Phrase::generate(&mut rng)).unwrap_or_else(|never| match never {});
    let slots = [NewSlot::Phrase(&phrase)];
    let mut files = Vec::new();
    for side in all {
        let made = r.entry("backup", || backup::backup(&side.share, &slots, &mut rng)).expect("a backup");
        let expected = r.entry("Expected::live", || Expected::live(&side.share)).slots(made.slots);
        crate::leaving::publish(r, &made);
        files.push((made.file, expected, side.pair.me()));
        r.entry("drop", || drop(side));
    }
    // restored
    let mut shares = Vec::new();
    for (file, expected, _) in &files {
        let (unlock, limits) = (Unlock::Phrase(&phrase), Limits::default());
        let opened = r.entry("restore", || backup::restore::<Share>(file.as_bytes(), &unlock, expected, &limits).ok());
        shares.push(opened.expect("it opens").secret);
    }
    sign(r, &[&shares[0], &shares[1]], 86);
    // the server's share goes to the owner, who leaves with the key
    let seed = SecretBytes::<32>::random(&mut rng);
    let device = r.entry("IdentityKey::from_seed", || IdentityKey::from_seed(seed));
    let server = shares.remove(0);
    let expected = Expected::key(*server.public_key()).share(server.secret().public());
    let (header, until) = (r.entry("header", || server.header()), Duration::from_secs(9));
    let receiver = r.entry("Receiver::new", || Receiver::new(&header, until, &mut rng));
    let receiver = receiver.unwrap_or_else(|never| match never {});
    let request = r.entry("Receiver::request", || receiver.request(&device));
    r.publish(&request);
    let consent = Consent::new([Change::Exports(server.key_id(), receiver.asks().fingerprint())]);
    let (owners, mut ledger) = ([device.identity()], MemoryLedger::default());
    let given = r.entry("export", || {
        backup::export(server, &request, &owners, Duration::from_secs(8), &consent, &mut ledger, &mut rng)
    });
    let (answer, server) = given.ok().expect("it is released");
    r.entry("drop", || drop(server));
    let got = r.entry("Receiver::open", || receiver.open::<Share>(&answer, &expected, Duration::from_secs(8)));
    shares.push(got.expect("it opens"));
    let consent = Consent::new([Change::Exits(shares[0].key_id())]);
    let exit = r.entry("exit", || backup::exit(&shares, &consent)).expect("both shares");
    if r.pass == Pass::Learn {
        exit.secret().watch();
        Needles::watch("the words of a phrase", phrase.words().as_bytes());
    }
    let text = r.entry("xprv", || xprv(exit.secret(), exit.chain_code()));
    r.entry("drop", || drop((text, exit, shares, receiver, device, phrase)));
}
