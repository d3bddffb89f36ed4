//! The terms in which operators set policies: which requests are meant, how long something lasts, what a fact says.
//! It must never decide anything: what follows from a term is the policy's.

mod entries;
mod fact;
mod globs;
mod marker;
mod object;
mod selection;
mod span;
mod text;
mod time;

pub use entries::Entries;
pub use fact::{NoFact, last as last_fact, read as read_fact};
pub use globs::{Globs, PATTERNS_COUNT_MAX};
pub use marker::Marker;
pub use object::Object;
pub use selection::{Match, Selection, Selector, Selectors};
pub use span::Span;
pub use text::{NAMES_COUNT_MAX, listed, one_of, said};
pub use time::{SLACK_MS, asked_ms, begins, day, instant, minute, utc, wall};
