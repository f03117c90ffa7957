//! All two-party protocols, honest and failing in every round.

use crate::{
    Needles,
    report::{Pass, Report},
    run::{Twist, play, resume_ending, storage},
    secrets::{Recording, Secrets},
};
use symbolon::{
    Auth, Convert, ConvertSetup, DerivationPath, FullSetup, KeyShare, Keygen, KeygenSetup, Label, MemoryLedger, Mta,
    MtaFactors, MtaSetup, OnlineSetup, Pair, PairFactor, PairRefresh, PairSetup, PairSetupRun, PairSetupTerms, Payload,
    Preprocess, PreprocessSetup, Preprocessed, Protocol, RefreshSetup, Role, Secp256k1, SecretScalar, Session,
    SignFull, SignOnline, Storable, Suite, store,
    wallet::{Create, CreateSetup, Made, SignStateless, StatelessSetup},
    wire::Reader,
};
use symbolon_core::Group;
use symbolon_ecdsa::hazmat::{open_item, seal_item};
use symbolon_testkit::Duo;

const ROLES: [Role; 2] = [Role::Server, Role::Client];
type Share = KeyShare<Secp256k1>;

impl Secrets for PairSetup {
    /// The seed of shares of zero; the rest is looked for when it is sealed.
    fn watch(&self) {
        Needles::watch("a zero seed", self.zero_seed().expose());
    }
}

impl Secrets for Preprocessed {
    fn watch(&self) {}
}

impl Secrets for Made {
    fn watch(&self) {
        self.setup.watch();
    }
}

fn payload() -> Payload {
    Payload::personal_message("a message to sign")
}

fn path() -> DerivationPath {
    "m/0/5".parse().expect("a path")
}

/// What every operation begins with, sealed or encoded: server, client.
struct Stock {
    factors: [Vec<u8>; 2],
    shares: [Vec<u8>; 2],
    setups: [Vec<u8>; 2],
}

fn duo<P: Protocol>(
    setups: [P::Setup; 2],
    secrets: [&P::LongTerm; 2],
    inputs: [P::Input; 2],
    seed: u64,
) -> [(P::Output, Option<P::Held>); 2] {
    let mut rng = symbolon_testkit::seeded(seed);
    let mut start = |setup, secrets, input| {
        let label = Label::new("stock").expect("short");
        Session::<P>::start(setup, secrets, input, label, Auth::Channel, &mut rng).expect("it starts")
    };
    let ([setup_s, setup_c], [secret_s, secret_c], [input_s, input_c]) = (setups, secrets, inputs);
    let sessions = (start(setup_s, secret_s, input_s), start(setup_c, secret_c, input_c));
    Duo::new(sessions.0, sessions.1).run().0.map(|end| (end.output, end.held))
}

fn terms(suite: Suite) -> [PairSetupTerms; 2] {
    ROLES.map(|role| PairSetupTerms { pair: role.into(), suite, serial: 0 })
}

impl Stock {
    fn new(suite: Suite) -> Self {
        let rng = &mut symbolon_testkit::seeded(9);
        let factors = duo::<Keygen>(ROLES.map(KeygenSetup::new), [&(), &()], [(), ()], 1).map(|end| end.0);
        let mut setups = duo::<PairSetupRun>(terms(suite), [&(), &()], [(), ()], 2).map(|end| end.0);
        let [ots_s, ots_c] = &mut setups;
        let convert = [(&factors[0], ots_s), (&factors[1], ots_c)]
            .map(|(factor, ots)| ConvertSetup::new(factor, ots, 0).expect("runs left"));
        let ends = duo::<Convert>(convert, factors.each_ref(), setups, 3);
        let mut shares = Vec::new();
        let mut sealed = Vec::new();
        for (share, ots) in ends {
            shares.push(share.to_secret_bytes().to_vec());
            sealed.push(ots.expect("it comes back").seal(&storage(), rng).expect("it seals"));
        }
        let pair = |list: Vec<Vec<u8>>| <[Vec<u8>; 2]>::try_from(list).expect("two");
        let factors = factors.map(|factor| factor.to_secret_bytes().to_vec());
        Self { factors, shares: pair(shares), setups: pair(sealed) }
    }

    fn factors(&self, r: &mut Report) -> [PairFactor; 2] {
        self.factors.each_ref().map(|bytes| decoded(r, "PairFactor::decode", bytes))
    }

    fn shares(&self, r: &mut Report) -> [Share; 2] {
        self.shares.each_ref().map(|bytes| decoded(r, "KeyShare::decode", bytes))
    }

    fn setups(&self, r: &mut Report) -> [PairSetup; 2] {
        self.setups.each_ref().map(|sealed| {
            if r.pass == Pass::Learn {
                watch_setup(sealed);
            }
            let key = storage();
            r.entry("PairSetup::open", || PairSetup::open(sealed, &key)).expect("it opens")
        })
    }
}

/// Leaves, `Delta` and zero seed are the last bytes of the content.
fn watch_setup(sealed: &[u8]) {
    let plain = storage().open(b"pairsetp", sealed).expect("it opens");
    let secrets = 2 * 512 * 16 + 16 + 32;
    Needles::watch("a pair setup: Delta, leaves, zero seed", &plain[plain.len() - secrets..]);
}

fn decoded<T: Storable + Secrets>(r: &mut Report, entry: &'static str, bytes: &[u8]) -> T {
    let value = r.entry(entry, || Reader::new(bytes).whole(T::decode)).expect("it decodes");
    if r.pass == Pass::Learn {
        value.watch();
    }
    value
}

/// Stores what is left, and drops it.
fn put_setups(r: &mut Report, setups: impl IntoIterator<Item = PairSetup>) {
    let (key, mut rng) = (storage(), Recording::new(3));
    for setup in setups {
        let sealed = r.entry("PairSetup::seal", || setup.seal(&key, &mut rng)).expect("it seals");
        r.publish(&sealed);
        if r.pass == Pass::Learn {
            watch_setup(&sealed);
        }
    }
}

fn put_items(r: &mut Report, items: impl IntoIterator<Item = Preprocessed>) -> Vec<Vec<u8>> {
    let (key, mut rng) = (storage(), Recording::new(4));
    let mut all = Vec::new();
    for item in items {
        let sealed = r.entry("hazmat::seal_item", || seal_item(item, &key, &mut rng)).expect("it seals");
        r.publish(&sealed);
        if r.pass == Pass::Learn {
            let plain = key.open(b"bankitem", &sealed).expect("it opens");
            // they stand at the end
            let secrets = &plain[plain.len() - 8 * 32..];
            for bytes in secrets.as_chunks::<32>().0 {
                Needles::watch_scalar::<Secp256k1>(
                    "a bank item: k, alpha, t, beta, r",
                    &Secp256k1::scalar_from_bytes(bytes).expect("canonical"),
                );
            }
        }
        all.push(sealed);
    }
    all
}

/// A value is sealed, and wiped.
fn keep<T: Storable>(r: &mut Report, value: T) {
    let (key, mut rng) = (storage(), Recording::new(5));
    let sealed = r.entry("store::seal", || store::seal(&value, &key, &mut rng)).expect("it seals");
    r.publish(&sealed);
    let again: T = r.entry("store::open", || store::open(&sealed, &key)).expect("it opens");
    r.entry("drop", || drop(again));
    r.entry("drop", || drop(value));
}

/// The honest run, and every way in which one of `messages` fails.
fn twists(messages: usize) -> impl Iterator<Item = Twist> {
    let lies = (1..=messages).flat_map(|n| [3, 50, 100].map(|part| Twist::Flip(n, part)));
    core::iter::once(Twist::Honest).chain(lies).chain((0..messages).map(Twist::Cancel))
}

/// Runs them all.
pub fn all(reports: &mut Vec<Report>, only: Option<&str>) {
    for suite in [Suite::Blake3, Suite::Aes] {
        with(reports, only, &Stock::new(suite), suite);
    }
}

fn name(suite: Suite, blake3: &'static str, aes: &'static str) -> &'static str {
    if suite == Suite::Blake3 { blake3 } else { aes }
}

fn channel() -> Auth {
    Auth::Channel
}

fn with(reports: &mut Vec<Report>, only: Option<&str>, stock: &Stock, suite: Suite) {
    if suite == Suite::Blake3 {
        Report::add(reports, only, "keygen", |r| {
            for twist in twists(4) {
                let parties = ROLES.map(|role| (KeygenSetup::new(role), &(), (), channel()));
                for (_, end) in play::<Keygen>(r, parties.into(), twist, 10) {
                    end.output.into_iter().for_each(|factor| keep(r, factor));
                }
            }
        });
        Report::add(reports, only, "refresh of a pair", |r| {
            for twist in twists(4) {
                let old = stock.factors(r);
                let parties = old.each_ref().map(|old| (RefreshSetup::new(old, 1).expect("later"), old, (), channel()));
                for (_, end) in play::<PairRefresh>(r, parties.into(), twist, 11) {
                    end.output.into_iter().for_each(|factor| keep(r, factor));
                }
                r.entry("drop", || drop(old));
            }
        });
        Report::add(reports, only, "create", |r| {
            for twist in twists(9) {
                let parties = ROLES.map(|role| (CreateSetup::new(role).bank(2), &(), (), channel()));
                for (_, end) in play::<Create>(r, parties.into(), twist, 12) {
                    end.output.into_iter().for_each(|wallet| keep(r, wallet));
                    end.sealed.iter().for_each(|sealed| resume_ending::<Create>(r, sealed, channel()));
                    if let Some(Made { setup, items }) = end.held {
                        put_setups(r, [setup]);
                        put_items(r, items);
                    }
                }
            }
        });
        Report::add(reports, only, "sign statelessly", |r| {
            for twist in twists(8) {
                let shares = stock.shares(r);
                let parties = shares.each_ref().map(|share| {
                    let pair: Pair = symbolon::pair_of(share).expect("two parties");
                    let setup = StatelessSetup::new(share, &pair, suite, payload(), path()).expect("this key");
                    (setup, share, (), channel())
                });
                play::<SignStateless>(r, parties.into(), twist, 13);
                r.entry("drop", || drop(shares));
            }
        });
    }
    Report::add(reports, only, name(suite, "pair setup", "pair setup (AES)"), |r| {
        for twist in twists(6) {
            let parties = terms(suite).map(|terms| (terms, &(), (), channel()));
            let ends = play::<PairSetupRun>(r, parties.into(), twist, 14);
            put_setups(r, ends.into_values().filter_map(|end| end.output));
        }
    });
    Report::add(reports, only, name(suite, "mta", "mta (AES)"), |r| {
        for twist in twists(4) {
            let setups = stock.setups(r);
            let rng = &mut Recording::new(15);
            let factors = ROLES.map(|_| {
                let two = vec![SecretScalar::random(rng), SecretScalar::random(rng)];
                if r.pass == Pass::Learn {
                    two.watch();
                }
                MtaFactors::new(two).expect("two products")
            });
            let mut parties = Vec::new();
            for (mut ots, own) in setups.into_iter().zip(&factors) {
                parties.push((MtaSetup::new(&mut ots, own).expect("runs left"), own, ots, channel()));
            }
            for (_, end) in play::<Mta>(r, parties, twist, 15) {
                r.entry("drop", || drop(end.output));
                put_setups(r, end.held);
            }
            r.entry("drop", || drop(factors));
        }
    });
    Report::add(reports, only, name(suite, "convert", "convert (AES)"), |r| {
        for twist in twists(4) {
            let (factors, setups) = (stock.factors(r), stock.setups(r));
            let mut parties = Vec::new();
            for (mut ots, factor) in setups.into_iter().zip(&factors) {
                parties.push((ConvertSetup::new(factor, &mut ots, 0).expect("runs left"), factor, ots, channel()));
            }
            for (_, end) in play::<Convert>(r, parties, twist, 16) {
                end.output.into_iter().for_each(|share| keep(r, share));
                put_setups(r, end.held);
            }
            r.entry("drop", || drop(factors));
        }
    });
    Report::add(reports, only, name(suite, "bank: make and use", "bank: make and use (AES)"), |r| {
        for twist in twists(3) {
            let mut parties = Vec::new();
            for mut ots in stock.setups(r) {
                parties.push((PreprocessSetup::new(&mut ots, 2).expect("runs left"), &(), ots, channel()));
            }
            for (_, end) in play::<Preprocess>(r, parties, twist, 17) {
                put_items(r, end.output.into_iter().flatten());
                put_setups(r, end.held);
            }
        }
        for twist in twists(2) {
            let mut parties = Vec::new();
            for mut ots in stock.setups(r) {
                parties.push((PreprocessSetup::new(&mut ots, 1).expect("runs left"), &(), ots, channel()));
            }
            let mut items = Vec::new();
            for (_, end) in play::<Preprocess>(r, parties, Twist::Honest, 18) {
                items.extend(put_items(r, end.output.into_iter().flatten()));
                r.entry("drop", || drop(end.held));
            }
            let shares = stock.shares(r);
            let mut parties = Vec::new();
            for (sealed, share) in items.iter().zip(&shares) {
                let (key, mut ledger) = (storage(), MemoryLedger::default());
                let item = r.entry("hazmat::open_item", || open_item(sealed, &key, &mut ledger)).expect("once");
                let setup = OnlineSetup::new(share, &item, payload(), path()).expect("this key");
                parties.push((setup, share, item, channel()));
            }
            play::<SignOnline>(r, parties, twist, 19);
            r.entry("drop", || drop(shares));
        }
    });
    Report::add(reports, only, name(suite, "sign from scratch", "sign from scratch (AES)"), |r| {
        for twist in twists(4) {
            let (shares, setups) = (stock.shares(r), stock.setups(r));
            let mut parties = Vec::new();
            for (mut ots, share) in setups.into_iter().zip(&shares) {
                let setup = FullSetup::new(share, &mut ots, payload(), path()).expect("runs left");
                parties.push((setup, share, ots, channel()));
            }
            for (_, end) in play::<SignFull>(r, parties, twist, 20) {
                put_setups(r, end.held);
            }
            r.entry("drop", || drop(shares));
        }
    });
}
