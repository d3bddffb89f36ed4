//! `tribunal plugin inspect`: shows what was found. It finds nothing itself.

use std::path::Path;
use std::process::ExitCode;

use super::super::EXIT_ERROR;
use super::super::args::InspectArgs;
use super::{BAD, GOOD, limits, print, tell_if_slow};
use crate::workbench::{Component, Inspection};

pub(super) fn inspect(args: &InspectArgs) -> anyhow::Result<ExitCode> {
    let limits = limits(&args.limits)?;
    tell_if_slow(Path::new(&args.plugin));
    let component = Component::read(&args.plugin, Path::new(""), &limits)?;
    let found = Inspection::of(component, &limits);
    if args.schema {
        let schema = match found.schema() {
            Ok(schema) => schema,
            Err(why) => anyhow::bail!("{why}"),
        };
        print(&format!("{schema:#}\n"))?;
        return Ok(ExitCode::SUCCESS);
    }
    print(&if args.json { format!("{}\n", found.as_json()) } else { found.as_text(GOOD, BAD) })?;
    Ok(if found.would_load() { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}
