//! Those of the hundred bad inputs (docs/bad-inputs.md) that no crate's own tests have, by number.

use crate::world::{label, pair, signed};
use std::{fs, path::Path};
use symbolon::{
    Auth, Ed25519, Error, Group, Header, Identity, KeyShare, Keygen, KeygenSetup, Label, PartyId, Rejected, Role,
    Roster, RosterError, Secp256k1, SecretScalar, Session, Step, Storable, Threshold,
    backup::{Password, PasswordError, PasswordPolicy},
    wire::{DecodeError, Reader},
};
use symbolon_sharing::{ShamirError, Share, combine, split};
use symbolon_testkit::seeded;

fn id(id: u16) -> PartyId {
    PartyId::new(id).unwrap()
}

fn members(ids: impl IntoIterator<Item = u16>) -> Vec<(PartyId, Identity)> {
    ids.into_iter().map(|i| (id(i), Identity::Key([i.to_be_bytes(); 16].concat().try_into().unwrap()))).collect()
}

#[test]
fn bad_inputs_01_to_11_parties_and_labels() {
    // 1, 2, 3, 4
    for (t, n) in [(0, 3), (1, 3), (4, 3), (2, 0), (2, 1), (u16::MAX, 255)] {
        let text = Threshold::new(t, n).unwrap_err().to_string();
        assert_eq!(text, format!("threshold {t} of {n} parties is not allowed: 2 <= t <= n"));
    }
    // 4, 5
    let new = |me: u16, list: Vec<_>| Roster::new(id(me), list);
    for n in [0, 1] {
        assert_eq!(new(1, members(1..=n)), Err(RosterError::Size(n.into())));
    }
    assert!(new(1, members(1..=255)).is_ok());
    assert_eq!(new(1, members(1..=256)), Err(RosterError::Size(256)));
    // a list without an end is looked at no further than that
    assert_eq!(Roster::new(id(1), members([1]).into_iter().cycle()), Err(RosterError::Size(256)));
    // 6, 7, 8
    assert_eq!(new(4, members(1..=3)), Err(RosterError::NotAMember(id(4))));
    assert_eq!(new(1, members([1, 2, 2])), Err(RosterError::Duplicate(id(2))));
    assert_eq!(
        new(1, [members([1, 2]), vec![(id(3), members([1])[0].1)]].concat()),
        Err(RosterError::Duplicate(id(1)))
    );
    assert_eq!(PartyId::new(0).unwrap_err().to_string(), "party id 0 is not allowed: ids are 1..=65535");
    // 10: in any order it is the same list
    assert_eq!(new(1, members([3, 1, 2])), new(1, members([1, 2, 3])));
    // 11
    assert_eq!(Label::new("").unwrap_err().to_string(), "a label has 1 to 256 bytes, this one has 0");
    let long = Label::new(vec![b'x'; 1 << 20]).unwrap_err().to_string();
    assert_eq!(long, "a label has 1 to 256 bytes, this one has 1048576");
    assert!(Label::new([b'x'; 256]).is_ok() && Label::new([b'x'; 257]).is_err());
}

#[test]
fn bad_inputs_12_to_19_shares() {
    type G = Secp256k1;
    let mut rng = seeded(1);
    let (two, indices) = (Threshold::TWO, (1..=256u64).map(<G as Group>::Scalar::from).collect::<Vec<_>>());
    let secret = SecretScalar::<G>::random(&mut rng);
    let (shares, commitments) = split(&secret, two, &indices, &mut rng).unwrap();
    let of = |index: u64, value: usize| Share::<G> {
        index: <G as Group>::Scalar::from(index),
        value: SecretScalar::new(*shares[value].value.expose()),
    };
    let error = |shares: &[Share<G>]| combine(shares, &commitments).err();
    assert_eq!(error(&[of(1, 0), of(2, 1)]), None);
    assert_eq!(error(&[of(1, 0)]), Some(ShamirError::Count { got: 1, needed: 2 }), "12");
    assert_eq!(error(&[of(1, 0), of(1, 0)]), Some(ShamirError::DuplicateIndex), "13");
    assert_eq!(error(&[of(1, 0), of(1, 1)]), Some(ShamirError::DuplicateIndex), "14");
    assert_eq!(error(&[of(1, 0), of(0, 1)]), Some(ShamirError::ZeroIndex), "15");
    let (others, _) = split(&secret, two, &indices, &mut rng).unwrap();
    let mixed = Share::<G> { index: indices[1], value: SecretScalar::new(*others[1].value.expose()) };
    assert_eq!(error(&[of(1, 0), mixed]), Some(ShamirError::BadShares(vec![1])), "16: of another sharing of this key");
    assert_eq!(error(&[of(1, 0), of(2, 1), of(3, 7)]), Some(ShamirError::BadShares(vec![2])), "18");
    assert_eq!(error(&[]), Some(ShamirError::Count { got: 0, needed: 2 }), "19");
    // 19: how many there are is the caller's affair here; a key has at most 255 holders
    assert_eq!(error(&shares), None);
}

#[test]
fn bad_inputs_20_to_23_scalars() {
    fn check<G: Group>() {
        let read = |bytes: &[u8]| Reader::new(bytes).whole(|r| r.scalar::<G>());
        let mut one = [0; 32];
        one[if G::ID == Secp256k1::ID { 31 } else { 0 }] = 1;
        assert_eq!(read(&one), Ok(G::Scalar::from(1)));
        for len in [0, 1, 31] {
            assert_eq!(read(&one[..len]), Err(DecodeError::Truncated));
        }
        assert_eq!(read(&[&one[..], &[0]].concat()), Err(DecodeError::Trailing));
        // q - 1 is the largest
        let mut q = G::scalar_to_bytes(&-G::Scalar::from(1));
        assert_eq!(read(&q), Ok(-G::Scalar::from(1)));
        for _ in 0..2 {
            // no byte of either order overflows
            q[if G::ID == Secp256k1::ID { 31 } else { 0 }] += 1;
            assert_eq!(read(&q), Err(DecodeError::ScalarRange));
        }
        assert_eq!(read(&[0xff; 32]), Err(DecodeError::ScalarRange));
    }
    check::<Secp256k1>();
    check::<Ed25519>();
}

#[test]
fn bad_inputs_24_to_30_points_of_secp256k1() {
    let g = Secp256k1::generator_bytes();
    let point = |bytes: &[u8]| Secp256k1::point_from_bytes(bytes).unwrap_err();
    // 24, and 29, 30: the uncompressed form is 65 bytes, whatever y it has
    for len in [0, 1, 32, 34, 64, 65, 66] {
        for tag in [0, 2, 4] {
            let mut bytes = vec![0x11; len];
            bytes.iter_mut().take(1).for_each(|first| *first = tag);
            assert_eq!(point(&bytes), DecodeError::Truncated, "{len} bytes, tag {tag}");
        }
    }
    let g_uncompressed = [&[4][..], &Secp256k1::secret_point_bytes(&Secp256k1::generator())].concat();
    assert_eq!(point(&g_uncompressed), DecodeError::Truncated);
    // 25: the short form of the identity has another length, the long one is the identity
    assert_eq!((point(&[0]), point(&[0; 33])), (DecodeError::Truncated, DecodeError::Identity));
    let mut other = [0; 33];
    other[32] = 1;
    assert_eq!(point(&other), DecodeError::Point);
    // 26
    for tag in [1, 4, 5, 6, 7, 0xff] {
        assert_eq!(point(&[&[tag][..], &g[1..]].concat()), DecodeError::Point);
    }
    // 27: x of p, of p + 1 and above; 28
    let p = "fffffffffffffffffffffffffffffffffffffffffffffffffffffffefffffc2f";
    for x in [p, &p.replace("c2f", "c30"), &"ff".repeat(32), &format!("{:064x}", 5)] {
        assert_eq!(point(&hex::decode(format!("02{x}")).unwrap()), DecodeError::Point, "{x}");
    }
    // read from a message, too
    assert_eq!(Reader::new(&g[..32]).point::<Secp256k1>(), Err(DecodeError::Truncated));
}

#[test]
fn bad_inputs_31_to_34_points_of_ed25519() {
    let point = |hex: &str| Ed25519::point_from_bytes(&hex::decode(hex).unwrap()).unwrap_err();
    let le = |low: u8, middle: &str, high: u8| format!("{low:02x}{}{high:02x}", middle.repeat(30));
    // 31, 34: y from p to 2^255 - 1, and -0
    for low in 0xed..=0xff {
        for high in [0x7f, 0xff] {
            assert_eq!(point(&le(low, "ff", high)), DecodeError::Point);
        }
    }
    assert_eq!(point(&le(1, "00", 0x80)), DecodeError::Point);
    // 32: the identity, and the others of order 2, 4 and 8
    assert_eq!(point(&le(1, "00", 0)), DecodeError::Identity);
    let order_8 = [
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03",
    ];
    let mut small = vec![le(0xec, "ff", 0x7f), le(0, "00", 0), le(0, "00", 0x80)];
    small.extend(
        order_8.iter().zip([["05", "85"], ["7a", "fa"]]).flat_map(|(y, high)| high.map(|high| format!("{y}{high}"))),
    );
    assert_eq!(small.len(), 7);
    for bytes in small {
        assert_eq!(point(&bytes), DecodeError::Point, "{bytes}");
    }
    // 33: the sum of the generator and the point of order 2, (-x, p - y)
    let mut sum = Ed25519::generator_bytes();
    for (byte, p) in sum.iter_mut().zip([&[0xed][..], &[0xff; 30], &[0x7f]].concat()) {
        // no byte of this y is above that of p
        *byte = p - *byte;
    }
    sum[31] ^= 0x80;
    assert_eq!(Ed25519::point_from_bytes(&sum), Err(DecodeError::Point));
    assert_eq!(Ed25519::point_from_bytes(&[1; 31]), Err(DecodeError::Truncated));
}

#[test]
fn bad_input_70_a_length_of_four_gigabytes() {
    let bytes = [&u32::MAX.to_be_bytes()[..], &[7; 10]].concat();
    // above what the field may have, before anything is read; and below it, but not there
    assert_eq!(Reader::new(&bytes).prefixed(1 << 20), Err(DecodeError::Count));
    assert_eq!(Reader::new(&bytes).prefixed(usize::MAX), Err(DecodeError::Truncated));
    assert_eq!(Reader::new(&[0xff, 0xff]).count(255), Err(DecodeError::Count));
    // a stored thing of another kind goes no further than its first ten bytes
    let object = [b"SYMBOLON\x01\x08", &bytes[..]].concat();
    assert_eq!(KeyShare::<Secp256k1>::decode(&mut Reader::new(&object)).err(), Some(DecodeError::Unsupported));
}

/// Frames that are too early are refused, each of a million; none is kept.
#[test]
fn bad_input_76_a_million_early_frames() {
    let start = |role: Role| {
        let setup = KeygenSetup::new(pair(role));
        Session::<Keygen>::start(setup, &(), (), label("early"), Auth::Channel, &mut seeded(2)).unwrap()
    };
    let ((mut server, m1), (mut client, _)) = (start(Role::Server), start(Role::Client));
    let Step::Continue(m2) = client.handle(PartyId::SERVER, &m1[0].bytes).unwrap() else { panic!("goes on") };
    let kept = client.resend().len();
    // the server's next frame is of round 3; what it would send in a round after that
    let mut early = m1[0].bytes.clone();
    assert_eq!(early[2], 1);
    let mut seen = std::collections::BTreeSet::new();
    for n in 0..1_000_000u32 {
        early[2] = 5 + (n % 250).to_le_bytes()[0];
        let at = early.len() - 4;
        early[at..].copy_from_slice(&n.to_be_bytes());
        match client.handle(PartyId::SERVER, &early) {
            Err(Error::Rejected(why)) => seen.insert(format!("{why:?}")),
            _ => panic!("refused"),
        };
    }
    assert!(seen.iter().all(|why| ["Early", "Slot", "Size"].contains(&why.as_str())), "{seen:?}");
    assert_eq!(client.resend().len(), kept);
    assert_eq!(client.waiting_for().into_iter().collect::<Vec<_>>(), [PartyId::SERVER]);
    assert!(server.handle(PartyId::CLIENT, &m2[0].bytes).is_ok(), "and the run goes on");
}

#[test]
fn bad_inputs_69_to_74_envelopes() {
    let start = |role: Role| {
        let setup = KeygenSetup::new(pair(role));
        Session::<Keygen>::start(setup, &(), (), label("envelope"), signed(role), &mut seeded(3)).unwrap()
    };
    let ((_, m1), (mut client, _)) = (start(Role::Server), start(Role::Client));
    let frame = m1[0].bytes.clone();
    let mut refused = |from: PartyId, frame: &[u8]| match client.handle(from, frame) {
        Err(Error::Rejected(why)) => why,
        _ => panic!("refused"),
    };
    let with = |at: usize, bytes: &[u8]| [&frame[..at], bytes, &frame[at + bytes.len()..]].concat();
    // 69: nothing, a byte, the header alone
    for len in [0, 1, Header::LEN - 1, Header::LEN] {
        assert_eq!(refused(PartyId::SERVER, &frame[..len]), Rejected::Length, "{len}");
    }
    // 71
    for version in [0, 2, 255] {
        assert_eq!(refused(PartyId::SERVER, &with(0, &[version])), Rejected::Version(version));
    }
    for protocol in [0, 254, 255] {
        assert_eq!(refused(PartyId::SERVER, &with(1, &[protocol])), Rejected::Protocol(protocol));
    }
    // 73: from itself, from nobody, for somebody else
    assert_eq!(refused(PartyId::CLIENT, &with(3, &[0, 2])), Rejected::Sender);
    assert_eq!(refused(PartyId::SERVER, &with(3, &[0, 9])), Rejected::Sender);
    assert_eq!(refused(id(9), &with(3, &[0, 9])), Rejected::Sender);
    assert_eq!(refused(PartyId::SERVER, &with(5, &[0, 9])), Rejected::Recipient);
    // 74: no round, and one that this protocol does not have
    assert_eq!(refused(PartyId::SERVER, &with(2, &[0])), Rejected::Slot);
    assert_eq!(refused(PartyId::SERVER, &with(2, &[77])), Rejected::Slot);
    // 75: another label, another protocol
    assert_eq!(refused(PartyId::SERVER, &with(7, &[0; 16])), Rejected::Label);
    assert!(client.handle(PartyId::SERVER, &frame).is_ok());
}

#[test]
fn bad_inputs_84_85_passwords() {
    let policy = PasswordPolicy::default();
    let new = |text: &str| Password::new(text, &policy).err();
    assert_eq!(new(""), Some(PasswordError::TooShort(12)));
    assert_eq!(new(&"x".repeat(1 << 20)), Some(PasswordError::TooLong));
    assert_eq!(Password::entered(&"x".repeat(1 << 20)).err(), Some(PasswordError::TooLong));
    assert_eq!(new("with a \0 in it"), None, "a character like any other");
}

/// Bad input 100: no library reads a clock, an environment, a file, a socket, or randomness of its own. The channel between two
/// threads, in memory and behind `std`, is all there is of the kind.
#[test]
fn bad_input_100_the_libraries_ask_the_machine_for_nothing() {
    const FORBIDDEN: [&str; 14] = [
        "SystemTime",
        "Instant",
        "std::env",
        "std::fs",
        "std::net",
        "std::io",
        "std::process",
        "std::thread",
        "thread_rng",
        "OsRng",
        "from_os_rng",
        "getrandom",
        "HashMap",
        "HashSet",
    ];
    const ALLOWED: [(&str, &str); 1] = [("symbolon/src/lib.rs", "getrandom")];
    const DEV: [&str; 5] = ["symbolon-testkit", "symbolon-ct", "symbolon-fuzz", "symbolon-siege", "symbolon-residue"];
    let crates = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/.."));
    let (mut files, mut roots) = (0, 0);
    let mut folders: Vec<_> = fs::read_dir(crates).unwrap().map(|entry| entry.unwrap().path().join("src")).collect();
    folders.retain(|folder| folder.is_dir() && !DEV.iter().any(|dev| folder.starts_with(crates.join(dev))));
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
                continue;
            }
            let name = path.strip_prefix(crates).unwrap().to_str().unwrap().to_owned();
            if path.extension().is_none_or(|extension| extension != "rs")
                || name.contains("/tests")
                || name.ends_with("/wiped.rs")
            {
                continue;
            }
            let source = fs::read_to_string(&path).unwrap();
            let library = source.split("#[cfg(test)]\nmod tests").next().unwrap();
            let code = library.lines().filter(|line| !line.trim_start().starts_with("//"));
            for (line, word) in code.flat_map(|line| FORBIDDEN.map(|word| (line, word))) {
                let is_allowed = ALLOWED.iter().any(|(file, allowed)| name == *file && word == *allowed);
                assert!(!line.contains(word) || is_allowed, "{name}: {line}");
            }
            if name.ends_with("/src/lib.rs") {
                assert!(source.contains("\n#![no_std]\n"), "{name}");
                roots += 1;
            }
            files += 1;
        }
    }
    assert!(files > 100 && roots >= 12, "{files} files of {roots} crates");
}
