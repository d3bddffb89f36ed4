//! What of a changed configuration is taken, and what keeps the last good panel.

#![expect(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

use std::fs;

use super::*;

/// Two plugins of files, and where they are.
struct Place {
    dir: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let place = Self { dir: tempfile::tempdir().unwrap() };
        place.put("a.wasm", tribunal_plugins::CAP);
        place.put("b.wasm", tribunal_plugins::CAP);
        place
    }

    fn put(&self, name: &str, bytes: &[u8]) {
        fs::write(self.dir.path().join(name), bytes).unwrap();
    }

    fn config(&self, more: &str) -> Config {
        let text = format!(
            "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n\
             [limits]\ndeadline-ms = 5000\nsetup-deadline-ms = 10000\n\
             [engine]\ncache = \"compiled\"\n\
             [[plugin]]\nname = \"a\"\nsource = \"a.wasm\"\neffects = [\"approve\", \"deny\", \"lock\"]\n{more}\n\
             [[plugin]]\nname = \"b\"\nsource = \"b.wasm\"\neffects = [\"deny\"]\n"
        );
        Config::from_toml(&text, &self.dir.path().join("tribunal.toml")).unwrap_or_else(|errors| panic!("{errors}"))
    }

    async fn start(&self) -> Reloader {
        let config = self.config("");
        let looked = looks(sources(&config)).await;
        let (panel, workshop) = plugins::seat_panel(&config).await.unwrap();
        Reloader::new(LivePanel::new(panel), workshop, config, looked)
    }
}

fn now() -> Timestamp {
    Timestamp::from_secs(1)
}

#[tokio::test]
async fn what_is_the_same_stays_and_what_changed_is_replaced() {
    let place = Place::new();
    let reloader = place.start().await;
    assert_eq!(reloader.reload(place.config(""), now()).await, Reloaded::Same);
    let before = reloader.live.newest();
    let other = place.config("settings = { max-resources = 1 }");
    assert_eq!(reloader.reload(other.clone(), now()).await, Reloaded::Replaced);
    let after = reloader.live.newest();
    assert!(!after.is_same(&before));
    assert!(after.policies()[0].settings.contains("max-resources"));
    assert_eq!(reloader.reload(other, now()).await, Reloaded::Same);
    assert_eq!(reloader.seen().stale, None);
}

#[tokio::test]
async fn what_does_not_load_keeps_the_last_good_panel_and_says_why() {
    let place = Place::new();
    let reloader = place.start().await;
    let before = reloader.live.newest();
    place.put("b.wasm", b"\0asm");
    // The other plugin's change has to wait as well: the two may belong together.
    let Reloaded::Kept(why) = reloader.reload(place.config("settings = { max-resources = 1 }"), now()).await else {
        panic!("a broken plugin was taken")
    };
    assert!(why[0].contains("plugin `b`: is not WebAssembly"), "{why:?}");
    assert!(Arc::ptr_eq(&reloader.live.newest(), &before));
    assert_eq!(reloader.seen().stale.unwrap().0, now());
    let Reloaded::Kept(why) = reloader.reload(place.config("settings = { max = 1 }"), now()).await else {
        panic!("settings that are refused were taken")
    };
    assert!(why[0].contains("plugin `a`: refuses its settings"), "{why:?}");
    place.put("b.wasm", tribunal_plugins::CAP);
    assert_eq!(reloader.reload(place.config(""), now()).await, Reloaded::Same);
    assert_eq!(reloader.seen().stale, None);
}

#[tokio::test]
async fn a_plugin_that_was_never_there_keeps_no_other_from_being_replaced() {
    let place = Place::new();
    place.put("b.wasm", b"no component");
    let reloader = place.start().await;
    let health = |reloader: &Reloader| {
        let seen = reloader.seen();
        seen.policies.iter().map(|policy| policy.health.is_asked()).collect::<Vec<_>>()
    };
    assert_eq!(health(&reloader), [true, false]);
    let other = place.config("settings = { max-resources = 1 }");
    assert_eq!(reloader.reload(other.clone(), now()).await, Reloaded::Replaced);
    assert_eq!(health(&reloader), [true, false]);
    place.put("b.wasm", tribunal_plugins::CAP);
    assert_eq!(reloader.reload(other, now()).await, Reloaded::Replaced);
    assert_eq!(health(&reloader), [true, true]);
}

#[tokio::test]
async fn a_panel_that_could_approve_nothing_does_not_start() {
    let place = Place::new();
    place.put("a.wasm", b"no component");
    let config = place.config("");
    let why = plugins::seat_panel(&config).await.unwrap_err();
    assert!(why[0].contains("plugin `a`: is not WebAssembly"), "{why:?}");
}

#[tokio::test(start_paused = true)]
async fn a_changed_file_is_taken_once_it_has_come_to_rest() {
    let place = Place::new();
    let path = place.dir.path().join("tribunal.toml");
    let write = |number: u32| {
        let text = format!(
            "[teleport]\naddress = \"auth.example.com:3025\"\nidentity-file = \"identity\"\n\
             [limits]\ndeadline-ms = 5000\nsetup-deadline-ms = 10000\n\
             [[plugin]]\nname = \"a\"\nsource = \"a.wasm\"\neffects = [\"approve\"]\n\
             settings = {{ max-resources = {number} }}\n"
        );
        fs::write(&path, text).unwrap();
    };
    write(1);
    let config = Config::load(&path, &Overrides::default()).unwrap();
    let looked = looks(sources(&config)).await;
    let (panel, workshop) = plugins::seat_panel(&config).await.unwrap();
    let reloader = Arc::new(Reloader::new(LivePanel::new(panel), workshop, config, looked));
    let (followed, hangup) = (Arc::clone(&reloader), Arc::new(Notify::new()));
    let file = Some((path.clone(), Overrides::default()));
    let task = {
        let hangup = Arc::clone(&hangup);
        tokio::spawn(async move { followed.follow(file, hangup, now).await })
    };
    let settings = || reloader.live.newest().policies()[0].settings.clone();
    // Written while the daemon started, or while it runs.
    for number in [22, 333] {
        write(number);
        let expected = format!("{{\"max-resources\":{number}}}");
        while settings() != expected {
            tokio::time::sleep(LOOK_EVERY).await;
        }
    }
    // At once where somebody asks for it, and a file that is no configuration changes nothing.
    fs::write(&path, "nonsense").unwrap();
    hangup.notify_one();
    while reloader.seen().stale.is_none() {
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    assert_eq!(settings(), r#"{"max-resources":333}"#);
    task.abort();
}
