//! Codecs without a network: one case a run, an exact number of operations, nanoseconds per operation on the last line.
//!
//! `codec CASE COUNT [BATCHES]`. Without a case: the list of cases. `run.py` counts instructions as the difference of
//! two counts and interleaves the cases for time.

#![forbid(unsafe_code)]

mod bodies;
mod frames;
mod heads;

use std::time::Instant;

/// A case: what it is called, and what makes its operation.
type Case = (&'static str, fn() -> Box<dyn FnMut()>);

const CASES: &[Case] = &[
    ("refill-browser", || heads::refill(heads::BROWSER)),
    ("refill-small", || heads::refill(heads::SMALL)),
    ("httparse-browser", || heads::httparse_alone(heads::BROWSER)),
    ("httparse-small", || heads::httparse_alone(heads::SMALL)),
    ("httparse-table-browser", || heads::httparse_table(heads::BROWSER)),
    ("httparse-table-small", || heads::httparse_table(heads::SMALL)),
    ("callboard-browser", || heads::callboard(heads::BROWSER)),
    ("callboard-small", || heads::callboard(heads::SMALL)),
    ("httparse-chunks-large", || bodies::httparse_sizes(bodies::LARGE)),
    ("httparse-chunks-small", || bodies::httparse_sizes(bodies::SMALL)),
    ("callboard-chunks-large", || bodies::callboard_chunks(bodies::LARGE)),
    ("callboard-chunks-small", || bodies::callboard_chunks(bodies::SMALL)),
    ("callboard-pieces-large", || bodies::callboard_pieces(bodies::LARGE)),
    ("callboard-pieces-small", || bodies::callboard_pieces(bodies::SMALL)),
    ("frames-in-place-small", || frames::in_place(frames::SMALL)),
    ("frames-in-place-large", || frames::in_place(frames::LARGE)),
    ("frames-connection-small", || frames::connection(frames::SMALL)),
    ("frames-connection-large", || frames::connection(frames::LARGE)),
    ("frames-tungstenite-small", || frames::tungstenite(frames::SMALL)),
    ("frames-tungstenite-large", || frames::tungstenite(frames::LARGE)),
    ("frames-fastwebsockets-small", || frames::fastwebsockets(frames::SMALL)),
    ("frames-fastwebsockets-large", || frames::fastwebsockets(frames::LARGE)),
];

fn main() {
    let mut arguments = std::env::args().skip(1);
    let Some(name) = arguments.next() else {
        for (name, _) in CASES {
            println!("{name}");
        }
        return;
    };
    let Some((_, make)) = CASES.iter().find(|case| case.0 == name) else { panic!("no case {name}") };
    let mut number = |default| arguments.next().map_or(default, |word: String| word.parse::<u32>().expect("a number"));
    let (count, batches) = (number(10_000), number(1));
    let mut operation = make();
    let mut times: Vec<f64> = (0..batches)
        .map(|_| {
            let begin = Instant::now();
            for _ in 0..count {
                operation();
            }
            begin.elapsed().as_secs_f64() * 1e9 / f64::from(count)
        })
        .collect();
    times.sort_by(f64::total_cmp);
    println!("median={:.2} least={:.2}", times[times.len() / 2], times[0]);
}
