//! Who this daemon is to others that want the same lease. Two that can run at once must never have the same name.

use std::fs::{self, File};
use std::io::{Read, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use uuid::Uuid;

/// Beside the ledger's own files: whoever has locked the ledger has this name to itself, and after a crash the next run
/// finds its own lease again instead of waiting for its end.
const ID_FILE: &str = "daemon-id";
/// The longest that is read of it; a UUID has 36.
const ID_BYTES_MAX: u64 = 64;

/// The name of the daemon whose ledger is in `dir`, which is locked: the machine's, for people, and an id. Where none can
/// be kept, it is `run`'s.
pub(super) fn holder(dir: &Path, run: &str) -> String {
    let path = dir.join(ID_FILE);
    let id = read(&path).or_else(|| make(&path)).unwrap_or_else(|| run.to_owned());
    format!("{}/{id}", host_name())
}

fn read(path: &Path) -> Option<String> {
    let mut text = String::new();
    File::open(path).ok()?.take(ID_BYTES_MAX).read_to_string(&mut text).ok()?;
    text.trim().parse::<Uuid>().ok().map(|id| id.to_string())
}

fn make(path: &Path) -> Option<String> {
    let id = Uuid::new_v4().to_string();
    let mut file = File::options().write(true).create(true).truncate(true).mode(0o600).open(path).ok()?;
    file.write_all(format!("{id}\n").as_bytes()).and_then(|()| file.sync_all()).ok()?;
    Some(id)
}

fn host_name() -> String {
    let name = fs::read_to_string("/proc/sys/kernel/hostname").ok().or_else(|| std::env::var("HOSTNAME").ok());
    match name.as_deref().map(str::trim) {
        None | Some("") => "unknown".to_owned(),
        Some(name) => name.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn a_ledgers_daemon_has_one_name_and_no_other_has_it() {
        let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
        let name = holder(one.path(), "run");
        assert_eq!(holder(one.path(), "another run"), name);
        assert_ne!(holder(two.path(), "run"), name);
        // What is no id is replaced.
        fs::write(one.path().join(ID_FILE), "x".repeat(100_000)).unwrap();
        let anew = holder(one.path(), "run");
        assert_ne!(anew, name);
        assert_eq!(holder(one.path(), "run"), anew);
        assert!(holder(&one.path().join("missing"), "run").ends_with("/run"));
    }
}
