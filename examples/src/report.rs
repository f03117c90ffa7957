//! What the example prints.

use crate::{
    Signed, solana,
    wallet::{Outcome, Phase},
};
use alloy_primitives::hex;
use serde_json::{Value, json};
use std::{fmt::Write, time::Duration};
use symbolon::DerivationPath;

/// The key of the result, and the result.
fn result(signed: &Signed) -> (&'static str, String) {
    match signed {
        Signed::RawTransaction(raw) => ("raw_transaction", hex::encode_prefixed(raw)),
        Signed::Signature(rsv) => ("signature", hex::encode_prefixed(rsv)),
    }
}

/// One JSON object on one line.
#[must_use]
pub fn json(outcome: &Outcome, signed: &Signed, path: &DerivationPath) -> String {
    let mut object = json!({
        "address": outcome.address.to_string(),
        "path": path.to_string(),
        "phases": phases_json(&outcome.phases),
    });
    let (key, value) = result(signed);
    object[key] = value.into();
    format!("{object}\n")
}

/// The same for people.
#[must_use]
pub fn text(outcome: &Outcome, signed: &Signed, path: &DerivationPath) -> String {
    let (key, value) = result(signed);
    let text = format!("address          {}  (at {path})\n{:<15}  {value}\n\n", outcome.address, key.replace('_', " "));
    text + &table(&outcome.phases)
}

/// One JSON object on one line, of an Ed25519 wallet.
#[must_use]
pub fn json_ed25519(phases: &[Phase], signed: &solana::Signed) -> String {
    let mut object = signed.json();
    object["phases"] = phases_json(phases).into();
    format!("{object}\n")
}

/// The same for people.
#[must_use]
pub fn text_ed25519(phases: &[Phase], signed: &solana::Signed) -> String {
    format!("{}\n{}", signed.text(), table(phases))
}

fn phases_json(phases: &[Phase]) -> Vec<Value> {
    let phases = phases.iter().map(|phase| {
        json!({
            "phase": phase.name,
            "messages": phase.messages,
            "bytes": { "client": phase.bytes.0, "server": phase.bytes.1 },
            "cpu_ms": { "client": milliseconds(phase.cpu.0), "server": milliseconds(phase.cpu.1) },
        })
    });
    phases.collect()
}

fn table(phases: &[Phase]) -> String {
    let mut text = String::new();
    let head = ["phase", "messages", "client sends", "server sends", "client CPU", "server CPU"];
    let rows = phases.iter().map(|phase| {
        [
            phase.name.to_owned(),
            phase.messages.to_string(),
            format!("{} B", phase.bytes.0),
            format!("{} B", phase.bytes.1),
            format!("{:.2} ms", milliseconds(phase.cpu.0)),
            format!("{:.2} ms", milliseconds(phase.cpu.1)),
        ]
    });
    for [phase, rest @ ..] in [head.map(str::to_owned)].into_iter().chain(rows) {
        let rest: String = rest.iter().fold(String::new(), |mut line, cell| {
            // writing to a string does not fail
            let _ = write!(line, "{cell:>14}");
            line
        });
        text += &format!("{phase:<14}{rest}\n");
    }
    text
}

/// To a microsecond.
fn milliseconds(time: Duration) -> f64 {
    (time.as_secs_f64() * 1e6).round() / 1e3
}
