//! Addresses with arguments, every type of argument, and the one point that no text may stand for.

use bech32::{Bech32, ByteIterExt, Fe32, Fe32IterExt, Hrp, primitives::checksum::Checksum};
use proptest::prelude::*;
use serde_json::Value as Json;
use symbolon_dero::{
    Address, AddressError, AnyAddress, Argument, Arguments, KeyError, Network, PublicKey, SecretKey, SignatureError,
    SignedMessage, Value,
    challenge::{Challenge, ReadError},
};

const INTEGRATED: &str =
    "deroi1qy088vjhgjz60z0jglkas6daqavv3lzdrxh43sa394eztxgtzvp4wq9zvfp4xetgv4kxcmmzg323kqqqqqfrg4ncjqul3rn4";

fn key() -> PublicKey {
    *SecretKey::from_bytes(&[7; 32]).unwrap().public()
}

/// Bech32 without its limit of length, of a test's own.
enum Long {}

impl Checksum for Long {
    type MidstateRepr = <Bech32 as Checksum>::MidstateRepr;
    type CorrectionField = <Bech32 as Checksum>::CorrectionField;
    const ROOT_GENERATOR: Self::CorrectionField = Bech32::ROOT_GENERATOR;
    const ROOT_EXPONENTS: core::ops::RangeInclusive<usize> = Bech32::ROOT_EXPONENTS;
    const CODE_LENGTH: usize = usize::MAX;
    const CHECKSUM_LENGTH: usize = Bech32::CHECKSUM_LENGTH;
    const GENERATOR_SH: [Self::MidstateRepr; 5] = Bech32::GENERATOR_SH;
    const TARGET_RESIDUE: Self::MidstateRepr = Bech32::TARGET_RESIDUE;
}

fn armour(prefix: &str, bytes: &[u8]) -> String {
    bech32::encode_lower::<Long>(Hrp::parse(prefix).unwrap(), bytes).unwrap()
}

/// An address with any bytes after its key.
fn with_cbor(prefix: &str, cbor: &[u8]) -> Result<AnyAddress, AddressError> {
    AnyAddress::parse(&armour(prefix, &[&[1][..], &key().to_bytes(), cbor].concat()))
}

fn argument(name: &str, value: Value) -> Argument {
    Argument { name: name.into(), value }
}

#[test]
fn the_wallets_integrated_address() {
    let AnyAddress::Integrated(address, arguments) = INTEGRATED.parse().unwrap() else { panic!("integrated") };
    assert_eq!(address.network(), Network::Mainnet);
    assert_eq!(arguments.get("C"), Some(&Value::Text("hello".into())));
    assert_eq!(arguments.get("D"), Some(&Value::Uint64(0x12_3456_7890)));
    assert_eq!((arguments.as_slice().len(), arguments.get("V")), (2, None));
    assert_eq!(AnyAddress::Integrated(address, arguments).to_string(), INTEGRATED);
    // and it is no account
    assert_eq!(INTEGRATED.parse::<Address>(), Err(AddressError::Kind));
}

// what the wallet reads but prints differently has no place here
#[test]
fn every_vector_reads_as_it_prints() {
    let file: Json = serde_json::from_str(include_str!("../../testdata/addresses.json")).unwrap();
    let (mut with_arguments, mut refused) = (0, 0);
    for v in file["vectors"].as_array().unwrap() {
        let text = v["address"].as_str().unwrap();
        let (plain, any) = (Address::parse(text), AnyAddress::parse(text));
        if plain != Err(AddressError::Kind) {
            assert_eq!(any, plain.map(AnyAddress::Plain), "{}", v["name"]);
            continue;
        }
        match any {
            Ok(any) => {
                assert_eq!(v["original"]["printed"], any.to_string());
                assert_eq!(text, any.to_string());
                with_arguments += 1;
            }
            Err(error) => {
                assert_ne!(v["original"]["printed"], text, "{}", v["name"]);
                assert_eq!(error.code(), "addr-arguments");
                refused += 1;
            }
        }
    }
    assert_eq!((with_arguments, refused), (2, 5));
}

#[test]
fn every_type_of_argument() {
    let all = [
        argument("S", Value::Text("żółw".into())),
        argument("i", Value::Int64(-5)),
        argument("j", Value::Int64(i64::MIN)),
        argument("k", Value::Int64(i64::MAX)),
        argument("u", Value::Uint64(u64::MAX)),
        argument("l", Value::Uint256([0xff; 32])),
        argument("zero", Value::Uint256([0; 32])),
        argument("h", Value::Hash([0; 32])),
        argument("a", Value::Account(key())),
        argument("t", Value::Time(1_771_070_400)),
        // half, single, double
        argument("f", Value::Float64(-1.5)),
        argument("f1", Value::Float64(5.960_464_477_539_063e-8)),
        argument("f2", Value::Float64(f64::INFINITY)),
        argument("f3", Value::Float64(0.0)),
        argument("f4", Value::Float64(65_505.0)),
        argument("f5", Value::Float64(0.1)),
        // next to a half
        argument("f6", Value::Float64(1.0 + f64::EPSILON)),
        argument("f7", Value::Float64(-1.5 - f64::EPSILON)),
        // one name, two types
        argument("u", Value::Text("u".into())),
    ];
    let arguments = Arguments::new(all.to_vec()).unwrap();
    for address in [
        AnyAddress::Integrated(Address::new(Network::Mainnet, key()), arguments.clone()),
        AnyAddress::Integrated(Address::new(Network::Testnet, key()), arguments.clone()),
        AnyAddress::Proof(key(), arguments.clone()),
    ] {
        assert_eq!(AnyAddress::parse(&address.to_string()), Ok(address));
    }
    for one in all {
        assert_eq!(arguments.as_slice().iter().filter(|other| **other == one).count(), 1);
    }

    let bad: [Vec<Argument>; 5] = [
        vec![],
        vec![argument("", Value::Uint64(1))],
        vec![argument("D", Value::Uint64(1)), argument("D", Value::Uint64(2))],
        vec![argument("F", Value::Float64(f64::NAN))],
        vec![argument("F", Value::Float64(-0.0))],
    ];
    for bad in bad {
        assert!(Arguments::new(bad).is_err());
    }
}

#[test]
fn one_encoding_of_arguments() {
    for (cbor, what) in [
        ("a1624455 01", "DU = 1"),
        ("a2624353 6161 624455 01", "CS before DU"),
        ("a1624446 f93e00", "1.5, half"),
        ("a1624446 f9be00", "-1.5, half"),
        ("a1624446 fa47ffe100", "131010, single"),
        ("a1624454 c11a6990 6440", "a time"),
        ("a2626255 01 63616155 01", "bU before aaU: the shorter first"),
        ("a1624449 20", "-1"),
    ] {
        assert!(with_cbor("deroi", &hex::decode(cbor.replace(' ', "")).unwrap()).is_ok(), "{what}");
    }
    for (cbor, what) in [
        ("", "nothing"),
        ("a0", "an empty map"),
        ("bf624455 01 ff", "an indefinite map"),
        ("a1624455 01 00", "bytes after it"),
        ("a1624455 1801", "a long 1"),
        ("b801624455 01", "a long map header"),
        ("a1624455 20", "a negative U"),
        ("a1624449 1b8000000000000000", "an I beyond i64"),
        ("a2624455 01 624353 6161", "another order"),
        ("a2624455 01 624455 01", "twice"),
        ("a162445a 01", "an unknown type"),
        ("a16155 01", "a type without a name"),
        ("a160 01", "an empty key"),
        ("a101 01", "a key that is a number"),
        ("a1624348 41aa", "a short hash"),
        ("a162444c 4200 01", "a number of 256 bits with a leading zero"),
        (&format!("a162444c 5821{}", "07".repeat(33)), "a number of 264 bits"),
        ("a2636161 5501 626255 01", "the longer first"),
        ("a1624446 f98000", "negative zero"),
        ("a1624446 fabfc00000", "-1.5, single"),
        ("a1624446 fa3fc00000", "1.5 as a single"),
        ("a1624446 fb3ff8000000000000", "1.5 as a double"),
        ("a1624446 f97e00", "NaN"),
        ("a1624446 f93e", "half of a half"),
        ("a1624454 1a69906440", "a time without its tag"),
        ("a1624454 c01a69906440", "a time with another tag"),
        ("a1624453 62ff00", "text that is not UTF-8"),
        ("a1624453 7f6161ff", "text of indefinite length"),
        ("bb ffffffffffffffff 624455 01", "a map without an end"),
        ("a1624453 7bffffffffffffffff", "a text without an end"),
        ("a1624441 5821 00", "a short key"),
    ] {
        let cbor = hex::decode(cbor.replace(' ', "")).unwrap();
        let refused = with_cbor("deroi", &cbor).map_err(|error| error.code());
        assert_eq!(refused, Err("addr-arguments"), "{what}");
        assert!(with_cbor("deroproof", &cbor).is_err(), "{what}");
    }
}

// one text: no group more than the bytes need
#[test]
fn padding_is_short() {
    for n in 1..12u8 {
        let comment = [&[0xa1, 0x62, b'C', b'S', 0x60 + n][..], &vec![b'x'; n.into()]].concat();
        let bytes = [&[1][..], &key().to_bytes(), &comment].concat();
        let text = |extra: usize| -> String {
            let groups = bytes.iter().copied().bytes_to_fes().chain(core::iter::repeat_n(Fe32::Q, extra));
            groups.with_checksum::<Long>(&Hrp::parse("deroi").unwrap()).chars().collect()
        };
        assert!(AnyAddress::parse(&text(0)).is_ok());
        for extra in 1..=9 {
            assert!(AnyAddress::parse(&text(extra)).is_err(), "{n} {extra}");
        }
    }
}

#[test]
fn a_name_with_two_types_has_no_value() {
    let two =
        [argument("V", Value::Uint64(1_000_000_000)), argument("V", Value::Int64(1)), argument("C", Value::Int64(2))];
    let arguments = Arguments::new(two.to_vec()).unwrap();
    assert_eq!((arguments.get("V"), arguments.get("C")), (None, Some(&Value::Int64(2))));
    assert_eq!(arguments.as_slice().len(), 3);
}

// x >= p: the wallet takes it for the identity, and for that key anybody can sign
#[test]
fn the_identity_enters_by_no_path() {
    const P: &str = "30644e72e131a029b85045b68181585d97816a916871ca8d3c208c16d87cfd47";
    let p: [u8; 32] = hex::decode(P).unwrap().try_into().unwrap();
    let mut beyond: Vec<[u8; 32]> = vec![p, [0xff; 32], [0x40; 32]];
    // p + 1 .. p + 40: some are an x of the curve once reduced
    beyond.extend((1..=40).map(|i| {
        let mut x = p;
        x[31] += i;
        x
    }));
    let challenge = |address: &str| {
        format!(
            "myapp.com wants you to sign in with your DERO wallet:\n{address}\n\nURI: https://myapp.com\nVersion: 1\n\
             Chain ID: dero-mainnet\nNonce: k8j2m4n6p8q0\nIssued At: 2026-02-14T12:00:00Z\n\
             Expiration Time: 2026-02-14T12:05:00Z"
        )
    };
    let own = Address::new(Network::Mainnet, key()).to_string();
    assert!(Challenge::parse(challenge(&own).as_bytes()).is_ok());
    let mut texts = 0;
    for x in beyond {
        for flag in [0, 1] {
            let key = [&x[..], &[flag]].concat();
            assert_eq!(PublicKey::from_bytes(&key), Err(KeyError::Range));
            let account = [&[1][..], &key].concat();
            for prefix in ["dero", "deto"] {
                let text = armour(prefix, &account);
                assert_eq!(Address::parse(&text), Err(KeyError::Range.into()));
                assert_eq!(AnyAddress::parse(&text), Err(KeyError::Range.into()));
                // C = H(P, R, m) with R = S*G: what anybody can sign
                let pem = format!(
                    "-----BEGIN DERO SIGNED MESSAGE-----\nAddress: {text}\nC: 1\nS: 1\n\naGVsbG8=\n-----END DERO SIGNED MESSAGE-----\n"
                );
                let refused = SignedMessage::parse(pem.as_bytes(), 4096);
                assert_eq!(refused, Err(SignatureError::Address(KeyError::Range.into())));
                assert_eq!(Challenge::parse(challenge(&text).as_bytes()), Err(ReadError::Address));
                texts += 1;
            }
            let cbor = [&account[..], &[0xa1, 0x62, b'D', b'U', 1]].concat();
            for prefix in ["deroi", "detoi", "deroproof"] {
                assert_eq!(AnyAddress::parse(&armour(prefix, &cbor)), Err(KeyError::Range.into()));
            }
            let argument = [&[0xa1, 0x62, b'R', b'A', 0x58, 33][..], &key].concat();
            assert!(with_cbor("deroi", &argument).is_err());
        }
    }
    assert_eq!(texts, 43 * 4);
    // and zero is no secret key
    assert!(SecretKey::from_bytes(&[0; 32]).is_none());
    // the identity as the wallet prints it, x = 0, is no point either
    assert_eq!(PublicKey::from_bytes(&[0; 33]), Err(KeyError::Curve));
}

// bad input 96: one character, two swapped, another prefix, mixed case, a character more or less, bech32m
#[test]
fn a_damaged_address_is_refused() {
    let text = Address::new(Network::Mainnet, key()).to_string();
    for at in 0..text.len() {
        let mut other = text.clone().into_bytes();
        for byte in 0..128 {
            other[at] = byte;
            let other = std::str::from_utf8(&other).unwrap();
            assert_eq!(Address::parse(other).is_ok(), other == text);
        }
        let (mut cut, mut longer, mut swapped) = (text.clone(), text.clone(), text.clone().into_bytes());
        cut.remove(at);
        longer.insert(at, 'q');
        assert!(Address::parse(&cut).is_err() && Address::parse(&longer).is_err());
        if at + 1 < text.len() && swapped[at] != swapped[at + 1] {
            swapped.swap(at, at + 1);
            assert!(Address::parse(std::str::from_utf8(&swapped).unwrap()).is_err());
        }
    }
    assert_eq!(Address::parse(&text.to_uppercase()), Err(AddressError::Case));
    let bytes = [&[1][..], &key().to_bytes()].concat();
    let bech32m = bech32::encode_lower::<bech32::Bech32m>(Hrp::parse("dero").unwrap(), &bytes).unwrap();
    assert_eq!(Address::parse(&bech32m), Err(AddressError::Checksum));
    assert_eq!(Address::parse(&armour("bc", &bytes)), Err(AddressError::Hrp));
    assert_eq!(Address::parse(&armour("dero", &bytes[..33])), Err(AddressError::Length));
    assert_eq!(Address::parse(&armour("dero", &[&bytes[..], &[0]].concat())), Err(AddressError::Length));
    assert_eq!(Address::parse(&armour("dero", &[])), Err(AddressError::Length));
    assert_eq!(AnyAddress::parse(&armour("deroi", &bytes[..33])), Err(AddressError::Length));
}

proptest! {
    #[test]
    fn any_text_reads_as_it_prints(text in "(dero|deto|deroi|detoi|deroproof)1[02-9ac-hj-np-z]{6,90}|\\PC*") {
        if let Ok(address) = AnyAddress::parse(&text) {
            prop_assert_eq!(address.to_string(), text);
        }
    }

    #[test]
    fn any_bytes_after_the_key_print_as_they_read(cbor in proptest::collection::vec(any::<u8>(), 0..60)) {
        if let Ok(address) = with_cbor("deroi", &cbor) {
            prop_assert_eq!(address.to_string(), armour("deroi", &[&[1][..], &key().to_bytes(), &cbor].concat()));
        }
    }

    #[test]
    fn floats_keep_their_bits(number in any::<f64>(), short in any::<f32>()) {
        for number in [number, f64::from(short), f64::from(short).trunc()] {
            let arguments = Arguments::new(vec![argument("x", Value::Float64(number))]);
            prop_assert_eq!(arguments.is_err(), number.is_nan() || number.to_bits() == (-0.0f64).to_bits());
            if let Ok(arguments) = arguments {
                let address = AnyAddress::Proof(key(), arguments);
                let AnyAddress::Proof(_, read) = AnyAddress::parse(&address.to_string()).unwrap() else { panic!() };
                let Some(Value::Float64(read)) = read.get("x") else { panic!() };
                prop_assert_eq!(read.to_bits(), number.to_bits());
            }
        }
    }
}
