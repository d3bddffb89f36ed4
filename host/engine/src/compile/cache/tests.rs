//! Whatever is wrong with an entry or a directory: it is never used, and never in the way.

#![expect(clippy::unwrap_used, reason = "tests")]

use std::os::unix::fs::{PermissionsExt, symlink};

use super::*;

fn key() -> Key {
    Key("component-compiler".to_owned())
}

fn open() -> (tempfile::TempDir, Cache) {
    let dir = tempfile::tempdir().unwrap();
    let cache = Cache::open(&dir.path().join("compiled")).unwrap();
    (dir, cache)
}

/// What becomes of an entry that was changed like this.
fn after(change: impl FnOnce(&Path)) -> (Found<Vec<u8>>, Cache, tempfile::TempDir) {
    let (dir, cache) = open();
    cache.put(&key(), b"code").unwrap();
    change(&cache.path(&key()));
    (cache.get(&key(), <[u8]>::to_vec), cache, dir)
}

fn names(cache: &Cache) -> Vec<String> {
    let names = fs::read_dir(&cache.dir).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<_> = names.collect();
    names.sort();
    names
}

#[test]
fn what_was_put_there_is_found_there_and_only_its_owner_may_look() {
    let (_dir, cache) = open();
    assert_eq!(cache.get(&key(), <[u8]>::to_vec), Found::Nothing);
    cache.put(&key(), b"code").unwrap();
    cache.put(&key(), b"code").unwrap();
    assert_eq!(cache.get(&key(), <[u8]>::to_vec), Found::Code(b"code".to_vec()));
    assert_eq!(names(&cache), ["component-compiler.cwasm"]);
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o7777;
    assert_eq!((mode(&cache.dir), mode(&cache.path(&key()))), (0o700, 0o600));
}

#[test]
fn a_damaged_entry_is_rejected_and_gone() {
    let changes: [fn(&Path); 5] = [
        |path| fs::write(path, b"").unwrap(),
        |path| {
            let mut bytes = fs::read(path).unwrap();
            bytes.pop();
            fs::write(path, bytes).unwrap();
        },
        |path| {
            let mut bytes = fs::read(path).unwrap();
            *bytes.last_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        },
        |path| {
            let mut bytes = fs::read(path).unwrap();
            *bytes.first_mut().unwrap() ^= 1;
            fs::write(path, bytes).unwrap();
        },
        |path| fs::write(path, b"code").unwrap(),
    ];
    for change in changes {
        let (found, cache, _dir) = after(change);
        assert!(matches!(&found, Found::Unfit(why) if why.contains("is damaged")), "{found:?}");
        assert_eq!(cache.get(&key(), <[u8]>::to_vec), Found::Nothing);
    }
}

#[test]
fn an_entry_does_not_pass_for_another() {
    let (_dir, cache) = open();
    cache.put(&key(), b"code").unwrap();
    let other = Key("other-compiler".to_owned());
    fs::rename(cache.path(&key()), cache.path(&other)).unwrap();
    assert!(matches!(cache.get(&other, <[u8]>::to_vec), Found::Unfit(_)));
}

#[test]
fn an_entry_that_others_may_write_or_that_is_no_file_is_rejected() {
    let changes: [fn(&Path); 3] = [
        |path| fs::set_permissions(path, fs::Permissions::from_mode(0o620)).unwrap(),
        |path| {
            let moved = path.with_extension("elsewhere");
            fs::rename(path, &moved).unwrap();
            symlink(moved, path).unwrap();
        },
        |path| {
            fs::remove_file(path).unwrap();
            fs::create_dir(path).unwrap();
        },
    ];
    for change in changes {
        let (found, ..) = after(change);
        assert!(matches!(&found, Found::Unfit(_)), "{found:?}");
    }
}

#[test]
fn what_belongs_to_another_user_is_foreign() {
    // Root's own directory, or, for root, somebody else's file: whichever there is on any machine.
    let Ok(root) = fs::metadata("/") else { return };
    let us = geteuid().as_raw();
    let found = foreign(&root);
    assert!(found.is_some(), "others may look at `/`");
    assert_eq!(root.uid() != us, found.unwrap().contains("belongs to user"));
}

#[test]
fn a_directory_that_others_may_use_or_that_is_none_is_no_place_for_a_cache() {
    let dir = tempfile::tempdir().unwrap();
    let open_to_all = dir.path().join("open");
    fs::create_dir(&open_to_all).unwrap();
    fs::set_permissions(&open_to_all, fs::Permissions::from_mode(0o755)).unwrap();
    let file = dir.path().join("file");
    fs::write(&file, b"").unwrap();
    let link = dir.path().join("link");
    let private = dir.path().join("private");
    DirBuilder::new().mode(0o700).create(&private).unwrap();
    symlink(&private, &link).unwrap();
    assert!(Cache::open(&private).is_ok());
    for (bad, why) in [(open_to_all, "mode 0755"), (file.clone(), "cannot be used"), (link, "is no directory")] {
        let said = Cache::open(&bad).unwrap_err();
        assert!(said.contains(why), "{said}");
    }
    assert!(Cache::open(&file.join("below")).is_err());
}

#[test]
fn together_entries_stay_within_their_bound_and_the_oldest_go_first() {
    let (_dir, mut cache) = open();
    let keys: Vec<_> = (0..4).map(|number| Key(format!("{number}"))).collect();
    for (age, key) in (1..).zip(keys.iter().rev()) {
        cache.put(key, &[0; 100]).unwrap();
        let used = SystemTime::now() - Duration::from_secs(60 * age);
        File::options().write(true).open(cache.path(key)).unwrap().set_modified(used).unwrap();
    }
    // Used just now, though it is the oldest.
    assert!(matches!(cache.get(keys.first().unwrap(), |_| ()), Found::Code(_)));
    cache.bytes_max = 300;
    cache.sweep(SystemTime::now());
    assert_eq!(names(&cache), ["0.cwasm", "3.cwasm"]);
}

#[test]
fn what_a_crash_left_is_cleared_away_when_nobody_can_be_at_it_any_more() {
    let (_dir, cache) = open();
    let left = cache.dir.join("x.1-2.tmp");
    fs::write(&left, b"half").unwrap();
    cache.sweep(SystemTime::now());
    assert_eq!(names(&cache), ["x.1-2.tmp"]);
    cache.sweep(SystemTime::now() + UNFINISHED_FOR + Duration::from_secs(60));
    assert_eq!(names(&cache), Vec::<String>::new());
}
