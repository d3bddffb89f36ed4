//! The ledger: an append-only record of decisions, durable before Teleport is called, and of what became of them. It
//! never decides, never forgets a line that it acknowledged, and never goes on silently when it cannot write.
//!
//! The form of a line is described in `SCHEMA.md`; [`schema`] is its types, [`read`] reads a ledger beside a running
//! daemon.

mod directory;
mod reader;
mod recovery;
pub mod schema;
mod store;
mod writer;

pub use self::directory::OpenError;
pub use self::reader::{Lines, ReadError, read, read_all};
pub use self::recovery::{OpenIntent, Recovery, Torn};
pub use self::writer::Ledger;

/// A segment that has reached this size is followed by a new one.
pub const SEGMENT_BYTES_MAX: u64 = 64 * 1024 * 1024;
/// The longest line, line break included. A longer record is refused, a longer line in a file is damage.
pub const LINE_BYTES_MAX: usize = 16 * 1024 * 1024;
/// How many records may wait to be written; beyond that an append fails at once.
pub const QUEUE_RECORDS_MAX: usize = 4_096;
/// How many records one durable write serves at most.
pub const BATCH_RECORDS_MAX: usize = 1_024;
/// After this many bytes no further record joins a durable write.
pub const BATCH_BYTES_MAX: usize = 4 * 1024 * 1024;
