//! Does the checks one after the other, each within its deadline, and leaves out what something failed before. It must
//! never wait for one without end.

use std::collections::BTreeMap;
use std::time::Duration;

use tokio::time::timeout;

use super::checks::{Check, checks};
use super::finding::{Finding, Outcome};
use super::report::Report;
use super::seen::{Patient, Seen};

/// After so many seconds people are told what is waited for.
pub const SLOW_SECS: u64 = 2;

/// What is told meanwhile.
#[derive(Debug)]
pub enum Progress<'a> {
    /// This check takes long, and this long at most.
    Slow(&'a str, Duration),
    /// It is done.
    Found(&'a Finding),
}

/// Whether what needs a check can be done.
#[derive(Clone, Debug)]
enum Gate {
    Open,
    /// This check failed.
    Closed(&'static str),
}

/// Does all of them; `tell` hears of each as it is done.
pub async fn examine(patient: Patient, mut tell: impl FnMut(Progress<'_>)) -> Report {
    let mut seen = Seen::new(patient);
    let mut gates: BTreeMap<&'static str, Gate> = BTreeMap::new();
    let mut findings = Vec::new();
    for check in checks() {
        let closed = check.needs.iter().find_map(|need| match gates.get(need) {
            Some(Gate::Closed(by)) => Some(*by),
            Some(Gate::Open) | None => None,
        });
        let (gate, found) = match closed {
            Some(by) => (Gate::Closed(by), vec![Finding::skipped(format!("`{by}` failed"))]),
            None => {
                let found = look(*check, &mut seen, &mut tell).await;
                let failed = found.iter().any(|finding| finding.outcome == Outcome::Failed);
                (if failed { Gate::Closed(check.name) } else { Gate::Open }, found)
            }
        };
        gates.insert(check.name, gate);
        for finding in found {
            let finding = if finding.name.is_empty() { finding.named(check.name) } else { finding };
            tell(Progress::Found(&finding));
            findings.push(finding);
        }
    }
    Report { findings }
}

async fn look(check: Check, seen: &mut Seen, tell: &mut impl FnMut(Progress<'_>)) -> Vec<Finding> {
    let slow = Duration::from_secs(SLOW_SECS).min(check.deadline);
    let mut looking = (check.look)(seen);
    if let Ok(found) = timeout(slow, &mut looking).await {
        return found;
    }
    tell(Progress::Slow(check.name, check.deadline));
    timeout(check.deadline.saturating_sub(slow), looking).await.unwrap_or_else(|_| {
        let what = format!("not done within {} s", check.deadline.as_secs());
        vec![Finding::failed(what, "look at what it waits for: the disk, the network, the server's load")]
    })
}

#[cfg(test)]
mod tests {
    use futures::FutureExt as _;

    use super::*;
    use crate::config::Overrides;

    #[tokio::test]
    async fn what_something_failed_before_is_skipped_and_says_what() {
        let mut told = 0;
        let patient = Patient::new("no/such/tribunal.toml".into(), Overrides::default());
        let report = examine(patient, |progress| told += usize::from(matches!(progress, Progress::Found(_)))).await;
        assert_eq!(report.findings.len(), checks().len());
        assert_eq!(told, report.findings.len());
        assert_eq!(report.count(Outcome::Failed), 1);
        assert!(report.named("configuration").all(|finding| finding.outcome == Outcome::Failed));
        let skipped = report.findings.iter().filter(|finding| finding.outcome == Outcome::Skipped);
        assert!(skipped.map(|finding| finding.what.as_str()).all(|what| what == "`configuration` failed"));
    }

    #[tokio::test(start_paused = true)]
    async fn a_check_that_does_not_end_is_told_of_and_given_up() {
        let endless = Check {
            name: "endless",
            needs: &[],
            deadline: Duration::from_secs(30),
            look: |_seen| std::future::pending().boxed(),
        };
        let mut slow = Vec::new();
        let mut tell = |progress: Progress<'_>| {
            if let Progress::Slow(name, most) = progress {
                slow.push((name.to_owned(), most.as_secs()));
            }
        };
        let begun = tokio::time::Instant::now();
        let mut seen = Seen::new(Patient::new("tribunal.toml".into(), Overrides::default()));
        let found = look(endless, &mut seen, &mut tell).await;
        assert_eq!(begun.elapsed(), Duration::from_secs(30));
        assert_eq!(slow, [("endless".to_owned(), 30)]);
        assert!(found.iter().all(|finding| finding.outcome == Outcome::Failed && finding.remedy.is_some()));
    }
}
