//! From records that wait to one durable write: lines, chained, and the objects that they refer to. It never keeps half of a
//! record.

use std::sync::mpsc::Receiver;
use std::time::Instant;

use tribunal_core::record::Record;

use super::{Done, Job, Writer, answer_to};
use crate::digest::Digest;
use crate::schema::{Body, Line};
use crate::standing::{Durable, Last};
use crate::store::{Batch, Place, Store};
use crate::tree::leaf_hash;
use crate::{BATCH_BYTES_MAX, BATCH_RECORDS_MAX, LINE_BYTES_MAX};

/// How many facts are remembered as stored; beyond that some are stored twice.
const KNOWN_FACTS_MAX: usize = 4_096;

/// Records that are written at once.
#[derive(Default)]
pub(super) struct Gathered {
    pub(super) batch: Batch,
    pub(super) waiting: Vec<Done>,
    pub(super) records: Vec<(Record, Durable)>,
}

impl<S: Store, C: Fn() -> Instant> Writer<S, C> {
    pub(super) fn gather(&mut self, first: Job, jobs: &Receiver<Job>, place: Place) -> Gathered {
        let mut gathered = Gathered::default();
        let (mut seq, mut prev) = (self.standing.next_seq(), self.standing.last.map(|last| last.leaf));
        let mut next = Some(first);
        while let Some(job) = next.take() {
            let Job { record, done } = job;
            let offset = place.offset.saturating_add(gathered.batch.lines.len() as u64);
            match self.encode(seq, prev, &record, &mut gathered.batch) {
                Ok(last) => {
                    seq = seq.saturating_add(1);
                    prev = Some(last.leaf);
                    gathered.records.push((record, Durable { place: Place { offset, ..place }, last }));
                    gathered.waiting.push(done);
                }
                Err(reason) => answer_to(done, Err(reason)),
            }
            let Batch { lines, frames } = &gathered.batch;
            if gathered.waiting.len() < BATCH_RECORDS_MAX && lines.len() + frames.len() < BATCH_BYTES_MAX {
                next = jobs.try_recv().ok();
            }
        }
        gathered
    }

    /// Appends a record's line, and what it refers to, or nothing.
    fn encode(&mut self, seq: u64, prev: Option<Digest>, record: &Record, batch: &mut Batch) -> Result<Last, String> {
        let (lines, frames) = (batch.lines.len(), batch.frames.len());
        let result = self.try_encode(seq, prev, record, batch);
        if result.is_err() {
            batch.lines.truncate(lines);
            batch.frames.truncate(frames);
            self.storing.facts.clear(); // some may have been in what was taken back
        }
        result
    }

    fn try_encode(
        &mut self,
        seq: u64,
        prev: Option<Digest>,
        record: &Record,
        batch: &mut Batch,
    ) -> Result<Last, String> {
        let mut line = Line::new(seq, prev, record);
        if let Body::Decided(decided) = &mut line.body {
            if self.storing.facts.len() > KNOWN_FACTS_MAX {
                self.storing.facts.clear();
            }
            let taken = self.storing.take_out(decided, &mut batch.frames);
            taken.map_err(|error| format!("the case cannot be stored: {error}"))?;
        }
        let before = batch.lines.len();
        line.write_to(&mut batch.lines).map_err(|error| error.to_string())?;
        let written = batch.lines.get(before..).unwrap_or_default();
        let bytes = written.len();
        if bytes > LINE_BYTES_MAX {
            return Err(format!("the record has {bytes} bytes, and the ledger takes {LINE_BYTES_MAX}"));
        }
        let leaf = leaf_hash(written.strip_suffix(b"\n").unwrap_or(written));
        Ok(Last { leaf, bytes: bytes as u64 })
    }
}
