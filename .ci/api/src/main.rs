//! Compares the public API of every library crate, with all features, to its snapshot in `docs/api`.
//!
//! ```sh
//! cargo run --manifest-path .ci/api/Cargo.toml              # fails on a difference, and prints it
//! cargo run --manifest-path .ci/api/Cargo.toml -- --update  # takes the difference over
//! ```

use public_api::{Builder, PublicApi};
use std::{
    collections::BTreeSet,
    error::Error,
    fs,
    path::{Path, PathBuf},
    process::{Command, ExitCode},
};

/// Crates that nobody depends on.
const DEV: [&str; 5] = ["symbolon-ct", "symbolon-fuzz", "symbolon-residue", "symbolon-siege", "symbolon-testkit"];
/// Fewer items in all crates together are no API of this workspace.
const FEWEST: usize = 1_000;
/// This program is rustdoc for cargo if this is set.
const AS_RUSTDOC: &str = "SYMBOLON_API_RUSTDOC";

fn main() -> ExitCode {
    if std::env::var_os(AS_RUSTDOC).is_some() {
        return rustdoc().unwrap_or(ExitCode::FAILURE);
    }
    let update = match std::env::args().nth(1).as_deref() {
        None => false,
        Some("--update") => true,
        Some(other) => {
            eprintln!("unknown argument {other}; --update takes the difference over");
            return ExitCode::FAILURE;
        }
    };
    match check(update) {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => {
            eprintln!("the public API is not as in docs/api; if that is meant: --update, and a line in CHANGELOG.md");
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("{error}");
            ExitCode::FAILURE
        }
    }
}

fn check(update: bool) -> Result<bool, Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).ancestors().nth(2).ok_or("this program lies in .ci/api")?;
    let snapshots = root.join("docs/api");
    let mut known: BTreeSet<PathBuf> =
        fs::read_dir(&snapshots)?.map(|entry| entry.map(|e| e.path())).collect::<Result<_, _>>()?;
    let (mut same, mut items) = (true, 0);
    let names = libraries(root)?;
    let json = document(root, &names)?;
    for name in names {
        let api = public_api(&json, &name)?;
        let lines: Vec<String> = api.items().map(ToString::to_string).collect();
        items += lines.len();
        let text = lines.join("\n") + "\n";
        let snapshot = snapshots.join(format!("{name}.txt"));
        known.remove(&snapshot);
        if update {
            fs::write(&snapshot, text)?;
            continue;
        }
        let before = fs::read_to_string(&snapshot).unwrap_or_default();
        if before != text {
            same = false;
            let (old, new): (BTreeSet<_>, BTreeSet<_>) = (before.lines().collect(), text.lines().collect());
            old.difference(&new).for_each(|line| println!("{name}: - {line}"));
            new.difference(&old).for_each(|line| println!("{name}: + {line}"));
        }
    }
    for gone in known {
        same = false;
        println!("{}: the snapshot of no crate", gone.display());
    }
    println!("{items} items");
    if items < FEWEST {
        return Err("that is too few to be true".into());
    }
    Ok(same)
}

fn libraries(root: &Path) -> Result<Vec<String>, Box<dyn Error>> {
    let mut names = Vec::new();
    for entry in fs::read_dir(root.join("crates"))? {
        let name = entry?.file_name().to_string_lossy().into_owned();
        if !DEV.contains(&name.as_str()) {
            names.push(name);
        }
    }
    names.sort();
    Ok(names)
}

/// Has rustdoc describe all libraries as JSON, and says where.
fn document(root: &Path, names: &[String]) -> Result<PathBuf, Box<dyn Error>> {
    let target = std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root.join("target"), |dir| root.join(dir));
    let mut flags = std::env::var("RUSTDOCFLAGS").unwrap_or_default();
    flags.push_str(" -Z unstable-options --output-format json");
    let status = Command::new(env!("CARGO"))
        .current_dir(root)
        .args(["doc", "--quiet", "--locked", "--all-features", "--no-deps", "--lib", "--target-dir"])
        .arg(&target)
        .args(names.iter().flat_map(|name| ["--package", name]))
        .env("RUSTDOCFLAGS", flags)
        .env("RUSTDOC", std::env::current_exe()?)
        .env(AS_RUSTDOC, "1")
        .status()?;
    if !status.success() {
        return Err("rustdoc fails".into());
    }
    Ok(target.join("doc"))
}

/// Output as JSON is not stable (its format is checked by whoever reads it), so rustdoc is told to be an unstable one. Only
/// rustdoc: build scripts of dependencies look at that too, and everything would be checked again.
fn rustdoc() -> Result<ExitCode, Box<dyn Error>> {
    let status = Command::new("rustdoc").args(std::env::args_os().skip(1)).env("RUSTC_BOOTSTRAP", "1").status()?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

fn public_api(json: &Path, name: &str) -> Result<PublicApi, Box<dyn Error>> {
    let json = json.join(name.replace('-', "_")).with_extension("json");
    // derived ones stay: that a secret has no Debug and no Clone is part of what is promised
    Ok(Builder::from_rustdoc_json(json).omit_blanket_impls(true).omit_auto_trait_impls(true).build()?)
}
