//! The arguments of integrated addresses and payment proofs, in the CBOR of RFC 8949 section 4.2; the encoder here is another one
//! than the library's.

use crate::bytes::Bytes;
use std::{collections::BTreeMap, sync::LazyLock};
use symbolon_dero::{Argument, PublicKey, Value};

/// Any arguments, good ones and others.
pub(crate) fn any(input: &mut Bytes<'_>, key: &PublicKey) -> Vec<Argument> {
    let count = input.byte() % 9;
    (0..count)
        .map(|_| {
            let name = input.piece().unwrap_or_default();
            let value = match input.byte() % 10 {
                0 => Value::Text(input.piece().unwrap_or_default()),
                // numbers of every length
                1 => Value::Int64(input.i64() >> (input.byte() % 64)),
                2 => Value::Uint64((input.i64() as u64) >> (input.byte() % 64)),
                3 => {
                    let mut number = input.array::<32>();
                    let zeros = usize::from(input.byte() % 64);
                    number.iter_mut().take(zeros).for_each(|byte| *byte = 0);
                    Value::Uint256(number)
                }
                4 => Value::Float64(f64::from_bits(input.i64() as u64)),
                5 => Value::Float64(f64::from(f32::from_bits(u32::from_be_bytes(input.array())))),
                6 => Value::Float64(half(u16::from_be_bytes(input.array()))),
                7 => Value::Hash(input.array()),
                8 => Value::Account(*key),
                _ => Value::Time(input.i64() >> (input.byte() % 64)),
            };
            Argument { name, value }
        })
        .collect()
}

/// The bytes of a list that has an encoding.
pub(crate) fn encode(arguments: &[Argument]) -> Option<Vec<u8>> {
    let mut map = BTreeMap::new();
    for argument in arguments {
        let (kind, value) = match &argument.value {
            Value::Text(text) => ('S', [head(3, text.len() as u64), text.as_bytes().to_vec()].concat()),
            Value::Int64(number) => ('I', integer(*number)),
            Value::Uint64(number) => ('U', head(0, *number)),
            Value::Uint256(number) => {
                let digits: Vec<u8> = number.iter().copied().skip_while(|byte| *byte == 0).collect();
                ('L', [head(2, digits.len() as u64), digits].concat())
            }
            Value::Float64(number) if number.is_nan() || number.to_bits() == 1 << 63 => return None,
            Value::Float64(number) => ('F', float(*number)),
            Value::Hash(hash) => ('H', [head(2, 32), hash.to_vec()].concat()),
            Value::Account(key) => ('A', [head(2, 33), key.to_bytes().to_vec()].concat()),
            Value::Time(seconds) => ('T', [vec![0xc1], integer(*seconds)].concat()),
            _ => panic!("a new type: encode it here"),
        };
        let name = format!("{}{kind}", argument.name);
        // the order is that of the encoded keys
        let key = [head(3, name.len() as u64), name.into_bytes()].concat();
        if argument.name.is_empty() || map.insert(key, value).is_some() {
            return None;
        }
    }
    let mut bytes = head(5, map.len() as u64);
    map.into_iter().for_each(|(key, value)| bytes.extend([key, value].concat()));
    (!arguments.is_empty()).then_some(bytes)
}

fn head(major: u8, number: u64) -> Vec<u8> {
    let (bytes, major) = (number.to_be_bytes(), major << 5);
    match number {
        0..24 => vec![major | bytes[7]],
        24..0x100 => vec![major | 24, bytes[7]],
        0x100..0x1_0000 => [&[major | 25], &bytes[6..]].concat(),
        0x1_0000..0x1_0000_0000 => [&[major | 26], &bytes[4..]].concat(),
        _ => [&[major | 27], &bytes[..]].concat(),
    }
}

fn integer(number: i64) -> Vec<u8> {
    if number < 0 { head(1, !number as u64) } else { head(0, number as u64) }
}

/// Every number of 16 bits but NaN.
static HALVES: LazyLock<BTreeMap<u64, u16>> = LazyLock::new(|| {
    (0..=u16::MAX)
        .map(|bits| (half(bits), bits))
        .filter(|(f, _)| !f.is_nan())
        .map(|(f, bits)| (f.to_bits(), bits))
        .collect()
});

fn half(bits: u16) -> f64 {
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 0x3ff));
    let magnitude = match exponent {
        0 => fraction * 2f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -magnitude } else { magnitude }
}

/// The shortest that is the same number.
fn float(number: f64) -> Vec<u8> {
    if let Some(half) = HALVES.get(&number.to_bits()) {
        return [&[0xf9], &half.to_be_bytes()[..]].concat();
    }
    let single = number as f32;
    if f64::from(single) == number {
        return [&[0xfa], &single.to_be_bytes()[..]].concat();
    }
    [&[0xfb], &number.to_be_bytes()[..]].concat()
}
