//! `docs/known-attacks.md` answers every row of the catalogue once, and the tests that it names exist.

#![allow(clippy::unwrap_used, clippy::indexing_slicing, clippy::std_instead_of_alloc, reason = "a test")]

use std::{collections::BTreeMap, fs, path::Path};

/// Rows of the catalogue.
const ROWS: usize = 113;

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// `| 12 | what | answer |` by number.
fn rows() -> BTreeMap<usize, String> {
    let table = fs::read_to_string(workspace().join("docs/known-attacks.md")).unwrap();
    let mut rows = BTreeMap::new();
    for line in table.lines() {
        let Some((number, rest)) = line.strip_prefix("| ").and_then(|line| line.split_once(" | ")) else { continue };
        let Ok(number) = number.parse() else { continue };
        assert_eq!(rest.matches(" | ").count(), 1, "row {number} has three columns");
        assert!(rest.ends_with(" |"), "row {number} ends its line");
        assert!(rows.insert(number, rest.to_owned()).is_none(), "row {number} stands twice");
    }
    rows
}

/// How an answer without a test begins.
const REASONS: [&str; 3] = ["answered when ", "cannot apply: ", "checked by "];

/// The tests that an answer names: `file::test` in backticks, the file below `crates`.
fn tests(row: &str) -> Vec<(&str, &str)> {
    row.split('`').skip(1).step_by(2).filter_map(|code| code.split_once("::")).collect()
}

#[test]
fn every_row_stands_once() {
    let rows = rows();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=ROWS).collect::<Vec<_>>());
    for (number, row) in &rows {
        let (_, answer) = row.split_once(" | ").unwrap();
        let said = !tests(row).is_empty() || REASONS.iter().any(|reason| answer.starts_with(reason));
        assert!(said, "row {number} has neither a test nor a reason");
    }
}

#[test]
fn every_named_file_exists() {
    for (number, row) in rows() {
        for file in row.split('`').skip(1).step_by(2).filter(|code| code.ends_with(".rs")) {
            assert!(workspace().join("crates").join(file).is_file(), "row {number}: there is no {file}");
        }
    }
}

#[test]
fn every_named_test_exists() {
    let mut sources = BTreeMap::new();
    let mut named = 0;
    for (number, row) in rows() {
        for (file, test) in tests(&row) {
            let path = workspace().join("crates").join(file);
            let source = sources.entry(file.to_owned()).or_insert_with(|| fs::read_to_string(path).unwrap_or_default());
            assert!(!source.is_empty(), "row {number}: there is no {file}");
            let at = source.find(&format!("fn {test}("));
            let at = at.unwrap_or_else(|| panic!("row {number}: there is no {test} in {file}"));
            // the attribute stands right before, with nothing but other attributes and comments between
            let before = &source[..at];
            let is_test = before.rfind("#[test]").is_some_and(|start| !before[start..].contains("\n}\n"));
            assert!(is_test, "row {number}: {test} is not run");
            named += 1;
        }
    }
    assert!(named > ROWS, "{named} tests are named");
}
