//! What callboard answers to each operation of the table cases: one function per operation.
//!
//! The driver program and `tests/conformance.rs` share this file, so that both are held to the same answers.

use callboard::client::Url;
use serde_json::{Value, json};

/// The answer to a row, without its id. None: the operation is not built.
pub(crate) fn table(operation: &str, input: &Value) -> Option<Value> {
    match operation {
        "resolve" => Some(resolve(input)),
        _ => None,
    }
}

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap_or_default()
}

fn error(error: impl std::fmt::Display) -> Value {
    json!({ "error": error.to_string() })
}

fn resolve(input: &Value) -> Value {
    match Url::parse(text(input, "base")).and_then(|base| base.join(text(input, "ref"))) {
        Ok(url) => json!({ "url": url.as_str() }),
        Err(invalid) => error(invalid),
    }
}
