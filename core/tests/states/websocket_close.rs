//! The life of a WebSocket: a pure table in the machine, taken as it is.

use callboard_core::websocket::{Action, Happening, State};

use crate::table::{Row, Situation, Table};

pub(crate) fn table() -> Table {
    let situations = State::ALL.map(|state| Situation {
        state: format!("{state:?}"),
        how: String::new(),
        rows: Happening::ALL
            .map(|happening| {
                let (next, action) = state.step(happening);
                let what = match action {
                    Action::Ignore => String::new(),
                    Action::Refuse => "refused".to_owned(),
                    action => format!("{action:?}"),
                };
                Row { event: format!("{happening:?}"), next: format!("{next:?}"), what }
            })
            .into(),
    });
    Table {
        name: "websocket_close",
        title: "WebSocket, from open to the end (RFC 6455 section 7)",
        about: "One table for client and server. What is to be done about a happening stands beside it.",
        parts: &["The connection"],
        situations: situations.into(),
    }
}
