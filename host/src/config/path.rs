//! Paths of a configuration. It never touches the file system.

use std::path::{Path, PathBuf};

/// The path that `text`, in a file in the directory `base`, names; or why it names none, and what to do.
pub(super) fn resolve(text: &str, base: &Path) -> Result<PathBuf, (String, &'static str)> {
    if text.is_empty() {
        return Err(("the path is empty".to_owned(), "name a file or a directory"));
    }
    if text.contains('\0') {
        return Err(("the path contains a NUL character".to_owned(), "remove it"));
    }
    if text == "~" || text.starts_with("~/") {
        return Err((format!("`{text}`: `~` is the shell's, and is not expanded here"), "write the whole path"));
    }
    Ok(base.join(text))
}
