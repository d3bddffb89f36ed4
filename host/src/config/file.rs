//! `tribunal.toml`, section by section. It never stops at the first fault.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use tribunal_core::action::ResolveWith;
use tribunal_core::controller::{HumanApproved, Release};
use tribunal_teleport::Address;

use super::document::{self, Section};
use super::problem::Findings;
use super::{
    Config, ConfigErrors, Lease, Limits, Overrides, POLL_INTERVAL_DEFAULT, PROTECTED_ROLES_DEFAULT, Problem, Teleport,
    duration, engine, fact, health, path, plugin, reach, retention, scope,
};

const ADDRESS_EXAMPLE: &str = "auth.example.com:3025";
const IDENTITY_EXAMPLE: &str = "/opt/machine-id/identity";

pub(super) fn read(text: &str, path: &Path, overrides: &Overrides) -> Result<Config, ConfigErrors> {
    let base = path.parent().unwrap_or(Path::new(""));
    let mut findings = Findings::new(path, text);
    let Overrides { address, identity_file, ledger_dir, dry_run } = overrides;
    let mut root = document::parse(&mut findings);

    let section = root.section("teleport", &mut findings);
    let teleport = read_teleport(section, address.as_deref(), identity_file.as_deref(), base, &mut findings);

    let mut section = root.section("poll", &mut findings);
    let poll_interval = section.string("interval", "30s", &mut findings).and_then(|(text, span)| {
        let parsed = duration::interval(&text);
        if let Err((what, help)) = &parsed {
            findings.at(&span, format!("`interval`: {what}"), *help);
        }
        parsed.ok()
    });
    section.finish(&mut findings);

    let mut section = root.section("locks", &mut findings);
    let releases = [("when-clear", Release::WhenClear), ("never", Release::Never)];
    let release = section.word("release", &releases, &mut findings);
    let exemptions = [("exempt", HumanApproved::Exempt), ("enforce", HumanApproved::Enforce)];
    let human_approved = section.word("human-approved", &exemptions, &mut findings);
    section.finish(&mut findings);

    let section = root.section("guard", &mut findings);
    let protected_roles = read_guard(section, &mut findings);
    let limits = Limits::read(root.section("limits", &mut findings), &mut findings);
    let cache = engine::read(root.section("engine", &mut findings), base, &mut findings);
    let scope = scope::read(root.section("scope", &mut findings), &mut findings);
    let exemptions = root.sections("exemption", &mut findings).unwrap_or_default();
    let exemptions = scope::read_exemptions(exemptions, &mut findings);
    let lease = Lease::read(root.section("daemon", &mut findings), &mut findings);
    let health_listen = health::read(root.section("health", &mut findings), &mut findings);

    let mut section = root.section("ledger", &mut findings);
    let configured_dir = section
        .string("dir", "/var/lib/tribunal/ledger", &mut findings)
        .and_then(|(text, span)| located("dir", path::resolve(&text, base), &span, &mut findings));
    let retention = retention::read(&mut section, base, &mut findings);
    section.finish(&mut findings);

    let plugins = match root.sections("plugin", &mut findings) {
        Some(sections) => plugin::read_all(sections, !dry_run, base, &limits.engine, &mut findings),
        None => Vec::new(),
    };
    let facts = root.sections("fact", &mut findings).unwrap_or_default();
    let facts = fact::read_all(facts, base, &mut findings);
    root.finish(&mut findings);

    findings.finish()?;
    let Some(teleport) = teleport else {
        // Every way to no connection has been noted; this is for the type alone.
        return Err(ConfigErrors::single(Problem::without_place("`[teleport]` is incomplete", "")));
    };
    Ok(Config {
        teleport,
        poll_interval: poll_interval.unwrap_or(POLL_INTERVAL_DEFAULT),
        release: release.unwrap_or(Release::WhenClear),
        human_approved: human_approved.unwrap_or(HumanApproved::Exempt),
        protected_roles,
        limits,
        cache,
        scope,
        exemptions,
        lease,
        health_listen,
        ledger_dir: ledger_dir.clone().or(configured_dir),
        retention,
        plugins,
        facts,
        dry_run: *dry_run,
    })
}

fn read_teleport(
    mut section: Section<'_>,
    address: Option<&str>,
    identity_file: Option<&Path>,
    base: &Path,
    findings: &mut Findings<'_>,
) -> Option<Teleport> {
    // What the command line says instead need not be in the file; what is in the file must be right all the same.
    let in_file = match address {
        Some(_) => section.string("address", ADDRESS_EXAMPLE, findings),
        None => section.required_string("address", ADDRESS_EXAMPLE, findings),
    };
    let in_file = in_file.and_then(|(text, span)| {
        let parsed = text.parse::<Address>();
        if let Err(error) = &parsed {
            findings.at(&span, error.to_string(), "");
        }
        parsed.ok()
    });
    let address = match address {
        Some(text) => {
            let parsed = text.parse::<Address>();
            if let Err(error) = &parsed {
                findings.flag(format!("`-p`: {error}"), "");
            }
            parsed.ok()
        }
        None => in_file,
    };

    let in_file = match identity_file {
        Some(_) => section.string("identity-file", IDENTITY_EXAMPLE, findings),
        None => section.required_string("identity-file", IDENTITY_EXAMPLE, findings),
    };
    let in_file =
        in_file.and_then(|(text, span)| located("identity-file", path::resolve(&text, base), &span, findings));
    let identity_file = identity_file.map(Path::to_owned).or(in_file);

    let reach = reach::read(&mut section, base, findings);
    let ways = [("state", ResolveWith::State), ("review", ResolveWith::Review)];
    let resolve_with = section.word("resolve-with", &ways, findings).unwrap_or(ResolveWith::State);
    section.finish(findings);
    Some(Teleport { address: address?, identity_file: identity_file?, reach, resolve_with })
}

fn read_guard(mut section: Section<'_>, findings: &mut Findings<'_>) -> BTreeSet<String> {
    const KEY: &str = "protected-roles";
    let roles = section.strings(KEY, "[\"editor\", \"auditor\"]", findings);
    section.finish(findings);
    let Some(roles) = roles else { return PROTECTED_ROLES_DEFAULT.map(str::to_owned).into() };
    let mut protected = BTreeSet::new();
    for (role, span) in roles {
        if role.is_empty() {
            findings.at(&span, format!("`{KEY}` holds an empty name"), "name a role, or remove it");
        } else if !protected.insert(role.clone()) {
            findings.at(&span, format!("`{KEY}` names `{role}` twice"), "remove one");
        }
    }
    protected
}

fn located(
    key: &str,
    resolved: Result<PathBuf, (String, &'static str)>,
    span: &document::Span,
    findings: &mut Findings<'_>,
) -> Option<PathBuf> {
    match resolved {
        Ok(path) => Some(path),
        Err((what, help)) => {
            findings.at(span, format!("`{key}`: {what}"), help);
            None
        }
    }
}
