//! Facts over time: files that are changed, gone, broken, old, or no files.

#![expect(clippy::unwrap_used, reason = "tests")]

use super::*;

const HOUR: Duration = Duration::from_secs(3_600);
const WRITTEN: Timestamp = Timestamp::from_secs(1_000_000);

/// A file that policies are shown for an hour.
struct Source {
    dir: tempfile::TempDir,
    facts: Facts,
}

impl Source {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("tickets.json");
        let facts = Facts::new(&[config::Fact { name: "tickets".to_owned(), file, max_age: HOUR }]);
        Self { dir, facts }
    }

    fn write(&self, bytes: impl AsRef<[u8]>, at: Timestamp) {
        let path = self.dir.path().join("tickets.json");
        fs::write(&path, bytes).unwrap();
        let at = UNIX_EPOCH + Duration::from_millis(at.as_millis());
        File::options().write(true).open(&path).unwrap().set_modified(at).unwrap();
    }

    fn look(&mut self, now: Timestamp) -> Fact {
        let facts = self.facts.look(now);
        assert_eq!(facts.len(), 1);
        facts.first().unwrap().clone()
    }

    fn said(&self) -> Option<&str> {
        self.facts
            .files
            .first()
            .unwrap()
            .trouble
            .as_ref()
            .filter(|trouble| trouble.said)
            .map(|trouble| trouble.why.as_str())
    }
}

fn fact(json: &str, fetched: Timestamp, fresh: bool) -> Fact {
    Fact { name: "tickets".to_owned(), json: json.to_owned(), fetched, fresh }
}

#[test]
fn a_file_is_shown_as_it_is_and_again_when_it_changes() {
    let mut source = Source::new();
    source.write(" [1]\n", WRITTEN);
    assert_eq!(source.look(WRITTEN), fact("[1]", WRITTEN, true));
    let later = WRITTEN.after(HOUR / 2);
    source.write("[2]", later);
    assert_eq!(source.look(later), fact("[2]", later, true));
    assert_eq!(source.said(), None);
}

#[test]
fn what_is_older_than_allowed_is_not_fresh() {
    let mut source = Source::new();
    source.write("[1]", WRITTEN);
    assert!(source.look(WRITTEN.after(HOUR)).fresh);
    assert!(!source.look(WRITTEN.after(HOUR + Duration::from_millis(1))).fresh);
}

#[test]
fn what_comes_from_the_future_is_not_fresh() {
    let mut source = Source::new();
    source.write("[1]", WRITTEN);
    assert!(source.look(WRITTEN.before(AHEAD_MAX)).fresh, "clocks are a little apart");
    assert!(!source.look(WRITTEN.before(AHEAD_MAX + Duration::from_millis(1))).fresh);
}

#[test]
fn a_file_that_never_was_there_is_nothing_and_not_fresh() {
    let mut source = Source::new();
    assert_eq!(source.look(WRITTEN), fact("null", Timestamp::default(), false));
    assert!(source.said().unwrap().contains("No such file"));
}

#[test]
fn a_file_that_is_gone_or_no_json_leaves_what_it_said_which_ages() {
    for bad in [Some("[1, 2".as_bytes()), Some(b""), Some(b"[\xff]"), None] {
        let mut source = Source::new();
        source.write("[1]", WRITTEN);
        source.look(WRITTEN);
        match bad {
            Some(bytes) => source.write(bytes, WRITTEN.after(HOUR)),
            None => fs::remove_file(source.dir.path().join("tickets.json")).unwrap(),
        }
        assert_eq!(source.look(WRITTEN.after(HOUR)), fact("[1]", WRITTEN, true));
        assert_eq!(source.said(), None, "somebody may be writing it");
        assert_eq!(source.look(WRITTEN.after(HOUR * 2)), fact("[1]", WRITTEN, false));
        assert!(source.said().is_some());
        source.write("[3]", WRITTEN.after(HOUR * 2));
        assert_eq!(source.look(WRITTEN.after(HOUR * 2)), fact("[3]", WRITTEN.after(HOUR * 2), true));
        assert_eq!(source.said(), None);
    }
}

#[test]
fn a_fact_is_as_long_as_it_may_be_and_no_longer() {
    let bytes = usize::try_from(FACT_BYTES_MAX).unwrap();
    let longest = format!("\"{}\"", "a".repeat(bytes - 2));
    let mut source = Source::new();
    source.write(&longest, WRITTEN);
    assert_eq!(source.look(WRITTEN).json, longest);
    source.write(format!("{longest} "), WRITTEN.after(HOUR));
    assert_eq!(source.look(WRITTEN.after(HOUR)).fetched, WRITTEN);
    source.look(WRITTEN.after(HOUR));
    assert_eq!(source.said(), Some("it is longer than 262144 bytes"));
}

#[test]
fn what_is_no_file_is_not_waited_for() {
    let mut source = Source::new();
    fs::create_dir(source.dir.path().join("tickets.json")).unwrap();
    assert_eq!(source.look(WRITTEN).json, "null");
    assert_eq!(source.said(), Some("it is not a regular file"));
}
