//! The bounds that a report is judged by, each with a name, and what exceeds them. It measures nothing.

use tribunal_engine::Limits;

use super::figures::Percentiles;
use super::report::Report;

/// By how many milliseconds a deadline may be exceeded until control is back, for 99 of 100 guests that loop.
pub const OVERTIME_MS_MAX: u64 = 10;
/// How long the next honest decision may take after an attack, in milliseconds, for 99 of 100.
pub const HONEST_MS_MAX: u64 = 5;
/// By how many bytes the process may grow beyond a guest's own memory while it strikes.
pub const GROWTH_BEYOND_CAP_BYTES_MAX: u64 = 8 * MIB;
/// How long it may take to shrink again, in milliseconds.
pub const BACK_MS_MAX: u64 = 1_000;
/// How many bytes the process may have grown by between the end of the warm-up, a tenth of the rounds, and the end:
/// more is a leak.
pub const LEFT_BYTES_MAX: u64 = 8 * MIB;
/// The same of open files.
pub const LEFT_FILES_MAX: usize = 0;

pub(super) const MIB: u64 = 1024 * 1024;

/// Everything that is not as it has to be, in words.
pub(super) fn findings(report: &Report) -> Vec<String> {
    let mut found = Vec::new();
    for guest in &report.guests {
        let wrong = guest.figures.attacks.saturating_sub(guest.figures.expected);
        if wrong > 0 {
            let words = guest.figures.unexpected.join("; ");
            found.push(format!(
                "guest `{}` must come to {}, and {wrong} of {} times it did not: {words}",
                guest.name,
                guest.declared(),
                guest.figures.attacks
            ));
        }
    }
    if let Some(unknown) = &report.unknown {
        found.extend(unknown.wrong.iter().cloned());
    }
    if report.panics > 0 {
        found.push(format!("the host panicked {} times", report.panics));
    }
    memory(report, &mut found);
    if report.conditions.timed {
        times(report, &mut found);
    }
    found
}

fn memory(report: &Report, found: &mut Vec<String>) {
    let cap = u64::try_from(Limits::default().memory_bytes_max).unwrap_or(u64::MAX);
    let threads = u64::try_from(report.conditions.threads).unwrap_or(u64::MAX);
    let most = cap.saturating_add(GROWTH_BEYOND_CAP_BYTES_MAX).saturating_mul(threads);
    for guest in &report.guests {
        let (growth, back_ms) = (guest.figures.growth_bytes, u64::from(guest.figures.back_us) / 1_000);
        if growth > most {
            found.push(format!("guest `{}` made the process grow by {growth} bytes, of {most}", guest.name));
        }
        if back_ms > BACK_MS_MAX {
            found.push(format!(
                "after guest `{}` the process did not shrink for {back_ms} ms, of {BACK_MS_MAX}",
                guest.name
            ));
        }
    }
    if let Some(left) = report.left_bytes().filter(|left| *left > LEFT_BYTES_MAX) {
        found.push(format!("{left} bytes of memory were left behind, of {LEFT_BYTES_MAX}"));
    }
    if let Some(left) = report.left_files().filter(|left| *left > LEFT_FILES_MAX) {
        found.push(format!("{left} open files were left behind, of {LEFT_FILES_MAX}"));
    }
}

fn times(report: &Report, found: &mut Vec<String>) {
    let bounds = [
        ("control was back", report.returned(), report.deadline_ms().saturating_add(OVERTIME_MS_MAX)),
        ("the next honest decision was there", report.honest(), HONEST_MS_MAX),
    ];
    for (what, Percentiles { p99, .. }, most) in bounds {
        // Milliseconds that are counted in millions are exact in a float.
        #[expect(clippy::cast_precision_loss, reason = "a few milliseconds")]
        if p99 > most as f64 {
            found.push(format!("{what} after {p99:.1} ms (p99), of {most}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn grown(bytes: u64, files: usize) -> Vec<String> {
        let report = Report {
            resident_first: Some(MIB),
            resident_warm: Some(40 * MIB),
            resident_after: Some(40 * MIB + bytes),
            files_warm: Some(100),
            files_after: Some(100 + files),
            ..Report::default()
        };
        findings(&report)
    }

    #[test]
    fn what_grows_on_after_the_warm_up_is_a_leak() {
        assert_eq!(grown(LEFT_BYTES_MAX, LEFT_FILES_MAX), Vec::<String>::new());
        let bytes = LEFT_BYTES_MAX + 1;
        assert_eq!(grown(bytes, 0), [format!("{bytes} bytes of memory were left behind, of {LEFT_BYTES_MAX}")]);
        assert_eq!(grown(0, 1), [format!("1 open files were left behind, of {LEFT_FILES_MAX}")]);
    }
}
