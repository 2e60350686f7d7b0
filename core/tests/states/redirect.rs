//! The redirect decision: which status turns which method into which.

use callboard_core::redirect::{Decision, Redirection, decide};
use callboard_core::{Method, Status};
use url::Url;

use crate::table::{Row, Situation, Table};

pub(crate) fn table() -> Table {
    use Method::{Connect, Delete, Get, Head, Options, Patch, Post, Put};
    let from = Url::parse("http://example.org/start").unwrap();
    let row = |code: u16, method: &Method, replayable: bool| {
        let decision = decide(&Redirection {
            status: Status::new(code).unwrap(),
            location: Some(b"/end"),
            method,
            from: &from,
            followed: 0,
            limit: 10,
            replayable,
        });
        let what = match decision {
            Ok(Decision::Stop) => "the answer is final".to_owned(),
            Ok(Decision::Follow { method, drop_body, .. }) => {
                format!("{method}{}", if drop_body { " without a body" } else { "" })
            }
            Err(error) => format!("refused, {error:?}"),
        };
        let event = if replayable { method.to_string() } else { format!("{method} with its body gone") };
        Row { event, next: code.to_string(), what }
    };
    let situations = [300, 301, 302, 303, 304, 305, 306, 307, 308].map(|code| Situation {
        state: code.to_string(),
        how: String::new(),
        rows: [Get, Head, Options, Post, Put, Patch, Delete, Connect]
            .iter()
            .flat_map(|method| [row(code, method, true), row(code, method, false)])
            .collect(),
    });
    Table {
        name: "redirect",
        title: "What a redirection makes of a request (RFC 9110 section 15.4)",
        about: "For each status the method that follows. A body that was a stream and is gone matters only where it is \
            to be sent once more.",
        parts: &[],
        situations: situations.into(),
    }
}
