//! Configurations and what is said about them: each `config/NAME.toml` has its `config/NAME.txt`. To add a case is to
//! add a file; `BLESS=1` writes what is said now.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};

use tribunal::config::{CompiledCache, Config, Lease, Overrides, Plugin, Reach};
use tribunal_core::RoundLimits;
use tribunal_core::action::ResolveWith;
use tribunal_core::scope::Scope;
use tribunal_engine::LimitOverrides;

/// How few cases would show that the folder was not found.
const CASES_MIN: usize = 25;

/// A comment on the first line says what the command line has: `# tribunal run --dry-run`.
fn overrides(text: &str) -> Overrides {
    let first = text.lines().next().unwrap_or_default();
    let mut words = first.strip_prefix("# tribunal run").unwrap_or_default().split_whitespace();
    let mut overrides = Overrides::default();
    while let Some(word) = words.next() {
        match word {
            "--dry-run" => overrides.dry_run = true,
            "-p" => overrides.address = words.next().map(str::to_owned),
            "-i" => overrides.identity_file = words.next().map(PathBuf::from),
            "--ledger-dir" => overrides.ledger_dir = words.next().map(PathBuf::from),
            other => panic!("unknown word `{other}`"),
        }
    }
    overrides
}

/// What was understood, as far as the file can say it.
fn tell(config: &Config) -> String {
    let Config {
        teleport,
        poll_interval,
        release,
        human_approved,
        protected_roles,
        limits,
        cache,
        scope,
        exemptions,
        lease,
        health_listen,
        ledger_dir,
        retention,
        plugins,
        facts,
        dry_run,
    } = config;
    let mut text = String::new();
    writeln!(text, "address: {}", teleport.address).unwrap();
    writeln!(text, "identity-file: {}", teleport.identity_file.display()).unwrap();
    if teleport.reach != Reach::default() {
        let Reach { route, proxy_ca_file, insecure } = &teleport.reach;
        writeln!(text, "route: {route:?}, proxy-ca-file: {proxy_ca_file:?}, insecure: {insecure}").unwrap();
    }
    if teleport.resolve_with != ResolveWith::State {
        writeln!(text, "resolve-with: {:?}", teleport.resolve_with).unwrap();
    }
    writeln!(text, "interval: {poll_interval:?}").unwrap();
    writeln!(text, "release: {release:?}, human-approved: {human_approved:?}").unwrap();
    writeln!(text, "protected-roles: {protected_roles:?}").unwrap();
    writeln!(text, "deadline-ms: {}, memory: {}", limits.engine.deadline_ms, limits.engine.memory_bytes_max).unwrap();
    writeln!(text, "subjects-in-flight: {}", limits.subjects_in_flight_max).unwrap();
    if limits.round != RoundLimits::default() {
        writeln!(text, "{:?}", limits.round).unwrap();
    }
    if *cache != CompiledCache::Default {
        writeln!(text, "cache: {cache:?}").unwrap();
    }
    if *scope != Scope::default() {
        writeln!(text, "{scope:?}").unwrap();
    }
    for fact in facts {
        writeln!(text, "{fact:?}").unwrap();
    }
    for exemption in exemptions {
        writeln!(text, "{exemption:?}").unwrap();
    }
    if *lease != Lease::default() {
        writeln!(text, "lease: {:?}, named {}", lease.mode, lease.name("the cluster")).unwrap();
    }
    if let Some(listen) = health_listen {
        writeln!(text, "health: {listen}").unwrap();
    }
    writeln!(text, "ledger: {ledger_dir:?}").unwrap();
    if let Some(retention) = retention {
        writeln!(text, "{retention:?}").unwrap();
    }
    writeln!(text, "dry-run: {dry_run}").unwrap();
    for Plugin { name, source, digest, mode, effects, limits, settings, origin, places: _ } in plugins {
        let digest = digest.map(|digest| digest.to_string());
        let settings = serde_json::to_string(settings).unwrap();
        writeln!(text, "{origin}: {name} = {source} {digest:?} {mode:?} {effects:?} {settings}").unwrap();
        if *limits != LimitOverrides::default() {
            writeln!(text, "  {limits:?}").unwrap();
        }
    }
    text
}

fn check(case: &Path) {
    let text = fs::read_to_string(case).unwrap();
    let said = match Config::from_toml_with(&text, Path::new("etc/tribunal.toml"), &overrides(&text)) {
        Ok(config) => tell(&config),
        Err(errors) => format!("{errors}\n"),
    };
    let expected = case.with_extension("txt");
    if std::env::var_os("BLESS").is_some() {
        fs::write(&expected, &said).unwrap();
    }
    let expected = fs::read_to_string(&expected).unwrap_or_default();
    assert_eq!(said, expected, "{}: `BLESS=1` writes what is said now", case.display());
}

#[test]
fn every_configuration_is_answered_as_written() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/config");
    let mut cases: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|extension| extension == "toml"))
        .collect();
    cases.sort();
    assert!(cases.len() >= CASES_MIN, "{} cases", cases.len());
    cases.iter().for_each(|case| check(case));
}

#[test]
fn a_file_that_cannot_be_read_is_named_with_what_to_do() {
    let folder = tempfile::tempdir().unwrap();
    let said = |path: &Path| Config::load(path, &Overrides::default()).unwrap_err().to_string();
    let missing = folder.path().join("tribunal.toml");
    assert!(said(&missing).contains("cannot be read: No such file"), "{}", said(&missing));
    assert!(said(&missing).contains("help: name a readable file with `--config`"), "{}", said(&missing));
    assert!(said(folder.path()).contains("cannot be read: Is a directory"), "{}", said(folder.path()));
    fs::write(&missing, b"\xff\xfe").unwrap();
    assert!(said(&missing).contains("it is not UTF-8 text"), "{}", said(&missing));
    fs::write(&missing, vec![b'#'; 1024 * 1024 + 1]).unwrap();
    assert!(said(&missing).contains("it is longer than 1048576 bytes"), "{}", said(&missing));
}

proptest::proptest! {
    #[test]
    fn no_text_makes_reading_panic(text in ".{0,200}") {
        let _either: Result<Config, _> = Config::from_toml(&text, Path::new("tribunal.toml"));
    }

    #[test]
    fn no_change_of_a_right_file_makes_reading_panic(at in 0_usize..900, with in ".{0,3}", cut in 0_usize..30) {
        let whole = include_str!("config/whole.toml");
        let changed: String = whole.chars().take(at).chain(with.chars()).chain(whole.chars().skip(at + cut)).collect();
        let _either: Result<Config, _> = Config::from_toml(&changed, Path::new("tribunal.toml"));
    }
}

/// Each fault looks its place up, so that all of them would take as long as their number times the length of the text.
#[test]
fn of_a_text_that_is_full_of_faults_the_first_hundred_are_told() {
    let text = "=\n".repeat(20_000);
    let errors = Config::from_toml(&text, Path::new("tribunal.toml")).unwrap_err();
    assert_eq!(errors.problems().len(), 101);
    assert!(
        errors.to_string().ends_with("there are more faults than these 100\n = help: mend these first"),
        "{errors}"
    );
}
