//! A world in which everything is right, and what it takes to break one thing in it. It knows no check.

use std::future::Future;
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::time::Duration;

use tribunal::config::Overrides;
use tribunal::doctor::{Outcome, Patient, Report, examine};
use tribunal_sim::IssueOptions;
use tribunal_teleport::Deadlines;

use crate::world::way::Way;
use crate::world::{Setup, World, within};

/// A misconfiguration, and who has to find it.
pub(crate) struct Seed {
    /// What is broken, in words.
    pub(crate) name: &'static str,
    /// How the daemon gets to Auth.
    pub(crate) way: Way,
    /// What is broken before the server starts.
    pub(crate) setup: fn(Setup) -> Setup,
    /// What is broken once it runs.
    pub(crate) spoil: Spoil,
    /// The check that must say so.
    pub(crate) check: &'static str,
    pub(crate) outcome: Outcome,
    /// What it must say, or tell to do.
    pub(crate) words: &'static str,
}

pub(crate) type Spoil = for<'a> fn(&'a mut Bench) -> Pin<Box<dyn Future<Output = ()> + 'a>>;

/// A world and a configuration.
pub(crate) struct Bench {
    pub(crate) world: World,
    pub(crate) address: String,
    pub(crate) identity_file: PathBuf,
    /// More keys of `[teleport]`.
    pub(crate) teleport_keys: String,
    /// More sections.
    pub(crate) sections: String,
    pub(crate) ledger_dir: PathBuf,
    pub(crate) plugins: String,
    pub(crate) names_proxy_ca: bool,
    pub(crate) dry_run: bool,
    pub(crate) deadlines: Deadlines,
    /// What has to live as long as the examination.
    pub(crate) held: Vec<Box<dyn std::any::Any + Send>>,
}

const PLUGINS: &str = "[[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n";

// === impl Bench ===

impl Bench {
    pub(crate) async fn new(setup: Setup) -> Self {
        let world = setup.without_daemon().await;
        let identity_file = world.identity_file();
        Self {
            address: world.entrance().address().to_string(),
            identity_file,
            teleport_keys: String::new(),
            sections: String::new(),
            ledger_dir: world.ledger_dir(),
            plugins: PLUGINS.to_owned(),
            names_proxy_ca: world.entrance().proxy().is_some(),
            dry_run: false,
            // A busy machine is no reason to give up.
            deadlines: Deadlines::default(),
            held: Vec::new(),
            world,
        }
    }

    /// Silence need not be waited for as long as in production.
    pub(crate) fn be_impatient(&mut self) {
        let short = Duration::from_millis(300);
        self.deadlines = Deadlines {
            http: short,
            tls: short,
            find: short,
            test: short,
            upgrade: short,
            ssh: short,
            ..self.deadlines
        };
    }

    /// The daemon's identity is like this.
    pub(crate) fn issue(&self, like: impl FnOnce(&mut IssueOptions)) {
        let mut options = IssueOptions::of(&self.world.bot());
        like(&mut options);
        self.world.server().issue(&options).unwrap().write(&self.identity_file).unwrap();
    }

    pub(crate) fn chmod(path: &std::path::Path, mode: u32) {
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(mode)).unwrap();
    }

    /// The file that the examination is told of.
    pub(crate) fn config(&self) -> PathBuf {
        let ca = if self.names_proxy_ca {
            format!("proxy-ca-file = \"{}\"\n", self.world.entrance().ca_file().display())
        } else {
            String::new()
        };
        let text = format!(
            "[teleport]\naddress = \"{}\"\nidentity-file = \"{}\"\n{ca}{}\n[ledger]\ndir = \"{}\"\n{}\n{}",
            self.address,
            self.identity_file.display(),
            self.teleport_keys,
            self.ledger_dir.display(),
            self.sections,
            self.plugins,
        );
        let file = self.world.ledger_dir().with_file_name("tribunal.toml");
        std::fs::write(&file, text).unwrap();
        file
    }

    pub(crate) async fn examine(&self) -> Report {
        let overrides = Overrides { dry_run: self.dry_run, ..Overrides::default() };
        let patient = Patient { deadlines: self.deadlines, ..Patient::new(self.config(), overrides) };
        within("the examination ends", Box::pin(examine(patient, |_progress| {}))).await
    }

    /// All that an examination could leave behind.
    pub(crate) fn traces(&self) -> (usize, usize, bool) {
        let server = self.world.server();
        let semaphores = server.with(|cluster, _| cluster.semaphores().len());
        (server.history().len(), semaphores, self.ledger_dir.exists())
    }
}

/// Finds each of them.
pub(crate) async fn find_all(seeds: &[Seed]) {
    let mut missed = Vec::new();
    for Seed { name, way, setup, spoil, check, outcome, words } in seeds {
        let mut bench = Bench::new(setup(Setup::new().in_real_time().by(*way))).await;
        spoil(&mut bench).await;
        let before = bench.traces();
        let report = bench.examine().await;
        let found = report.named(check).any(|finding| {
            let said = format!("{} {}", finding.what, finding.remedy.as_deref().unwrap_or_default());
            finding.outcome == *outcome && said.contains(words) && finding.remedy.is_some()
        });
        if !found {
            missed.push(format!("{name}: `{check}` did not say `{words}` ({outcome:?}): {:#?}", report.findings));
        }
        assert_eq!(bench.traces(), before, "{name}: something was left behind");
    }
    assert!(missed.is_empty(), "{}", missed.join("\n"));
}
