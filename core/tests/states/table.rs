//! Tables of what a machine does in each situation, as text for people, and as diagrams.
//!
//! A table is compared with the file beside this one that has its name, and what is drawn with `docs/states.md`. With
//! `CALLBOARD_BLESS=1` in the environment both are written anew instead; the difference is then for a review.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

/// Events that an arrow names.
const LABELS: usize = 5;

/// What a machine does, situation by situation.
pub(crate) struct Table {
    /// Of the file.
    pub(crate) name: &'static str,
    pub(crate) title: &'static str,
    /// Sentences that introduce it.
    pub(crate) about: &'static str,
    /// The halves of a state, if it has any: each is drawn by itself.
    pub(crate) parts: &'static [&'static str],
    pub(crate) situations: Vec<Situation>,
}

/// A state, and the way into it.
pub(crate) struct Situation {
    /// The halves are separated by a slash.
    pub(crate) state: String,
    pub(crate) how: String,
    pub(crate) rows: Vec<Row>,
}

/// What one event, command or deadline does.
pub(crate) struct Row {
    pub(crate) event: String,
    pub(crate) next: String,
    /// What is reported, sent or refused; empty if nothing is.
    pub(crate) what: String,
}

/// What it is called, and what is done: a way into a situation, or what happens there.
pub(crate) type Step<H> = (&'static str, fn(&mut H));

/// A machine with what is around it, as the rows of a table are taken from it.
pub(crate) trait Harness: Sized {
    /// Where the machine is.
    fn state(&self) -> String;

    /// What was reported, sent or refused since the last look.
    fn heard(&mut self) -> &mut Vec<String>;

    /// Takes what waits to be polled and sent, but for what a situation is about.
    fn settle(&mut self) {}

    /// What follows when something happens; in the end nothing waits to be polled.
    fn happen(&mut self, step: fn(&mut Self)) {
        step(self);
        self.settle();
    }
}

/// All that can happen, in every situation: each row begins with a machine of its own.
pub(crate) fn situations<H: Harness>(new: impl Fn() -> H, ways: &[Step<H>], events: &[Step<H>]) -> Vec<Situation> {
    let row = |way, &(event, step): &Step<H>| {
        let mut harness = prepare(&new, way);
        harness.happen(step);
        Row { event: event.to_owned(), next: harness.state(), what: harness.heard().join("; ") }
    };
    let situation = |&(how, way): &Step<H>| Situation {
        state: prepare(&new, way).state(),
        how: how.to_owned(),
        rows: events.iter().map(|event| row(way, event)).collect(),
    };
    ways.iter().map(situation).collect()
}

/// A machine in a situation, of which nothing was heard yet.
pub(crate) fn prepare<H: Harness>(new: impl Fn() -> H, way: fn(&mut H)) -> H {
    let mut harness = new();
    way(&mut harness);
    harness.settle();
    harness.heard().clear();
    harness
}

impl Table {
    /// The table as text.
    pub(crate) fn render(&self) -> String {
        let mut text = format!("{}\n{}\n\n", self.title, "=".repeat(self.title.chars().count()));
        for line in wrap(self.about, 110) {
            writeln!(text, "{line}").unwrap();
        }
        for situation in &self.situations {
            write!(text, "\n[{}]", situation.state).unwrap();
            writeln!(text, "{}{}", if situation.how.is_empty() { "" } else { " " }, situation.how).unwrap();
            situation.render(&mut text);
        }
        text
    }

    /// A diagram of each part: what changes a state, and into which.
    fn draw(&self) -> String {
        let mut text = String::new();
        for (index, part) in self.parts.iter().enumerate() {
            if self.parts.len() > 1 {
                writeln!(text, "{part}:\n").unwrap();
            }
            text.push_str("```mermaid\nstateDiagram-v2\n");
            let mut edges: BTreeMap<(String, String), Vec<&str>> = BTreeMap::new();
            let mut order = Vec::new();
            for situation in &self.situations {
                let from = half(&situation.state, index);
                for row in &situation.rows {
                    let to = half(&row.next, index);
                    if from == to {
                        continue;
                    }
                    let edge = (from.to_owned(), to.to_owned());
                    if !order.contains(&edge) {
                        order.push(edge.clone());
                    }
                    let labels = edges.entry(edge).or_default();
                    if !labels.contains(&row.event.as_str()) {
                        labels.push(&row.event);
                    }
                }
            }
            let mut named = Vec::new();
            for state in order.iter().flat_map(|(from, to)| [from, to]) {
                if identifier(state) != *state && !named.contains(&state) {
                    named.push(state);
                    writeln!(text, "    state \"{state}\" as {}", identifier(state)).unwrap();
                }
            }
            if let Some(first) = self.situations.first() {
                writeln!(text, "    [*] --> {}", identifier(half(&first.state, index))).unwrap();
            }
            for edge in order {
                let (from, to) = (identifier(&edge.0), identifier(&edge.1));
                let labels = &edges[&edge];
                let (shown, rest) = labels.split_at(labels.len().min(LABELS));
                let more = if rest.is_empty() { String::new() } else { format!(" and {} more", rest.len()) };
                writeln!(text, "    {from} --> {to}: {}{more}", shown.join(", ")).unwrap();
            }
            text.push_str("```\n\n");
        }
        text
    }

    /// The section of the page.
    fn section(&self) -> String {
        let mut text = format!("## {}\n\n", self.title);
        for line in wrap(self.about, 118) {
            writeln!(text, "{line}").unwrap();
        }
        writeln!(text, "\nThe table: [`{0}.txt`](../core/tests/states/{0}.txt).\n", self.name).unwrap();
        text.push_str(&self.draw());
        text
    }
}

impl Situation {
    /// Events that have the same outcome share an entry.
    fn render(&self, text: &mut String) {
        let mut outcomes: Vec<(String, Vec<&str>)> = Vec::new();
        for row in &self.rows {
            let arrow = if row.next == self.state { String::new() } else { format!("-> [{}]", row.next) };
            let space = if arrow.is_empty() || row.what.is_empty() { "" } else { "  " };
            let outcome = match format!("{arrow}{space}{}", row.what) {
                nothing if nothing.is_empty() => "nothing happens".to_owned(),
                outcome => outcome,
            };
            match outcomes.iter_mut().find(|(other, _)| *other == outcome) {
                Some((_, events)) => events.push(&row.event),
                None => outcomes.push((outcome, vec![&row.event])),
            }
        }
        for (outcome, events) in outcomes {
            if let [event] = events[..] {
                writeln!(text, "    {event:<32} {outcome}").unwrap();
                continue;
            }
            for line in wrap(&events.join(", "), 100) {
                writeln!(text, "    {line}").unwrap();
            }
            writeln!(text, "        {outcome}").unwrap();
        }
    }
}

fn half(state: &str, index: usize) -> &str {
    state.split(" / ").nth(index).unwrap_or(state)
}

fn identifier(state: &str) -> String {
    state.replace([' ', ','], "_")
}

fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for word in text.split_whitespace() {
        let line = lines.last_mut().unwrap();
        if !line.is_empty() && line.chars().count() + 1 + word.chars().count() > width {
            lines.push(word.to_owned());
        } else {
            let space = if line.is_empty() { "" } else { " " };
            write!(line, "{space}{word}").unwrap();
        }
    }
    lines
}

/// The page with all diagrams.
fn page(tables: &[Table]) -> String {
    let mut text = "# The state machines\n\n".to_owned();
    for paragraph in [
        "The diagrams of this page are drawn from tables, and the tables are taken from the machines: a test drives \
        each machine into each of its states, lets everything happen there that can, and writes down what follows. So \
        neither can be out of date. An arrow says which events lead from one state to another; what is reported, sent \
        or refused, and what changes nothing, is in the tables.",
        "After a change to a machine: \
        `CALLBOARD_BLESS=1 cargo test --package callboard-core --all-features --test states`, then read the \
        difference: each line of it is a change of behaviour.",
    ] {
        for line in wrap(paragraph, 118) {
            writeln!(text, "{line}").unwrap();
        }
        text.push('\n');
    }
    for table in tables {
        text.push_str(&table.section());
    }
    text.truncate(text.trim_end().len());
    text.push('\n');
    text
}

/// Compares all tables, and the page, with what is committed; or writes them.
pub(crate) fn check(tables: &[Table]) {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut differences = String::new();
    for table in tables {
        let path = root.join("tests/states").join(format!("{}.txt", table.name));
        compare(&path, &table.render(), &mut differences);
    }
    compare(&root.join("../docs/states.md"), &page(tables), &mut differences);
    assert!(differences.is_empty(), "tables differ (CALLBOARD_BLESS=1 writes them anew):\n{differences}");
}

#[expect(clippy::disallowed_methods, reason = "how a developer asks for new tables")]
fn compare(path: &Path, text: &str, differences: &mut String) {
    let before = std::fs::read_to_string(path).unwrap_or_default();
    if before == text {
        return;
    }
    if std::env::var("CALLBOARD_BLESS").is_ok_and(|value| value == "1") {
        return std::fs::write(path, text).unwrap();
    }
    writeln!(differences, "{}", path.display()).unwrap();
    for (sign, lines, others) in [('-', &before[..], text), ('+', text, &before[..])] {
        for line in lines.lines().filter(|line| !others.lines().any(|other| other == *line)).take(40) {
            writeln!(differences, "  {sign} {line}").unwrap();
        }
    }
}
