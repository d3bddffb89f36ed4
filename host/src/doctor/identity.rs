//! The identity file: who we are, for how long, and who else can be. It must never show what is secret in it.

use std::fs::Metadata;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use futures::FutureExt as _;
use tribunal_core::Timestamp;
use tribunal_teleport::Identity;

use super::checks::Looking;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;
use crate::health::identity::LEFT_SECS_MIN;
use crate::health::report::utc;

const READ_BY_OTHERS: u32 = 0o004;
const WRITTEN_BY_OTHERS: u32 = 0o002;
const WRITTEN_BY_GROUP: u32 = 0o020;
const STICKY: u32 = 0o1000;
const RENEW: &str = "check that tbot runs and renews it";

pub(super) fn identity(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        let identity = match Identity::load(&config.teleport.identity_file).await {
            Ok(identity) => identity,
            Err(error) => return vec![Finding::failed_as(&error, "have tbot write it anew")],
        };
        let finding = describe(&identity, SystemTime::now());
        seen.identity = Some(identity);
        vec![finding]
    }
    .boxed()
}

fn describe(identity: &Identity, now: SystemTime) -> Finding {
    let names = |names: &[String]| names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ");
    let left = identity.not_after().duration_since(now).unwrap_or_default();
    let until = identity.not_after().duration_since(UNIX_EPOCH).unwrap_or_default();
    let until = utc(Timestamp::from_millis(u64::try_from(until.as_millis()).unwrap_or(u64::MAX)));
    let what = format!(
        "user `{}`, roles {}, trusts cluster {}, until {until} ({} min left)",
        identity.user(),
        names(identity.roles()),
        names(identity.authorities()),
        left.as_secs() / 60,
    );
    if identity.roles().is_empty() {
        return Finding::failed(what, "it has no roles, so that it may do nothing: give its bot one");
    }
    if left.as_secs() < LEFT_SECS_MIN { Finding::warning(what, RENEW) } else { Finding::ok(what) }
}

pub(super) fn file(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        let path = config.teleport.identity_file.clone();
        let looking = tokio::task::spawn_blocking(move || look(&path));
        vec![looking.await.unwrap_or_else(|bug| Finding::failed(bug.to_string(), "please report this bug"))]
    }
    .boxed()
}

fn look(path: &Path) -> Finding {
    let shown = path.display();
    // That of the file that links lead to.
    let Ok(metadata) = std::fs::metadata(path) else {
        return Finding::skipped(format!("`{shown}` cannot be looked at"));
    };
    let real = std::fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    if let Some(directory) = [path, &real].into_iter().filter_map(Path::parent).find(|above| is_open(above)) {
        let what = format!("everybody may put another file in the place of `{shown}`");
        return Finding::failed(what, format!("`chmod o-w {}`", directory.display()));
    }
    judge(&metadata, path)
}

/// Whether others can change what is in a directory.
fn is_open(directory: &Path) -> bool {
    std::fs::metadata(directory).is_ok_and(|metadata| {
        let mode = metadata.permissions().mode();
        mode & WRITTEN_BY_OTHERS != 0 && mode & STICKY == 0
    })
}

fn judge(metadata: &Metadata, path: &Path) -> Finding {
    let mode = metadata.permissions().mode() & 0o777;
    let shown = path.display();
    let what = format!("`{shown}` has mode {mode:04o}, of user {} and group {}", metadata.uid(), metadata.gid());
    let close = format!("`chmod 600 {shown}`, and the same where tbot writes it (`defaultMode: 0400` of a secret)");
    if mode & WRITTEN_BY_OTHERS != 0 {
        Finding::failed(format!("{what}: everybody may change it"), close)
    } else if mode & READ_BY_OTHERS != 0 {
        Finding::failed(format!("{what}: everybody may read it, and act as the daemon"), close)
    } else if mode & WRITTEN_BY_GROUP != 0 {
        Finding::warning(format!("{what}: its group may change it"), close)
    } else {
        Finding::ok(what)
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use std::fs::Permissions;

    use super::*;
    use crate::doctor::Outcome;

    #[test]
    fn a_file_that_others_can_read_or_change_is_found() {
        let directory = tempfile::tempdir().unwrap();
        let file = directory.path().join("identity");
        std::fs::write(&file, "").unwrap();
        for (mode, outcome, words) in [
            (0o600, Outcome::Ok, "mode 0600"),
            (0o440, Outcome::Ok, "mode 0440"),
            (0o660, Outcome::Warning, "its group may change it"),
            (0o644, Outcome::Failed, "everybody may read it"),
            (0o602, Outcome::Failed, "everybody may change it"),
        ] {
            std::fs::set_permissions(&file, Permissions::from_mode(mode)).unwrap();
            let finding = look(&file);
            assert_eq!(finding.outcome, outcome, "{mode:o}");
            assert!(finding.what.contains(words), "{finding:?}");
        }
    }

    #[test]
    fn a_directory_that_others_can_write_to_is_found_behind_links_as_well() {
        let directory = tempfile::tempdir().unwrap();
        let (open, closed) = (directory.path().join("open"), directory.path().join("closed"));
        for (directory, mode) in [(&open, 0o777), (&closed, 0o700)] {
            std::fs::create_dir(directory).unwrap();
            std::fs::set_permissions(directory, Permissions::from_mode(mode)).unwrap();
        }
        std::fs::write(open.join("identity"), "").unwrap();
        std::fs::set_permissions(open.join("identity"), Permissions::from_mode(0o600)).unwrap();
        std::os::unix::fs::symlink(open.join("identity"), closed.join("link")).unwrap();
        for path in [open.join("identity"), closed.join("link")] {
            assert_eq!(look(&path).outcome, Outcome::Failed, "{}", path.display());
        }
        std::fs::set_permissions(&open, Permissions::from_mode(0o1777)).unwrap();
        assert_eq!(look(&closed.join("link")).outcome, Outcome::Ok);
        assert_eq!(look(&closed.join("missing")).outcome, Outcome::Skipped);
    }
}
