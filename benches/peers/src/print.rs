//! What was found, as text.

use crate::measure::{Found, Measured};
use serde_json::json;

#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Format {
    Plain,
    Markdown,
    Json,
}

/// `words`: name, security parameters and what is counted, of each library.
pub(crate) fn all(format: Format, found: &[Found], words: &[[String; 3]]) {
    match format {
        Format::Json => return json(found, words),
        Format::Plain => plain(&table(found), words),
        Format::Markdown => markdown(&table(found), words),
    }
    let list = if format == Format::Markdown { "* " } else { "" };
    found.iter().flat_map(fastest).for_each(|line| println!("{list}{line}"));
    println!("{list}{}", threads(found));
}

fn rows(found: &Found) -> impl Iterator<Item = (&Measured, &Measured)> {
    found.ours.iter().flat_map(|ours| found.theirs.iter().map(move |theirs| (ours, theirs)))
}

fn time(ms: f64) -> String {
    if ms < 100.0 { format!("{ms:.2}") } else { grouped(ms.round() as usize) }
}

fn ratio(ratio: f64) -> String {
    if ratio < 0.01 { format!("{ratio:.5}") } else { format!("{ratio:.3}") }
}

/// With a comma between thousands.
fn grouped(number: usize) -> String {
    if number < 1000 { number.to_string() } else { format!("{},{:03}", grouped(number / 1000), number % 1000) }
}

fn table(found: &[Found]) -> Vec<Vec<String>> {
    let head = [
        "operation",
        "ours",
        "theirs",
        "ms, ours",
        "ms, theirs",
        "ratio",
        "bytes, ours",
        "bytes, theirs",
        "messages",
        "rounds",
    ];
    let mut table = vec![head.map(String::from).to_vec()];
    for operation in found {
        for (ours, theirs) in rows(operation) {
            let (us, them) = (ours.last(), theirs.last());
            table.push(vec![
                operation.operation.into(),
                ours.name.clone(),
                theirs.name.clone(),
                time(ours.ms()),
                time(theirs.ms()),
                ratio(ours.over(theirs)),
                grouped(us.bytes.iter().sum()),
                grouped(them.bytes.iter().sum()),
                format!("{}, {}", us.messages, them.messages),
                format!("{}, {}", us.rounds, them.rounds),
            ]);
        }
    }
    table
}

/// Where numbers begin.
const NUMBERS: usize = 3;

fn plain(table: &[Vec<String>], words: &[[String; 3]]) {
    let width = |column: usize| table.iter().map(|row| row[column].len()).max().unwrap_or(0);
    let widths: Vec<usize> = (0..table[0].len()).map(width).collect();
    for row in table {
        let cell = |(i, cell): (usize, &String)| {
            let width = widths[i];
            if i < NUMBERS { format!("{cell:<width$}") } else { format!("{cell:>width$}") }
        };
        println!("{}", row.iter().enumerate().map(cell).collect::<Vec<_>>().join("  "));
    }
    println!(
        "\nMilliseconds of CPU time of both parties, the bytes of both, messages and rounds of ours and of theirs.\n"
    );
    for [name, parameters, counted] in words {
        println!("{name}\n  security: {parameters}\n  counted: {counted}");
    }
    println!();
}

fn markdown(table: &[Vec<String>], words: &[[String; 3]]) {
    let line = |row: &[String]| println!("| {} |", row.join(" | "));
    line(&table[0]);
    println!("|{}{}", "---|".repeat(NUMBERS), "---:|".repeat(table[0].len() - NUMBERS));
    table[1..].iter().for_each(|row| line(row));
    println!("\n| library | security parameters | what is counted |\n|---|---|---|");
    words.iter().for_each(|words| line(words));
    println!();
}

/// A line for each library of ours: its time over that of the fastest peer.
fn fastest(found: &Found) -> impl Iterator<Item = String> {
    found.ours.iter().map(|ours| {
        let fastest = &found.theirs[0];
        let limit = found.limit(ours).map(|limit| format!("; the limit is {limit}"));
        format!(
            "{}: {} takes {:.3} of the fastest peer's time, {}{}",
            found.operation,
            ours.name,
            ours.over(fastest),
            fastest.name,
            limit.unwrap_or_default()
        )
    })
}

/// Whether the measured thread did all the work.
fn threads(found: &[Found]) -> String {
    let all = found.iter().flat_map(|found| found.ours.iter().chain(&found.theirs));
    let most = all.max_by(|a, b| a.elsewhere().total_cmp(&b.elsewhere())).expect("something was measured");
    format!(
        "At most {:.1}% of the CPU time of a library's process passed in other threads than the measured one ({})",
        most.elsewhere() * 100.0,
        most.name
    )
}

fn json(found: &[Found], words: &[[String; 3]]) {
    let side = |measured: &Measured| {
        let cost = measured.last();
        json!({
            "library": measured.name, "cpu_ms_all": measured.ms(), "samples": measured.samples(), "bytes_party": cost.bytes,
            "messages": cost.messages, "rounds": cost.rounds, "elsewhere": measured.elsewhere(),
        })
    };
    for operation in found {
        for (ours, theirs) in rows(operation) {
            println!(
                "{}",
                json!({
                    "op": operation.operation, "ours": side(ours), "theirs": side(theirs), "ratio": ours.over(theirs),
                    "fastest": theirs.name == operation.theirs[0].name, "limit": operation.limit(ours),
                })
            );
        }
    }
    for [name, parameters, counted] in words {
        println!("{}", json!({ "library": name, "security": parameters, "counted": counted }));
    }
}
