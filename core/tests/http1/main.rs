//! Tests of the HTTP/1.1 machines: a corpus of files, properties over it, and scenarios between a client and a server
//! on virtual time. No sockets, no clock.

mod another_reader;
mod any_byte;
mod chunks;
mod client_deadlines;
mod client_run;
mod closing;
mod corpus;
mod deadlines;
mod exchanges;
mod feed;
mod listing;
mod misuse;
mod pair;
mod properties;
mod server_run;
mod text;
mod unwanted;
mod upgrades;
mod whole_answers;
