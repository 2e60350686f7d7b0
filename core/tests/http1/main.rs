//! Tests of the HTTP/1.1 machines: a corpus of files, properties over it, and scenarios between a client and a server
//! on virtual time. No sockets, no clock.

mod client_run;
mod corpus;
mod feed;
mod listing;
mod properties;
mod server_run;
mod text;
