//! A word in a reason by which a requester says that this is an emergency.
//! It must never be found inside of another word.

/// The word, whatever its case.
#[derive(Clone, Debug)]
pub struct Marker(String);

// === impl Marker ===

impl Marker {
    /// The word under `key`; what is wrong with it is added to `faults`.
    pub fn new(key: &str, word: &str, faults: &mut Vec<String>) -> Self {
        let is_plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_');
        if word.len() < MARKER_BYTES_MIN || !word.chars().all(is_plain) {
            faults.push(format!(
                "`{key}` is `{word}`: it has to be one word of at least {MARKER_BYTES_MIN} letters, digits, `-` and `_`, \
                 such as `BREAK-GLASS`"
            ));
        }
        Self(word.to_owned())
    }

    /// Whether a reason has this word.
    #[must_use]
    pub fn is_in(&self, reason: &str) -> bool {
        let is_word = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        reason.split(|c| !is_word(c)).any(|word| word.eq_ignore_ascii_case(&self.0))
    }

    /// As it is written in the settings.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Shorter words stand in reasons by accident.
const MARKER_BYTES_MIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_marker_is_a_whole_word_of_any_case() {
        let mut faults = Vec::new();
        let marker = Marker::new("marker", "BREAK-GLASS", &mut faults);
        for yes in ["BREAK-GLASS", "break-glass: database down", "down! (Break-Glass)"] {
            assert!(marker.is_in(yes), "{yes}");
        }
        for no in ["", "break glass", "BREAK-GLASSES", "NO-BREAK-GLASS", "xBREAK-GLASS"] {
            assert!(!marker.is_in(no), "{no}");
        }
        assert_eq!(faults, [""; 0]);
    }

    #[test]
    fn a_word_that_stands_anywhere_is_no_marker() {
        for word in ["", "a", "now", "two words", "é-marker"] {
            let mut faults = Vec::new();
            Marker::new("marker", word, &mut faults);
            assert_eq!(faults.len(), 1, "{word}");
        }
    }
}
