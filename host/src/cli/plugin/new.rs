//! `tribunal plugin new`: writes a project to begin with, and says what to type next. It installs nothing.

use std::path::PathBuf;
use std::process::ExitCode;

use super::print;
use crate::authoring::scaffold;
use crate::cli::args::NewArgs;

pub(super) fn new(args: &NewArgs) -> anyhow::Result<ExitCode> {
    let NewArgs { lang, kind, dir, name } = args;
    let dir = dir.clone().unwrap_or_else(|| PathBuf::from(name.to_string()));
    scaffold::write(&dir, &scaffold::files(*lang, *kind, name))?;
    let (shown, source, test) = (dir.display(), lang.source(), lang.test());
    print(&format!(
        "`{shown}` holds a policy in {lang}: {source} is yours, README.md says the rest. Next:
  cd {shown}
  {test}
  tribunal plugin build\n"
    ))?;
    Ok(ExitCode::SUCCESS)
}
