//! Reads the daemon's ledger as an auditor would: the files' own JSON, line by line, while it is written. It shares no
//! code with whoever writes it, and never changes a file.

use std::fs::File;
use std::io::{Read as _, Seek as _, SeekFrom};
use std::path::{Path, PathBuf};

use serde::Deserialize;

/// Read at once, so that a long ledger does not have to fit into memory.
const CHUNK_BYTES: usize = 8 * 1024 * 1024;

/// Where reading stands.
#[derive(Debug)]
pub(crate) struct Tail {
    dir: PathBuf,
    segment: u64,
    offset: u64,
    last_seq: u64,
}

/// A line, as far as the soak cares.
#[derive(Debug)]
pub(crate) struct Line {
    seq: u64,
    pub(crate) at: String,
    pub(crate) body: Body,
}

#[derive(Debug)]
pub(crate) enum Body {
    Decided(Decided),
    Outcome(Outcome),
    Lifecycle(Lifecycle),
}

#[derive(Deserialize)]
struct Head {
    v: u32,
    seq: u64,
    at: String,
    kind: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Decided {
    pub(crate) id: String,
    pub(crate) dry_run: bool,
    pub(crate) verdict: Option<String>,
    pub(crate) request: Option<Named>,
    pub(crate) locks: Vec<Lock>,
    pub(crate) releases: Vec<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Named {
    pub(crate) id: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Lock {
    pub(crate) name: String,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Outcome {
    pub(crate) decision: String,
    pub(crate) step: Step,
    pub(crate) result: StepResult,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Step {
    #[serde(rename = "do")]
    pub(crate) does: String,
    pub(crate) of: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct StepResult {
    pub(crate) is: String,
    pub(crate) class: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(crate) struct Lifecycle {
    pub(crate) what: String,
    pub(crate) detail: String,
}

// === impl Tail ===

impl Tail {
    pub(crate) const fn new(dir: PathBuf) -> Self {
        Self { dir, segment: 1, offset: 0, last_seq: 0 }
    }

    /// Hands every line that was finished since the last call to `take`.
    pub(crate) fn read(&mut self, mut take: impl FnMut(Line)) -> Result<(), String> {
        loop {
            let more = self.read_chunk(&mut take)?;
            if more {
                continue;
            }
            // The next segment begins only when this one is complete.
            if !path_of(&self.dir, self.segment + 1).exists() || self.read_chunk(&mut take)? {
                return Ok(());
            }
            self.segment += 1;
            self.offset = 0;
        }
    }

    /// Reads some lines; false if there is no whole line left in this segment.
    fn read_chunk(&mut self, take: &mut impl FnMut(Line)) -> Result<bool, String> {
        let path = path_of(&self.dir, self.segment);
        if !path.exists() {
            return Ok(false);
        }
        let mut bytes = Vec::new();
        let mut room = CHUNK_BYTES;
        let end = loop {
            bytes.clear();
            read_at(&path, self.offset, room, &mut bytes).map_err(|error| format!("`{}`: {error}", path.display()))?;
            match bytes.iter().rposition(|byte| *byte == b'\n') {
                Some(end) => break end,
                None if bytes.len() < room => return Ok(false),
                None => room = room.saturating_mul(2),
            }
        };
        for line in bytes.get(..end).unwrap_or_default().split(|byte| *byte == b'\n') {
            let line =
                parse(line).map_err(|error| format!("`{}` after line {}: {error}", path.display(), self.last_seq))?;
            if line.seq != self.last_seq + 1 {
                return Err(format!("`{}`: line {} follows line {}", path.display(), line.seq, self.last_seq));
            }
            self.last_seq = line.seq;
            take(line);
        }
        self.offset += u64::try_from(end + 1).unwrap_or(u64::MAX);
        Ok(true)
    }
}

/// The head says what the rest is; the case, and what policies said, is skipped over without being built.
pub(crate) fn parse(line: &[u8]) -> Result<Line, String> {
    let wrong = |error: serde_json::Error| error.to_string();
    let Head { v, seq, at, kind } = serde_json::from_slice(line).map_err(wrong)?;
    if v != 4 {
        return Err(format!("schema version {v}"));
    }
    let body = match kind.as_str() {
        "decided" => Body::Decided(serde_json::from_slice(line).map_err(wrong)?),
        "outcome" => Body::Outcome(serde_json::from_slice(line).map_err(wrong)?),
        "lifecycle" => Body::Lifecycle(serde_json::from_slice(line).map_err(wrong)?),
        other => return Err(format!("kind `{other}`")),
    };
    Ok(Line { seq, at, body })
}

fn path_of(dir: &Path, segment: u64) -> PathBuf {
    dir.join(format!("ledger-{segment:06}.jsonl"))
}

fn read_at(path: &Path, offset: u64, bytes_max: usize, into: &mut Vec<u8>) -> std::io::Result<()> {
    let mut file = File::open(path)?;
    file.seek(SeekFrom::Start(offset))?;
    file.take(u64::try_from(bytes_max).unwrap_or(u64::MAX)).read_to_end(into)?;
    Ok(())
}
