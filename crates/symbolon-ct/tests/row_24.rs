//! Runs the check with the rest of the tests. It measures the release profile: the test profile checks for
//! overflow, which is a branch on every sum of secrets.

use std::{path::Path, process::Command};

// attacks.md rows 24, 78
#[test]
fn row_24_steps_are_constant_time_under_memcheck() {
    let valgrind = Command::new("valgrind").arg("--version").output();
    assert!(valgrind.is_ok(), "this test needs valgrind: apt-get install valgrind");
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--release", "--bin", "symbolon-ct"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    // what the program says about itself: a run that measured nothing is no success
    assert!(said.contains("every report is reviewed"), "{said}");
}
