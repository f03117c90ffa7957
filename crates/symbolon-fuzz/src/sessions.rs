//! Whole runs against the adversary of `symbolon_testkit::siege`, whose decisions are the input: the first byte chooses the
//! protocol of the family, each other one what happens next.

use std::{cell::RefCell, collections::BTreeMap};
use symbolon_siege::campaign::sieges;
use symbolon_testkit::siege::{Besieged, Bytes};

/// Two parties make something.
pub const PAIR: &[&str] = &["keygen", "convert", "pair-refresh", "pair-setup", "mta"];
/// Two parties have a wallet.
pub const WALLET: &[&str] = &["preprocess", "sign", "sign-online", "create", "sign-stateless"];
/// Many hold a key.
pub const COMMITTEE: &[&str] =
    &["dkg", "dkg ed25519", "refresh", "hand-over", "hand-over offline", "import", "refresh batch", "hand-over batch"];
/// Many sign with ECDSA.
pub const QUORUM: &[&str] = &["committee-setup", "quorum-preprocess", "quorum-sign-online", "quorum-sign"];
/// Many sign with FROST.
pub const FROST: &[&str] = &[
    "frost-sign",
    "frost-preprocess",
    "frost-sign-online",
    "frost-sign secp256k1",
    "frost-preprocess secp256k1",
    "frost-sign-online secp256k1",
];

type Sieges = Vec<Box<dyn Besieged>>;

thread_local! {
    // made once: most begin with a wallet or a committee
    static MADE: RefCell<BTreeMap<&'static str, Sieges>> = const { RefCell::new(BTreeMap::new()) };
}

/// One run. Whether every honest party had a result.
pub fn run(family: &'static [&'static str], data: &[u8]) -> bool {
    let Some((which, decisions)) = data.split_first() else { return false };
    MADE.with_borrow_mut(|made| {
        let family = made.entry(family[0]).or_insert_with(|| {
            let made = sieges(&family.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(made.len(), family.len(), "{family:?}");
            made
        });
        let siege = &family[usize::from(*which) % family.len()];
        let report = siege.run(&mut Bytes::new(decisions), u64::from(*which), false);
        assert!(report.violations.is_empty(), "{}: {:?}", siege.name(), report.violations);
        report.ends[1] + report.ends[2] == 0
    })
}
