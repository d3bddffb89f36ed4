//! `tribunal ledger evidence`: a bundle for somebody who has nothing but the public key. It never writes over anything.

use std::process::ExitCode;

use anyhow::Context;
use jiff::Timestamp;
use serde_json::json;
use tribunal_ledger::{Bundled, Question, bundle, public_key};
use tribunal_ports::Clock;

use super::super::args::EvidenceArgs;
use super::list::point;
use super::{directory, print};
use crate::clock::SystemClock;

pub(super) fn evidence(args: &EvidenceArgs) -> anyhow::Result<ExitCode> {
    let now = Timestamp::now();
    let time = |text: &Option<String>| text.as_deref().map(|text| point(text, now)).transpose();
    let question = Question {
        user: args.user.clone(),
        request: args.request.clone(),
        since: time(&args.from)?,
        until: time(&args.to)?,
    };
    let directory = directory(&args.place)?;
    let key = public_key(&directory)
        .with_context(|| format!("there is no public key in `{}`: start the daemon once", directory.display()))?;
    let out = &args.out;
    anyhow::ensure!(!out.exists(), "`{}` exists already; name a directory to be made", out.display());
    let bundled = bundle(&directory, &key, &question, out, SystemClock.now())?;
    let Bundled { records, objects, erased } = &bundled;
    print(&if args.json {
        format!("{}\n", json!({ "bundle": out, "key": key.to_string(), "contents": bundled }))
    } else {
        let erased = if *erased > 0 { format!(", {erased} of them erased") } else { String::new() };
        format!(
            "{records} records with proofs and {objects} objects{erased} are in `{}`\nkey {key}\n\
             check it with `tribunal ledger verify --bundle {} --key KEY`\n",
            out.display(),
            out.display()
        )
    })?;
    Ok(ExitCode::SUCCESS)
}
