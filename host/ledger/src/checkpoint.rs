//! Checkpoints (<https://c2sp.org/tlog-checkpoint>): how many lines there are, and the head of the tree over them, signed.
//! It never reads a line itself.

use std::fmt;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::digest::Digest;
use crate::note::{NoteError, PublicKey, SecretKey};

/// The head of a ledger's tree at some size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Checkpoint {
    /// Which ledger: the name of its key.
    pub origin: String,
    /// How many lines it vouches for.
    pub size: u64,
    /// The head of the tree over them.
    pub root: Digest,
}

// === impl Checkpoint ===

impl Checkpoint {
    /// Reads a checkpoint that this key vouches for.
    ///
    /// # Errors
    /// When it is none, or not signed by this key, or another ledger's.
    pub fn open(note: &str, key: &PublicKey) -> Result<Self, NoteError> {
        let text = key.open(note)?;
        let (checkpoint, more) = Self::parse_head(text)?;
        if !more.is_empty() {
            return Err(NoteError::Form("a checkpoint of a ledger has three lines"));
        }
        if checkpoint.origin != key.name() {
            return Err(NoteError::Form("it is not a checkpoint of this ledger"));
        }
        Ok(checkpoint)
    }

    /// The three lines of a head, and what follows them.
    pub(crate) fn parse_head(text: &str) -> Result<(Self, &str), NoteError> {
        let mut parts = text.splitn(4, '\n');
        let (Some(origin), Some(size), Some(root), Some(more)) =
            (parts.next(), parts.next(), parts.next(), parts.next())
        else {
            return Err(NoteError::Form("it has fewer than three lines"));
        };
        let bare = size == "0" || !size.starts_with('0');
        let size = Some(size)
            .filter(|size| bare && size.bytes().all(|byte| byte.is_ascii_digit()))
            .and_then(|size| size.parse().ok())
            .ok_or(NoteError::Form("its second line is not a number of lines"))?;
        let root = STANDARD.decode(root).ok().and_then(|bytes| Digest::from_bytes(&bytes));
        let root = root.ok_or(NoteError::Form("its third line is not a hash"))?;
        Ok((Self { origin: origin.to_owned(), size, root }, more))
    }

    pub(crate) fn sign(&self, key: &SecretKey) -> String {
        key.sign(&self.to_string())
    }
}

impl fmt::Display for Checkpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { origin, size, root } = self;
        writeln!(f, "{origin}\n{size}\n{}", STANDARD.encode(root.as_bytes()))
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_checkpoint_is_read_as_it_was_signed_and_only_from_its_own_ledger() {
        let key = SecretKey::new("tribunal/a", [7; 32]).unwrap();
        let checkpoint = Checkpoint { origin: "tribunal/a".to_owned(), size: 20, root: Digest::of(b"x") };
        assert_eq!(Checkpoint::open(&checkpoint.sign(&key), &key.public()).unwrap(), checkpoint);
        let other = Checkpoint { origin: "tribunal/b".to_owned(), ..checkpoint };
        assert!(Checkpoint::open(&other.sign(&key), &key.public()).is_err());
    }

    #[test]
    fn what_is_no_checkpoint_is_refused_even_if_it_is_signed() {
        let key = SecretKey::new("tribunal/a", [7; 32]).unwrap();
        let root = STANDARD.encode([0; 32]);
        let texts = ["a\n", "tribunal/a\n1\n", "tribunal/a\n01\nx\n"].map(str::to_owned).into_iter();
        let more = [
            format!("tribunal/a\n-1\n{root}\n"),
            format!("tribunal/a\n+1\n{root}\n"),
            format!("tribunal/a\n1\n{root}\nmore\n"),
        ];
        for text in texts.chain(more) {
            assert!(Checkpoint::open(&key.sign(&text), &key.public()).is_err(), "{text}");
        }
    }
}
