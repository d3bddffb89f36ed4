//! A list in the making, of which nobody sees anything before it is whole.
//!
//! Must never give away a part of a list as if it were the whole, nor grow without bound.

use tonic::Status;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_proto::Message;

use super::lacks::Answer;
use crate::failure::{Method, explain};

/// The most entries that a list may have.
const LIST_ENTRIES_MAX: usize = 200_000;
/// The most bytes that a list may have, as it comes over the wire.
const LIST_BYTES_MAX: usize = 1024 * 1024 * 1024;
/// The most pages that a list may have. A server may give short ones, but not so many.
const LIST_PAGES_MAX: usize = 20_000;

/// What came of a list so far.
#[derive(Debug)]
pub(super) struct Whole<T> {
    entries: Vec<T>,
    bytes: usize,
    pages: usize,
}

/// Why a list did not become whole.
#[derive(Debug)]
pub(super) enum Partial {
    /// A call failed.
    Refused(Status),
    /// It has more of this than it may have.
    TooLong(String),
    /// A page says that it is followed by itself.
    Circular,
    /// An entry cannot be understood.
    Garbled(String),
}

// === impl Whole ===

impl<T> Whole<T> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), bytes: 0, pages: 0 }
    }

    /// Adds what came next: a page, or a message of a stream.
    pub(super) fn take<M: Message, E: std::fmt::Display>(
        &mut self,
        page: Vec<M>,
        convert: impl Fn(M) -> Result<T, E>,
    ) -> Result<(), Partial> {
        if self.entries.len().saturating_add(page.len()) > LIST_ENTRIES_MAX {
            return Err(Partial::TooLong(format!("{LIST_ENTRIES_MAX} entries")));
        }
        let bytes = page.iter().map(Message::encoded_len).fold(self.bytes, usize::saturating_add);
        if bytes > LIST_BYTES_MAX {
            return Err(Partial::TooLong(format!("{LIST_BYTES_MAX} bytes")));
        }
        self.bytes = bytes;
        for message in page {
            self.entries.push(convert(message).map_err(|error| Partial::Garbled(error.to_string()))?);
        }
        Ok(())
    }

    /// The key of the next page, which must be another than this one's, or the list would never end.
    pub(super) fn next(&mut self, this: &str, next: String) -> Result<String, Partial> {
        self.pages = self.pages.saturating_add(1);
        if self.pages >= LIST_PAGES_MAX {
            return Err(Partial::TooLong(format!("{LIST_PAGES_MAX} pages")));
        }
        if next == this { Err(Partial::Circular) } else { Ok(next) }
    }

    /// The server said that nothing follows.
    pub(super) fn end(self) -> Vec<T> {
        self.entries
    }
}

// === impl Partial ===

impl From<Status> for Partial {
    fn from(status: Status) -> Self {
        Self::Refused(status)
    }
}

impl Answer for Partial {
    fn status(&self) -> Option<&Status> {
        match self {
            Self::Refused(status) => Some(status),
            Self::TooLong(_) | Self::Circular | Self::Garbled(_) => None,
        }
    }
}

impl Partial {
    pub(super) fn explain(self, method: Method) -> Failure {
        let Method { name, needs: _ } = method;
        let detail = match self {
            Self::Refused(status) => return explain(method, &status),
            Self::TooLong(most) => {
                format!("`{name}`: more than {most}; delete old ones, a list in part is no list")
            }
            Self::Circular => format!("`{name}`: a page that is followed by itself; check the server"),
            Self::Garbled(detail) => format!("`{name}`: {detail}"),
        };
        Failure::new(FailureClass::Alarm, detail)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::convert::Infallible;

    use super::*;

    fn taken(whole: &mut Whole<String>, page: Vec<String>) -> Result<(), String> {
        let method = Method { name: "ListLocks", needs: "" };
        whole.take(page, Ok::<_, Infallible>).map_err(|partial| partial.explain(method).detail)
    }

    #[test]
    fn a_list_of_too_many_entries_or_bytes_or_pages_is_none() {
        let mut whole = Whole::new();
        assert_eq!(taken(&mut whole, vec![String::new(); LIST_ENTRIES_MAX]), Ok(()));
        let failed = taken(&mut whole, vec![String::new()]).unwrap_err();
        assert!(failed.starts_with("`ListLocks`: more than 200000 entries; "), "{failed}");

        let mut whole = Whole::new();
        assert_eq!(taken(&mut whole, vec!["x".repeat(1024 * 1024)]), Ok(()));
        whole.bytes = LIST_BYTES_MAX - 1024;
        let failed = taken(&mut whole, vec!["x".repeat(1024)]).unwrap_err();
        assert!(failed.starts_with("`ListLocks`: more than 1073741824 bytes; "), "{failed}");

        let mut whole = Whole::<String>::new();
        let pages = (1..LIST_PAGES_MAX).all(|page| whole.next("", page.to_string()).is_ok());
        assert!(pages);
        assert!(matches!(whole.next("", "x".to_owned()), Err(Partial::TooLong(most)) if most == "20000 pages"));
    }

    #[test]
    fn a_page_that_is_followed_by_itself_ends_the_list() {
        let mut whole = Whole::<String>::new();
        assert_eq!(whole.next("a", "b".to_owned()).ok().as_deref(), Some("b"));
        assert!(matches!(whole.next("b", "b".to_owned()), Err(Partial::Circular)));
    }
}
