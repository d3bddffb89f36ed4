//! Finds out why the daemon would not work, or not as its operator means it: a list of checks, each of which says what it
//! saw and what to do about it. It must never change anything, here or in the cluster, nor wait without end.

mod checks;
mod cluster;
mod facts;
mod finding;
mod here;
mod identity;
mod ledger;
mod report;
mod rights;
mod run;
mod seen;
mod tls;
mod way;

pub use self::checks::{Check, checks};
pub use self::finding::{Finding, Outcome};
pub use self::report::Report;
pub use self::run::{Progress, SLOW_SECS, examine};
pub use self::seen::{Patient, Seen};
