//! What reads the bytes of others, and what may be expected of it. A target must never depend on anything but its case.

mod config;
mod convert;
mod find;
mod frames;
mod identity;
mod mistakes;
mod peer;
mod ssh;

pub(crate) use self::mistakes::NAME as MISTAKES;
use crate::mutate::Form;

/// The targets that are tried.
pub(crate) const NAMES: [&str; 7] = ["identity", "find", "http", "frames", "convert", "ssh", "config"];

/// Judges a case: an answer in words, or what is wrong about it.
type Run = Box<dyn FnMut(&[u8]) -> Result<String, String>>;

/// Something that reads the bytes of others.
pub(crate) struct Target {
    pub(crate) name: &'static str,
    pub(crate) form: Form,
    /// What its format is made of.
    pub(crate) words: &'static [&'static [u8]],
    /// The longest case that is made.
    pub(crate) input_bytes_max: usize,
    /// What a case may hold in memory: so much in any case, and so much for each of its bytes.
    memory: (usize, usize),
    seeds: fn() -> Vec<Vec<u8>>,
    run: Run,
}

// === impl Target ===

impl Target {
    pub(crate) fn named(name: &str) -> Result<Self, String> {
        match name {
            "identity" => identity::target(),
            "find" => Ok(find::target()),
            "http" => Ok(find::http()),
            "frames" => Ok(frames::target()),
            "convert" => Ok(convert::target()),
            "ssh" => ssh::target(),
            "config" => Ok(config::target()),
            MISTAKES => Ok(mistakes::target()),
            _ => Err(format!("there is no target `{name}`")),
        }
    }

    /// What a case of this length may hold, in bytes.
    pub(crate) fn held_bytes_max(&self, length: usize) -> usize {
        self.memory.0.saturating_add(self.memory.1.saturating_mul(length))
    }

    /// Cases to begin with, beside the corpus.
    pub(crate) fn seeds(&self) -> Vec<Vec<u8>> {
        (self.seeds)()
    }

    pub(crate) fn run(&mut self, case: &[u8]) -> Result<String, String> {
        (self.run)(case)
    }
}

/// A result as an answer.
fn answer<T: std::fmt::Debug, E: std::fmt::Display>(result: Result<T, E>) -> String {
    match result {
        Ok(value) => format!("{value:?}"),
        Err(error) => error.to_string(),
    }
}

const KIB: usize = 1024;
const MIB: usize = 1024 * KIB;
