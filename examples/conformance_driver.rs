//! The driver of the table suites: JSON lines in, JSON lines out.
//!
//! `conformance_driver cookies|tables`. A row of an operation that is not built yet is answered with `skip`.

use std::io::{self, BufRead, Write};

use callboard::client::Url;
use serde_json::{Value, json};

/// The answer to a row of `tables`, without its id.
fn table(operation: &str, input: &Value) -> Option<Value> {
    let text = |name: &str| input[name].as_str().unwrap_or_default();
    match operation {
        "resolve" => Some(match Url::parse(text("base")).and_then(|base| base.join(text("ref"))) {
            Ok(url) => json!({ "url": url.as_str() }),
            Err(error) => json!({ "error": error.to_string() }),
        }),
        _ => None,
    }
}

fn main() -> callboard::Result {
    let suite = std::env::args().nth(1).unwrap_or_default();
    if !matches!(suite.as_str(), "cookies" | "tables") {
        return Err("usage: conformance_driver cookies|tables".into());
    }
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        let answer = if suite == "tables" { table(row["op"].as_str().unwrap_or_default(), &row["in"]) } else { None };
        let answer = match answer {
            Some(out) => json!({ "id": row["id"], "out": out }),
            None => json!({ "id": row["id"], "skip": true }),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}
