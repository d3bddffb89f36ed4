//! Runs the tools of a project, quietly unless they fail. It never runs one through a shell's language.

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use super::BuildError;

/// Bytes of a failed tool's output that are shown: its end.
const OUTPUT_BYTES_MAX: usize = 16 * 1024;

/// Where tools run, and who is told.
pub(super) struct Shell<'a> {
    /// The project.
    pub(super) dir: &'a Path,
    /// Where results go.
    pub(super) out: &'a Path,
    pub(super) tell: &'a mut dyn FnMut(&str),
}

/// One call of a tool.
pub(super) struct Call {
    program: OsString,
    arguments: Vec<OsString>,
    set: Vec<(&'static str, OsString)>,
    unset: Vec<&'static str>,
    /// Its name for people, and how it is installed.
    tool: (&'static str, String),
}

// === impl Call ===

impl Call {
    pub(super) fn new(program: impl AsRef<OsStr>, tool: &'static str, install: impl Into<String>) -> Self {
        let program = program.as_ref().to_owned();
        Self { program, arguments: Vec::new(), set: Vec::new(), unset: Vec::new(), tool: (tool, install.into()) }
    }

    pub(super) fn arguments<A: AsRef<OsStr>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(|argument| argument.as_ref().to_owned()));
        self
    }

    pub(super) fn set(mut self, variable: &'static str, value: impl AsRef<OsStr>) -> Self {
        self.set.push((variable, value.as_ref().to_owned()));
        self
    }

    pub(super) fn unset(mut self, variable: &'static str) -> Self {
        self.unset.push(variable);
        self
    }

    /// How a person would type it.
    fn shown(&self) -> String {
        let words = std::iter::once(&self.program).chain(&self.arguments);
        words.map(|word| word.to_string_lossy().into_owned()).collect::<Vec<_>>().join(" ")
    }
}

// === impl Shell ===

impl Shell<'_> {
    /// Tells what is done now.
    pub(super) fn say(&mut self, step: &str) {
        (self.tell)(step);
    }

    /// Runs a tool to its end and gives its standard output.
    pub(super) fn run(&mut self, call: &Call) -> Result<String, BuildError> {
        let mut command = Command::new(&call.program);
        command.args(&call.arguments).current_dir(self.dir).stdin(Stdio::null());
        for variable in &call.unset {
            command.env_remove(variable);
        }
        command.envs(call.set.iter().map(|(variable, value)| (variable, value)));
        let output = match command.output() {
            Ok(output) => output,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                let (tool, install) = call.tool.clone();
                return Err(BuildError::NoTool { tool, install });
            }
            Err(error) => return Err(BuildError::Failed { command: call.shown(), output: error.to_string() }),
        };
        let said = String::from_utf8_lossy(&output.stdout);
        if output.status.success() {
            return Ok(said.into_owned());
        }
        let complained = String::from_utf8_lossy(&output.stderr);
        let output = if complained.trim().is_empty() { said } else { complained };
        Err(BuildError::Failed { command: call.shown(), output: end_of(output.trim_end()) })
    }
}

/// The last bytes of a text, from the beginning of a line on.
fn end_of(text: &str) -> String {
    let from = text.ceil_char_boundary(text.len().saturating_sub(OUTPUT_BYTES_MAX));
    let end = text.get(from..).unwrap_or_default();
    match end.split_once('\n') {
        Some((_, lines)) if from > 0 => format!("…\n{lines}"),
        Some(_) | None => end.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    fn run(call: &Call) -> Result<String, BuildError> {
        let dir = tempfile::tempdir().unwrap();
        Shell { dir: dir.path(), out: dir.path(), tell: &mut |_| {} }.run(call)
    }

    #[test]
    fn a_tool_that_is_not_there_is_told_with_its_remedy() {
        let error = run(&Call::new("no-such-tool-of-ours", "the tool", "install it with `x`")).unwrap_err();
        assert_eq!(error.to_string(), "the tool is not there: install it with `x`");
    }

    #[test]
    fn what_a_failed_tool_said_is_told() {
        let call = Call::new("sh", "sh", "").arguments(["-c", "echo said; echo why >&2; exit 3"]);
        assert_eq!(run(&call).unwrap_err().to_string(), "`sh -c echo said; echo why >&2; exit 3` failed:\nwhy");
        let call =
            Call::new("sh", "sh", "").arguments(["-c", "echo $A; echo ${HOME-none}"]).set("A", "1").unset("HOME");
        assert_eq!(run(&call).unwrap(), "1\nnone\n");
    }

    #[test]
    fn of_a_long_complaint_the_end_is_told() {
        let long = "a line\n".repeat(OUTPUT_BYTES_MAX);
        let end = end_of(&long);
        assert!(end.len() <= OUTPUT_BYTES_MAX + 4 && end.starts_with("…\na line\n"));
        assert_eq!(end_of("é"), "é");
    }
}
