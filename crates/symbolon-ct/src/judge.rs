//! Runs the steps under valgrind and holds every report against the reviewed list.

use crate::reviewed::{COMPILER, REVIEWED, Reviewed};
use std::{
    collections::BTreeMap,
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// One place in our sources that reports, as memcheck saw it: the innermost frame of a library of ours.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
struct Place {
    /// `symbolon-mta/src/base_ot.rs`.
    file: String,
    function: String,
}

/// One context of valgrind's output: how often, and the stack, innermost frame first.
#[derive(Default)]
struct Context {
    unique: String,
    /// An address, not a branch: excused nowhere.
    address: bool,
    frames: Vec<(PathBuf, usize)>,
}

/// Whether every report is on the list, as often as it says, and every control fired.
pub fn judge() -> bool {
    let Ok(own) = std::env::current_exe() else { return failed("where is this program?") };
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let output = own.with_extension("memcheck.xml");
    let run = Command::new("valgrind")
        .args(["--tool=memcheck", "--error-limit=no", "--num-callers=40", "--read-inline-info=yes"])
        .args(["--leak-check=no", "--xml=yes"])
        .arg(format!("--suppressions={}", root.join("public.supp").display()))
        .arg(format!("--xml-file={}", output.display()))
        .arg(&own)
        .arg("steps")
        .status();
    match run {
        Ok(status) if status.success() => {}
        Ok(_) => return failed("the steps did not run to their end, or a control was not seen"),
        Err(_) => return failed("valgrind does not start: apt-get install valgrind"),
    }
    let Ok(xml) = fs::read_to_string(&output) else { return failed("valgrind wrote no output") };
    let mut found: BTreeMap<Place, u64> = BTreeMap::new();
    for (context, count) in contexts(&xml) {
        if context.frames.iter().any(|(file, _)| file.ends_with("symbolon-ct/src/controls.rs")) {
            continue;
        }
        *found.entry(place(&context)).or_default() += count;
    }
    let good = compare(&found) & suppressions_used(&xml);
    if good {
        println!("every report is reviewed, {} places; every control was seen", REVIEWED.len());
    }
    good
}

fn failed(why: &str) -> bool {
    eprintln!("{why}");
    false
}

/// The two lists must be one: a place that is not listed fails, and one that reports more often or less often than it did when it
/// was reviewed. Fewer are no better: a step is gone, or its room is there for another branch.
fn compare(found: &BTreeMap<Place, u64>) -> bool {
    println!(" reports  of  reviewed place");
    let mut good = true;
    let exact = same_compiler();
    if !exact {
        println!("another compiler than {COMPILER}, which may merge branches: fewer reports are no finding");
    }
    for Reviewed { place, reports, why } in REVIEWED {
        let count = found.iter().find(|(at, _)| at.name() == *place).map_or(0, |(_, count)| *count);
        println!("{count:>8} {reports:>3}  {place}: {why}");
        if count > *reports || (exact && count != *reports) {
            println!("          ^ NOT AS REVIEWED: {place}");
            good = false;
        }
    }
    for (place, count) in found.iter().filter(|(at, _)| REVIEWED.iter().all(|known| known.place != at.name())) {
        println!("{count:>8}   0  {}: NOT REVIEWED", place.name());
        good = false;
    }
    good
}

/// Whether this was built by the compiler of the review, as far as the one in the path tells.
fn same_compiler() -> bool {
    let version = Command::new("rustc").arg("--version").output();
    version.is_ok_and(|said| String::from_utf8_lossy(&said.stdout).starts_with(COMPILER))
}

impl Place {
    fn name(&self) -> String {
        format!("{}: {}", self.file, self.function)
    }
}

/// Every suppression is used: one that is not has lost its function, and would excuse whatever gets that name next.
fn suppressions_used(xml: &str) -> bool {
    let used = xml.split_once("<suppcounts>").map_or("", |(_, rest)| rest);
    let listed = include_str!("../public.supp").lines().filter_map(|line| line.trim().strip_prefix("name: "));
    let unused: Vec<_> = listed.filter(|name| !used.contains(*name)).collect();
    unused.iter().for_each(|name| println!("the suppression {name} is not used"));
    unused.is_empty()
}

fn tag<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.trim().strip_prefix(&format!("<{name}>"))?.strip_suffix(&format!("</{name}>"))
}

/// All contexts with their counts. Valgrind writes one tag a line.
fn contexts(xml: &str) -> Vec<(Context, u64)> {
    let mut all = Vec::new();
    let mut counts = BTreeMap::new();
    let (mut current, mut dir, mut file) = (Context::default(), PathBuf::new(), String::new());
    let mut count = 0;
    for line in xml.lines() {
        match line.trim() {
            "<error>" => current = Context::default(),
            "</error>" => all.push(std::mem::take(&mut current)),
            "<frame>" => (dir, file) = (PathBuf::new(), String::new()),
            line => {
                if let Some(unique) = tag(line, "unique") {
                    current.unique = unique.to_owned();
                    counts.insert(unique.to_owned(), count);
                } else if let Some(kind) = tag(line, "kind") {
                    current.address = kind != "UninitCondition";
                } else if let Some(found) = tag(line, "dir") {
                    dir = found.into();
                } else if let Some(found) = tag(line, "file") {
                    file = found.to_owned();
                } else if let Some(line) = tag(line, "line") {
                    current.frames.push((dir.join(&file), line.parse().unwrap_or(0)));
                } else if let Some(found) = tag(line, "count") {
                    count = found.parse().unwrap_or(0);
                }
            }
        }
    }
    // the counts come at the end, by the unique number; an error that is missing there was seen once
    all.into_iter()
        .map(|context| {
            let n = counts.get(&context.unique).copied().unwrap_or(0).max(1);
            (context, n)
        })
        .collect()
}

/// The innermost frame of ours that stands in a line. What the compiler puts between lines has the number 0, and belongs to its
/// caller.
fn place(context: &Context) -> Place {
    let ours = context.frames.iter().filter(|(_, line)| *line != 0).find_map(|(path, line)| {
        let path_text = path.to_str()?;
        let (_, file) = path_text.rsplit_once("/crates/")?;
        file.starts_with("symbolon").then(|| Place { file: file.to_owned(), function: function(path, *line) })
    });
    let mut place = ours.unwrap_or_else(|| Place { file: "no frame of ours".to_owned(), function: String::new() });
    if context.address {
        place.function.push_str(", an address");
    }
    place
}

/// The function around a line of source. Not from the debug information: that has no names for much of what was inlined.
fn function(path: &Path, line: usize) -> String {
    let source = fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = source.lines().take(line).collect();
    let name = lines.iter().rev().find_map(|line| {
        let (before, after) = line.split_once("fn ")?;
        let declares =
            before.split_whitespace().all(|word| ["pub", "pub(crate)", "pub(super)", "const"].contains(&word));
        let name = after.split(|c: char| !c.is_alphanumeric() && c != '_').next()?;
        declares.then(|| name.to_owned())
    });
    name.unwrap_or_default()
}
