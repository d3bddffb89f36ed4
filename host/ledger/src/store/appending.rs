//! A file that is only appended to: it knows how much of it is durable, and puts itself right after a failure. It never
//! writes to, nor over, a file that took its place.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use super::SEGMENT_MODE;
use crate::directory::{Directory, same_file};

#[derive(Debug)]
pub(super) struct Appending {
    path: PathBuf,
    file: File,
    durable_bytes: u64,
    written_bytes: u64,
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new().read(true).append(true).create(true).mode(SEGMENT_MODE).open(path)
}

// === impl Appending ===

impl Appending {
    /// Opens it, or makes it; the caller makes its name durable.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let file = open(path)?;
        let bytes = file.metadata()?.len();
        file.sync_all()?;
        Ok(Self { path: path.to_owned(), file, durable_bytes: bytes, written_bytes: bytes })
    }

    pub(super) const fn durable_bytes(&self) -> u64 {
        self.durable_bytes
    }

    /// Appends; nothing of it is durable before [`Self::sync`].
    pub(super) fn write(&mut self, bytes: &[u8]) -> io::Result<()> {
        self.file.write_all(bytes)?;
        self.written_bytes = self.durable_bytes.saturating_add(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
        if same_file(&self.file, &self.path)? { Ok(()) } else { Err(replaced()) }
    }

    /// Makes what was written durable; it counts as such from [`Self::settle`] on.
    pub(super) fn sync(&self) -> io::Result<()> {
        self.file.sync_data()
    }

    /// What was written is durable, and so is what belongs to it elsewhere.
    pub(super) const fn settle(&mut self) {
        self.durable_bytes = self.written_bytes;
    }

    /// Makes it hold exactly what was durable.
    pub(super) fn restore(&mut self, directory: &Directory) -> io::Result<()> {
        match same_file(&self.file, &self.path) {
            Ok(true) => {
                // What a failed write left behind was never acknowledged.
                self.file.set_len(self.durable_bytes)?;
                self.written_bytes = self.durable_bytes;
                self.file.sync_all()
            }
            Ok(false) => Err(replaced()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => self.salvage(directory),
            Err(error) => Err(error),
        }
    }

    /// The file was deleted under way. We still hold it open, so what is in it is not lost: it is put back.
    fn salvage(&mut self, directory: &Directory) -> io::Result<()> {
        let mut aside = self.path.clone().into_os_string();
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
        fs::hard_link(&aside, &self.path)?;
        fs::remove_file(&aside)?;
        directory.sync()?;
        self.file = open(&self.path)?;
        self.written_bytes = self.durable_bytes;
        Ok(())
    }
}

fn replaced() -> io::Error {
    io::Error::other("it was replaced by another file")
}
