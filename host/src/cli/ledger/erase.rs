//! `tribunal ledger erase`: destroys the keys of a user's personal text, and has that recorded. It never touches a record.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use serde_json::json;
use tribunal_ledger::{Erasure, Ledger, OpenError};
use tribunal_ports::{Clock, Ledger as _};

use super::super::args::EraseArgs;
use super::{directory, print};
use crate::clock::SystemClock;
use crate::health::plain;

/// Who writes the record of something that was done to the ledger's files.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Recorded {
    /// It is written.
    Here,
    /// A daemon has the ledger open, and does it.
    ByTheDaemon,
}

pub(super) async fn erase(args: &EraseArgs) -> anyhow::Result<ExitCode> {
    let directory = directory(&args.place)?;
    let (erasure, recorded) = if args.yes {
        let erasure = tribunal_ledger::erase(&directory, &args.user)?;
        let recorded = if erasure.keys > 0 { Some(record(&directory).await?) } else { None };
        (erasure, recorded)
    } else {
        (tribunal_ledger::sealed_for(&directory, &args.user)?, None)
    };
    print(&if args.json {
        let recorded = recorded.map(|recorded| recorded == Recorded::Here);
        format!("{}\n", json!({ "user": args.user, "erased": args.yes, "found": erasure, "recorded": recorded }))
    } else {
        as_text(args, &erasure, recorded)
    })?;
    Ok(ExitCode::SUCCESS)
}

/// Records what waits to be, unless a daemon does that.
pub(super) async fn record(directory: &Path) -> anyhow::Result<Recorded> {
    let ledger = match Ledger::open(directory) {
        Ok((ledger, _)) => ledger,
        Err(OpenError::InUse { .. }) => return Ok(Recorded::ByTheDaemon),
        Err(error) => {
            return Err(error).context("it is done, but not recorded yet; the next start of the daemon records it");
        }
    };
    for note in tribunal_ledger::notes(directory)? {
        note.carry_out()?;
        ledger.append(note.record(SystemClock.now())).await.map_err(anyhow::Error::msg)?;
        note.take_away()?;
    }
    Ok(Recorded::Here)
}

/// What is said of how it is recorded.
pub(super) const fn told(recorded: Recorded) -> &'static str {
    match recorded {
        Recorded::Here => "recorded in the ledger",
        Recorded::ByTheDaemon => "the daemon that has the ledger open records it within seconds",
    }
}

fn as_text(args: &EraseArgs, erasure: &Erasure, recorded: Option<Recorded>) -> String {
    let user = plain(&args.user);
    let Erasure { keys, objects, bytes } = erasure;
    if *keys == 0 {
        return format!(
            "nothing is sealed for user `{user}`: no decision was made about them, or it was erased before\n"
        );
    }
    let Some(recorded) = recorded else {
        return format!(
            "{objects} objects ({bytes} bytes) are sealed for user `{user}`; `--yes` erases them for ever\n"
        );
    };
    format!(
        "erased: {objects} objects ({bytes} bytes) of user `{user}` can be read no more; {}\n\
         copies of `keys/`, in backups, have to be destroyed as well\n",
        told(recorded)
    )
}
