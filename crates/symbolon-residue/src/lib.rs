#![doc = include_str!("../README.md")]

mod controls;
mod heap;
mod holding;
mod keys;
mod leaving;
mod life;
mod members;
mod needles;
mod pairs;
mod report;
mod reviewed;
mod run;
mod secrets;
mod stack;
mod watched;

pub use heap::Scanning;
pub use needles::{Hit, Needles, WINDOW};
pub use stack::{DEPTH, Dead, dead};

use report::{Line, Report};

/// Runs everything, or the operations with `only` in their name, and prints the table: whether nothing was left. The calling
/// program has [`Scanning`] as its allocator.
#[must_use]
pub fn check(only: Option<&str>) -> bool {
    let controls = controls::all();
    println!("    freed  dead stack  below  control, which must leave something");
    for control in &controls {
        println!("{:>9}  {:>10}  {:>5}  {}", control.freed, control.dead, control.below, control.name);
    }
    let blind = controls.iter().filter(|control| control.freed + control.dead + control.below == 0).count();
    let mut reports = Vec::new();
    pairs::all(&mut reports, only);
    members::all(&mut reports, only);
    leaving::all(&mut reports, only);
    life::all(&mut reports, only);
    holding::all(&mut reports, only);
    keys::all(&mut reports, only);

    println!("    calls    freed  dead stack  deepest  below  operation: entry");
    let mut reviewed = reviewed::Reviewed::default();
    let (mut calls, mut left) = (0, 0);
    for ((operation, entry), line) in reports.iter().flat_map(|report: &Report| &report.lines) {
        let Line { freed, dead, .. } = line;
        let (on_heap, on_stack): (usize, usize) = (freed.values().sum(), dead.values().sum());
        let Line { calls: times, deepest, below, .. } = line;
        println!("{times:>9}{on_heap:>9}{on_stack:>12}{deepest:>9}{below:>7}  {operation}: {entry}");
        calls += line.calls;
        for (hit, times) in freed.iter().filter(|(hit, _)| !reviewed.excuses(hit)) {
            left += times;
            println!("RESIDUE-HEAP {times} x {} in a freed block of {} bytes", hit.what, hit.place);
        }
        for (hit, times) in dead {
            left += times;
            println!("RESIDUE-STACK {times} x {}, {} bytes below", hit.what, hit.place);
        }
        let deepest = if entry.starts_with("dero: ") { reviewed::DEEPEST_DERO } else { reviewed::DEEPEST };
        if line.deepest > deepest || line.below > reviewed::SPILLED {
            left += 1;
            println!("RESIDUE-DEEP it uses more of the stack than is cleared: {} bytes below it", line.below);
        }
    }
    if reports.is_empty() {
        println!("NO OPERATION has this in its name");
    }
    let idle = reports.iter().filter(|report| report.needles == 0 || report.lines.is_empty());
    let idle = idle.inspect(|report| println!("NO NEEDLE or no call: {}", report.operation)).count();
    let unused = if only.is_some() { Vec::new() } else { reviewed.unused() };
    unused.iter().for_each(|what| println!("NOT USED: the exception for {what}"));
    let enough = only.is_some() || calls >= 4000;
    let measured = !reports.is_empty() && idle == 0 && enough;
    let ok = blind == 0 && left == 0 && unused.is_empty() && measured;
    println!("{calls} calls, {left} windows left, {blind} controls blind{}", if ok { ": nothing is left" } else { "" });
    ok
}
