//! What a sweep prints.

use serde_json::{Map, Value};

/// Rows of one kind. The first column names the operation.
pub struct Table {
    /// What `--only` chooses by.
    pub name: &'static str,
    /// The heading of each column, with its unit.
    pub columns: &'static [&'static str],
    /// As many values as there are columns, in each.
    pub rows: Vec<Vec<Value>>,
}

impl Table {
    /// Without rows.
    #[must_use]
    pub const fn new(name: &'static str, columns: &'static [&'static str]) -> Self {
        Self { name, columns, rows: Vec::new() }
    }

    /// With its name as heading.
    #[must_use]
    pub fn markdown(&self) -> String {
        let mut text = format!("## {}\n\n", self.name);
        let mut line = |cells: Vec<String>| {
            text += &format!("| {} |\n", cells.join(" | "));
        };
        line(self.columns.iter().map(ToString::to_string).collect());
        line(self.columns.iter().map(|_| "---".into()).collect());
        for row in &self.rows {
            line(row.iter().map(shown).collect());
        }
        text
    }

    /// One object a line; the keys are the headings in lower case, with `_` for what is neither letter nor digit.
    #[must_use]
    pub fn json(&self) -> String {
        let key = |name: &&str| name.to_lowercase().replace(|c: char| !c.is_alphanumeric(), "_");
        let object = |row: &Vec<Value>| {
            let mut object: Map<_, _> = self.columns.iter().map(key).zip(row.iter().cloned()).collect();
            object.insert("table".into(), self.name.into());
            format!("{}\n", Value::from(object))
        };
        self.rows.iter().map(object).collect()
    }
}

/// Whole numbers with commas, others to three digits.
fn shown(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Number(number) => match number.as_u64() {
            Some(whole) => commas(whole),
            None => number.as_f64().map(three_digits).unwrap_or_default(),
        },
        other => other.to_string(),
    }
}

fn three_digits(value: f64) -> String {
    match value {
        99.95.. => commas(value.round() as u64),
        9.995..99.95 => format!("{value:.1}"),
        0.9995..9.995 => format!("{value:.2}"),
        _ => format!("{value:.3}"),
    }
}

fn commas(whole: u64) -> String {
    let digits = whole.to_string();
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn rows() {
        let mut table = Table::new("sizes", &["operation", "ms of one", "bytes"]);
        table.rows.push(vec![json!("sign"), json!(12.345), json!(1_234_567)]);
        table.rows.push(vec![json!("keygen"), json!(0.0421), json!(999)]);
        assert_eq!(
            table.markdown(),
            "## sizes\n\n| operation | ms of one | bytes |\n| --- | --- | --- |\n\
             | sign | 12.3 | 1,234,567 |\n| keygen | 0.042 | 999 |\n"
        );
        let first = table.json().lines().next().map(str::to_owned);
        let expected = r#"{"bytes":1234567,"ms_of_one":12.345,"operation":"sign","table":"sizes"}"#;
        assert_eq!(first.as_deref(), Some(expected));
        assert_eq!(
            ["1", "1,000", "9.99", "10.0"].map(str::to_owned),
            [commas(1), three_digits(1000.4), three_digits(9.994), three_digits(9.996)]
        );
    }
}
