//! The client edge against a server that answers by script, over real TLS with client certificates.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod client;
mod connection;
mod identity;
mod pki;
mod resources;
mod server;
mod sim;
mod watch;
