//! All two-party protocols, every round of both sides, with both pad suites.

use crate::{
    memcheck::declassify,
    operations::stored,
    run::{Both, Secret, Table, run},
};
use symbolon::{
    Convert, ConvertSetup, DerivationPath, KeyShare, Keygen, KeygenSetup, Mta, MtaFactors, MtaSetup, PairFactor,
    PairRefresh, PairSetup, PairSetupRun, PairSetupTerms, Payload, Preprocess, PreprocessSetup, Preprocessed,
    RefreshSetup, Role, Secp256k1, SecretBytes, SecretScalar, Storable, StorageKey, Suite,
    wallet::{Create, CreateSetup, SignStateless, StatelessSetup},
};
use symbolon_core::wire::Reader;
use symbolon_ecdsa::{FullSetup, OnlineSetup, SignFull, SignOnline, pair_of};

const ROLES: Both<Role> = [Role::Server, Role::Client];
type Share = KeyShare<Secp256k1>;

/// Runs all protocols.
pub fn all(table: &mut Table) {
    let factors = keygen(table);
    let factors = refresh(table, &factors);
    let mut shares = None;
    for suite in [Suite::Blake3, Suite::Aes] {
        let setups = pair_setup(table, suite);
        let setups = mta(table, suite, setups);
        let (converted, setups) = convert(table, suite, &factors, setups);
        let (items, setups) = preprocess(table, suite, setups);
        sign_online(table, suite, &converted, items);
        sign_full(table, suite, &converted, setups);
        shares = Some(converted);
    }
    let shares = shares.expect("two suites");
    sign_stateless(table, &shares);
    create(table);
}

/// A value as it comes back from the caller's store: the public part of its encoding is public again, the last
/// `secret` bytes stay secret.
fn reload<T: Storable>(table: &mut Table, name: &str, value: &T, secret: usize) -> T {
    let mut bytes = table.step(format!("{name}: encode"), || value.to_secret_bytes());
    let public = bytes.len() - secret;
    declassify(&mut bytes[..public]);
    table
        .step(format!("{name}: decode"), || {
            let mut r = Reader::new(&bytes);
            T::decode(&mut r)
        })
        .expect("just encoded")
}

fn reload_both<T: Storable>(table: &mut Table, name: &str, values: Both<T>, secret: usize) -> Both<T> {
    values.map(|value| reload(table, name, &value, secret))
}

fn payload() -> Payload {
    Payload::personal_message("a message to sign")
}

fn path() -> DerivationPath {
    "m/0/5".parse().expect("a path")
}

fn keygen(table: &mut Table) -> Both<PairFactor> {
    let setups = ROLES.map(KeygenSetup::new);
    let factors = run::<Keygen>(table, "keygen", &setups, [&(), &()], [(), ()]).map(|end| end.0);
    reload_both(table, "PairFactor", factors, 32)
}

fn refresh(table: &mut Table, old: &Both<PairFactor>) -> Both<PairFactor> {
    let setups = old.each_ref().map(|factor| RefreshSetup::new(factor, 1).expect("a later generation"));
    let factors = run::<PairRefresh>(table, "refresh", &setups, old.each_ref(), [(), ()]).map(|end| end.0);
    stored(table, "PairFactor", &factors[0]);
    reload_both(table, "PairFactor", factors, 32)
}

fn pair_setup(table: &mut Table, suite: Suite) -> Both<PairSetup> {
    let terms = ROLES.map(|role| PairSetupTerms { pair: role.into(), suite, serial: 0 });
    let name = format!("pair setup ({suite:?})");
    run::<PairSetupRun>(table, &name, &terms, [&(), &()], [(), ()]).map(|end| end.0)
}

fn mta(table: &mut Table, suite: Suite, mut setups: Both<PairSetup>) -> Both<PairSetup> {
    let factors = ROLES.map(|_| {
        let rng = &mut Secret::new(60);
        MtaFactors::new(vec![SecretScalar::random(rng), SecretScalar::random(rng)]).expect("two products")
    });
    let terms: Vec<_> =
        setups.iter_mut().zip(&factors).map(|(ots, own)| MtaSetup::new(ots, own).expect("runs left")).collect();
    let terms = <Both<MtaSetup>>::try_from(terms).expect("two sides");
    run::<Mta>(table, &format!("mta ({suite:?})"), &terms, factors.each_ref(), setups).map(|end| end.1)
}

fn convert(
    table: &mut Table,
    suite: Suite,
    factors: &Both<PairFactor>,
    mut setups: Both<PairSetup>,
) -> (Both<Share>, Both<PairSetup>) {
    let [ots_s, ots_c] = &mut setups;
    let terms = [(&factors[0], ots_s), (&factors[1], ots_c)]
        .map(|(factor, ots)| ConvertSetup::new(factor, ots, 0).expect("runs left"));
    let ends = run::<Convert>(table, &format!("convert ({suite:?})"), &terms, factors.each_ref(), setups);
    let [(share_s, ots_s), (share_c, ots_c)] = ends;
    stored(table, "KeyShare", &share_s);
    (reload_both(table, "KeyShare", [share_s, share_c], 32), [ots_s, ots_c])
}

fn preprocess(table: &mut Table, suite: Suite, mut setups: Both<PairSetup>) -> (Both<Preprocessed>, Both<PairSetup>) {
    let terms = setups.each_mut().map(|ots| PreprocessSetup::new(ots, 2).expect("runs left"));
    let ends = run::<Preprocess>(table, &format!("preprocess ({suite:?})"), &terms, [&(), &()], setups);
    let [(mut items_s, ots_s), (mut items_c, ots_c)] = ends;
    ([items_s.remove(0), items_c.remove(0)], [ots_s, ots_c])
}

fn sign_online(table: &mut Table, suite: Suite, shares: &Both<Share>, items: Both<Preprocessed>) {
    let terms =
        [0, 1].map(|i| OnlineSetup::new(&shares[i], &items[i], payload(), path()).expect("this key, this pair"));
    run::<SignOnline>(table, &format!("sign from the bank ({suite:?})"), &terms, shares.each_ref(), items);
}

fn sign_full(table: &mut Table, suite: Suite, shares: &Both<Share>, mut setups: Both<PairSetup>) {
    let [ots_s, ots_c] = &mut setups;
    let terms = [(&shares[0], ots_s), (&shares[1], ots_c)]
        .map(|(share, ots)| FullSetup::new(share, ots, payload(), path()).expect("this key, this pair"));
    let ends = run::<SignFull>(table, &format!("sign from scratch ({suite:?})"), &terms, shares.each_ref(), setups);
    let key = StorageKey::new(SecretBytes::random(&mut Secret::new(70)));
    for (_, ots) in ends {
        table.step(format!("PairSetup ({suite:?}): seal"), || ots.seal(&key, &mut Secret::new(71)).is_ok());
    }
}

fn sign_stateless(table: &mut Table, shares: &Both<Share>) {
    let terms = shares.each_ref().map(|share| {
        let pair = pair_of(share).expect("two parties");
        StatelessSetup::new(share, &pair, Suite::Blake3, payload(), path()).expect("this key")
    });
    run::<SignStateless>(table, "sign statelessly", &terms, shares.each_ref(), [(), ()]);
}

fn create(table: &mut Table) {
    let setups = ROLES.map(|role| CreateSetup::new(role).bank(1));
    run::<Create>(table, "create", &setups, [&(), &()], [(), ()]);
}
