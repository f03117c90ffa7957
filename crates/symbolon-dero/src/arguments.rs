//! The arguments of integrated addresses and payment proofs: a CBOR map (RFC 8949) in its deterministic encoding, whose keys are a
//! name and one letter for the type.

use crate::PublicKey;
use alloc::{
    string::{String, ToString},
    vec::Vec,
};
use minicbor::{Decoder, Encoder, data::Tag, decode, encode};

/// One argument: `D` is the destination port, `V` an amount, `C` a comment; see the wallet's documentation for more.
#[derive(Clone, PartialEq, Debug)]
#[allow(clippy::exhaustive_structs, reason = "a name and a value")]
pub struct Argument {
    /// At least one byte.
    pub name: String,
    /// The value, with its type.
    pub value: Value,
}

/// A value of one of the wallet's types.
#[derive(Clone, PartialEq, Debug)]
#[non_exhaustive]
pub enum Value {
    /// `S`.
    Text(String),
    /// `I`.
    Int64(i64),
    /// `U`.
    Uint64(u64),
    /// `L`, big-endian.
    Uint256([u8; 32]),
    /// `F`; no NaN, and no negative zero, which equals another value.
    Float64(f64),
    /// `H`.
    Hash([u8; 32]),
    /// `A`: the key of an account. The network is not encoded.
    Account(PublicKey),
    /// `T`: seconds since 1970.
    Time(i64),
}

impl Value {
    const fn kind(&self) -> char {
        match self {
            Self::Text(_) => 'S',
            Self::Int64(_) => 'I',
            Self::Uint64(_) => 'U',
            Self::Uint256(_) => 'L',
            Self::Float64(_) => 'F',
            Self::Hash(_) => 'H',
            Self::Account(_) => 'A',
            Self::Time(_) => 'T',
        }
    }

    fn encode(&self, to: &mut Encoder<&mut Vec<u8>>) -> Result<(), encode::Error<core::convert::Infallible>> {
        match self {
            Self::Text(text) => to.str(text),
            Self::Int64(number) => to.i64(*number),
            Self::Uint64(number) => to.u64(*number),
            Self::Uint256(number) => {
                let zeros = number.iter().take_while(|byte| **byte == 0).count();
                to.bytes(number.get(zeros..).unwrap_or_default())
            }
            Self::Float64(number) => match (half(*number), single(*number)) {
                (Some(half), _) => {
                    // the library has no half floats without a further dependency: major type 7, two bytes
                    to.writer_mut().push(0xf9);
                    to.writer_mut().extend(half.to_be_bytes());
                    Ok(to)
                }
                (None, Some(single)) => to.f32(single),
                (None, None) => to.f64(*number),
            },
            Self::Hash(hash) => to.bytes(hash),
            Self::Account(key) => to.bytes(&key.to_bytes()),
            Self::Time(seconds) => to.tag(Tag::new(1)).and_then(|to| to.i64(*seconds)),
        }
        .map(|_| ())
    }

    fn decode(kind: char, from: &mut Decoder<'_>) -> Result<Self, decode::Error> {
        let wrong = |what| decode::Error::message(what);
        Ok(match kind {
            'S' => Self::Text(from.str()?.into()),
            'I' => Self::Int64(from.i64()?),
            'U' => Self::Uint64(from.u64()?),
            'L' => {
                let bytes = from.bytes()?;
                let mut number = [0; 32];
                let start = number.len().checked_sub(bytes.len()).ok_or(wrong("more than 256 bits"))?;
                number.split_at_mut(start).1.copy_from_slice(bytes);
                Self::Uint256(number)
            }
            'F' => Self::Float64(match from.input().get(from.position()) {
                Some(0xf9) => {
                    let bytes = from.input().get(from.position() + 1..).and_then(|rest| rest.first_chunk());
                    let number = from_half(u16::from_be_bytes(*bytes.ok_or(decode::Error::end_of_input())?));
                    from.set_position(from.position() + 3);
                    number
                }
                _ => from.f64()?,
            }),
            'H' => Self::Hash(from.bytes()?.try_into().map_err(|_| wrong("a hash has 32 bytes"))?),
            'A' => Self::Account(PublicKey::from_bytes(from.bytes()?).map_err(|_| wrong("not a key"))?),
            'T' if from.tag()? == Tag::new(1) => Self::Time(from.i64()?),
            _ => return Err(wrong("unknown type")),
        })
    }
}

/// The number that 16 bits stand for.
fn from_half(half: u16) -> f64 {
    let (sign, exponent, fraction) = (half >> 15, half >> 10 & 31, half & 0x3ff);
    let magnitude = match exponent {
        // 2^-24 each
        0 => f64::from(fraction) * f64::from_bits((1023 - 24) << 52),
        31 if fraction == 0 => f64::INFINITY,
        31 => f64::NAN,
        _ => f64::from_bits((u64::from(exponent) + 1023 - 15) << 52 | u64::from(fraction) << 42),
    };
    if sign == 1 { -magnitude } else { magnitude }
}

/// The 16 bits that stand for this very number, if any do.
fn half(number: f64) -> Option<u16> {
    let bits = number.to_bits();
    let sign = u16::try_from(bits >> 63).ok()? << 15;
    let magnitude = f64::from_bits(bits & (u64::MAX >> 1));
    // numbers of one sign have the order of their bits
    let (mut low, mut high) = (0u16, 0x7c00);
    while low < high {
        let middle = low.midpoint(high);
        if from_half(middle) < magnitude { low = middle + 1 } else { high = middle }
    }
    (from_half(low).to_bits() == magnitude.to_bits()).then_some(sign | low)
}

/// The single float that is this very number, if one is.
fn single(number: f64) -> Option<f32> {
    #[allow(clippy::as_conversions, clippy::cast_possible_truncation, reason = "compared on the next line")]
    let single = number as f32;
    (f64::from(single).to_bits() == number.to_bits()).then_some(single)
}

/// The arguments of an address, at least one, in the order of their encoding.
#[derive(Clone, PartialEq, Debug)]
pub struct Arguments(Vec<Argument>);

/// Not the arguments of an address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("not arguments as the wallet encodes them")]
pub struct ArgumentsError;

impl Arguments {
    /// Sorts them.
    ///
    /// # Errors
    /// [`ArgumentsError`] for none, for one without a name, for two with the same name and type, for NaN and negative zero.
    pub fn new(mut arguments: Vec<Argument>) -> Result<Self, ArgumentsError> {
        arguments.sort_by_cached_key(Argument::rank);
        let mut sorted = Self(Vec::with_capacity(arguments.len()));
        arguments.into_iter().try_for_each(|argument| sorted.push(argument))?;
        if sorted.0.is_empty() { Err(ArgumentsError) } else { Ok(sorted) }
    }

    /// The next in order.
    fn push(&mut self, argument: Argument) -> Result<(), ArgumentsError> {
        let is_next = self.0.last().is_none_or(|last| last.rank() < argument.rank());
        let has_place = match argument.value {
            Value::Float64(number) => !number.is_nan() && number.to_bits() != (-0.0f64).to_bits(),
            _ => true,
        };
        if argument.name.is_empty() || !is_next || !has_place {
            return Err(ArgumentsError);
        }
        self.0.push(argument);
        Ok(())
    }

    /// All of them.
    #[must_use]
    pub fn as_slice(&self) -> &[Argument] {
        &self.0
    }

    /// The value with this name. `None` also where a name has values of two types: another reader may take the other one; all of them
    /// are in [`Self::as_slice`].
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Value> {
        let mut found = self.0.iter().filter(|argument| argument.name == name);
        let (Some(argument), None) = (found.next(), found.next()) else { return None };
        Some(&argument.value)
    }

    /// Reads exactly what [`Self::to_cbor`] writes: one encoding for each list of arguments.
    pub(crate) fn from_cbor(cbor: &[u8]) -> Result<Self, ArgumentsError> {
        let mut from = Decoder::new(cbor);
        let mut read = || -> Result<Self, decode::Error> {
            let count = from.map()?.ok_or(decode::Error::message("an indefinite length"))?;
            let mut arguments = Self(Vec::new());
            for _ in 0..count {
                let mut name = from.str()?.to_string();
                let kind = name.pop().ok_or(decode::Error::message("no type"))?;
                let argument = Argument { name, value: Value::decode(kind, &mut from)? };
                // at once: what is out of order is not gathered
                arguments.push(argument).map_err(|_| decode::Error::message("out of order"))?;
            }
            Ok(arguments)
        };
        let arguments = read().map_err(|_| ArgumentsError)?;
        if !arguments.0.is_empty() && arguments.to_cbor() == cbor { Ok(arguments) } else { Err(ArgumentsError) }
    }

    pub(crate) fn to_cbor(&self) -> Vec<u8> {
        let mut cbor = Vec::new();
        let mut to = Encoder::new(&mut cbor);
        let mut write = || {
            to.map(u64::try_from(self.0.len()).unwrap_or(u64::MAX))?;
            self.0.iter().try_for_each(|argument| {
                to.str(&argument.key())?;
                argument.value.encode(&mut to)
            })
        };
        // writing to a vector does not fail
        let _: Result<(), encode::Error<_>> = write();
        cbor
    }
}

impl Argument {
    /// The keys' deterministic order: the shorter first, then by bytes.
    fn rank(&self) -> (usize, String) {
        (self.name.len(), self.key())
    }

    /// Name and type.
    fn key(&self) -> String {
        let mut key = self.name.clone();
        key.push(self.value.kind());
        key
    }
}
