//! The client edge against a server that answers by script, over real TLS with client certificates.
#![expect(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic, reason = "tests")]

mod asks;
mod backoff;
mod client;
mod connection;
mod deadlines;
mod fallbacks;
mod http_proxy;
mod identity;
mod identity_forms;
mod keepalive;
mod lease;
mod obstacles;
mod pages;
mod pki;
mod place;
mod renewal;
mod resources;
mod routes;
mod server;
mod sim;
mod sizes;
mod ssh;
mod versions;
mod watch;
