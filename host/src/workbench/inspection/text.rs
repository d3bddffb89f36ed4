//! An inspection as people read it. It leaves nothing out that is in the JSON but for the schema's text.

use anstyle::Style;
use tribunal_engine::{Anatomy, Kind};

use super::{Inspection, Said};
use crate::health::plain;

/// Lines of a name and a text.
struct Page {
    text: String,
    good: Style,
    bad: Style,
}

// === impl Inspection ===

impl Inspection {
    /// All of it for people; `good` and `bad` are how verdicts look.
    #[must_use]
    pub fn as_text(&self, good: Style, bad: Style) -> String {
        let mut page = Page { text: format!("{}\n", plain(&self.label)), good, bad };
        page.surface(&self.anatomy);
        if let Ok(said) = &self.said {
            page.said(said, self.needs_settings());
        }
        self.say_needs(&mut page);
        match self.problem() {
            None => page.verdict(true, "verdict", "would load here"),
            Some(problem) => page.verdict(false, "verdict", &format!("would not load here: {problem}")),
        }
        page.text
    }

    fn say_needs(&self, page: &mut Page) {
        let (needs, limits) = (&self.anatomy.needs, &self.limits);
        let in_describe = self.said.as_ref().map_or_else(
            |_| String::new(),
            |said| format!(", {} in `describe`", counted(wide(said.traces.memory_bytes))),
        );
        let max = |limit: usize| counted(wide(limit));
        page.say(
            "needs",
            &format!(
                "{} bytes of memory from the start{in_describe}; its limit is {} (`memory_bytes_max`)",
                counted(needs.memory_bytes),
                max(limits.memory_bytes_max),
            ),
        );
        page.say(
            "",
            &format!(
                "{} table elements; its limit is {} (`table_elements_max`)",
                counted(needs.table_elements),
                max(limits.table_elements_max),
            ),
        );
        page.say(
            "",
            &format!(
                "{} modules with {} functions, the longest of {} bytes",
                counted(needs.modules),
                counted(needs.functions),
                counted(needs.function_bytes),
            ),
        );
        if let Ok(said) = &self.said {
            page.say("", &format!(
                "{:.1} ms for `describe`; its limit is {} (`setup_deadline_ms`), that of an answer {} (`deadline_ms`)",
                said.traces.elapsed.as_secs_f64() * 1_000.0,
                limits.setup_deadline_ms,
                limits.deadline_ms,
            ));
        }
    }
}

// === impl Page ===

impl Page {
    fn say(&mut self, name: &str, what: &str) {
        self.text.push_str(&format!("  {name:<9} {}\n", plain(what)));
    }

    fn verdict(&mut self, is_good: bool, name: &str, what: &str) {
        let (style, word) = if is_good { (self.good, "ok") } else { (self.bad, "no") };
        self.text.push_str(&format!("  {name:<9} {style}{word}{style:#} {}\n", plain(what)));
    }

    fn surface(&mut self, anatomy: &Anatomy) {
        let Anatomy {
            digest,
            bytes,
            kind,
            contract,
            imports,
            exports,
            missing,
            metadata,
            producers,
            needs: _,
            problem: _,
        } = anatomy;
        self.say("digest", &digest.to_string());
        self.say("size", &format!("{} bytes", counted(*bytes)));
        self.say(
            "kind",
            match kind {
                Kind::Component => "a component",
                Kind::CoreModule => "a core module, which is no component yet",
                Kind::Text => "WebAssembly text, which is not assembled yet",
                Kind::Other => "no WebAssembly",
            },
        );
        if let Some(contract) = contract {
            self.say("contract", &format!("tribunal:policy@{contract}"));
        }
        if missing.is_empty() {
            self.verdict(true, "world", "`policy`");
        } else if *kind == Kind::Component {
            let missing: Vec<_> = missing.iter().map(|name| format!("`{name}`")).collect();
            self.verdict(false, "world", &format!("not `policy`: it does not export {}", missing.join(", ")));
        }
        for (index, import) in imports.iter().enumerate() {
            let name = if index == 0 { "imports" } else { "" };
            match &import.refused {
                None => self.verdict(true, name, &import.name),
                Some(problem) => self.verdict(false, name, &problem.to_string()),
            }
        }
        if !exports.is_empty() {
            self.say("exports", &exports.join(", "));
        }
        let made = producers.iter().map(|producer| format!("{} {}", producer.name, producer.version).trim().to_owned());
        let made: Vec<String> = made.collect();
        if !made.is_empty() {
            self.say("made with", &made.join(", "));
        }
        for (key, value) in metadata {
            self.say(key, value);
        }
    }

    fn said(&mut self, said: &Said, needs_settings: &[String]) {
        let description = &said.description;
        self.say("policy", &format!("{} {}: {}", description.name, description.version, description.summary));
        let effects: Vec<_> = description.effects.iter().map(|effect| effect.as_str()).collect();
        self.say("effects", &effects.join(", "));
        for (index, rule) in description.rules.iter().enumerate() {
            self.say(if index == 0 { "rules" } else { "" }, &format!("{}: {}", rule.id, rule.summary));
        }
        match &said.schema {
            Ok(schema) if schema.is_none() => self.say("settings", "takes none"),
            Ok(schema) => {
                self.say("settings", &format!("{}; `--schema` prints the JSON Schema", schema.keys().join(", ")));
            }
            Err(problem) => self.verdict(false, "settings", &problem.to_string()),
        }
        for fault in needs_settings {
            self.say("", &format!("must be told: {fault}"));
        }
    }
}

fn wide(number: usize) -> u64 {
    u64::try_from(number).unwrap_or(u64::MAX)
}

/// A number with a comma before each three digits.
fn counted(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index) % 3 == 0 {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
