//! Reads an Ethereum transaction from JSON: EIP-1559, EIP-2930, or legacy with EIP-155.
//!
//! What a signer reads it must read in one way: unknown fields, fields of another type of transaction, missing chain ids
//! and mistyped addresses are refused.

use crate::{BadInput, is_object};
use alloy_consensus::{TxEip1559, TxEip2930, TxLegacy, TypedTransaction};
use alloy_eips::eip2930::{AccessList, AccessListItem};
use alloy_primitives::{Address, B256, Bytes, TxKind, U256, hex};
use serde::{Deserialize, Deserializer, de::Error as _};
use serde_json::Value;

/// A transaction as ethers and the JSON-RPC write it. Numbers are JSON integers, decimal strings or `0x` strings.
#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TransactionJson {
    #[serde(rename = "type")]
    kind: Option<Number>,
    chain_id: Option<Number>,
    nonce: Option<Number>,
    #[serde(alias = "gas")]
    gas_limit: Option<Number>,
    gas_price: Option<Number>,
    max_fee_per_gas: Option<Number>,
    max_priority_fee_per_gas: Option<Number>,
    to: Option<Recipient>,
    value: Option<Number>,
    #[serde(alias = "input")]
    data: Option<Data>,
    access_list: Option<Vec<AccessJson>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct AccessJson {
    address: Recipient,
    storage_keys: Vec<Word>,
}

struct Number(U256);
struct Recipient(Address);
struct Data(Bytes);
struct Word(B256);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let parsed = match Value::deserialize(deserializer)? {
            Value::Number(number) => number.as_u64().map(U256::from),
            Value::String(text) => number(&text),
            _ => None,
        };
        parsed.map(Self).ok_or_else(|| {
            D::Error::custom("a number is an integer below 2^64, or a string with a decimal or 0x integer below 2^256")
        })
    }
}

fn number(text: &str) -> Option<U256> {
    let (digits, radix) = text.strip_prefix("0x").map_or((text, 10), |hex| (hex, 16));
    let plain = !digits.is_empty() && digits.chars().all(|c| c.is_digit(radix));
    plain.then(|| U256::from_str_radix(digits, radix.into()).ok()).flatten()
}

impl<'de> Deserialize<'de> for Recipient {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let digits = text.strip_prefix("0x").filter(|d| d.len() == 40 && d.bytes().all(|b| b.is_ascii_hexdigit()));
        let digits = digits.ok_or_else(|| D::Error::custom("an address is 0x and 40 hexadecimal digits"))?;
        let mixed = digits.bytes().any(|b| b.is_ascii_lowercase()) && digits.bytes().any(|b| b.is_ascii_uppercase());
        // one case only means that no checksum was given
        let address = if mixed { Address::parse_checksummed(&text, None).ok() } else { text.parse().ok() };
        address.map(Self).ok_or_else(|| D::Error::custom("an address has a wrong EIP-55 checksum"))
    }
}

impl<'de> Deserialize<'de> for Data {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let bytes = text.strip_prefix("0x").and_then(|digits| hex::decode(digits).ok());
        bytes.map(|b| Self(b.into())).ok_or_else(|| D::Error::custom("data is 0x and pairs of hexadecimal digits"))
    }
}

impl<'de> Deserialize<'de> for Word {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let Data(bytes) = Data::deserialize(deserializer)?;
        let word = B256::try_from(bytes.as_ref());
        word.map(Self).map_err(|_| D::Error::custom("a storage key is 0x and 64 hexadecimal digits"))
    }
}

fn required<N: TryFrom<U256>>(field: Option<Number>, name: &str) -> Result<N, BadInput> {
    let Number(value) = field.ok_or_else(|| BadInput::new(format!("the transaction has no {name}")))?;
    N::try_from(value).map_err(|_| BadInput::new(format!("{name} is too large")))
}

fn absent<T>(field: Option<&T>, name: &str, kind: &str) -> Result<(), BadInput> {
    match field {
        None => Ok(()),
        Some(_) => Err(BadInput::new(format!("{name} is not a field of {kind} transaction"))),
    }
}

/// Reads a transaction. `type` may be left out where the other fields decide it.
///
/// # Errors
/// [`BadInput`] says what is wrong in one line.
pub fn parse(json: &str) -> Result<TypedTransaction, BadInput> {
    if !is_object(json) {
        return Err(BadInput::new("not a transaction: the file is one JSON object"));
    }
    let tx: TransactionJson =
        serde_json::from_str(json).map_err(|e| BadInput::new(format!("not a transaction: {e}")))?;
    let fees = tx.max_fee_per_gas.is_some() || tx.max_priority_fee_per_gas.is_some();
    let kind = match &tx.kind {
        Some(Number(kind)) => u64::try_from(*kind).unwrap_or(u64::MAX),
        None if fees => 2,
        None if tx.access_list.is_some() => 1,
        None => 0,
    };

    let chain_id: u64 = required(tx.chain_id, "chainId")?;
    if chain_id == 0 {
        return Err(BadInput::new("chainId 0 is not a chain"));
    }
    let nonce: u64 = required(tx.nonce, "nonce")?;
    let gas_limit: u64 = required(tx.gas_limit, "gasLimit")?;
    let value = tx.value.map_or(U256::ZERO, |Number(value)| value);
    let input = tx.data.map_or_else(Bytes::new, |Data(bytes)| bytes);
    let to = match tx.to {
        Some(Recipient(address)) => TxKind::Call(address),
        None if input.is_empty() => return Err(BadInput::new("the transaction has neither a recipient nor code")),
        None => TxKind::Create,
    };
    let items = tx.access_list.as_ref().map_or(&[][..], Vec::as_slice).iter().map(|item| AccessListItem {
        address: item.address.0,
        storage_keys: item.storage_keys.iter().map(|word| word.0).collect(),
    });
    let access_list = AccessList(items.collect());

    match kind {
        0 => {
            absent(tx.access_list.as_ref(), "accessList", "a legacy")?;
            absent(tx.max_fee_per_gas.as_ref(), "maxFeePerGas", "a legacy")?;
            absent(tx.max_priority_fee_per_gas.as_ref(), "maxPriorityFeePerGas", "a legacy")?;
            let gas_price = required(tx.gas_price, "gasPrice")?;
            Ok(TxLegacy { chain_id: Some(chain_id), nonce, gas_price, gas_limit, to, value, input }.into())
        }
        1 => {
            absent(tx.max_fee_per_gas.as_ref(), "maxFeePerGas", "an EIP-2930")?;
            absent(tx.max_priority_fee_per_gas.as_ref(), "maxPriorityFeePerGas", "an EIP-2930")?;
            let gas_price = required(tx.gas_price, "gasPrice")?;
            Ok(TxEip2930 { chain_id, nonce, gas_price, gas_limit, to, value, access_list, input }.into())
        }
        2 => {
            absent(tx.gas_price.as_ref(), "gasPrice", "an EIP-1559")?;
            let max_fee_per_gas: u128 = required(tx.max_fee_per_gas, "maxFeePerGas")?;
            let max_priority_fee_per_gas: u128 = required(tx.max_priority_fee_per_gas, "maxPriorityFeePerGas")?;
            if max_priority_fee_per_gas > max_fee_per_gas {
                return Err(BadInput::new("maxPriorityFeePerGas is above maxFeePerGas"));
            }
            let tx = TxEip1559 {
                chain_id,
                nonce,
                gas_limit,
                max_fee_per_gas,
                max_priority_fee_per_gas,
                to,
                value,
                access_list,
                input,
            };
            Ok(tx.into())
        }
        _ => Err(BadInput::new("only transactions of type 0, 1 and 2 are signed here")),
    }
}
