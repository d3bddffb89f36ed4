//! `tribunal check`: loads a configuration and its plugins and says what it found. It never connects anywhere unless it
//! was asked to, and changes nothing there.

mod classes;
mod cluster;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tribunal_core::opinion::{Effect, Mode};
use tribunal_engine::{Panel, PolicyInfo};

use self::cluster::Seen;
use super::args::CheckArgs;
use super::{EXIT_ERROR, report};
use crate::assembly;
use crate::config::{Config, Overrides, Plugin, Problem};
use crate::workbench::settings;

pub(super) async fn check(args: CheckArgs) -> anyhow::Result<ExitCode> {
    let overrides = Overrides { dry_run: args.dry_run, ..Overrides::default() };
    let found = match Config::load(&args.config, &overrides) {
        Ok(config) => look(&args, &config).await,
        Err(errors) => Err(errors.problems().iter().map(ToString::to_string).collect()),
    };
    match found {
        Ok((policies, warnings, seen)) => {
            let seen = seen.as_ref();
            let text = if args.json {
                as_json(&policies, &warnings, seen)
            } else {
                as_text(&args, &policies, &warnings, seen)
            };
            std::io::stdout().write_all(text.as_bytes()).context("standard output cannot be written")?;
            let warned = !warnings.is_empty() || seen.is_some_and(|seen| !seen.warnings().is_empty());
            Ok(if args.strict && warned { ExitCode::from(EXIT_ERROR) } else { ExitCode::SUCCESS })
        }
        Err(errors) => {
            if args.json {
                let text = format!("{}\n", json!({ "ok": false, "errors": errors }));
                std::io::stdout().write_all(text.as_bytes()).context("standard output cannot be written")?;
            }
            report::say(&errors);
            Ok(ExitCode::from(EXIT_ERROR))
        }
    }
}

/// A plugin as it was configured, and what is known of it once it is loaded.
struct Found {
    plugin: Plugin,
    effects: Vec<Effect>,
    info: PolicyInfo,
}

/// The panel, what its schemas have against settings that it takes, and what a cluster means to it where that was asked for.
async fn look(args: &CheckArgs, config: &Config) -> Result<(Vec<Found>, Vec<String>, Option<Seen>), Vec<String>> {
    let loaded = load(config).await;
    let own = config.clone();
    let against = tokio::task::spawn_blocking(move || settings::against_schemas(&own)).await.unwrap_or_default();
    let policies = loaded.map_err(|mut errors| {
        errors.extend(untold(&against, &errors));
        errors
    })?;
    let seen = if args.connect { Some(Box::pin(cluster::look(config, &policies)).await?) } else { None };
    Ok((policies, against.iter().map(ToString::to_string).collect(), seen))
}

/// What the schemas have against settings of which the policies themselves have not spoken.
fn untold(against: &[Problem], errors: &[String]) -> Vec<String> {
    // The plugin's name stands in the first backticks, the setting's in the second.
    let told = |problem: &&Problem| {
        let named = problem.what.split('`').nth(3).unwrap_or_default();
        errors.iter().any(|error| error.contains(&format!("`{named}`")))
    };
    against.iter().filter(|problem| !told(problem)).map(ToString::to_string).collect()
}

async fn load(config: &Config) -> Result<Vec<Found>, Vec<String>> {
    let panel: Panel = Box::pin(assembly::load_panel(config)).await?;
    let members = panel.members();
    let loaded = config.plugins.iter().zip(members).zip(panel.policies());
    Ok(loaded
        .map(|((plugin, member), info)| Found {
            plugin: plugin.clone(),
            effects: member.effects.into_iter().collect(),
            info,
        })
        .collect())
}

fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Enforce => "enforce",
        Mode::Shadow => "shadow",
    }
}

fn names(effects: &[Effect]) -> Vec<&'static str> {
    effects.iter().map(|effect| effect.as_str()).collect()
}

fn as_json(policies: &[Found], warnings: &[String], seen: Option<&Seen>) -> String {
    let policies: Vec<_> = policies
        .iter()
        .map(|Found { plugin, effects, info }| {
            let rules: Vec<_> =
                info.description.rules.iter().map(|rule| json!({ "id": rule.id, "summary": rule.summary })).collect();
            json!({
                "name": plugin.name.as_str(),
                "source": plugin.source.to_string(),
                "origin": plugin.origin,
                "digest": info.digest.to_string(),
                "mode": mode(plugin.mode),
                "effects": names(effects),
                "policy": info.description.name,
                "version": info.description.version,
                "summary": info.description.summary,
                "rules": rules,
                "settings": plugin.settings,
            })
        })
        .collect();
    let mut said = json!({ "ok": true, "plugins": policies, "warnings": warnings });
    if let (Some(seen), Some(said)) = (seen, said.as_object_mut()) {
        said.insert("cluster".to_owned(), seen.as_json());
    }
    format!("{said}\n")
}

fn as_text(args: &CheckArgs, policies: &[Found], warnings: &[String], seen: Option<&Seen>) -> String {
    let plugins = if policies.len() == 1 { "plugin" } else { "plugins" };
    let mut text = format!("`{}` is right: {} {plugins}\n", args.config.display(), policies.len());
    for Found { plugin, effects, info } in policies {
        let description = &info.description;
        text.push_str(&format!(
            "\n{}: {} {}, {}\n  source   {}\n  digest   {}\n  mode     {}\n  effects  {}\n  rules\n",
            plugin.name,
            description.name,
            description.version,
            description.summary,
            plugin.source,
            info.digest,
            mode(plugin.mode),
            names(effects).join(", "),
        ));
        for rule in &description.rules {
            text.push_str(&format!("    {}: {}\n", rule.id, rule.summary));
        }
    }
    for warning in warnings {
        text.push_str(&format!("\nwarning: {warning}\n"));
    }
    text.push_str(&seen.map(Seen::as_text).unwrap_or_default());
    text
}
