//! The data types of SSH (RFC 4251, section 5), read and written.
//!
//! Must never read beyond what it was given.

/// Bytes that do not have the form that they should have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Garbled;

/// Reads values from the front of some bytes.
pub(super) struct Reader<'a>(&'a [u8]);

/// Appends values to some bytes.
#[derive(Default)]
pub(super) struct Writer(Vec<u8>);

// === impl Reader ===

impl<'a> Reader<'a> {
    pub(super) fn new(bytes: &'a [u8]) -> Self {
        Self(bytes)
    }

    pub(super) fn rest(&self) -> &'a [u8] {
        self.0
    }

    fn take(&mut self, length: usize) -> Result<&'a [u8], Garbled> {
        let (taken, rest) = self.0.split_at_checked(length).ok_or(Garbled)?;
        self.0 = rest;
        Ok(taken)
    }

    pub(super) fn byte(&mut self) -> Result<u8, Garbled> {
        self.take(1)?.first().copied().ok_or(Garbled)
    }

    pub(super) fn boolean(&mut self) -> Result<bool, Garbled> {
        Ok(self.byte()? != 0)
    }

    pub(super) fn u32(&mut self) -> Result<u32, Garbled> {
        Ok(u32::from_be_bytes(self.take(4)?.try_into().map_err(|_| Garbled)?))
    }

    pub(super) fn u64(&mut self) -> Result<u64, Garbled> {
        Ok(u64::from_be_bytes(self.take(8)?.try_into().map_err(|_| Garbled)?))
    }

    pub(super) fn string(&mut self) -> Result<&'a [u8], Garbled> {
        let length = usize::try_from(self.u32()?).map_err(|_| Garbled)?;
        self.take(length)
    }

    pub(super) fn text(&mut self) -> Result<&'a str, Garbled> {
        std::str::from_utf8(self.string()?).map_err(|_| Garbled)
    }

    /// A list of names.
    pub(super) fn names(&mut self) -> Result<Vec<&'a str>, Garbled> {
        let text = self.text()?;
        Ok(text.split(',').filter(|name| !name.is_empty()).collect())
    }

    /// A positive number, without leading zeros.
    pub(super) fn number(&mut self) -> Result<&'a [u8], Garbled> {
        let bytes = self.string()?;
        match bytes.first() {
            Some(first) if *first >= 0x80 => Err(Garbled),
            Some(0) => bytes.get(1..).filter(|rest| rest.first().is_some_and(|next| *next >= 0x80)).ok_or(Garbled),
            Some(_) => Ok(bytes),
            None => Err(Garbled),
        }
    }

    /// That nothing is left.
    pub(super) fn end(&self) -> Result<(), Garbled> {
        if self.0.is_empty() { Ok(()) } else { Err(Garbled) }
    }
}

// === impl Writer ===

impl Writer {
    /// A message of this kind.
    pub(super) fn message(kind: u8) -> Self {
        Self(vec![kind])
    }

    pub(super) fn raw(mut self, bytes: &[u8]) -> Self {
        self.0.extend_from_slice(bytes);
        self
    }

    pub(super) fn byte(self, byte: u8) -> Self {
        self.raw(&[byte])
    }

    pub(super) fn boolean(self, value: bool) -> Self {
        self.byte(u8::from(value))
    }

    pub(super) fn u32(self, value: u32) -> Self {
        self.raw(&value.to_be_bytes())
    }

    /// A string. All that we write is far shorter than the 4 GiB that its length can say.
    pub(super) fn string(self, bytes: impl AsRef<[u8]>) -> Self {
        let bytes = bytes.as_ref();
        let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
        self.u32(length).raw(bytes)
    }

    pub(super) fn names(self, names: &[&str]) -> Self {
        self.string(names.join(","))
    }

    /// A positive number from its bytes, the most significant first.
    pub(super) fn number(self, bytes: &[u8]) -> Self {
        let leading = bytes.iter().take_while(|byte| **byte == 0).count();
        let significant = bytes.get(leading..).unwrap_or_default();
        let mut number = Vec::with_capacity(significant.len().saturating_add(1));
        if significant.first().is_some_and(|first| *first >= 0x80) {
            number.push(0);
        }
        number.extend_from_slice(significant);
        self.string(number)
    }

    pub(super) fn finish(self) -> Vec<u8> {
        self.0
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn what_is_written_is_read_again() {
        let bytes = Writer::message(7)
            .boolean(true)
            .u32(0x0102_0304)
            .string("abc")
            .names(&["a", "b"])
            .number(&[0, 0, 0x80, 1])
            .number(&[1])
            .finish();
        let mut reader = Reader::new(&bytes);
        assert_eq!(reader.byte(), Ok(7));
        assert_eq!(reader.boolean(), Ok(true));
        assert_eq!(reader.u32(), Ok(0x0102_0304));
        assert_eq!(reader.text(), Ok("abc"));
        assert_eq!(reader.names().unwrap(), ["a", "b"]);
        assert_eq!(reader.number().unwrap(), [0x80, 1]);
        assert_eq!(reader.number().unwrap(), [1]);
        assert_eq!(reader.end(), Ok(()));
    }

    #[test]
    fn a_length_beyond_the_end_is_garbled() {
        assert_eq!(Reader::new(&[0, 0, 0, 2, 1]).string(), Err(Garbled));
        assert_eq!(Reader::new(&[0xff, 0xff, 0xff, 0xff, 1]).string(), Err(Garbled));
        assert_eq!(Reader::new(&[0, 0]).u32(), Err(Garbled));
        assert_eq!(Reader::new(&[1]).end(), Err(Garbled));
    }

    #[test]
    fn a_number_has_one_form_only() {
        for garbled in [&[0, 0, 0, 0][..], &[0, 0, 0, 1, 0x80], &[0, 0, 0, 2, 0, 1]] {
            assert_eq!(Reader::new(garbled).number(), Err(Garbled));
        }
    }
}
