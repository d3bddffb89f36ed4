//! Where the ledger is to be: whether it can be written there, who else reads it, and how much room is left. It must never
//! open the ledger, which a daemon may be writing, nor leave a file behind.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use futures::FutureExt as _;
use tribunal_ledger::SEGMENT_BYTES_MAX;

use super::checks::Looking;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;
use crate::config::default_ledger_dir;

/// With less room than this people are warned, in bytes: a few days of a busy cluster.
const FREE_BYTES_TOLD: u64 = 1024 * 1024 * 1024;
/// With less than this the ledger fills up before anybody has looked, in bytes.
const FREE_BYTES_MIN: u64 = SEGMENT_BYTES_MAX;
const FOR_OTHERS: u32 = 0o007;
const MIB: u64 = 1024 * 1024;

pub(super) fn look(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        let directory = match &config.ledger_dir {
            Some(directory) => directory.clone(),
            None => match default_ledger_dir() {
                Ok(directory) => directory,
                Err(errors) => {
                    let remedy = "name one with `dir` under `[ledger]`";
                    return vec![Finding::failed_as(&errors, remedy)];
                }
            },
        };
        let looking = tokio::task::spawn_blocking(move || judge(&directory));
        vec![looking.await.unwrap_or_else(|bug| Finding::failed(bug.to_string(), "please report this bug"))]
    }
    .boxed()
}

fn judge(directory: &Path) -> Finding {
    let shown = directory.display();
    let (there, is_new) = match nearest(directory) {
        Ok(found) => found,
        Err(error) => {
            let what = format!("ledger directory `{shown}` cannot be used: {error}");
            return Finding::failed(what, "name another with `dir` under `[ledger]`");
        }
    };
    if let Err(error) = try_writing(&there) {
        let what = format!("ledger directory `{shown}` cannot be written: {error}");
        let remedy = "make it writable for the daemon's user, mode 0700, or name another with `dir` under `[ledger]`";
        return Finding::failed(what, remedy);
    }
    let free = match rustix::fs::statvfs(&there) {
        Ok(room) => room.f_bavail.saturating_mul(room.f_frsize),
        Err(error) => {
            let what = format!("how much room ledger directory `{shown}` has cannot be told: {error}");
            return Finding::warning(what, "look after its file system");
        }
    };
    let state = if is_new { "will be made" } else { "can be written" };
    let what = format!("`{shown}` {state}, {} MiB are free", free / MIB);
    let make_room = "free some space on its file system, or name another directory with `dir` under `[ledger]`: \
                     without room nothing is approved";
    if free < FREE_BYTES_MIN {
        Finding::failed(what, make_room)
    } else if free < FREE_BYTES_TOLD {
        Finding::warning(what, make_room)
    } else if !is_new && is_for_others(&there) {
        Finding::warning(format!("{what}; others may look into it"), format!("`chmod 700 {shown}`"))
    } else {
        Finding::ok(what)
    }
}

/// The directory, or the one that is there above it, and whether it is that.
fn nearest(directory: &Path) -> io::Result<(PathBuf, bool)> {
    for (above, place) in directory.ancestors().enumerate() {
        let place = if place.as_os_str().is_empty() { Path::new(".") } else { place };
        match fs::metadata(place) {
            Ok(metadata) if metadata.is_dir() => return Ok((place.to_owned(), above > 0)),
            Ok(_) => return Err(io::Error::other(format!("`{}` is no directory", place.display()))),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::NotFound.into())
}

/// Writes to a file that is gone at once.
fn try_writing(directory: &Path) -> io::Result<()> {
    let mut file = tempfile::Builder::new().prefix(".tribunal-doctor-").tempfile_in(directory)?;
    file.write_all(b"whether it can be written\n")?;
    file.as_file().sync_all()?;
    file.close()
}

fn is_for_others(directory: &Path) -> bool {
    fs::metadata(directory).is_ok_and(|metadata| metadata.permissions().mode() & FOR_OTHERS != 0)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::Permissions;

    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn a_directory_that_is_there_or_can_be_made_is_left_as_it_was() {
        let place = tempfile::tempdir().unwrap();
        for directory in [place.path().to_owned(), place.path().join("a/b")] {
            let finding = judge(&directory);
            assert_ne!(finding.outcome, Outcome::Failed, "{finding:?}");
            assert!(finding.what.contains("MiB are free"), "{finding:?}");
            assert_eq!(fs::read_dir(place.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn what_is_no_directory_or_takes_no_files_fails() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        fs::write(&file, "").unwrap();
        // Not even root makes files there.
        for directory in [file.clone(), file.join("ledger"), PathBuf::from("/proc/self")] {
            let finding = judge(&directory);
            assert_eq!(finding.outcome, Outcome::Failed, "{finding:?}");
            assert!(finding.remedy.unwrap().contains("`[ledger]`"));
        }
    }

    #[test]
    fn a_ledger_that_others_can_read_is_warned_of() {
        let place = tempfile::tempdir().unwrap();
        fs::set_permissions(place.path(), Permissions::from_mode(0o755)).unwrap();
        assert_eq!(judge(place.path()).outcome, Outcome::Warning);
    }
}
