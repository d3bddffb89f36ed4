//! The part of WASI that languages drag in, with nothing behind it: no arguments, no environment, no input, output that is
//! only kept for the operator, a clock that stands at the case's `now`, randomness that is a function of the case. No call
//! of it ever waits, and none reads anything of this machine.

mod cli;
mod streams;
mod virtual_time;

use std::sync::Arc;

use sha2::{Digest, Sha256};
use tribunal_core::case::Case;

use super::Stop;
#[expect(unreachable_pub, reason = "the generated bindings re-export the types behind handles")]
pub use streams::{Empty, Failed, NoTerminal, Output, Ready};

/// Handles that a guest may hold at a time.
pub(crate) const HANDLES_MAX: usize = 1_024;
/// Random bytes that one call may ask for.
pub(crate) const RANDOM_BYTES_MAX: usize = 64 * 1024;

/// The WASI of one evaluation.
pub(crate) struct Wasi {
    stdout: Tail,
    stderr: Tail,
    handles: usize,
    case: Option<Arc<Case>>,
    entropy: Option<Entropy>,
}

/// The last bytes of an output.
pub(crate) struct Tail {
    bytes: Vec<u8>,
    bytes_max: usize,
}

/// Bytes that look random and are a function of the case alone.
struct Entropy {
    seed: [u8; 32],
    block: u64,
}

// === impl Wasi ===

impl Wasi {
    pub(super) const fn new(output_bytes_max: usize, case: Option<Arc<Case>>) -> Self {
        Self {
            stdout: Tail { bytes: Vec::new(), bytes_max: output_bytes_max },
            stderr: Tail { bytes: Vec::new(), bytes_max: output_bytes_max },
            handles: 0,
            case,
            entropy: None,
        }
    }

    /// The end of what was written to standard output.
    pub(crate) fn stdout(&self) -> String {
        self.stdout.text()
    }

    /// The end of what was written to standard error.
    pub(crate) fn stderr(&self) -> String {
        self.stderr.text()
    }

    /// Counts a handle that is about to be given.
    fn give(&mut self) -> wasmtime::Result<()> {
        if self.handles >= HANDLES_MAX {
            return Err(limit("handles_max", HANDLES_MAX, "open handles"));
        }
        self.handles += 1;
        Ok(())
    }

    /// Counts a handle that was given back.
    const fn take_back(&mut self) {
        self.handles = self.handles.saturating_sub(1);
    }

    fn random(&mut self, bytes: u64) -> wasmtime::Result<Vec<u8>> {
        let bytes = usize::try_from(bytes).unwrap_or(usize::MAX);
        if bytes > RANDOM_BYTES_MAX {
            return Err(limit("random_bytes_max", RANDOM_BYTES_MAX, "random bytes in a call"));
        }
        let case = &self.case;
        let entropy = self.entropy.get_or_insert_with(|| Entropy::of(case.as_deref()));
        Ok(entropy.bytes(bytes))
    }

    fn random_u64(&mut self) -> u64 {
        let case = &self.case;
        self.entropy.get_or_insert_with(|| Entropy::of(case.as_deref())).number()
    }
}

fn limit(name: &'static str, max: usize, what: &'static str) -> wasmtime::Error {
    wasmtime::Error::new(Stop::Limit { name, max: u64::try_from(max).unwrap_or(u64::MAX), what })
}

// === impl Tail ===

impl Tail {
    /// Keeps the end of what was written so far: a panic's message comes last.
    fn write(&mut self, bytes: &[u8]) {
        let bytes = bytes.get(bytes.len().saturating_sub(self.bytes_max)..).unwrap_or_default();
        self.bytes.extend_from_slice(bytes);
        // Cut only now and then, so that many small writes stay cheap.
        if self.bytes.len() > self.bytes_max.saturating_mul(2) {
            self.cut();
        }
    }

    fn cut(&mut self) {
        let excess = self.bytes.len().saturating_sub(self.bytes_max);
        self.bytes.drain(..excess);
    }

    fn text(&self) -> String {
        let kept = self.bytes.get(self.bytes.len().saturating_sub(self.bytes_max)..).unwrap_or_default();
        let text = String::from_utf8_lossy(kept);
        crate::text::clean(text.trim()).into_owned()
    }
}

// === impl Entropy ===

impl Entropy {
    /// The seed is the hash of what identifies the case: its time, subject and requests. While a plugin is loaded there
    /// is no case, and the seed is that of nothing.
    fn of(case: Option<&Case>) -> Self {
        let mut hash = Sha256::new();
        if let Some(Case { now, cluster, subject, requests, facts: _ }) = case {
            hash.update(now.as_millis().to_le_bytes());
            for text in [cluster.as_str(), subject.name.as_str()] {
                feed(&mut hash, text);
            }
            for request in requests.iter().map(|entry| &entry.request) {
                feed(&mut hash, request.id.as_str());
            }
        }
        Self { seed: hash.finalize().into(), block: 0 }
    }

    fn block(&mut self) -> [u8; 32] {
        let block = self.block;
        self.block = self.block.wrapping_add(1);
        Sha256::new().chain_update(self.seed).chain_update(block.to_le_bytes()).finalize().into()
    }

    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(count.saturating_add(32));
        while bytes.len() < count {
            bytes.extend_from_slice(&self.block());
        }
        bytes.truncate(count);
        bytes
    }

    fn number(&mut self) -> u64 {
        let mut number = [0; 8];
        for (to, from) in number.iter_mut().zip(self.block()) {
            *to = from;
        }
        u64::from_le_bytes(number)
    }
}

/// With its length, so that two texts never read like another two.
fn feed(hash: &mut Sha256, text: &str) {
    hash.update(u64::try_from(text.len()).unwrap_or(u64::MAX).to_le_bytes());
    hash.update(text);
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn output_keeps_its_end() {
        let mut tail = Tail { bytes: Vec::new(), bytes_max: 4 };
        for _ in 0..100 {
            tail.write(b"abc");
            assert!(tail.bytes.len() <= 8);
        }
        tail.write(b"0123456789\n");
        assert_eq!(tail.text(), "789");
    }

    #[test]
    fn randomness_is_a_function_of_the_case() {
        let (mut one, mut other) = (Wasi::new(0, None), Wasi::new(0, None));
        assert_eq!(one.random(100).unwrap(), other.random(100).unwrap());
        assert_eq!(one.random_u64(), other.random_u64());
        assert_ne!(one.random_u64(), one.random_u64());
        assert!(one.random(1 << 40).is_err());
    }

    #[test]
    fn handles_are_bounded() {
        let mut wasi = Wasi::new(0, None);
        let given = std::iter::repeat_with(|| wasi.give()).take_while(Result::is_ok).count();
        assert_eq!(given, HANDLES_MAX);
        wasi.take_back();
        assert!(wasi.give().is_ok());
    }
}
