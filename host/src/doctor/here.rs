//! What shows without a network: the configuration, its plugins, the health port. It must never start what it looks at.

use std::io;

use futures::FutureExt as _;
use tokio::net::TcpListener;
use tribunal_core::opinion::Mode;

use super::checks::Looking;
use super::finding::Finding;
use super::seen::Seen;
use crate::assembly;
use crate::config::{CompiledCache, Config, Problem};
use crate::health::Whose;
use crate::health::ask::Port;

/// Where a check needs what an earlier one found, it is there: whoever failed to find it failed.
pub(super) fn gone() -> Vec<Finding> {
    vec![Finding::skipped("what an earlier check should have found is not there")]
}

pub(super) fn configuration(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (path, overrides) = (seen.patient.config.clone(), seen.patient.overrides.clone());
        let shown = format!("`{}`", path.display());
        let loaded = tokio::task::spawn_blocking(move || Config::load(&path, &overrides)).await;
        let config = match loaded {
            Ok(Ok(config)) => config,
            Ok(Err(errors)) => return vec![faults(errors.problems())],
            Err(bug) => return vec![Finding::failed(format!("{shown}: {bug}"), "please report this bug")],
        };
        seen.reach = config.teleport.reach.for_client();
        seen.reach.deadlines = seen.patient.deadlines;
        let plugins = if config.plugins.len() == 1 { "plugin" } else { "plugins" };
        let what = format!("{shown}: {} {plugins}, Teleport at `{}`", config.plugins.len(), config.teleport.address);
        let rehearses = if config.dry_run { ", as a rehearsal" } else { "" };
        seen.config = Some(config);
        vec![Finding::ok(format!("{what}{rehearses}"))]
    }
    .boxed()
}

/// Several texts in one.
fn all(mut texts: Vec<String>) -> String {
    if texts.len() == 1 {
        return texts.remove(0);
    }
    let numbered = (1..).zip(texts).map(|(number, text)| format!("({number}) {text}"));
    numbered.collect::<Vec<_>>().join("; ")
}

/// All faults of a configuration in one.
fn faults(problems: &[Problem]) -> Finding {
    let said = |Problem { what, help: _, place }: &Problem| match place {
        None => what.clone(),
        Some(place) => match &place.spot {
            None => format!("`{}`: {what}", place.path.display()),
            Some(spot) => format!("`{}:{}`: {what}", place.path.display(), spot.line),
        },
    };
    let helps = problems.iter().map(|problem| problem.help.clone()).collect();
    Finding::failed(all(problems.iter().map(said).collect()), all(helps))
}

pub(super) fn plugins(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        // What was compiled is not kept: an examination leaves nothing behind.
        let config = Config { cache: CompiledCache::Off, ..config.clone() };
        let panel = match Box::pin(assembly::load_panel(&config)).await {
            Ok(panel) => panel,
            Err(errors) => {
                let remedy = "`tribunal check` says the same with the lines of the configuration";
                return vec![match errors.as_slice() {
                    [only] => Finding::failed_as(only, remedy),
                    _ => Finding::failed(all(errors), remedy),
                }];
            }
        };
        let members = panel.members();
        let shown = members.iter().map(|member| {
            let effects: Vec<&str> = member.effects.iter().map(|effect| effect.as_str()).collect();
            let shadow = match member.mode {
                Mode::Enforce => "",
                Mode::Shadow => "shadow: ",
            };
            format!("`{}` ({shadow}{})", member.name, effects.join(", "))
        });
        let what = format!("all load: {}", shown.collect::<Vec<_>>().join(", "));
        seen.panel = Some(members);
        vec![Finding::ok(what)]
    }
    .boxed()
}

pub(super) fn health_port(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(config) = &seen.config else { return gone() };
        let Some(at) = config.health_listen else {
            return vec![Finding::skipped("`[health]` has no `listen`: the port is off")];
        };
        let remedy = "change `listen` in `[health]`, or stop what uses it";
        vec![match TcpListener::bind(at).await {
            Ok(_listener) => Finding::ok(format!("`{at}` is free")),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => {
                match Port::of(at).report(&Whose::Together).await {
                    Ok(report) => Finding::ok(format!("a daemon of cluster `{}` answers at `{at}`", report.cluster)),
                    Err(_untold) => Finding::failed(format!("`{at}` is in use, and not by tribunal"), remedy),
                }
            }
            Err(error) => Finding::failed(format!("`{at}` cannot be opened: {error}"), remedy),
        }]
    }
    .boxed()
}
