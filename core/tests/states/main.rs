//! What each machine does in each state, for everything that can happen there, as tables that people read.
//!
//! See `table.rs` for how they are compared, and `docs/states.md` for the diagrams that are drawn from them.
#![cfg(all(feature = "url", feature = "websocket"))]

mod http1_client;
mod http1_server;
mod pool;
mod redirect;
mod retry;
mod table;
mod websocket_close;

#[test]
fn tables_and_diagrams_are_those_of_the_machines() {
    table::check(&[
        http1_server::table(),
        http1_client::table(),
        websocket_close::table(),
        pool::table(),
        retry::table(),
        redirect::table(),
    ]);
}
