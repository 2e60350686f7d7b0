//! Runs the table cases: one input, and the outputs that are allowed for it. No I/O.

#[path = "../../examples/conformance_driver/tables.rs"]
mod answers;

use serde::Deserialize;
use serde_json::Value;

use crate::case::{Failures, Job, Title, load};

#[derive(Deserialize)]
struct Case {
    #[serde(flatten)]
    title: Title,
    op: String,
    r#in: Value,
    /// Any of these.
    allow: Vec<Value>,
}

impl Job for Case {
    fn title(&self) -> &Title {
        &self.title
    }
}

/// Runs every case of an operation, of all levels, and panics with what failed.
pub(crate) fn check(operation: &str) {
    let mut cases: Vec<Case> = load("tables/table_cases.json");
    assert!(cases.len() > 130, "only {} cases", cases.len());
    cases.retain(|case| case.op == operation);
    assert!(cases.len() >= 3, "only {} cases of {operation}", cases.len());
    let mut failures = Failures::default();
    failures.gather(&cases, 1, |case| match answers::table(operation, &case.r#in) {
        Some(out) if case.allow.iter().any(|allow| fits(allow, &out)) => Ok(()),
        out => Err(format!("saw {out:?}, allowed {:?}", case.allow)),
    });
    failures.assert_none(&format!("{operation}, table cases"));
}

/// Whether an output is what `allow` describes: an error of any text, a name without a path, or these values.
fn fits(allow: &Value, out: &Value) -> bool {
    if allow["error"].as_bool().unwrap_or_default() {
        return out.get("error").is_some();
    }
    if out.get("error").is_some() {
        return false;
    }
    if allow["no_separator"].as_bool().unwrap_or_default() {
        return out["filename"]
            .as_str()
            .is_none_or(|name| !name.contains(['/', '\\', '\0']) && name != "." && name != "..");
    }
    allow.as_object().is_some_and(|values| values.iter().all(|(name, value)| &out[name] == value))
}
