//! `docs/parity.md` as a test: every row of its areas is there once, and every test that it names exists.
//!
//! A test is a function with `#[test]`, or one of a list in `scenarios!`. A name without a file is of the file before
//! it in its row. The end of this file feeds the rules bad samples, so that none can go blind.

use std::collections::BTreeMap;
use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

/// The rows of each area.
const AREAS: [(&str, RangeInclusive<u32>); 14] = [
    ("WP", 1..=13),
    ("WC", 1..=10),
    ("WS", 1..=14),
    ("MP", 1..=14),
    ("FD", 1..=11),
    ("CO", 1..=7),
    ("FL", 1..=9),
    ("CK", 1..=14),
    ("HP", 1..=19),
    ("SE", 1..=20),
    ("RD", 1..=11),
    ("AU", 1..=8),
    ("TO", 1..=9),
    ("CN", 1..=19),
];

/// Each says what it claims; those in the second list claim nothing that a test could hold.
const HELD: [&str; 3] = ["done", "better", "partial"];
const NOT_HELD: [&str; 2] = ["not wanted", "missing"];

type Findings = Vec<String>;

/// A row of one of the areas: its name, and its other cells.
struct Row<'a> {
    name: String,
    cells: Vec<&'a str>,
}

fn rows(page: &str) -> Vec<Row<'_>> {
    let is_row = |name: &str| AREAS.iter().any(|(area, _)| name.starts_with(&format!("{area}-")));
    page.lines()
        .filter_map(|line| line.strip_prefix("| ")?.strip_suffix(" |"))
        .map(|line| line.split(" | ").map(str::trim).collect::<Vec<_>>())
        .filter(|cells| is_row(cells[0]))
        .map(|cells| Row { name: cells[0].to_owned(), cells: cells[1..].to_vec() })
        .collect()
}

/// Rows that are not there, and rows that are there twice or should not be.
fn missing_rows(rows: &[Row<'_>]) -> Findings {
    let mut counts: BTreeMap<String, u32> = BTreeMap::new();
    for row in rows {
        *counts.entry(row.name.clone()).or_default() += 1;
    }
    let wanted =
        AREAS.iter().flat_map(|(area, numbers)| numbers.clone().map(move |number| format!("{area}-{number:02}")));
    let mut findings: Findings = Vec::new();
    for name in wanted {
        match counts.remove(&name) {
            Some(1) => {}
            Some(count) => findings.push(format!("{name} is there {count} times")),
            None => findings.push(format!("{name} is not there")),
        }
    }
    findings.extend(counts.into_keys().map(|name| format!("{name} is no row")));
    findings
}

/// The text of a file of the repository.
fn file(path: &str) -> Option<String> {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).ok()
}

/// Whether a text has this test: a function that is marked as one, or is in the list of a module's scenarios.
fn has_test(text: &str, name: &str) -> bool {
    let lines: Vec<&str> = text.lines().map(str::trim).collect();
    let is_function = |line: &str| {
        let line = line.strip_prefix("async ").unwrap_or(line);
        line.strip_prefix("fn ")
            .and_then(|line| line.strip_prefix(name))
            .is_some_and(|rest| rest.starts_with(['(', '<']))
    };
    let Some(place) = lines.iter().position(|line| is_function(line)) else { return false };
    let is_marked =
        lines[..place].iter().rev().take_while(|line| line.starts_with("#[")).any(|line| *line == "#[test]");
    let listed =
        text.split_once("scenarios!(").and_then(|(_, list)| list.split_once(");")).map_or("", |(list, _)| list);
    is_marked || listed.split([',', ' ', '\n', ':']).any(|listed| listed == name)
}

/// What a row names, in backticks: `(file, test)`; a file of data has no test.
fn named(held: &str) -> Vec<(String, Option<String>)> {
    let mut named: Vec<(String, Option<String>)> = Vec::new();
    for item in held.split('`').skip(1).step_by(2) {
        let (path, test) = item.split_once("::").map_or((item, None), |(path, test)| (path, Some(test.to_owned())));
        let path = match named.last() {
            Some((before, _)) if path.is_empty() => before.clone(),
            _ => path.to_owned(),
        };
        named.push((path, test));
    }
    named
}

/// What is wrong with a row.
fn unheld(row: &Row<'_>) -> Findings {
    let [what, verdict, held] = row.cells[..] else { return vec![format!("{}: not four cells", row.name)] };
    let mut findings = Vec::new();
    let named = named(held);
    if what.is_empty() || !(HELD.contains(&verdict) || NOT_HELD.contains(&verdict)) {
        findings.push(format!("{}: {verdict:?} is no verdict", row.name));
    }
    if named.is_empty() && HELD.contains(&verdict) {
        findings.push(format!("{}: no test holds it", row.name));
    }
    for (path, test) in named {
        match (file(&path), test) {
            (None, _) => findings.push(format!("{}: there is no {path}", row.name)),
            (Some(content), Some(test)) if !has_test(&content, &test) => {
                findings.push(format!("{}: {path} has no test {test}", row.name));
            }
            // A case is data that a test runs; code has to name its test.
            (Some(_), None) if !path.starts_with("core/tests/corpus/") => {
                findings.push(format!("{}: {path} names no test", row.name));
            }
            (Some(_), _) => {}
        }
    }
    findings
}

#[test]
fn every_row_is_there_and_every_claim_is_held() {
    let page = file("docs/parity.md").expect("the page");
    let rows = rows(&page);
    let mut findings = missing_rows(&rows);
    findings.extend(rows.iter().flat_map(unheld));
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

#[test]
fn a_row_that_is_not_there_is_found() {
    let found = |page: &str| missing_rows(&rows(page)).len();
    let all: u32 = AREAS.iter().map(|(_, numbers)| numbers.end() - numbers.start() + 1).sum();
    assert_eq!(found(""), all as usize);
    let line = "| WP-01 | what | done | `x` |\n";
    assert_eq!(found(line), all as usize - 1);
    assert_eq!(found(&line.repeat(2)), all as usize);
    assert_eq!(found("| WP-99 | what | done | `x` |\n"), all as usize + 1);
}

#[test]
fn a_claim_that_nothing_holds_is_found() {
    let found = |cells: &str| unheld(&rows(&format!("| WP-01 | {cells} |"))[0]).len();
    assert_eq!(found("what | done | `tests/parity.rs::a_claim_that_nothing_holds_is_found`, `::a_test_is_told`"), 0);
    assert_eq!(found("what | done | `core/tests/corpus/server/get.txt`"), 0);
    assert_eq!(found("what | not wanted | "), 0);
    for bad in [
        "what | done | ",
        "what | perhaps | `tests/parity.rs::a_test_is_told`",
        "what | done | `tests/parity.rs::of_which_there_is_none`",
        "what | done | `tests/parity.rs::a_test_is_told`, `::of_which_there_is_none`",
        "what | done | `tests/parity.rs::rows`",
        "what | done | `tests/parity.rs`",
        "what | done | `tests/nowhere.rs::a_test_is_told`",
        "what | done",
    ] {
        assert_eq!(found(bad), 1, "{bad}");
    }
}

#[test]
fn a_test_is_told() {
    let marked = "#[test]\n#[cfg(unix)]\nfn a() {}\nfn b() {}\n";
    assert!(has_test(marked, "a") && !has_test(marked, "b") && !has_test(marked, "test"));
    let functions = "async fn a(world: World) {}\nasync fn b(world: World) {}\nasync fn c(world: World) {}\n";
    let listed = &format!("scenarios!(random: a, b_longer,\n    c);\n{functions}");
    assert!(has_test(listed, "a") && !has_test(listed, "b") && has_test(listed, "c"));
    assert!(!has_test("scenarios!(a);", "a"), "a name without a function");
}
