//! The ledger: an append-only record of decisions, durable before Teleport is called, and of what became of them. It
//! never decides, never forgets a line that it acknowledged, and never goes on silently when it cannot write.
//!
//! Its lines are the leaves of a Merkle tree, whose head it signs; what decisions refer to is stored beside them. The form
//! of all of it is described in `SCHEMA.md`; [`schema`] is the types of a line, [`read`] reads a ledger beside a running
//! daemon.

use std::time::Duration;

mod archive;
mod bundle;
mod cases;
mod checkpoint;
mod digest;
mod directory;
mod erase;
mod figures;
mod key;
mod keys;
mod notary;
mod note;
mod notes;
mod object;
mod panel;
mod proof;
mod reader;
mod recovery;
pub mod schema;
mod search;
mod standing;
mod store;
mod tree;
mod verify;
mod writer;

pub use self::archive::{ArchiveError, Archived, archivable, archive};
pub use self::bundle::{
    BUNDLE_RECORDS_MAX, BundleError, BundleReport, BundleVerdict, Bundled, Question, bundle, check_bundle,
};
pub use self::checkpoint::Checkpoint;
pub use self::digest::Digest;
pub use self::directory::OpenError;
pub use self::erase::{Erasure, erase, sealed_for};
pub use self::figures::{
    Counts, Figures, Happening, Held, Hours, Itself, Period, Prevented, Run, Steps, Took, figures, itself,
};
pub use self::note::{NoteError, PublicKey};
pub use self::notes::{Note, notes};
pub use self::panel::{PanelParts, PolicyParts, object, panel};
pub use self::proof::{Proof, ProofError, Proven, prove};
pub use self::reader::{Chunk, Chunks, Lines, ReadError, WholeLines, chunks, read, read_all, read_whole};
pub use self::recovery::{OpenIntent, Recovery, Torn};
pub use self::search::{Decision, Decisions, Filter, Match, Matches, Shown, Wanted, decisions, search, show};
pub use self::verify::{Finding, Report, TornEnd, Verdict, check, public_key};
pub use self::writer::{Ledger, Options};

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
/// The longest object, before it is compressed and after.
pub const OBJECT_BYTES_MAX: usize = 256 * 1024 * 1024;
/// When so many records are durable without a checkpoint that vouches for them, one is signed.
pub const CHECKPOINT_RECORDS_MAX: usize = 4_096;
/// A record that has been durable for so long is vouched for by a checkpoint, or is about to be.
pub const CHECKPOINT_PAUSE_MAX: Duration = Duration::from_secs(1);
/// With more open intents than this no state is kept, and the next start reads everything.
pub const OPEN_INTENTS_MAX: usize = 10_000;
