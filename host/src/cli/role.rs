//! `tribunal role`: prints what Teleport has to allow the daemon, as files. It never connects anywhere.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::{Value as Json, json};

use super::args::{Only, RoleArgs};
use super::{EXIT_ERROR, report};
use crate::assembly;
use crate::config::{Config, Overrides};
use crate::role::{Files, Need, Needs, Review, files, needed};

pub(super) async fn role(args: RoleArgs) -> anyhow::Result<ExitCode> {
    let overrides = Overrides { dry_run: args.dry_run, ..Overrides::default() };
    let made = match Config::load(&args.config, &overrides) {
        Ok(config) => make(&args, config).await,
        Err(errors) => Err(errors.problems().iter().map(ToString::to_string).collect()),
    };
    let (needs, Files { cluster, tbot }) = match made {
        Ok(made) => made,
        Err(errors) => {
            if args.json {
                let text = format!("{}\n", json!({ "ok": false, "errors": errors }));
                std::io::stdout().write_all(text.as_bytes()).context("standard output cannot be written")?;
            }
            report::say(&errors);
            return Ok(ExitCode::from(EXIT_ERROR));
        }
    };
    let text = match (args.json, args.only) {
        (true, _) => format!("{}\n", as_json(&needs, &cluster, &tbot)),
        (false, Some(Only::Cluster)) => cluster,
        (false, Some(Only::Tbot)) => tbot,
        (false, None) => format!("{cluster}---\n{tbot}"),
    };
    std::io::stdout().write_all(text.as_bytes()).context("standard output cannot be written")?;
    Ok(ExitCode::SUCCESS)
}

async fn make(args: &RoleArgs, mut config: Config) -> Result<(Needs, Files), Vec<String>> {
    if let Some(way) = args.resolve_with {
        config.teleport.resolve_with = way.into();
    }
    let panel = Box::pin(assembly::load_panel(&config)).await?;
    let needs = needed(&config, &panel.members());
    let files = files(&needs, &config, &args.name, &args.config);
    Ok((needs, files))
}

fn as_json(needs: &Needs, cluster: &str, tbot: &str) -> Json {
    let Needs { rules, review, labels } = needs;
    let rule = |Need { resource, verbs, why, without }: &Need| json!({ "resource": resource, "verbs": verbs, "why": why, "without": without });
    let review = review
        .as_ref()
        .map(|Review { roles, not_roles, why }| json!({ "roles": roles, "not-roles": not_roles, "why": why }));
    json!({
        "ok": true,
        "rules": rules.iter().map(rule).collect::<Vec<_>>(),
        "review": review,
        "labels": labels,
        "cluster": cluster,
        "tbot": tbot,
    })
}
