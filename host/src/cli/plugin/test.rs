//! `tribunal plugin test`: runs suites, once or whenever something changes, and prints what came of them. It judges nothing.

use std::io::{IsTerminal as _, Write as _};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::super::EXIT_ERROR;
use super::super::args::{TestArgs, TestFormat};
use super::{BAD, GOOD, limits, print};
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
        progress(&path);
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

/// Says what is being done, where somebody watches and the results themselves do not say it.
fn progress(path: &std::path::Path) {
    if std::io::stderr().is_terminal() && !std::io::stdout().is_terminal() {
        let _unheard = writeln!(std::io::stderr(), "{}", path.display());
    }
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
    let plugins = suites.iter().filter_map(|path| {
        let suite = suite::Suite::read(path).ok()?;
        Some(suite.base().join(suite.plugin.as_deref()?))
    });
    let named = args.plugin.as_deref().map(PathBuf::from);
    let plugins: Vec<PathBuf> = plugins.chain(named).collect();
    args.paths.iter().cloned().chain(suites).chain(plugins).collect()
}
