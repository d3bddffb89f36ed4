//! An identity file that is renewed, torn, swapped, gone, and over; the time is passed in.

#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

use std::fs;
use std::os::unix::fs::symlink;
use std::time::UNIX_EPOCH;

use rcgen::{BasicConstraints, CertificateParams, CertifiedIssuer, DnType, IsCa, KeyPair};
use tempfile::TempDir;

use super::*;

const HOUR: u64 = 3_600;
/// 2026-01-01.
const BEGIN: u64 = 1_767_225_600;

fn at(secs: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(BEGIN + secs)
}

/// An identity of `user` from `from` to `to`, in seconds after [`BEGIN`], that trusts so many CAs.
fn text(user: &str, from: u64, to: u64, authorities: usize) -> String {
    let authority = || {
        let mut params = CertificateParams::default();
        params.distinguished_name.push(DnType::CommonName, "root");
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        CertifiedIssuer::self_signed(params, KeyPair::generate().unwrap()).unwrap()
    };
    let authorities: Vec<_> = (0..authorities).map(|_| authority()).collect();
    let mut params = CertificateParams::default();
    params.distinguished_name.push(DnType::CommonName, user);
    params.not_before = at(from).into();
    params.not_after = at(to).into();
    let key = KeyPair::generate().unwrap();
    let certificate = params.signed_by(&key, &authorities[0]).unwrap().pem();
    let trusted: String = authorities.iter().map(|authority| authority.pem()).collect();
    format!("{}{certificate}{trusted}", key.serialize_pem())
}

/// A file, and where it is.
struct Place {
    dir: TempDir,
    file: IdentityFile,
}

impl Place {
    async fn new(text: &str) -> Self {
        let dir = TempDir::new().unwrap();
        let path = dir.path().join("identity");
        fs::write(&path, text).unwrap();
        let file = IdentityFile::open(&path, at(0)).await.unwrap();
        Self { dir, file }
    }

    fn write(&self, text: &str) {
        fs::write(self.dir.path().join("identity"), text).unwrap();
    }

    /// Looks at these times; what came of each.
    async fn looks<const N: usize>(&self, times: [u64; N]) -> [Look; N] {
        let mut looks = [Look::Same; N];
        for (look, secs) in looks.iter_mut().zip(times) {
            *look = self.file.look(at(secs)).await;
        }
        looks
    }

    fn expires(&self) -> SystemTime {
        self.file.held().identity.not_after()
    }

    fn problem(&self) -> String {
        self.file.held().problem.unwrap_or_default()
    }
}

#[tokio::test]
async fn a_change_is_taken_when_it_was_the_same_twice() {
    let place = Place::new(&text("bot", 0, HOUR, 1)).await;
    assert_eq!(place.looks([5, 10]).await, [Look::Same, Look::Same]);
    place.write(&text("bot", 0, 2 * HOUR, 1));
    assert_eq!(place.looks([15]).await, [Look::Unsettled]);
    assert_eq!(place.expires(), at(HOUR));
    assert_eq!(place.looks([16, 21]).await, [Look::Fresh, Look::Same]);
    assert_eq!((place.expires(), place.file.held().renewals), (at(2 * HOUR), 1));
    // The same written anew is no other identity.
    place.write(&fs::read_to_string(place.dir.path().join("identity")).unwrap());
    assert_eq!(place.looks([25, 30]).await, [Look::Same, Look::Same]);
    assert_eq!(place.file.held().renewals, 1);
}

/// Cut after its first CA it is an identity by itself: only time tells that there is more to come.
#[tokio::test]
async fn a_file_that_is_being_written_is_never_taken_wherever_it_was_cut() {
    let place = Place::new(&text("bot", 0, HOUR, 1)).await;
    let next = text("bot", 0, 2 * HOUR, 2);
    let whole_but_for_a_ca = next.rfind("-----BEGIN").unwrap();
    let mut seen = place.file.subscribe();
    seen.mark_unchanged();
    let cuts = (0..next.len()).step_by(97).chain([whole_but_for_a_ca]);
    for (secs, cut) in (0..).zip(cuts) {
        place.write(next.get(..cut).unwrap());
        assert_eq!(place.looks([secs]).await, [Look::Unsettled], "cut at {cut}");
    }
    assert!(!seen.has_changed().unwrap());
    place.write(&next);
    assert_eq!(place.looks([100, 101]).await, [Look::Unsettled, Look::Fresh]);
    assert_eq!(place.file.held().identity.authorities().len(), 2);
}

#[tokio::test]
async fn a_file_that_stays_unusable_is_said_once_and_what_follows_is_taken() {
    let place = Place::new(&text("bot", 0, HOUR, 1)).await;
    let mut seen = place.file.subscribe();
    seen.mark_unchanged();
    for (bad, words) in [
        (Some("-----BEGIN PRIVATE KEY-----\nAAAA"), "truncated or garbled"),
        (Some(""), "has no PEM block"),
        (None, "does not exist"),
    ] {
        match bad {
            Some(bad) => place.write(bad),
            None => fs::remove_file(place.dir.path().join("identity")).unwrap(),
        }
        assert_eq!(place.looks([5, 6, 11]).await, [Look::Unsettled, Look::Unusable, Look::Unusable]);
        assert!(seen.has_changed().unwrap());
        seen.mark_unchanged();
        assert!(place.problem().contains(words), "{}", place.problem());
        assert_eq!(place.looks([16, 90]).await, [Look::Unusable, Look::Unusable]);
        assert!(!seen.has_changed().unwrap(), "said once");
    }
    assert_eq!(place.expires(), at(HOUR));
    place.write(&text("bot", 0, 2 * HOUR, 1));
    assert_eq!(place.looks([100, 101]).await, [Look::Unsettled, Look::Fresh]);
    assert_eq!(place.problem(), "");
}

#[tokio::test]
async fn an_unusable_file_that_becomes_what_it_was_is_no_renewal() {
    let first = text("bot", 0, HOUR, 1);
    let place = Place::new(&first).await;
    place.write("");
    assert_eq!(place.looks([5, 6]).await, [Look::Unsettled, Look::Unusable]);
    place.write(&first);
    assert_eq!(place.looks([11]).await, [Look::Same]);
    assert_eq!((place.problem().as_str(), place.file.held().renewals), ("", 0));
}

/// As the kubelet does: files of one version are in a directory of their own, and a symlink to that is swapped.
#[tokio::test]
async fn a_swap_of_symlinks_is_a_change() {
    let dir = TempDir::new().unwrap();
    let version = |name: &str, text: &str| {
        let version = dir.path().join(name);
        fs::create_dir(&version).unwrap();
        fs::write(version.join("identity"), text).unwrap();
        symlink(name, dir.path().join("..data.new")).unwrap();
        fs::rename(dir.path().join("..data.new"), dir.path().join("..data")).unwrap();
    };
    version("..1", &text("bot", 0, HOUR, 1));
    symlink("..data/identity", dir.path().join("identity")).unwrap();
    let file = IdentityFile::open(&dir.path().join("identity"), at(0)).await.unwrap();
    assert_eq!(file.look(at(5)).await, Look::Same);
    version("..2", &text("bot", 0, 2 * HOUR, 1));
    fs::remove_dir_all(dir.path().join("..1")).unwrap();
    assert_eq!(file.look(at(10)).await, Look::Unsettled);
    assert_eq!(file.look(at(11)).await, Look::Fresh);
    assert_eq!(file.held().identity.not_after(), at(2 * HOUR));
}

/// Where neither times nor sizes tell, as on some network file systems.
#[tokio::test]
async fn what_looks_the_same_is_read_each_minute() {
    let place = Place::new(&text("bot", 0, HOUR, 1)).await;
    place.write(&text("bot", 0, 2 * HOUR, 1));
    place.file.memory.lock().await.stamp = Stamp::of(&place.file.path).await;
    assert_eq!(place.looks([5, RECHECK_SECS - 1]).await, [Look::Same, Look::Same]);
    assert_eq!(place.looks([RECHECK_SECS, RECHECK_SECS + 1]).await, [Look::Unsettled, Look::Fresh]);
    // A clock that was put back does not keep it from being read.
    place.write(&text("bot", 0, 3 * HOUR, 1));
    place.file.memory.lock().await.stamp = Stamp::of(&place.file.path).await;
    assert_eq!(place.looks([10, 11]).await, [Look::Unsettled, Look::Fresh]);
}

#[tokio::test]
async fn a_client_stays_the_user_that_it_began_as() {
    let place = Place::new(&text("bot", 0, HOUR, 1)).await;
    place.write(&text("somebody", 0, 2 * HOUR, 1));
    assert_eq!(place.looks([5, 6]).await, [Look::Unsettled, Look::Unusable]);
    let words = "is of user `somebody`, and this process began as `bot`; write one of `bot`, or restart it";
    assert!(place.problem().ends_with(words), "{}", place.problem());
    place.file.take(at(7)).await.unwrap_err();
    assert_eq!(place.file.current(at(7)).await.unwrap().user(), "bot");
}

#[tokio::test]
async fn what_cannot_be_used_yet_is_taken_when_its_time_comes() {
    let place = Place::new(&text("bot", 0, HOUR, 1)).await;
    place.write(&text("bot", 100, 2 * HOUR, 1));
    assert_eq!(place.looks([5, 6, 99]).await, [Look::Unsettled, Look::Unusable, Look::Unusable]);
    assert!(place.problem().contains("is not valid before"), "{}", place.problem());
    assert_eq!(place.looks([100]).await, [Look::Fresh]);
}

#[tokio::test]
async fn a_connection_is_made_as_whoever_is_valid_then() {
    let first = text("bot", 0, HOUR, 1);
    let place = Place::new(&first).await;
    let current = async |secs| place.file.current(at(secs)).await.map(|identity| identity.not_after());
    assert_eq!(current(1).await.unwrap(), at(HOUR));
    // What was torn is not taken as long as there is something better.
    place.write(first.get(..first.len() / 2).unwrap());
    assert_eq!(current(HOUR - 1).await.unwrap(), at(HOUR));
    assert!(current(HOUR).await.unwrap_err().to_string().contains("truncated or garbled"));
    place.write(&first);
    assert!(current(HOUR).await.unwrap_err().to_string().contains("expired at 2026-01-01T01:00:00Z"));
    assert_eq!(place.problem(), "", "the file is whole; its time is over");
    // Whoever needs one now does not wait for it to settle.
    place.write(&text("bot", 0, 2 * HOUR, 1));
    assert_eq!(current(HOUR).await.unwrap(), at(2 * HOUR));
    assert_eq!(place.looks([HOUR + 1]).await, [Look::Same]);
}

#[tokio::test]
async fn a_file_that_cannot_be_used_is_none() {
    let dir = TempDir::new().unwrap();
    let path = dir.path().join("identity");
    let open = async || IdentityFile::open(&path, at(HOUR)).await.map(drop).unwrap_err().problem;
    assert!(!open().await.is_of_time());
    fs::write(&path, text("bot", 0, HOUR, 1)).unwrap();
    assert!(open().await.is_of_time());
    fs::write(&path, text("bot", HOUR + 1, 2 * HOUR, 1)).unwrap();
    assert!(open().await.is_of_time());
}
