//! `docs/known-attacks.md` answers every row of the catalogue once, `docs/audit-findings.md` every finding, `docs/bad-inputs.md`
//! every input; and the tests that they name exist and are run.

use std::{collections::BTreeMap, fs, path::Path};

fn workspace() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../.."))
}

/// A table of a document: rows numbered from 1, the last column names tests of files below `crates`.
struct Table {
    document: &'static str,
    /// Stands before each number.
    prefix: &'static str,
    rows: usize,
    columns: usize,
}

const ATTACKS: Table = Table { document: "docs/known-attacks.md", prefix: "", rows: 113, columns: 3 };
const FINDINGS: Table = Table { document: "docs/audit-findings.md", prefix: "A", rows: 25, columns: 3 };
const INPUTS: Table = Table { document: "docs/bad-inputs.md", prefix: "", rows: 100, columns: 6 };

/// How an answer without a test begins.
const REASONS: [&str; 3] = ["cannot apply: ", "checked by ", "inexpressible: "];

impl Table {
    /// `| 12 | what | .. | answer |` by number: the columns after it.
    fn rows(&self) -> BTreeMap<usize, Vec<String>> {
        let text = fs::read_to_string(workspace().join(self.document)).unwrap();
        let mut rows = BTreeMap::new();
        for line in text.lines() {
            let Some((number, rest)) = line.strip_prefix("| ").and_then(|line| line.split_once(" | ")) else {
                continue;
            };
            let Some(Ok(number)) = number.strip_prefix(self.prefix).map(str::parse) else { continue };
            let rest = rest.strip_suffix(" |").unwrap_or_else(|| panic!("row {number} ends its line"));
            let columns: Vec<_> = rest.split(" | ").map(str::to_owned).collect();
            assert_eq!(columns.len() + 1, self.columns, "{}: columns of row {number}", self.document);
            assert!(rows.insert(number, columns).is_none(), "{}: row {number} stands twice", self.document);
        }
        rows
    }
}

/// What stands in backticks.
fn codes(column: &str) -> impl Iterator<Item = &str> {
    column.split('`').skip(1).step_by(2)
}

/// The tests that an answer names: `file::test`.
fn tests(answer: &str) -> Vec<(&str, &str)> {
    codes(answer)
        .filter_map(|code| code.split_once(".rs::").map(|(file, test)| (&code[..file.len() + 3], test)))
        .collect()
}

fn source(file: &str) -> String {
    fs::read_to_string(workspace().join("crates").join(file)).unwrap_or_else(|_| panic!("there is no {file}"))
}

fn every_row_stands_once(table: &Table) {
    let rows = table.rows();
    assert_eq!(rows.keys().copied().collect::<Vec<_>>(), (1..=table.rows).collect::<Vec<_>>());
    for (number, columns) in &rows {
        let answer = columns.last().unwrap();
        let said = !tests(answer).is_empty() || REASONS.iter().any(|reason| answer.starts_with(reason));
        assert!(said, "{}: row {number} has neither a test nor a reason", table.document);
    }
}

fn every_named_file_exists(table: &Table) {
    for columns in table.rows().values() {
        codes(columns.last().unwrap()).filter(|code| code.ends_with(".rs")).for_each(|file| drop(source(file)));
    }
}

/// How many.
fn every_named_test_exists(table: &Table) -> usize {
    let (mut sources, mut named) = (BTreeMap::new(), 0);
    for (number, columns) in table.rows() {
        for (file, test) in tests(columns.last().unwrap()) {
            let source = sources.entry(file.to_owned()).or_insert_with(|| source(file));
            let at = source.find(&format!("fn {test}("));
            let at = at.unwrap_or_else(|| panic!("{}: row {number}: there is no {test} in {file}", table.document));
            // the attribute stands right before, with nothing but other attributes and comments between
            let before = &source[..at];
            let is_test = before.rfind("#[test]").is_some_and(|start| !before[start..].contains("\n}\n"));
            assert!(is_test, "row {number}: {test} is not run");
            named += 1;
        }
    }
    named
}

#[test]
fn every_attack_has_its_answer() {
    every_row_stands_once(&ATTACKS);
    every_named_file_exists(&ATTACKS);
    assert!(every_named_test_exists(&ATTACKS) > 2 * ATTACKS.rows);
}

#[test]
fn every_finding_has_its_answer() {
    every_row_stands_once(&FINDINGS);
    every_named_file_exists(&FINDINGS);
    assert!(every_named_test_exists(&FINDINGS) > 2 * FINDINGS.rows);
    // the finding is in the name of at least one test of most rows
    let by_name = FINDINGS.rows().into_iter().filter(|(number, columns)| {
        tests(&columns[1]).iter().any(|(_, test)| test.starts_with(&format!("a{number:02}_")))
    });
    assert!(by_name.count() >= 12);
}

/// The columns after the number: interface, input, expected category, our error, test.
#[test]
fn every_bad_input_has_its_answer() {
    every_row_stands_once(&INPUTS);
    every_named_file_exists(&INPUTS);
    assert!(every_named_test_exists(&INPUTS) > INPUTS.rows);
    for (number, columns) in INPUTS.rows() {
        let files: String = tests(&columns[4]).iter().map(|(file, _)| source(file)).collect();
        for error in codes(&columns[3]) {
            assert!(files.contains(error), "row {number}: no file of its tests has {error}");
        }
        assert!(codes(&columns[3]).next().is_some() || !columns[3].is_empty(), "row {number} says what comes of it");
    }
}
