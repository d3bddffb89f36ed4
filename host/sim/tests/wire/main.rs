//! The simulated server as its clients see it: real gRPC over mutual TLS, refusals one by one. No test here looks inside the server.

mod access;
mod create;
mod faults;
mod locks;
mod paging;
mod people;
mod plugin_data;
mod proxy;
mod releases;
mod requests;
mod resolve;
mod resources;
mod reviews;
mod semaphores;
mod sight;
mod ssh;
mod tls;
mod watch;
mod world;
