//! How long two parties take over a network, from what a run cost without one.
//!
//! The run is its flights, one after the other: a flight takes half a round trip, and as long as the slower direction needs to
//! carry its bytes; what both parties send in one flight crosses. To these comes the CPU time of both parties, as if they never
//! computed at the same time. So it is an upper bound for a network that loses nothing and a connection that is already open.

use crate::{Cost, Meter, Table, World, sweep::progress};
use serde_json::json;
use symbolon::Suite;

/// Round trips, in milliseconds.
pub const ROUND_TRIPS: [f64; 3] = [20.0, 100.0, 300.0];
/// Bandwidths of each direction, in Mbit/s.
pub const BANDWIDTHS: [f64; 3] = [1.0, 10.0, 100.0];

/// Milliseconds until both parties have the result, at a round trip of so many milliseconds and so many Mbit/s each way.
/// `cpu` is the milliseconds of CPU time of both.
#[must_use]
pub fn elapsed(cost: &Cost, cpu: f64, round_trip: f64, bandwidth: f64) -> f64 {
    let carried = |flight: &Vec<usize>| {
        let bytes = flight.iter().copied().max().unwrap_or(0);
        round_trip / 2.0 + bytes as f64 * 8.0 / (bandwidth * 1e3)
    };
    cpu + cost.flights.iter().map(carried).sum::<f64>()
}

/// Each two-party operation over each network.
pub fn network(meter: &mut Meter, runs: usize) -> Table {
    let mut table = Table::new(
        "network",
        &[
            "operation",
            "flights",
            "bytes in sequence",
            "ms of CPU",
            "round trip ms",
            "1 Mbit/s",
            "10 Mbit/s",
            "100 Mbit/s",
        ],
    );
    let (mut blake3, mut aes) = (World::new(1, Suite::Blake3), World::new(2, Suite::Aes));
    let mut add = |op: &str, run: &mut dyn FnMut() -> Cost| {
        progress(&format!("network: {op}"));
        let sample = meter.sample(runs, run);
        let (cost, cpu) = (&sample.costs[0], sample.all());
        let bytes: usize = cost.flights.iter().filter_map(|flight| flight.iter().max()).sum();
        for round_trip in ROUND_TRIPS {
            let mut row =
                vec![json!(op), json!(cost.flights.len()), json!(bytes), json!(cpu), json!(round_trip as u64)];
            row.extend(BANDWIDTHS.map(|mbit| json!(elapsed(cost, cpu, round_trip, mbit))));
            table.rows.push(row);
        }
    };
    add("create_wallet", &mut || blake3.create_wallet());
    add("sign_full", &mut || blake3.sign_full());
    add("sign_full_aes", &mut || aes.sign_full());
    add("sign_stateless", &mut || blake3.sign_stateless());
    let mut bank = Vec::new();
    add("sign_online", &mut || {
        if bank.is_empty() {
            let [s, c] = blake3.preprocess(16).0;
            bank.extend(s.into_iter().zip(c).map(|(s, c)| [s, c]));
        }
        blake3.sign_online(bank.pop().expect("just filled"))
    });
    table
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    /// 1000 bytes one way; then 3000 and 2000 that cross; then 500 back. At 1 Mbit/s a byte takes 8 microseconds.
    #[test]
    fn three_flights() {
        let cost = Cost {
            cpu: vec![Duration::from_millis(2), Duration::from_millis(3)],
            bytes: vec![3000, 3500],
            messages: 4,
            flights: vec![vec![0, 1000], vec![3000, 2000], vec![0, 500]],
            rounds: 3,
        };
        let close = |ms: f64, expected: f64| assert!((ms - expected).abs() < 1e-9, "{ms}, not {expected}");
        close(elapsed(&cost, 5.0, 20.0, 1.0), 5.0 + 3.0 * 10.0 + 8.0 + 24.0 + 4.0);
        close(elapsed(&cost, 5.0, 300.0, 100.0), 5.0 + 3.0 * 150.0 + 0.36);
        close(elapsed(&Cost::default(), 5.0, 300.0, 1.0), 5.0);
    }
}
