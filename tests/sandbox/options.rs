//! What is asked for on the command line. It must never take a word that it does not know.

use std::path::PathBuf;

/// How much worse a ratio may be than it was, in percent.
const THRESHOLD_PERCENT: f64 = 10.0;

/// What is asked for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Guests to be measured; or why one is left out.
    pub(crate) guests: Vec<Result<Guest, String>>,
    pub(crate) save: Option<String>,
    pub(crate) compare: Option<String>,
    pub(crate) threshold_percent: f64,
}

/// A component and its settings.
#[derive(Debug)]
pub(crate) struct Guest {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) settings: String,
}

// === impl Options ===

impl Options {
    pub(crate) fn of(mut words: impl Iterator<Item = String>) -> Result<Self, String> {
        let mut options = Self { guests: Vec::new(), save: None, compare: None, threshold_percent: THRESHOLD_PERCENT };
        while let Some(word) = words.next() {
            let mut value = || words.next().ok_or(format!("`{word}` needs a value"));
            match word.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--guest" => options.guests.push(Guest::of(&value()?)?),
                "--save" => options.save = Some(name(value()?)?),
                "--compare" => options.compare = Some(name(value()?)?),
                "--threshold" => {
                    let percent = value()?;
                    options.threshold_percent =
                        percent.parse().map_err(|error| format!("`{percent}` is no number of percent: {error}"))?;
                }
                _ => {
                    return Err(format!(
                        "`{word}` is not known: there are --guest NAME=PATH, --save NAME, --compare NAME and --threshold PERCENT"
                    ));
                }
            }
        }
        Ok(options)
    }
}

// === impl Guest ===

impl Guest {
    fn of(text: &str) -> Result<Result<Self, String>, String> {
        let (name, path) = text.split_once('=').ok_or(format!("`{text}` is not NAME=PATH"))?;
        let read = std::fs::read(PathBuf::from(path));
        Ok(read
            .map(|bytes| Self { name: name.to_owned(), bytes, settings: "{}".to_owned() })
            .map_err(|error| format!("{name:<8} skipped: `{path}` cannot be read: {error}")))
    }
}

/// A name that is no path.
fn name(name: String) -> Result<String, String> {
    let is_plain =
        !name.is_empty() && name.chars().all(|letter| letter.is_ascii_alphanumeric() || "-_".contains(letter));
    if is_plain { Ok(name) } else { Err(format!("`{name}` is no name: use letters, digits, `-` and `_`")) }
}
