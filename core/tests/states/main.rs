//! What each machine does in each state, for everything that can happen there, as tables that people read.
//!
//! See `table.rs` for how they are compared, and `docs/states.md` for the diagrams that are drawn from them.
#![cfg(all(feature = "url", feature = "websocket", feature = "compression", feature = "digest"))]

mod coding;
mod deadlines;
mod digest_client;
mod event_stream;
mod happy_eyeballs;
mod http1_client;
mod http1_server;
mod multipart;
mod pool;
mod redirect;
mod resolver_cache;
mod retry;
mod table;
mod websocket;
mod websocket_close;
mod websocket_messages;

#[test]
fn tables_and_diagrams_are_those_of_the_machines() {
    table::check(&[
        http1_server::table(),
        http1_client::table(),
        websocket_close::table(),
        websocket::server(),
        websocket::client(),
        websocket_messages::table(),
        coding::gzip(),
        coding::others(),
        multipart::table(),
        event_stream::table(),
        pool::table(),
        happy_eyeballs::table(),
        resolver_cache::table(),
        deadlines::table(),
        retry::table(),
        redirect::table(),
        digest_client::table(),
    ]);
}
