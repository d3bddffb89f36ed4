//! All findings, as people and as programs read them. Pure.

use serde_json::json;

use super::finding::{Finding, Outcome};
use crate::health::plain;

/// How wide the names are shown, in characters.
const NAME_CHARS: usize = 24;
/// How wide the words for outcomes are shown, in characters.
const OUTCOME_CHARS: usize = 8;

/// What an examination found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// In the order of the checks.
    pub findings: Vec<Finding>,
}

// === impl Report ===

impl Report {
    /// How many findings went like this.
    #[must_use]
    pub fn count(&self, outcome: Outcome) -> usize {
        self.findings.iter().filter(|finding| finding.outcome == outcome).count()
    }

    /// Whether nothing failed.
    #[must_use]
    pub fn is_ok(&self) -> bool {
        self.count(Outcome::Failed) == 0
    }

    /// The findings under this name.
    pub fn named(&self, name: &str) -> impl Iterator<Item = &Finding> {
        self.findings.iter().filter(move |finding| finding.name == name)
    }

    /// One JSON object: `ok`, and `checks` with an object for each, of `name`, `outcome`, `what` and `remedy`.
    #[must_use]
    pub fn as_json(&self) -> String {
        json!({ "ok": self.is_ok(), "checks": self.findings }).to_string()
    }

    /// The last line.
    #[must_use]
    pub fn summary(&self) -> String {
        let counts = Outcome::ALL.map(|outcome| format!("{} {}", self.count(outcome), outcome.as_str()));
        format!("{} checks: {}", self.findings.len(), counts.join(", "))
    }
}

impl Finding {
    /// The line for people, and one more with what to do, each ended; `style` and the plain style around the outcome.
    #[must_use]
    pub fn as_text(&self, style: anstyle::Style) -> String {
        let Self { name, outcome, what, remedy } = self;
        let word = outcome.as_str();
        let pad = " ".repeat(OUTCOME_CHARS.saturating_sub(word.len()));
        let mut text = format!("{style}{word}{style:#}{pad} {name:NAME_CHARS$} {}\n", plain(what));
        if let Some(remedy) = remedy {
            text.push_str(&format!("{:OUTCOME_CHARS$} {:NAME_CHARS$} → {}\n", "", "", plain(remedy)));
        }
        text
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use serde_json::Value as Json;

    use super::*;

    fn report() -> Report {
        let findings = vec![
            Finding::ok("`tribunal.toml`").named("configuration"),
            Finding::failed_as("cannot reach `a:1`; check the address", "").named("tcp"),
            Finding::skipped("`tcp` failed").named("tls"),
            Finding::warning("`lock: delete`", "remove it").named("excess-rights"),
        ];
        Report { findings }
    }

    #[test]
    fn a_line_for_each_and_another_with_what_to_do() {
        let lines: String = report().findings.iter().map(|finding| finding.as_text(anstyle::Style::new())).collect();
        let expected = "\
ok       configuration            `tribunal.toml`
failed   tcp                      cannot reach `a:1`
                                  → check the address
skipped  tls                      `tcp` failed
warning  excess-rights            `lock: delete`
                                  → remove it
";
        assert_eq!(lines, expected);
        assert_eq!(report().summary(), "4 checks: 1 ok, 1 warning, 1 failed, 1 skipped");
    }

    #[test]
    fn colour_is_around_the_outcome_alone_and_what_a_server_says_has_none() {
        let red = anstyle::AnsiColor::Red.on_default();
        let finding = Finding::failed("\u{1b}[2Jgone", "look\nagain").named("tcp");
        let text = finding.as_text(red);
        assert!(text.starts_with("\u{1b}[31mfailed\u{1b}[0m   tcp"), "{text:?}");
        assert_eq!(text.matches('\u{1b}').count(), 2, "{text:?}");
        assert_eq!(text.lines().count(), 2);
    }

    #[test]
    fn programs_get_an_object_for_each() {
        let said: Json = serde_json::from_str(&report().as_json()).unwrap();
        assert_eq!(said.get("ok").unwrap(), false);
        let checks = said.get("checks").unwrap().as_array().unwrap();
        assert_eq!(checks.len(), 4);
        let tcp = json!({
            "name": "tcp", "outcome": "failed", "what": "cannot reach `a:1`", "remedy": "check the address",
        });
        assert_eq!(checks.get(1).unwrap(), &tcp);
        assert_eq!(checks.first().unwrap().get("remedy").unwrap(), &Json::Null);
    }

    #[test]
    fn only_what_failed_is_no_success() {
        let mut report = report();
        assert!(!report.is_ok());
        report.findings.retain(|finding| finding.outcome != Outcome::Failed);
        assert!(report.is_ok());
        assert_eq!(report.named("tls").count(), 1);
    }
}
