//! TOML, YAML and JSON files that hold the same things: which one it is, the name of the file says. It knows nothing of what
//! they hold.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;

use super::Trouble;

/// The largest file of cases.
pub const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// How a file is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Syntax {
    /// `.toml`.
    Toml,
    /// `.yaml`, `.yml`.
    Yaml,
    /// `.json`.
    Json,
}

// === impl Syntax ===

impl Syntax {
    /// How the file of this name is written, if its name says so.
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        match path.extension()?.to_str()? {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            "json" => Some(Self::Json),
            _ => None,
        }
    }

    /// What a text holds.
    ///
    /// # Errors
    /// What is wrong with it, and in which line.
    pub fn parse<T: DeserializeOwned>(self, text: &str) -> Result<T, String> {
        match self {
            Self::Toml => toml::from_str(text).map_err(|error| error.to_string().trim_end().to_owned()),
            Self::Yaml => serde_saphyr::from_str(text).map_err(|error| error.to_string()),
            Self::Json => serde_json::from_str(text).map_err(|error| error.to_string()),
        }
    }
}

/// The text of a file, and how it is written.
///
/// # Errors
/// That it cannot be read, is too long, or has another name than such files have.
pub fn read(path: &Path) -> Result<(String, Syntax), Trouble> {
    let syntax = Syntax::of(path).ok_or_else(|| {
        Trouble::form(path, "its name ends with none of `.toml`, `.yaml`, `.yml` and `.json`: name it after its syntax")
    })?;
    let file = File::open(path).map_err(|error| Trouble::unread(path, &error))?;
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX.saturating_add(1)).read_to_string(&mut text);
    read.map_err(|error| Trouble::unread(path, &error))?;
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > FILE_BYTES_MAX {
        return Err(Trouble::unread(path, &format!("it is longer than {FILE_BYTES_MAX} bytes")));
    }
    Ok((text, syntax))
}
