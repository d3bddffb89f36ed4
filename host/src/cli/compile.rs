//! The process that compiles a plugin, for `tribunal` itself: it reads a component, answers with native code, and ends. It is no
//! command for people, and does nothing else.

use std::ffi::{OsStr, OsString};
use std::io::Write;
use std::process::ExitCode;

use super::{EXIT_ERROR, EXIT_OK};
use crate::assembly::COMPILE_COMMAND;

/// What came of it, if that is what these arguments ask for, the program's own name first.
pub(super) fn asked(arguments: &[OsString]) -> Option<ExitCode> {
    let rest = arguments.split_first().and_then(|(_, rest)| rest.split_first());
    let (_, rest) = rest.filter(|(command, _)| command.as_os_str() == OsStr::new(COMPILE_COMMAND))?;
    let arguments: Vec<String> = rest.iter().map(|argument| argument.to_string_lossy().into_owned()).collect();
    Some(match tribunal_engine::compile_standard_input(&arguments) {
        Ok(()) => ExitCode::from(EXIT_OK),
        Err(why) => {
            let _unheard = writeln!(std::io::stderr(), "{why}");
            ExitCode::from(EXIT_ERROR)
        }
    })
}
