//! `tribunal ledger`: looks into a ledger, beside a daemon or without one, and has old or personal things go. It never
//! changes a record, and to look takes no secret.

mod archive;
mod erase;
mod evidence;
mod export;
mod figures;
pub(super) mod list;
mod prove;
pub(super) mod shown;
#[cfg(test)]
mod tests;
mod verify;

use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;
use tribunal_ledger::{PublicKey, Wanted};

pub(super) use self::figures::report;
use super::args::{LedgerAction, LedgerArgs, LedgerPlace};
use crate::config::{Config, Overrides, default_ledger_dir};

/// The configuration that is used where none is named and this one is there.
const CONFIG_DEFAULT: &str = "tribunal.toml";
/// The longest file that may hold a key.
const KEY_FILE_BYTES_MAX: u64 = 64 * 1024;

pub(super) async fn ledger(args: LedgerArgs) -> anyhow::Result<ExitCode> {
    match args.action {
        LedgerAction::Verify(args) => verify::verify(&args),
        LedgerAction::List(args) => list::list(&args),
        LedgerAction::Show(args) => shown::show(&args),
        LedgerAction::Prove(args) => prove::prove(&args),
        LedgerAction::Export(args) => export::export(&args),
        LedgerAction::Evidence(args) => evidence::evidence(&args),
        LedgerAction::Archive(args) => archive::archive(&args).await,
        LedgerAction::Report(args) => report(&args),
        LedgerAction::Erase(args) => erase::erase(&args).await,
    }
}

/// Where the ledger is.
fn directory(place: &LedgerPlace) -> anyhow::Result<PathBuf> {
    directory_of(place.dir.as_deref(), place.config.as_deref())
}

/// Where the ledger is: there, or where this configuration says, or the usual one.
pub(super) fn directory_of(dir: Option<&Path>, config: Option<&Path>) -> anyhow::Result<PathBuf> {
    if let Some(dir) = dir {
        return Ok(dir.to_owned());
    }
    let config = config.map(Path::to_owned).or_else(|| {
        let default = PathBuf::from(CONFIG_DEFAULT);
        default.is_file().then_some(default)
    });
    let Some(config) = config else { return Ok(default_ledger_dir()?) };
    // Whatever else is wrong with it now, the ledger is where it was.
    let config = Config::load(&config, &Overrides { dry_run: true, ..Overrides::default() })?;
    match config.ledger_dir {
        Some(dir) => Ok(dir),
        None => Ok(default_ledger_dir()?),
    }
}

/// A key as text, or in a file.
fn key(text: &str) -> anyhow::Result<PublicKey> {
    if let Ok(key) = PublicKey::parse(text) {
        return Ok(key);
    }
    let text = read_small(Path::new(text))?;
    PublicKey::parse(&text).context("the key cannot be used; give the text of a `ledger.pub`, or such a file")
}

/// A small text file that people name.
fn read_small(path: &Path) -> anyhow::Result<String> {
    let cannot = || format!("`{}` cannot be read", path.display());
    let length = std::fs::metadata(path).with_context(cannot)?.len();
    anyhow::ensure!(length <= KEY_FILE_BYTES_MAX, "`{}` is too long: {length} bytes", path.display());
    std::fs::read_to_string(path).with_context(cannot)
}

/// A record's number, or a decision's id.
pub(super) fn wanted(id: &str) -> Wanted {
    id.parse().map_or_else(|_| Wanted::Decision(id.to_owned()), Wanted::Record)
}

pub(super) fn no_such_record(id: &str, directory: &Path) -> anyhow::Error {
    anyhow::anyhow!(
        "there is no record `{id}` in `{}`; `tribunal ledger list` says which there are",
        directory.display()
    )
}

pub(super) fn print(text: &str) -> anyhow::Result<()> {
    unless_closed(io::stdout().write_all(text.as_bytes()).map_err(Into::into))
}

/// What became of writing: it is no failure if whoever reads has had enough, such as `head`.
fn unless_closed(written: anyhow::Result<()>) -> anyhow::Result<()> {
    let Err(error) = written else { return Ok(()) };
    match error.downcast_ref::<io::Error>().map(io::Error::kind) {
        Some(io::ErrorKind::BrokenPipe) => Ok(()),
        Some(_) => Err(error.context("the output cannot be written")),
        None => Err(error),
    }
}
