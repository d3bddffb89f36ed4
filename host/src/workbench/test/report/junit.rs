//! JUnit's XML, as build servers read it.

use std::time::Duration;

use super::super::SuiteResult;
use super::Count;

/// All suites in one document.
#[must_use]
pub fn junit(suites: &[SuiteResult]) -> String {
    let Count { passed, failed, .. } = Count::of(suites);
    let mut text = format!(
        "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"tribunal plugin test\" tests=\"{}\" failures=\"{failed}\">\n",
        passed.saturating_add(failed),
    );
    for suite in suites {
        let file = escaped(&suite.path.display().to_string());
        let Count { passed, failed, left_out, .. } = Count::of(std::slice::from_ref(suite));
        let took: Duration = suite.cases.iter().map(|case| case.elapsed).sum();
        text.push_str(&format!(
            "  <testsuite name=\"{file}\" tests=\"{}\" failures=\"{failed}\" time=\"{:.6}\">\n    <properties>\n",
            passed.saturating_add(failed),
            took.as_secs_f64(),
        ));
        let left_out = left_out.to_string();
        for (name, value) in
            [("plugin", &suite.plugin), ("policy", &suite.policy), ("digest", &suite.digest), ("left-out", &left_out)]
        {
            text.push_str(&format!("      <property name=\"{name}\" value=\"{}\"/>\n", escaped(value)));
        }
        text.push_str("    </properties>\n");
        for case in &suite.cases {
            let (name, time) = (escaped(&case.name), case.elapsed.as_secs_f64());
            text.push_str(&format!("    <testcase classname=\"{file}\" name=\"{name}\" time=\"{time:.6}\""));
            match case.failures.first() {
                None => text.push_str("/>\n"),
                Some(first) => text.push_str(&format!(
                    ">\n      <failure message=\"{}\">{}</failure>\n    </testcase>\n",
                    escaped(first),
                    escaped(&case.failures.join("\n")),
                )),
            }
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// Text for XML 1.0: what it cannot hold at all is a space.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            '\u{fffe}' | '\u{ffff}' => escaped.push(' '),
            control if control.is_control() => escaped.push(' '),
            other => escaped.push(other),
        }
    }
    escaped
}
