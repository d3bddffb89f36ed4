//! `tribunal explain`: why a request is decided as it is, and what would pass. It reads ledgers, clusters and files, and
//! changes none of them.

mod live;
mod told;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use tribunal_core::case::Case;
use tribunal_core::opinion::Mode;
use tribunal_core::record::{Decided, Record};
use tribunal_core::request::{AccessRequest, RequestId, RequestState, UserName};
use tribunal_engine::{Asking, Panel, crew};
use tribunal_ledger::schema::{Body, Shown};
use tribunal_ledger::show;

use super::args::ExplainArgs;
use super::ledger::{directory_of, no_such_record, print, wanted};
use crate::assembly;
use crate::config::{Config, Overrides};
use crate::explain::{self, Bench, Explanation, Guards};
use crate::replay::recorded_panel;
use crate::workbench;

/// The configuration that is used where none is named.
const CONFIG_DEFAULT: &str = "tribunal.toml";

/// What is to be explained, and by whom.
pub(super) struct Question {
    pub(super) case: Arc<Case>,
    pub(super) request: AccessRequest,
    pub(super) panel: Arc<Panel>,
    pub(super) guards: Option<Guards>,
    pub(super) known_roles: BTreeSet<String>,
    /// The decision as it is on record.
    pub(super) recorded: Option<Decided>,
}

pub(super) async fn explain(args: ExplainArgs) -> anyhow::Result<ExitCode> {
    let question = match (&args.id, &args.user, &args.case) {
        (Some(id), _, _) => recorded(&args, id).await?,
        (None, Some(user), _) => live::question(&args, user, config(&args)?).await?,
        (None, None, Some(path)) => of_file(&args, path).await?,
        (None, None, None) => anyhow::bail!("there is nothing to explain: name a decision, `--user` or `--case`"),
    };
    let (question, explanation) = tokio::task::spawn_blocking(move || {
        let explained = ask(&question);
        explained.map(|explanation| (question, explanation))
    })
    .await
    .context("a bug; please report it")??;
    let text = if args.json { told::as_json(&question, &explanation) } else { told::as_text(&question, &explanation) };
    print(&text)?;
    Ok(ExitCode::SUCCESS)
}

fn ask(question: &Question) -> anyhow::Result<Explanation> {
    let Question { case, request, panel, guards, known_roles, recorded: _ } = question;
    let members = panel.members();
    let bench = Bench { members: &members, guards: guards.as_ref() };
    let explained = crew(1, |hand| {
        explain::explain(bench, case, request, known_roles, &mut Asking { panel: panel.as_ref(), hand })
    });
    explained.context("no thread can be started")?.pop().context("a bug; please report it")
}

/// A decision of the ledger.
async fn recorded(args: &ExplainArgs, id: &str) -> anyhow::Result<Question> {
    let directory = directory_of(args.dir.as_deref(), args.config.as_deref())?;
    let shown = show(&directory, &wanted(id))?.ok_or_else(|| no_such_record(id, &directory))?;
    let panel = match &shown.record.body {
        Body::Decided(decided) if matches!(decided.case, Some(Shown::Erased(_))) => anyhow::bail!(
            "what the policies were shown for decision `{id}` is erased; `tribunal ledger show {id}` says what is left"
        ),
        Body::Decided(decided) => decided.panel,
        Body::Outcome(_) | Body::Lifecycle(_) => anyhow::bail!("record `{id}` is no decision"),
    };
    let Record::Decided(decided) = shown.record.into_record()? else { anyhow::bail!("record `{id}` is no decision") };
    let request = decided.request.clone().with_context(|| {
        format!(
            "decision `{id}` is about held requests alone; `tribunal ledger show {id}` says what was locked, and why"
        )
    })?;
    let case = decided.case.clone().with_context(|| {
        let lacking = shown.lacking.join("; ");
        let why = decided.decision.as_ref().map(|decision| decision.because.reason()).unwrap_or_default();
        if lacking.is_empty() { format!("no policy was asked about decision `{id}`: {why}") } else { lacking }
    })?;
    let (panel, guards) = match (&args.config, panel) {
        (Some(_), _) => of_config(&config(args)?).await?,
        (None, Some(panel)) => {
            let place = directory.clone();
            let seated = tokio::task::spawn_blocking(move || recorded_panel(&place, &panel)).await;
            let panel = seated.context("a bug; please report it")?.map_err(|why| {
                anyhow::anyhow!(
                    "the panel that made decision `{id}` cannot be had: {why}; name another one with `--config`"
                )
            })?;
            (panel, None)
        }
        (None, None) => anyhow::bail!("decision `{id}` names no panel; name one with `--config`"),
    };
    Ok(Question { known_roles: roles_of(&case), case, request, panel, guards, recorded: Some(*decided) })
}

/// A case in a file.
async fn of_file(args: &ExplainArgs, path: &Path) -> anyhow::Result<Question> {
    let case = workbench::case::read(path)?;
    let pending = |id: Option<&str>| {
        case.requests.iter().rev().map(|entry| &entry.request).find(|request| {
            request.state == RequestState::Pending && id.is_none_or(|id| request.id == RequestId::new(id))
        })
    };
    let request = pending(args.request.as_deref()).cloned().with_context(|| match &args.request {
        Some(id) => format!("the case has no pending request `{id}`"),
        None => "the case has no pending request to explain".to_owned(),
    })?;
    let (panel, guards) = of_config(&config(args)?).await?;
    Ok(Question { known_roles: roles_of(&case), case: Arc::new(case), request, panel, guards, recorded: None })
}

fn config(args: &ExplainArgs) -> anyhow::Result<Config> {
    let path = args.config.clone().unwrap_or_else(|| PathBuf::from(CONFIG_DEFAULT));
    Ok(Config::load(&path, &Overrides { dry_run: true, ..Overrides::default() })?)
}

/// The panel of a configuration, and what goes before it.
pub(super) async fn of_config(config: &Config) -> anyhow::Result<(Arc<Panel>, Option<Guards>)> {
    let panel = Box::pin(assembly::load_for_crew(config, 1)).await;
    let panel = panel.map_err(|errors| anyhow::anyhow!(errors.join("\n")))?;
    let guards = Guards {
        // Whose requests are the daemon's own is known where it connects.
        own_user: UserName::new(""),
        protected_roles: config.protected_roles.clone(),
        scope: config.scope.clone(),
    };
    Ok((Arc::new(panel), Some(guards)))
}

/// The roles that a case knows.
pub(super) fn roles_of(case: &Case) -> BTreeSet<String> {
    case.requests.iter().flat_map(|entry| entry.request.roles.iter().cloned()).collect()
}

pub(super) const fn counts(mode: Mode) -> bool {
    match mode {
        Mode::Enforce => true,
        Mode::Shadow => false,
    }
}
