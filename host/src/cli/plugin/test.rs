//! `tribunal plugin test`: runs suites, once or whenever something changes, and prints what came of them. It judges nothing.

use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use super::super::EXIT_ERROR;
use super::super::args::{TestArgs, TestFormat};
use super::{BAD, GOOD, limits, print, tell_if_slow};
use crate::cli::report::error;
use crate::workbench::suite;
use crate::workbench::test::report::{self, Count, Styles};
use crate::workbench::test::watch::Watched;
use crate::workbench::test::{Options, SuiteResult, run};

/// The time between two looks at files that are watched.
const LOOK_EVERY: Duration = Duration::from_millis(500);

pub(super) fn test(args: &TestArgs) -> anyhow::Result<ExitCode> {
    let options = Options {
        plugin: args.plugin.clone(),
        filter: args.filter.clone(),
        update: args.update,
        limits: limits(&args.limits)?,
    };
    if args.watch {
        return watch(args, &options);
    }
    let (results, _) = once(args, &options)?;
    Ok(if Count::of(&results).failed == 0 { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

/// Runs all suites and prints what came of them; the files that it depends on stand beside.
fn once(args: &TestArgs, options: &Options) -> anyhow::Result<(Vec<SuiteResult>, Vec<PathBuf>)> {
    let styles = Styles { good: GOOD, bad: BAD };
    let mut results = Vec::new();
    for path in suite::find(&args.paths)? {
        if let Some(plugin) = plugin_of(args, &path) {
            tell_if_slow(&plugin);
        }
        let result = run(&path, options)?;
        if args.format == TestFormat::Text {
            print(&report::text(&result, styles))?;
        }
        results.push(result);
    }
    print(&match args.format {
        TestFormat::Text => report::summary(&results, styles),
        TestFormat::Json => format!("{}\n", report::json(&results)),
        TestFormat::Junit => report::junit(&results),
        TestFormat::Tap => report::tap(&results),
    })?;
    let plugins = results.iter().filter_map(|result| result.plugin_file.clone());
    let files = results.iter().map(|result| result.path.clone()).chain(plugins).collect();
    Ok((results, files))
}

/// The file of a suite's plugin, if it has one.
fn plugin_of(args: &TestArgs, path: &Path) -> Option<PathBuf> {
    if let Some(plugin) = &args.plugin {
        return Some(PathBuf::from(plugin));
    }
    let suite = suite::Suite::read(path).ok()?;
    Some(suite.base().join(suite.plugin.as_deref()?))
}

fn watch(args: &TestArgs, options: &Options) -> anyhow::Result<ExitCode> {
    loop {
        let files = match once(args, options) {
            Ok((_, files)) => files,
            Err(trouble) => {
                error(&trouble);
                files_of(args)
            }
        };
        print("\nwatching; interrupt to end\n")?;
        let watched = Watched::new(files);
        while !watched.changed() {
            std::thread::sleep(LOOK_EVERY);
        }
    }
}

/// What can be watched while nothing can be run: what was named, and the suites in it.
fn files_of(args: &TestArgs) -> Vec<PathBuf> {
    let suites = suite::find(&args.paths).unwrap_or_default();
    let plugins: Vec<PathBuf> = suites.iter().filter_map(|path| plugin_of(args, path)).collect();
    args.paths.iter().cloned().chain(suites).chain(plugins).collect()
}
