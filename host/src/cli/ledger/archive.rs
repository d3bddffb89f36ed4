//! `tribunal ledger archive`: old segments go to a place of their own, or for ever, and that is recorded. It never moves what
//! is not proven first.

use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use tribunal_ledger::{Archived, public_key};

use super::super::args::ArchiveArgs;
use super::erase::{record, told};
use super::list::point;
use super::{directory, print};

pub(super) async fn archive(args: &ArchiveArgs) -> anyhow::Result<ExitCode> {
    let directory = directory(&args.place)?;
    let before = point(&args.before, Timestamp::now())?;
    let key = public_key(&directory)
        .with_context(|| format!("there is no public key in `{}`: start the daemon once", directory.display()))?;
    let (archived, recorded) = if args.check {
        (tribunal_ledger::archivable(&directory, &key, before)?, None)
    } else {
        let archived = tribunal_ledger::archive(&directory, &key, before, args.to.as_deref())?;
        let recorded = if archived.segments.is_some() { Some(record(&directory).await?) } else { None };
        (archived, recorded)
    };
    print(&if args.json {
        format!("{}\n", json!({ "done": !args.check, "to": args.to, "archived": archived }))
    } else {
        let done = recorded.map(told);
        as_text(&archived, args.to.as_deref(), done)
    })?;
    Ok(ExitCode::SUCCESS)
}

fn as_text(archived: &Archived, to: Option<&Path>, done: Option<&str>) -> String {
    let Archived { segments, records, bytes, stays } = archived;
    let stays = stays.as_ref().map_or_else(String::new, |why| format!("what comes after it stays: {why}\n"));
    let Some((first, last)) = segments else {
        return format!("nothing to archive: no segment is complete and that old\n{stays}");
    };
    let what = format!("segments {first} to {last}, {records} records, {bytes} bytes");
    let text = match (done, to) {
        (Some(done), Some(to)) => format!("moved to `{}`: {what}; {done}\n", to.display()),
        (Some(done), None) => format!("removed: {what}; {done}\n"),
        (None, _) => format!("would go: {what}\n"),
    };
    format!("{text}{stays}")
}
