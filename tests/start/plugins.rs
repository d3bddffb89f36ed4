//! Many different plugins from one. It must never make one that does anything else.

use std::fs;
use std::path::Path;

use tribunal_plugins::CAP;

/// The id of sections that mean nothing.
const CUSTOM: u8 = 0;
/// What such a section is called.
const NAME: &[u8] = b"start";

/// Writes so many plugins into `dir`, and the part of a configuration that names them.
pub(crate) fn write(dir: &Path, count: u64) -> Result<String, String> {
    let mut tables = String::new();
    for number in 0..count {
        let file = format!("plugin-{number}.wasm");
        fs::write(dir.join(&file), component(number))
            .map_err(|error| format!("`{file}` cannot be written: {error}"))?;
        tables.push_str(&format!(
            "\n[[plugin]]\nname = \"plugin-{number}\"\nsource = \"{file}\"\neffects = [\"approve\", \"deny\", \"lock\"]\nsettings = {{ max-resources = {} }}\n",
            number + 1
        ));
    }
    Ok(tables)
}

/// The policy `cap` with a section of its own: another component, which has to be compiled for itself.
fn component(number: u64) -> Vec<u8> {
    let number = number.to_le_bytes();
    // Each length is below 128, so that one byte says it.
    let [name, content] =
        [NAME.len(), 1 + NAME.len() + number.len()].map(|length| u8::try_from(length).unwrap_or(u8::MAX));
    [CAP, &[CUSTOM, content, name], NAME, &number].concat()
}
