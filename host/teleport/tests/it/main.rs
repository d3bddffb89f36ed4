//! The client edge against a server that answers by script, over real TLS with client certificates.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod client;
mod connection;
mod http_proxy;
mod identity;
mod lease;
mod obstacles;
mod pages;
mod pki;
mod place;
mod resources;
mod routes;
mod server;
mod sim;
mod ssh;
mod watch;
