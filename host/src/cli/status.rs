//! `tribunal status`: asks a running daemon how it stands, and shows it. It never connects to Teleport.

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;
use comfy_table::{Table, presets};
use tribunal_core::request::UserName;

use super::args::StatusArgs;
use super::{EXIT_ERROR, EXIT_UNKNOWN, report};
use crate::config::{Config, Overrides};
use crate::health::ask::Port;
use crate::health::report::{Counted, Identity, Report};
use crate::health::{Whose, plain};

pub(super) async fn status(args: StatusArgs) -> anyhow::Result<ExitCode> {
    let told = match tell(&args).await {
        Ok(told) => told,
        Err(error) => {
            report::error(&error);
            return Ok(ExitCode::from(EXIT_UNKNOWN));
        }
    };
    let text = if args.json { format!("{}\n", serde_json::to_string(&told)?) } else { as_text(&told) };
    std::io::stdout().write_all(text.as_bytes()).context("standard output cannot be written")?;
    Ok(if told.ready { ExitCode::SUCCESS } else { ExitCode::from(EXIT_ERROR) })
}

async fn tell(args: &StatusArgs) -> anyhow::Result<Report> {
    let port: Port = match &args.health {
        Some(url) => url.parse()?,
        None => {
            // Whatever else is wrong with it now, the daemon may run with what it was.
            let config = Config::load(&args.config, &Overrides { dry_run: true, ..Overrides::default() })?;
            let listen = config.health_listen.with_context(|| {
                format!("`{}` has no `listen` in `[health]`: add it, or use `--health URL`", args.config.display())
            })?;
            Port::of(listen)
        }
    };
    let whose = args.user.as_ref().map_or(Whose::Everybody, |user| Whose::One(UserName::new(user.clone())));
    Ok(port.report(&whose).await?)
}

fn as_text(told: &Report) -> String {
    let mut text = String::new();
    let mut say = |name: &str, what: &str| text.push_str(&format!("{name:<10} {}\n", plain(what)));
    say("cluster", &told.cluster);
    say("version", &told.version);
    match told.why.as_slice() {
        [] => say("ready", if told.dry_run { "yes, as a rehearsal: nothing is done" } else { "yes" }),
        why => say("ready", &format!("no: {}", why.join("; "))),
    }
    let panel: Vec<String> = told
        .panel
        .iter()
        .map(|policy| {
            let why = policy.why.as_ref().map_or_else(String::new, |why| format!("; {}: {why}", policy.health));
            format!("{} ({}: {}{why})", policy.name, policy.mode, policy.effects.join(", "))
        })
        .collect();
    say("panel", &panel.join("; "));
    if let Some(stale) = &told.panel_stale {
        say("reload", &format!("failed at {}, the last good panel stays: {}", stale.since, stale.what));
    }
    say("sight", &sight(told));
    if let Some(tripped) = &told.breaker_tripped {
        say("breaker", &format!("tripped: {tripped}"));
    }
    let busy = format!("{} in flight, {} waiting, {} failed last time", told.in_flight, told.waiting, told.retrying);
    say("users", &busy);
    if let Some(identity) = &told.identity {
        say("identity", &who(identity));
    }
    say("clock", &clock(told));
    if let Some(alarm) = &told.last_alarm {
        say("alarm", &format!("{}: {}", alarm.since, alarm.what));
    }
    let Counted { pending, held, locked, later, promoted, resources, holders } = told.holdings;
    let mut holdings = format!("{held} requests held by {holders} users, {resources} resources; {pending} pending");
    for (number, what) in [(locked, "locked"), (later, "start later"), (promoted, "made permanent")] {
        if number > 0 {
            holdings.push_str(&format!(", {number} {what}"));
        }
    }
    say("holdings", &holdings);
    tables(told, &mut text);
    text
}

fn tables(told: &Report, text: &mut String) {
    let row = |cells: &[&str]| cells.iter().map(|cell| plain(cell)).collect::<Vec<_>>();
    if let Some(users) = told.users.as_ref().filter(|users| !users.is_empty()) {
        let mut table = table(&["user", "held", "resources", "locked", "pending", "later", "permanent"]);
        for user in users {
            let Counted { pending, held, locked, later, promoted, resources, holders: _ } = user.counted;
            let counts = [held, resources, locked, pending, later, promoted].map(|count| count.to_string());
            let cells: Vec<&str> =
                std::iter::once(user.name.as_str()).chain(counts.iter().map(String::as_str)).collect();
            table.add_row(row(&cells));
        }
        text.push_str(&format!("\n{table}\n"));
        left_out(told.users_left_out, "users", text);
    }
    if let Some(one) = &told.user {
        let mut table = table(&["request", "stands", "roles", "resources", "expires", "decided by"]);
        for request in &one.requests {
            let (roles, resources) = (request.roles.join(", "), request.resources.join(", "));
            let expires = request.expires.as_deref().unwrap_or("");
            table.add_row(row(&[&request.id, &request.stands, &roles, &resources, expires, &request.decided_by]));
        }
        text.push_str(&format!("\n{}\n{table}\n", plain(&one.user.name)));
        left_out(one.requests_left_out, "requests", text);
    }
}

fn table(header: &[&str]) -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING).set_header(header.to_vec());
    table
}

fn left_out(count: usize, what: &str, text: &mut String) {
    if count > 0 {
        text.push_str(&format!("({count} more {what} are left out)\n"));
    }
}

fn sight(told: &Report) -> String {
    let listed = told.last_full_list_age_secs.map_or_else(
        || "nothing was listed yet".to_owned(),
        |age| format!("last full list {age} s ago, one every {} s", told.poll_interval_secs),
    );
    match (&told.sight.why, &told.sight.since) {
        (None, _) => format!("complete; {listed}"),
        (Some(why), None) => format!("incomplete: {why}; {listed}"),
        (Some(why), Some(since)) => format!("incomplete since {since}: {why}; {listed}"),
    }
}

fn who(identity: &Identity) -> String {
    let Identity { user, expires, remaining_secs, renewals: _, problem } = identity;
    let problem = problem.as_ref().map_or_else(String::new, |problem| format!("; {problem}"));
    format!("{user} until {expires}, {remaining_secs} s left{problem}")
}

fn clock(told: &Report) -> String {
    let bounds = (told.clock_skew.at_least_ms, told.clock_skew.at_most_ms);
    let known = match bounds {
        (None, None) => return "how far it is from the Auth server's is not known yet".to_owned(),
        (Some(least), None) => format!("the Auth server's is at least {least} ms later"),
        (None, Some(most)) => format!("the Auth server's is at most {most} ms later"),
        (Some(least), Some(most)) => format!("the Auth server's is {least} to {most} ms later"),
    };
    told.clock_skew.warning.as_ref().map_or_else(|| known.clone(), |warning| format!("{known}; {warning}"))
}
