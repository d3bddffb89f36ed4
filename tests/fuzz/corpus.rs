//! The corpus: a directory of cases for each target, each in a file that is called by what is in it. It must never judge
//! them.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

/// The cases in a directory, in the order of their names; none if there is no directory.
pub(crate) fn load(directory: &Path) -> Result<Vec<Vec<u8>>, String> {
    let cannot = |error: std::io::Error| format!("`{}` cannot be read: {error}", directory.display());
    if !directory.is_dir() {
        return Ok(Vec::new());
    }
    let mut paths = Vec::new();
    for entry in fs::read_dir(directory).map_err(cannot)? {
        paths.push(entry.map_err(cannot)?.path());
    }
    paths.sort();
    paths.iter().map(|path| fs::read(path).map_err(cannot)).collect()
}

/// Has exactly these cases in a directory.
pub(crate) fn store(directory: &Path, cases: &[Vec<u8>]) -> Result<(), String> {
    let cannot = |error: std::io::Error| format!("`{}` cannot be written: {error}", directory.display());
    fs::create_dir_all(directory).map_err(cannot)?;
    let names: BTreeSet<String> = cases.iter().map(|case| name(case)).collect();
    for entry in fs::read_dir(directory).map_err(cannot)? {
        let entry = entry.map_err(cannot)?;
        if !names.contains(entry.file_name().to_string_lossy().as_ref()) {
            fs::remove_file(entry.path()).map_err(cannot)?;
        }
    }
    cases.iter().try_for_each(|case| fs::write(directory.join(name(case)), case).map_err(cannot))
}

/// What a case is called: FNV-1a over it.
pub(crate) fn name(case: &[u8]) -> String {
    format!("{:016x}", hash(case))
}

/// FNV-1a with 64 bits.
pub(crate) fn hash(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3))
}
