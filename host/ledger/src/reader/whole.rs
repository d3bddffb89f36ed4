//! A ledger with the cases that its decisions refer to: what it takes to make them again. It never leaves one out.

use std::path::{Path, PathBuf};

use super::{Found, Lines, Piece, ReadError, read};
use crate::cases::Contents;
use crate::directory::Segment;
use crate::schema::Line;

/// The lines of a ledger, in order, decisions with their cases. Ends after the first error.
#[derive(Debug)]
pub struct WholeLines {
    directory: PathBuf,
    lines: Lines,
    contents: Contents,
    over: bool,
}

/// Reads the ledger in this directory, each decision with the case that it refers to: what it takes to make it again.
///
/// # Errors
/// As of [`read`].
pub fn read_whole(directory: &Path) -> Result<WholeLines, ReadError> {
    Ok(WholeLines {
        directory: directory.to_owned(),
        lines: read(directory)?,
        contents: Contents::of(directory),
        over: false,
    })
}

/// [`read_whole`], all of it into memory.
///
/// # Errors
/// As of [`read`], of each line, and of each case.
pub fn read_all(directory: &Path) -> Result<Vec<Line>, ReadError> {
    read_whole(directory)?.collect()
}

// === impl WholeLines ===

impl WholeLines {
    fn next_line(&mut self) -> Result<Option<Line>, ReadError> {
        match self.lines.next_piece()? {
            Some(Piece::Line(found)) => {
                let Found { mut line, place, .. } = *found;
                self.contents.fill_in(&Segment::new(&self.directory, place.segment), &mut line)?;
                Ok(Some(line))
            }
            Some(Piece::Torn { .. }) | None => Ok(None),
        }
    }
}

impl Iterator for WholeLines {
    type Item = Result<Line, ReadError>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.over {
            return None;
        }
        let next = self.next_line().transpose();
        self.over = !matches!(next, Some(Ok(_)));
        next
    }
}
