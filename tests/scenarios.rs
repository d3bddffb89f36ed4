//! Scenarios end to end: users and people act on the server, the daemon answers over mTLS, and an observer on the server's
//! side has the last word. Each test is named for what it claims.

mod adoption;
mod blindness;
mod blog;
mod breaker;
mod crashes;
mod dev_cast;
mod doctor;
mod examples;
mod facts;
mod failures;
mod guards;
mod health;
mod identity;
mod labels;
mod lapses;
mod lease;
mod observer;
mod people;
mod plugin;
mod policies;
mod records;
mod reviews;
mod role;
mod routes;
mod scope;
mod soak;
mod start;
mod tickets;
mod versions;
mod watcher;
