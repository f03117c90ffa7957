//! Runs the three programs that measure the release profile with the rest of the tests, side by side. The test profile checks for
//! overflow, which is a branch on every sum of secrets, leaves other copies behind, and takes other times.

use std::{path::Path, process::Command};

/// What a program of this workspace printed; it must succeed.
fn said(program: &str) -> String {
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--release", "--bin", program])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    said.into_owned()
}

// attacks.md rows 24, 78
#[test]
fn row_24_steps_are_constant_time_under_memcheck() {
    let valgrind = Command::new("valgrind").arg("--version").output();
    assert!(valgrind.is_ok(), "this test needs valgrind: apt-get install valgrind");
    let said = said("symbolon-ct");
    // what the program says about itself: a run that measured nothing is no success
    assert!(said.contains("every report is reviewed"), "{said}");
}

// attacks.md row 77
#[test]
fn row_77_freed_memory_and_the_dead_stack_have_no_secret() {
    let said = said("symbolon-residue");
    // a run that looked at nothing is no success
    assert!(said.contains("nothing is left"), "{said}");
}

#[test]
fn operations_take_as_many_instructions_as_before() {
    let said = said("count");
    assert!(said.contains("every count is within"), "{said}");
}
