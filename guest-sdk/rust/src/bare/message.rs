//! A line of bounded length, made without asking for memory, of which there may be none left.
//! It must never hold half a character.

use core::fmt;

/// Longest line, in bytes; what goes beyond is left out.
const MESSAGE_BYTES_MAX: usize = 512;

/// The line, as far as it is written.
pub(super) struct Message {
    bytes: [u8; MESSAGE_BYTES_MAX],
    length: usize,
}

// === impl Message ===

impl Message {
    pub(super) const fn new() -> Self {
        Self { bytes: [0; MESSAGE_BYTES_MAX], length: 0 }
    }

    pub(super) fn as_str(&self) -> &str {
        self.bytes.get(..self.length).and_then(|bytes| core::str::from_utf8(bytes).ok()).unwrap_or_default()
    }
}

impl fmt::Write for Message {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        let room = self.bytes.get_mut(self.length..).unwrap_or_default();
        let fits = text.floor_char_boundary(room.len());
        for (to, from) in room.iter_mut().zip(text.as_bytes().iter().take(fits)) {
            *to = *from;
        }
        self.length += fits;
        if fits == text.len() { Ok(()) } else { Err(fmt::Error) }
    }
}

#[cfg(test)]
mod tests {
    use core::fmt::Write as _;

    use super::*;

    #[test]
    fn a_line_is_what_was_written() {
        let mut message = Message::new();
        let (one, all) = (1, "many");
        write!(message, "{one} of {all}").unwrap();
        assert_eq!(message.as_str(), "1 of many");
    }

    #[test]
    fn what_goes_beyond_is_left_out_and_no_character_is_cut() {
        let mut message = Message::new();
        message.write_str(&"a".repeat(MESSAGE_BYTES_MAX - 1)).unwrap();
        assert!(message.write_str("äb").is_err());
        assert_eq!(message.as_str().len(), MESSAGE_BYTES_MAX - 1);
        assert!(message.write_str("b").is_ok());
        assert!(message.write_str("c").is_err());
        assert_eq!(message.as_str().len(), MESSAGE_BYTES_MAX);
    }
}
