//! Lists of patterns for whole names, such as `prod-*`.
//! It must never match what an operator would not read out of the pattern: case counts, and a pattern is a whole name.

use tribunal_classes::pattern::Glob;

/// At most this many patterns under one key.
pub const PATTERNS_COUNT_MAX: usize = 256;

/// Compiled patterns, of which one has to match.
#[derive(Clone, Debug)]
pub struct Globs {
    patterns: Vec<Glob>,
}

// === impl Globs ===

impl Globs {
    /// Compiles the patterns under `key`; what is wrong with them is added to `faults`.
    pub fn new(key: &str, patterns: &[String], faults: &mut Vec<String>) -> Self {
        if patterns.len() > PATTERNS_COUNT_MAX {
            let count = patterns.len();
            faults.push(format!("`{key}` has {count} patterns, more than the limit of {PATTERNS_COUNT_MAX}"));
            return Self { patterns: Vec::new() };
        }
        let mut compile = |pattern: &String| {
            let glob = Glob::new(pattern);
            glob.map_err(|why| faults.push(format!("`{key}`: the pattern `{pattern}` {why}"))).ok()
        };
        Self { patterns: patterns.iter().filter_map(&mut compile).collect() }
    }

    /// There are none, so that nothing matches.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.patterns.is_empty()
    }

    /// Whether one of them matches this whole name.
    #[must_use]
    pub fn matches(&self, name: &str) -> bool {
        self.patterns.iter().any(|pattern| pattern.matches(name))
    }
}
