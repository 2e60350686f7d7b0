//! The clocks of an exchange: which runs in which step, and which is due first.

use std::time::Duration;

use callboard_core::Instant;
use callboard_core::deadlines::{Deadlines, Step, Timeouts};

use crate::table::{Row, Situation, Table};

/// Each another, so that each can be the first.
const TIMEOUTS: Timeouts = Timeouts {
    total: Duration::from_secs(100),
    acquire: Duration::from_secs(20),
    queue: Duration::from_secs(15),
    connect: Duration::from_secs(10),
    expect: Duration::from_secs(1),
    read: Duration::from_secs(30),
};

fn at(seconds: u64) -> Instant {
    Instant::from_nanos(seconds * 1_000_000_000)
}

/// In a step since 5 s; before it the exchange was in `before`, since its start.
fn prepare(before: Option<Step>, step: Step) -> Deadlines {
    let mut deadlines = Deadlines::new(at(0));
    if let Some(before) = before {
        deadlines.enter(before, at(0));
    }
    deadlines.enter(step, at(5));
    deadlines
}

fn name(step: Step) -> String {
    format!("{step:?}").to_lowercase()
}

fn row(mut deadlines: Deadlines, event: &str, happen: impl Fn(&mut Deadlines)) -> Row {
    happen(&mut deadlines);
    let (deadline, due) = deadlines.next(&TIMEOUTS);
    let what = format!("{deadline} due at {:?}", due - at(0));
    Row { event: event.to_owned(), next: name(deadlines.step()), what }
}

/// What the clocks say at `seconds`.
fn look(deadlines: Deadlines, seconds: u64) -> Row {
    let what = match deadlines.expired(&TIMEOUTS, at(seconds)) {
        None => "nothing has passed".to_owned(),
        Some(expired) => format!("{} has passed, after {:?} of {:?}", expired.deadline, expired.elapsed, expired.limit),
    };
    Row { event: format!("{seconds} s after the start"), next: name(deadlines.step()), what }
}

fn situation(before: Option<Step>, step: Step) -> Situation {
    let deadlines = prepare(before, step);
    let mut rows = vec![
        row(deadlines, "as it is", |_| {}),
        row(deadlines, "progress at 9 s", |deadlines| {
            deadlines.note_progress(at(9));
        }),
    ];
    for next in Step::ALL {
        rows.push(row(deadlines, &format!("{} begins at 9 s", name(next)), |deadlines| deadlines.enter(next, at(9))));
    }
    rows.extend([5, 6, 15, 20, 25, 35, 99, 100].map(|seconds| look(deadlines, seconds)));
    let after = before.map_or_else(String::new, |before| format!(", after {} at the start", name(before)));
    Situation { state: name(step), how: format!("since 5 s{after}"), rows }
}

pub(crate) fn table() -> Table {
    let mut situations: Vec<_> = Step::ALL.map(|step| situation(None, step)).into();
    situations.push(situation(Some(Step::Queue), Step::Resolve));
    situations.push(situation(Some(Step::Connect), Step::Connect));
    situations.push(situation(Some(Step::Body), Step::Queue));
    Table {
        name: "deadlines",
        title: "The deadlines of an exchange",
        about: "A total of 100 s, 20 s to acquire a connection, 15 s in the queue, 10 s for each step of connecting, \
            1 s for 100 Continue and 30 s of silence. Any step may follow any other; what matters is which clock \
            is due first. Of two due at once the wider is named.",
        parts: &[],
        situations,
    }
}
