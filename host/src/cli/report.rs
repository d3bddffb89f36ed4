//! What the process says about an error, on standard error. It never ends the process.

use std::io::Write;

use crate::config::ConfigErrors;

const ERROR: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

/// Says an error, or each of the errors of a configuration.
pub(super) fn error(error: &anyhow::Error) {
    let messages: Vec<String> = match error.downcast_ref::<ConfigErrors>() {
        Some(errors) => errors.problems().iter().map(ToString::to_string).collect(),
        None => format!("{error:#}").lines().map(str::to_owned).collect(),
    };
    say(&messages);
}

/// Says several errors.
pub(super) fn say(messages: &[String]) {
    // Colour only where a terminal shows it; that is anstream's to find out.
    let mut stderr = anstream::stderr().lock();
    for message in messages {
        // Where nobody can be told, nobody can be told that either.
        let _unheard = writeln!(stderr, "{ERROR}error:{ERROR:#} {message}");
    }
}
