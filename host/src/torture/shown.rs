//! What all attacks came to, as people read it: a line for each guest, and those of all together. Pure.

use super::figures::{Figures, Percentiles};
use super::judge::{self, MIB};
use super::report::{GuestReport, Report};

/// How wide the names are shown, in characters.
const NAME_CHARS: usize = 36;
/// How wide what is declared is shown, in characters.
const DECLARED_CHARS: usize = 34;

// === impl GuestReport ===

impl GuestReport {
    fn line(&self) -> String {
        let Figures { attacks, expected, growth_bytes, returned_us, honest_us, .. } = &self.figures;
        let returned = Percentiles::of(returned_us.clone());
        let honest = Percentiles::of(honest_us.clone());
        let growth = growth_bytes / MIB;
        let when = self.strikes.as_str();
        format!(
            "{:NAME_CHARS$} {when:8} {:DECLARED_CHARS$} {:>11} {:>8.1} {:>8.1} {:>8.1} {growth:>6} {:>8.1}\n",
            self.name,
            self.declared(),
            format!("{expected}/{attacks}"),
            returned.p50,
            returned.p99,
            returned.max,
            honest.p99,
        )
    }
}

// === impl Report ===

impl Report {
    /// A line for each guest, each ended.
    #[must_use]
    pub fn table(&self) -> String {
        let head = format!(
            "{:NAME_CHARS$} {:8} {:DECLARED_CHARS$} {:>11} {:>8} {:>8} {:>8} {:>6} {:>8}\n",
            "guest", "strikes", "must come to", "did", "p50 ms", "p99 ms", "max ms", "MiB", "honest"
        );
        self.guests.iter().fold(head, |mut text, guest| {
            text.push_str(&guest.line());
            text
        })
    }

    /// The figures of all together, a line each with its bound.
    #[must_use]
    pub fn summary(&self) -> String {
        let (returned, honest, (growth, whose)) = (self.returned(), self.honest(), self.growth());
        let unseen = "not told by this system".to_owned();
        let of = |left: Option<String>| left.unwrap_or_else(|| unseen.clone());
        let mib = |bytes: u64| {
            format!(
                "{:.1} MiB",
                Percentiles::of(vec![u32::try_from(bytes / 1_024).unwrap_or(u32::MAX)]).max * 1_000.0 / 1_024.0
            )
        };
        let mut lines = vec![
            format!("{} guests, {} attacks, {} panics of the host", self.guests.len(), self.attacks(), self.panics),
            format!(
                "control back from a loop of {} ms: {:.1} / {:.1} / {:.1} ms (p50 / p99 / max), at most {} (p99)",
                self.deadline_ms(),
                returned.p50,
                returned.p99,
                returned.max,
                self.deadline_ms().saturating_add(judge::OVERTIME_MS_MAX)
            ),
            format!(
                "next honest decision: {:.1} / {:.1} / {:.1} ms, at most {} (p99)",
                honest.p50,
                honest.p99,
                honest.max,
                judge::HONEST_MS_MAX
            ),
            format!(
                "largest growth: {} by `{whose}`, back within {} ms, of {}",
                mib(growth),
                self.back_ms(),
                judge::BACK_MS_MAX
            ),
            format!(
                "left behind since the warm-up: {} of memory, {} files",
                of(self.left_bytes().map(mib)),
                of(self.left_files().map(|files| files.to_string()))
            ),
        ];
        if let Some(unknown) = &self.unknown {
            let outcomes: Vec<_> = unknown.outcomes.iter().map(|(word, count)| format!("{word} {count}")).collect();
            lines.push(format!(
                "{} unknown components: {}; the longest took {} ms",
                unknown.components,
                outcomes.join(", "),
                unknown.longest.as_millis()
            ));
        }
        lines.join("\n")
    }
}
