//! What the process says about an error, on standard error. It never ends the process.

use std::io::Write;

use crate::config::ConfigErrors;

const ERROR: anstyle::Style = anstyle::AnsiColor::Red.on_default().bold();

/// Says an error, or each of the errors of a configuration.
pub(super) fn error(error: &anyhow::Error) {
    let messages: Vec<String> = match error.downcast_ref::<ConfigErrors>() {
        Some(errors) => errors.problems().iter().map(ToString::to_string).collect(),
        None => whole(error).lines().map(str::to_owned).collect(),
    };
    say(&messages);
}

/// An error with its causes, each once: many messages have their cause in them already.
fn whole(error: &anyhow::Error) -> String {
    error.chain().map(ToString::to_string).fold(String::new(), |mut said, cause| {
        if !said.contains(&cause) {
            if !said.is_empty() {
                said.push_str(": ");
            }
            said.push_str(&cause);
        }
        said
    })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cause_that_is_in_the_message_is_not_said_again() {
        let cause = anyhow::anyhow!("address in use");
        assert_eq!(
            whole(&cause.context("cannot listen: address in use: choose another")),
            "cannot listen: address in use: choose another"
        );
        let cause = anyhow::anyhow!("address in use");
        assert_eq!(whole(&cause.context("cannot listen")), "cannot listen: address in use");
    }
}
