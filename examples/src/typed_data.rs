//! Reads EIP-712 typed data (`eth_signTypedData_v4`) from JSON.

use crate::{BadInput, is_object};
use alloy_dyn_abi::{TypedData, eip712::Resolver};
use alloy_sol_types::Eip712Domain;
use serde::Deserialize;
use serde_json::Value;
use std::collections::BTreeMap;

#[derive(Deserialize)]
#[serde(deny_unknown_fields, rename_all = "camelCase")]
struct TypedDataJson {
    types: BTreeMap<String, Vec<Property>>,
    primary_type: String,
    domain: BTreeMap<String, Value>,
    message: Value,
}

#[derive(Deserialize, serde::Serialize)]
#[serde(deny_unknown_fields)]
struct Property {
    name: String,
    #[serde(rename = "type")]
    kind: String,
}

/// The fields that a domain may have.
const DOMAIN_FIELDS: [&str; 5] = ["name", "version", "chainId", "verifyingContract", "salt"];

/// Reads typed data. alloy skips what the types do not name and takes the domain's type from its values; here nothing is
/// skipped, and a declared `EIP712Domain` must be the type that is hashed.
///
/// # Errors
/// [`BadInput`] says what is wrong in one line.
pub fn parse(json: &str) -> Result<TypedData, BadInput> {
    let bad = |e: String| BadInput::new(format!("not EIP-712 typed data: {e}"));
    if !is_object(json) {
        return Err(bad("the file is one JSON object".into()));
    }
    let TypedDataJson { types, primary_type, domain, message } =
        serde_json::from_str(json).map_err(|e| bad(e.to_string()))?;
    if primary_type == Eip712Domain::NAME {
        return Err(bad("the primary type is the domain, so there is no message".into()));
    }
    if !types.contains_key(&primary_type) {
        return Err(bad(format!("the primary type {} is not among the types", quoted(&primary_type))));
    }
    if let Some(field) = domain.keys().find(|field| !DOMAIN_FIELDS.contains(&field.as_str())) {
        return Err(bad(format!("unknown field {} in the domain", quoted(field))));
    }
    known_fields(&message, &primary_type, &types).map_err(bad)?;

    let declared = types.get(Eip712Domain::NAME).map(|fields| {
        let fields: Vec<String> = fields.iter().map(|f| format!("{} {}", f.kind, f.name)).collect();
        format!("{}({})", Eip712Domain::NAME, fields.join(","))
    });
    let domain: Eip712Domain = from_value(domain).map_err(bad)?;
    if declared.is_some_and(|declared| declared != domain.encode_type()) {
        return Err(bad("the type EIP712Domain does not list the fields of the domain in their order".into()));
    }
    let resolver: Resolver = from_value(types).map_err(bad)?;
    let data = TypedData { domain, resolver, primary_type, message };
    // everything that can fail fails here, not after a wallet was made
    data.eip712_signing_hash().map_err(|e| bad(e.to_string()))?;
    Ok(data)
}

fn from_value<T: for<'a> Deserialize<'a>>(value: impl serde::Serialize) -> Result<T, String> {
    serde_json::to_value(value).and_then(serde_json::from_value).map_err(|e| e.to_string())
}

/// Every field of every object is one that its type names.
fn known_fields(value: &Value, kind: &str, types: &BTreeMap<String, Vec<Property>>) -> Result<(), String> {
    if let (Some((element, _)), Value::Array(values)) = (kind.rsplit_once('['), value) {
        return values.iter().try_for_each(|value| known_fields(value, element, types));
    }
    let (Some(properties), Value::Object(fields)) = (types.get(kind), value) else { return Ok(()) };
    for (name, value) in fields {
        let property = properties.iter().find(|property| property.name == *name);
        let property = property.ok_or_else(|| format!("unknown field {} in {}", quoted(name), quoted(kind)))?;
        known_fields(value, &property.kind, types)?;
    }
    Ok(())
}

/// At most 64 characters of a name from the file, escaped.
fn quoted(name: &str) -> String {
    format!("{:?}", name.chars().take(64).collect::<String>())
}
