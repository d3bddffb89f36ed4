//! `tribunal ledger prove`: a file that proves one record to whoever has the public key. It never signs anything.

use std::process::ExitCode;

use anyhow::Context;
use tribunal_ledger::{public_key, show};

use super::super::args::ProveArgs;
use super::{directory, no_such_record, print, wanted};

pub(super) fn prove(args: &ProveArgs) -> anyhow::Result<ExitCode> {
    let directory = directory(&args.place)?;
    let key = public_key(&directory)
        .with_context(|| format!("there is no public key in `{}`: start the daemon once", directory.display()))?;
    let shown = show(&directory, &wanted(&args.id))?.ok_or_else(|| no_such_record(&args.id, &directory))?;
    let proof = tribunal_ledger::prove(&directory, &key, shown.record.seq, &shown.bytes)?.to_string();
    match &args.out {
        Some(out) => std::fs::write(out, proof).with_context(|| format!("`{}` cannot be written", out.display()))?,
        None => print(&proof)?,
    }
    Ok(ExitCode::SUCCESS)
}
