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

/// The functions that an answer names, `file::function`: tests, and after the word "through" what a test calls.
fn functions(answer: &str, called: bool) -> Vec<(&str, &str)> {
    let parts: Vec<_> = answer.split('`').collect();
    let named = parts.chunks_exact(2).filter(|pair| pair[0].ends_with("through ") == called);
    named
        .filter_map(|pair| pair[1].split_once(".rs::").map(|(file, name)| (&pair[1][..file.len() + 3], name)))
        .collect()
}

fn tests(answer: &str) -> Vec<(&str, &str)> {
    functions(answer, false)
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

/// A function as rustfmt lays it out: the attributes and comments that stand right before it, and its text up to the brace below
/// its first letter.
fn function(source: &str, name: &str) -> Option<(Vec<String>, String)> {
    let lines: Vec<_> = source.lines().collect();
    let at = lines.iter().position(|line| {
        let declared =
            line.trim_start().trim_start_matches("pub ").strip_prefix("fn ").and_then(|rest| rest.strip_prefix(name));
        declared.is_some_and(|rest| rest.starts_with(['(', '<']))
    })?;
    let first = lines[at];
    let end = format!("{}}}", &first[..first.len() - first.trim_start().len()]);
    let length = lines[at..].iter().position(|line| *line == end)?;
    let above = lines[..at].iter().rev().map(|line| line.trim());
    let above = above.take_while(|line| !line.is_empty() && !line.ends_with(['{', '}'])).map(str::to_owned);
    Some((above.collect(), lines[at..at + length].join("\n")))
}

/// Whether a test of this file is compiled: it is the root of a library or of a test, or a root or another such file declares it,
/// in the test profile or on this system.
fn is_compiled(file: &str) -> bool {
    const GATES: [&str; 2] = ["#[cfg(test)]", "#[cfg(target_os = \"linux\")]"];
    let parts: Vec<_> = file.split('/').collect();
    if let [_, "src", "lib.rs" | "main.rs"] | [_, "tests", _] | [_, "tests", _, "main.rs"] = parts[..] {
        return source(file)
            .lines()
            .all(|line| !line.starts_with("#![cfg") || GATES.contains(&line.replace('!', "").as_str()));
    }
    let (folder, name) = file.rsplit_once('/').unwrap();
    let module = format!("mod {};", name.strip_suffix(".rs").unwrap());
    let parents = ["/lib.rs", "/main.rs", ".rs"].map(|end| format!("{folder}{end}"));
    parents.iter().filter(|parent| workspace().join("crates").join(parent).exists()).any(|parent| {
        let text = source(parent);
        let lines: Vec<_> = text.lines().collect();
        let declares =
            |line: &str| line.strip_suffix(&module).is_some_and(|before| ["", "pub ", "pub(crate) "].contains(&before));
        let at = lines.iter().position(|line| declares(line));
        let mut above =
            at.map(|at| lines[..at].iter().rev().take_while(|line| line.starts_with("#["))).into_iter().flatten();
        at.is_some() && above.all(|line| !line.starts_with("#[cfg") || GATES.contains(line)) && is_compiled(parent)
    })
}

/// The text of a test that is run.
fn test_body(source: &str, file: &str, test: &str) -> String {
    let (above, body) = function(source, test).unwrap_or_else(|| panic!("there is no {test} in {file}"));
    assert!(above.iter().any(|line| line == "#[test]"), "{file}: {test} is no test");
    assert!(
        !above.iter().any(|line| ["#[ignore", "#[cfg"].iter().any(|start| line.starts_with(start))),
        "{file}: {test} is not always run"
    );
    body
}

/// How many.
fn every_named_test_exists(table: &Table) -> usize {
    let (mut sources, mut named) = (BTreeMap::new(), 0);
    for columns in table.rows().values() {
        for (file, test) in tests(columns.last().unwrap()) {
            let source = sources.entry(file.to_owned()).or_insert_with(|| {
                assert!(is_compiled(file), "{file} belongs to no test");
                source(file)
            });
            test_body(source, file, test);
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
        let (of, tests) = (&columns[4], tests(&columns[4]));
        let mut bodies: Vec<_> = tests.iter().map(|(file, test)| test_body(&source(file), file, test)).collect();
        // each is called by what stands before it
        for (file, name) in functions(of, true) {
            let calls =
                |body: &String| [format!("{name}("), format!("{name}::<")].iter().any(|call| body.contains(call));
            assert!(bodies.iter().any(calls), "row {number}: no test of it calls {name}");
            let (_, body) = function(&source(file), name).unwrap_or_else(|| panic!("there is no {name} in {file}"));
            bodies.push(body);
        }
        for error in codes(&columns[3]) {
            assert!(bodies.iter().any(|body| body.contains(error)), "row {number}: none of its tests has {error}");
        }
        assert!(codes(&columns[3]).next().is_some() || !columns[3].is_empty(), "row {number} says what comes of it");
    }
}

/// What this file refuses in a list: tests that are not run, and errors that only another function names.
#[test]
fn tests_that_are_not_run_are_refused() {
    let source = "#[test]\nfn runs() {\n    one();\n}\n\n#[test]\n// why\n#[ignore = \"slow\"]\nfn waits() {\n}\n\n\
                  #[cfg(feature = \"x\")]\n#[test]\nfn gated() {\n}\n\nfn helper<T>() {\n    two();\n}\n";
    let body = test_body(source, "file", "runs");
    assert!(body.contains("one()") && !body.contains("two()"));
    assert!(function(source, "helper").unwrap().1.contains("two()"));
    for name in ["waits", "gated", "helper", "nothing"] {
        assert!(std::panic::catch_unwind(|| test_body(source, "file", name)).is_err(), "{name}");
    }
    assert!(
        is_compiled("symbolon/tests/facade/known_attacks.rs") && is_compiled("symbolon-mta/src/tests/statistics.rs")
    );
    // below a test, but declared by none
    assert!(!is_compiled("symbolon/tests/facade/nothing.rs") && !is_compiled("symbolon-mta/src/tests/nothing.rs"));
    let answer = "`a.rs::one` through `b.rs::two`; `c.rs`";
    assert_eq!((tests(answer), functions(answer, true)), (vec![("a.rs", "one")], vec![("b.rs", "two")]));
}
