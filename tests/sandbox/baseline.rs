//! Ratios that are kept, and compared later: of times on the same machine at the same time, so that they mean something on
//! another one as well. It must never compare times.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::figures::Figures;
use crate::options::Options;

/// Ratios by name; each is better the smaller it is.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Baseline(BTreeMap<String, f64>);

// === impl Baseline ===

impl Baseline {
    pub(crate) fn of(figures: &Figures) -> Self {
        let ratio =
            |line: &crate::figures::Line| (format!("{}/{}/engine-to-bare", line.guest, line.nodes), line.limits_cost());
        Self(figures.lines.iter().map(ratio).collect())
    }

    /// Saves it and compares it, as asked for.
    #[expect(clippy::print_stdout, reason = "a program of the developers")]
    pub(crate) fn keep(&self, options: &Options) -> ExitCode {
        let mut code = ExitCode::SUCCESS;
        if let Some(name) = &options.compare {
            let Some(before) = Self::read(&path(name)) else {
                println!("`{name}` is not there or no baseline: make it with `--save {name}`");
                return ExitCode::from(2);
            };
            for (ratio, (was, is)) in self.worse_than(&before, options.threshold_percent) {
                println!("worse: {ratio} was {was:.2} and is {is:.2}");
                code = ExitCode::FAILURE;
            }
        }
        if let Some(name) = &options.save {
            let text = serde_json::to_string_pretty(&self.0).unwrap();
            std::fs::write(path(name), text).unwrap();
        }
        code
    }

    /// What is worse by more than so many percent. What only one of both has is not compared.
    fn worse_than(&self, before: &Self, threshold_percent: f64) -> BTreeMap<&str, (f64, f64)> {
        let both = self.0.iter().filter_map(|(name, is)| before.0.get(name).map(|was| (name.as_str(), (*was, *is))));
        both.filter(|(_, (was, is))| *is > was * (1.0 + threshold_percent / 100.0)).collect()
    }

    fn read(path: &Path) -> Option<Self> {
        serde_json::from_str(&std::fs::read_to_string(path).ok()?).ok().map(Self)
    }
}

fn path(name: &str) -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("sandbox-{name}.json"))
}
