//! `tribunal plugin build`: shows each step where somebody watches, and what came out. It builds nothing itself.

use std::io::{IsTerminal as _, Write as _};
use std::process::ExitCode;

use serde_json::{Map, Value, json};
use tribunal_engine::Workshop;

use super::{GOOD, print};
use crate::authoring::build::{Built, build as build_project};
use crate::cli::args::BuildArgs;
use crate::cli::{EXIT_ERROR, report};

pub(super) fn build(args: &BuildArgs, workshop: &Workshop) -> anyhow::Result<ExitCode> {
    let is_watched = std::io::stderr().is_terminal();
    let mut tell = |step: &str| {
        if is_watched {
            // Where nobody can be told, nobody can be told that either.
            let _unheard = writeln!(anstream::stderr().lock(), "{step} …");
        }
    };
    match build_project(&args.dir, workshop, &mut tell) {
        Ok(built) => {
            print(&if args.json { format!("{}\n", as_json(&built)) } else { as_text(&built) })?;
            Ok(ExitCode::SUCCESS)
        }
        Err(error) => {
            if args.json {
                print(&format!("{}\n", json!({ "ok": false, "errors": [error.to_string()] })))?;
            }
            report::say(&[error.to_string()]);
            Ok(ExitCode::from(EXIT_ERROR))
        }
    }
}

fn as_json(built: &Built) -> Value {
    let Built { file, language, name, version, digest, bytes, metadata, took } = built;
    let metadata: Map<String, Value> = metadata.iter().map(|(key, value)| ((*key).to_owned(), json!(value))).collect();
    json!({
        "ok": true,
        "file": file,
        "language": language.to_string(),
        "name": name,
        "version": version,
        "digest": digest.to_string(),
        "bytes": bytes,
        "metadata": metadata,
        "took_ms": u64::try_from(took.as_millis()).unwrap_or(u64::MAX),
    })
}

fn as_text(built: &Built) -> String {
    let Built { file, language, name, version, digest, bytes, metadata, took } = built;
    let mut text = format!(
        "{GOOD}built{GOOD:#} {name} {version} from {language} in {:.1} s\n  file     {}\n  size     {bytes} bytes\n  digest   {digest}\n",
        took.as_secs_f64(),
        file.display(),
    );
    for (key, label) in [("licenses", "licence"), ("source", "source"), ("revision", "revision")] {
        if let Some((_, value)) = metadata.iter().find(|(found, _)| *found == key) {
            text.push_str(&format!("  {label:<8} {value}\n"));
        }
    }
    text
}
