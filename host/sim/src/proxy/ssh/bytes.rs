//! Values of SSH messages (RFC 4251), for the server's side. It must never read beyond the end of what it was given.

use std::io;

/// That a message is not as it should be.
pub(super) fn garbled() -> io::Error {
    io::Error::other("garbled message")
}

/// What is left of a message.
pub(super) struct Rest<'a>(pub(super) &'a [u8]);

impl<'a> Rest<'a> {
    pub(super) fn bytes(&mut self, count: usize) -> io::Result<&'a [u8]> {
        let (head, tail) = self.0.split_at_checked(count).ok_or_else(garbled)?;
        self.0 = tail;
        Ok(head)
    }

    pub(super) fn byte(&mut self) -> io::Result<u8> {
        self.bytes(1).map(|bytes| bytes.iter().copied().sum())
    }

    pub(super) fn number(&mut self) -> io::Result<u32> {
        Ok(self.bytes(4)?.iter().fold(0, |sum, byte| (sum << 8) | u32::from(*byte)))
    }

    pub(super) fn string(&mut self) -> io::Result<&'a [u8]> {
        let length = usize::try_from(self.number()?).map_err(|_| garbled())?;
        self.bytes(length)
    }

    pub(super) fn text(&mut self) -> io::Result<String> {
        String::from_utf8(self.string()?.to_vec()).map_err(|_| garbled())
    }
}

/// Appends a string.
pub(super) fn put_string(out: &mut Vec<u8>, bytes: &[u8]) {
    out.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_be_bytes());
    out.extend(bytes);
}

/// Appends a positive number.
pub(super) fn put_positive(out: &mut Vec<u8>, bytes: &[u8]) {
    let digits: Vec<u8> = bytes.iter().copied().skip_while(|byte| *byte == 0).collect();
    let sign: &[u8] = if digits.first().is_some_and(|first| first & 0x80 != 0) { &[0] } else { &[] };
    put_string(out, &[sign, digits.as_slice()].concat());
}

/// A message: its kind, then strings.
pub(super) fn message(kind: u8, strings: &[&[u8]]) -> Vec<u8> {
    let mut out = vec![kind];
    for string in strings {
        put_string(&mut out, string);
    }
    out
}
