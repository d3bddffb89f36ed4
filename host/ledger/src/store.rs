//! Durable bytes: the one place that writes segment files. It knows nothing of records.

#[cfg(test)]
mod tests;

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;

use crate::SEGMENT_BYTES_MAX;
use crate::directory::{Directory, OpenError, Segment, remedy, same_file};

pub(crate) const SEGMENT_MODE: u32 = 0o600;

/// Where lines go. After an error nothing is written until [`Store::repair`] succeeds.
pub(crate) trait Store: Send + 'static {
    /// Writes whole lines after what is there, durably.
    fn commit(&mut self, lines: &[u8]) -> io::Result<()>;

    /// Makes it usable again, holding exactly the lines of all commits that succeeded.
    fn repair(&mut self) -> io::Result<()>;
}

/// Segment files in a locked directory.
#[derive(Debug)]
pub(crate) struct Files {
    directory: Directory,
    segment: Segment,
    file: File,
    durable_bytes: u64,
    segment_bytes_max: u64,
}

fn open_segment(segment: &Segment) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(SEGMENT_MODE).open(&segment.path)
}

// === impl Files ===

impl Files {
    /// Goes on at the end of this segment, which is made where it is missing.
    pub(crate) fn open(directory: Directory, segment: Segment) -> io::Result<Self> {
        let file = open_segment(&segment)?;
        let durable_bytes = file.metadata()?.len();
        file.sync_all()?;
        directory.sync()?;
        Ok(Self { directory, segment, file, durable_bytes, segment_bytes_max: SEGMENT_BYTES_MAX })
    }

    #[cfg(test)]
    pub(crate) fn with_segment_bytes_max(self, segment_bytes_max: u64) -> Self {
        Self { segment_bytes_max, ..self }
    }

    fn write(&mut self, lines: &[u8]) -> io::Result<()> {
        if self.durable_bytes >= self.segment_bytes_max {
            self.next_segment()?;
        }
        self.file.write_all(lines)?;
        if !same_file(&self.file, &self.segment.path)? {
            return Err(io::Error::other("it was replaced by another file"));
        }
        self.file.sync_data()?;
        self.durable_bytes = self.durable_bytes.saturating_add(u64::try_from(lines.len()).unwrap_or(u64::MAX));
        Ok(())
    }

    fn next_segment(&mut self) -> io::Result<()> {
        let segment = Segment::new(self.directory.path(), self.segment.number.saturating_add(1));
        let file = open_segment(&segment)?;
        self.directory.sync()?;
        (self.segment, self.file, self.durable_bytes) = (segment, file, 0);
        Ok(())
    }

    fn restore(&mut self) -> io::Result<()> {
        if !self.directory.in_place() {
            self.directory = Directory::claim(self.directory.path()).map_err(|error| match error {
                OpenError::Directory { source, .. } | OpenError::Thread(source) => source,
                OpenError::InUse { .. } | OpenError::Read(_) => io::Error::other(error),
            })?;
        }
        match same_file(&self.file, &self.segment.path) {
            Ok(true) => {
                // What a failed write left behind was never acknowledged.
                self.file.set_len(self.durable_bytes)?;
                self.file.sync_all()
            }
            Ok(false) => Err(io::Error::other("it was replaced by another file")),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.salvage(),
            Err(error) => Err(error),
        }
    }

    /// The segment was deleted under way. We still hold it open, so its lines are not lost: they are put back.
    fn salvage(&mut self) -> io::Result<()> {
        let mut aside = self.segment.path.clone().into_os_string();
        aside.push(".salvage");
        let aside = PathBuf::from(aside);
        let mut copy = OpenOptions::new().write(true).create(true).truncate(true).mode(SEGMENT_MODE).open(&aside)?;
        self.file.seek(SeekFrom::Start(0))?;
        let copied = io::copy(&mut (&self.file).take(self.durable_bytes), &mut copy)?;
        if copied != self.durable_bytes {
            return Err(io::Error::other("it was deleted, and its lines cannot be read back"));
        }
        copy.sync_all()?;
        // A link, unlike a rename, never overwrites.
        fs::hard_link(&aside, &self.segment.path)?;
        fs::remove_file(&aside)?;
        self.directory.sync()?;
        self.file = open_segment(&self.segment)?;
        Ok(())
    }

    fn explain(&self, error: &io::Error) -> io::Error {
        io::Error::new(error.kind(), format!("`{}`: {error}; {}", self.segment.path.display(), remedy(error)))
    }
}

impl Store for Files {
    fn commit(&mut self, lines: &[u8]) -> io::Result<()> {
        self.write(lines).map_err(|error| self.explain(&error))
    }

    fn repair(&mut self) -> io::Result<()> {
        self.restore().map_err(|error| self.explain(&error))
    }
}
