//! The driver of the table suites: JSON lines in, JSON lines out.
//!
//! `conformance_driver cookies|tables`. A row of an operation that is not built yet is answered with `skip`.

#[path = "conformance_driver/cookies.rs"]
mod cookies;
#[path = "conformance_driver/tables.rs"]
mod tables;

use std::io::{self, BufRead, Write};

use serde_json::{Value, json};

fn main() -> callboard::Result {
    let suite = std::env::args().nth(1).unwrap_or_default();
    if !matches!(suite.as_str(), "cookies" | "tables") {
        return Err("usage: conformance_driver cookies|tables".into());
    }
    let mut output = io::stdout().lock();
    for line in io::stdin().lock().lines() {
        let row: Value = serde_json::from_str(&line?)?;
        if suite == "cookies" {
            writeln!(output, "{}", cookies::answer(&row)?)?;
            continue;
        }
        let operation = row["op"].as_str().unwrap_or_default();
        let answer = if suite == "tables" { tables::table(operation, &row["in"]) } else { None };
        let answer = match answer {
            Some(out) => json!({ "id": row["id"], "out": out }),
            None => json!({ "id": row["id"], "skip": true }),
        };
        writeln!(output, "{answer}")?;
        output.flush()?;
    }
    Ok(())
}
