//! Runs the check with the rest of the tests, in a process of its own and in the release profile: what the compiler leaves
//! behind depends on how it optimises.

use std::{path::Path, process::Command};

// attacks.md row 77
#[test]
fn row_77_freed_memory_and_the_dead_stack_have_no_secret() {
    let run = Command::new(env!("CARGO"))
        .args(["run", "--quiet", "--offline", "--release", "--bin", "symbolon-residue"])
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("../.."))
        .output()
        .expect("cargo starts");
    let said = String::from_utf8_lossy(&run.stdout);
    assert!(run.status.success(), "{said}\n{}", String::from_utf8_lossy(&run.stderr));
    // what the program says about itself: a run that looked at nothing is no success
    assert!(said.contains("nothing is left"), "{said}");
}
