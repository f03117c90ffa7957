#![doc = include_str!("../README.md")]

mod committee;
mod controls;
mod frost;
mod judge;
mod memcheck;
mod operations;
mod protocols;
mod reviewed;
mod run;

use run::Table;
use std::process::ExitCode;

/// Without arguments: runs itself under valgrind and judges the reports. With `steps`, as valgrind runs it: the steps.
fn main() -> ExitCode {
    let ok = match std::env::args().nth(1).as_deref() {
        None => judge::judge(),
        Some("steps") => steps(),
        Some(other) => {
            eprintln!("unknown argument {other}");
            false
        }
    };
    if ok { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Operations and calls of protocols: with fewer, something that was measured is not measured any more.
const STEPS: usize = 449;
/// Controls.
const CONTROLS: usize = 6;

/// Every step and every control, and the table. What the reports are, only valgrind's own output says.
fn steps() -> bool {
    if !memcheck::running() {
        eprintln!("not under valgrind: nothing is measured");
        return false;
    }
    let mut steps = Table::default();
    operations::all(&mut steps);
    protocols::all(&mut steps);
    committee::all(&mut steps);
    let mut controls = Table::default();
    controls::all(&mut controls);

    println!(" reports  step");
    steps.print();
    println!(" reports  control, which must have some");
    controls.print();
    let blind: Vec<_> = controls.0.iter().filter(|line| line.reports == 0).collect();
    blind.iter().for_each(|line| println!("NOT SEEN: {}", line.step));
    let count = [steps.0.len(), controls.0.len()];
    let complete = count == [STEPS, CONTROLS];
    if !complete {
        println!("{count:?} steps and controls, not {:?}", [STEPS, CONTROLS]);
    }
    blind.is_empty() && complete
}
