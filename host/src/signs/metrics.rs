//! Counters and histograms, in the names and units of Prometheus. Labels have few values, whatever policies answer: a
//! rule's id is a policy's own text.

use std::collections::BTreeSet;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::Histogram;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};
use tribunal_core::action::Event;
use tribunal_core::case::Fact;
use tribunal_core::decision::{Because, Verdict};
use tribunal_core::failure::Failure;
use tribunal_core::opinion::{Fault, Member};
use tribunal_core::record::{Decided, Lifecycle, Outcome, Record, Step, StepResult};
use tribunal_engine::limit_of;

use super::{About, PanelSeen};

/// How many different policies and rules are told apart; all others are `other`.
pub const RULES_MAX: usize = 256;
/// The longest rule id that is a label, in bytes; longer ones are `other`.
pub const RULE_BYTES_MAX: usize = 64;
/// The type of what [`Metrics::text`] gives. Prometheus reads it, and so does whatever reads OpenMetrics.
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// From a fast policy to the longest full list, in seconds.
const BUCKETS_SECS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 2.5, 10.0, 30.0, 120.0];

/// The verdict of a decision about held requests only.
const ENFORCE: &str = "enforce";
/// All verdicts.
const VERDICTS: [&str; 5] =
    [Verdict::Approve.as_str(), Verdict::Deny.as_str(), Verdict::Leave.as_str(), Verdict::Nothing.as_str(), ENFORCE];

/// Labels of a metric: names and values.
type Labels = Vec<(&'static str, String)>;
type Counters = Family<Labels, Counter>;
type Histograms = Family<Labels, Histogram, fn() -> Histogram>;
type Float = Gauge<f64, AtomicU64>;

/// Everything that is counted and measured.
pub struct Metrics {
    registry: Registry,
    decisions: Counters,
    rules: Counters,
    steps: Counters,
    faults: Counters,
    appends: Counters,
    alarms: Counter,
    sight_lost: Counter,
    watch_up: Gauge,
    lists: Histograms,
    append_durations: Histogram,
    policy_calls: Histograms,
    calls: Histograms,
    gauges: Gauges,
    /// The policies and rules that are told apart so far.
    known_rules: Mutex<BTreeSet<(String, String)>>,
}

/// What is as it is now, set right before it is read.
#[derive(Clone, Debug, Default)]
struct Gauges {
    ready: Gauge,
    view_complete: Gauge,
    breaker_tripped: Gauge,
    policy_available: Family<Labels, Gauge>,
    panel_stale: Gauge,
    requests: Family<Labels, Gauge>,
    resources: Gauge,
    holders: Gauge,
    subjects: Family<Labels, Gauge>,
    last_full_list: Family<Labels, Float>,
    identity_expiry: Family<Labels, Float>,
    identity_usable: Family<Labels, Float>,
    identity_renewals: Counter,
    fact_fresh: Family<Labels, Gauge>,
    clock_skew: Family<Labels, Float>,
}

/// What gauges are set to.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Now {
    /// Whether it is ready.
    pub ready: bool,
    /// Whether the view is complete.
    pub view_complete: bool,
    /// Whether the breaker tripped.
    pub breaker_tripped: bool,
    /// How the panel stands.
    pub panel: PanelSeen,
    /// Who holds what, together.
    pub holdings: super::holdings::Count,
    /// Subjects by what they do: being judged, waiting, failed last time.
    pub subjects: [usize; 3],
    /// When the newest full list was begun, in seconds since the epoch.
    pub last_full_list_secs: Option<f64>,
    /// When the identity expires, in seconds since the epoch.
    pub identity_expiry_secs: Option<f64>,
    /// How many identities followed the first.
    pub identity_renewals: u64,
    /// Whether the identity file can be used.
    pub identity_usable: Option<bool>,
    /// What policies are shown beside requests.
    pub facts: Arc<[Fact]>,
    /// The lower and the upper bound of the server's clock minus ours, in seconds.
    pub skew_secs: [Option<f64>; 2],
}

// === impl Metrics ===

impl Metrics {
    pub(super) fn new(about: &About) -> Self {
        let mut registry = Registry::with_prefix("tribunal");
        let build = vec![("version", env!("CARGO_PKG_VERSION").to_owned()), ("cluster", about.cluster.clone())];
        registry.register("build", "What runs, and on which cluster", Info::new(build));
        let to = &mut registry;
        let metrics = Self {
            decisions: add(to, "decisions", "Decisions, by verdict; `enforce` is about held requests only"),
            rules: add(to, "rules_fired", "Grounds of decisions, by policy, rule and verdict"),
            steps: add(to, "steps", "Changes of the cluster that decisions asked for, by what became of them"),
            faults: add(to, "policy_faults", "Policies that did not answer, by policy, kind of fault and limit"),
            appends: add(to, "ledger_appends", "Records for the ledger, by whether they became durable"),
            alarms: add(to, "alarms", "Times that a person was called"),
            sight_lost: add(to, "sight_losses", "Times that the view of the cluster became incomplete"),
            watch_up: add(to, "watch_up", "Whether the cluster's stream of events is up"),
            lists: add_duration(to, "list_duration", "Full lists of requests and locks"),
            append_durations: {
                let histogram = Histogram::new(BUCKETS_SECS);
                let (name, help) = ("ledger_append_duration", "Records for the ledger until they are durable");
                to.register_with_unit(name, help, Unit::Seconds, histogram.clone());
                histogram
            },
            policy_calls: add_duration(
                to,
                "policy_call_duration",
                "Evaluations of a policy, with their wait for a place",
            ),
            calls: add_duration(
                to,
                "teleport_call_duration",
                "Calls to Teleport, which may each be several of its own",
            ),
            gauges: Gauges::new(to),
            known_rules: Mutex::default(),
            registry: Registry::default(),
        };
        for verdict in VERDICTS {
            // So that a rate can be taken of it from its first time on.
            let _there = metrics.decisions.get_or_create(&decision_labels(verdict, about.dry_run));
        }
        Self { registry, ..metrics }
    }

    /// Everything as text, with gauges set to this.
    #[must_use]
    pub fn text(&self, now: &Now) -> String {
        self.gauges.set(now);
        let mut text = String::new();
        match encode(&mut text, &self.registry) {
            Ok(()) => text,
            // A text takes whatever is written to it.
            Err(fmt::Error) => String::new(),
        }
    }

    pub(super) fn listed(&self, took: Duration, whole: bool) {
        self.lists.get_or_create(&labels([("result", result(whole))])).observe(took.as_secs_f64());
    }

    pub(super) fn append_took(&self, took: Duration) {
        self.append_durations.observe(took.as_secs_f64());
    }

    pub(super) fn appended(&self, durable: bool) {
        self.appends.get_or_create(&labels([("result", result(durable))])).inc();
    }

    /// A policy answered, or did not.
    pub(super) fn asked(&self, panel: &[Member], seat: usize, question: &str, fault: Option<&Fault>, took: Duration) {
        let policy = panel.get(seat).map_or("unknown", |member| member.name.as_str());
        let calls = self.policy_calls.get_or_create(&labels([("policy", policy), ("question", question)]));
        calls.observe(took.as_secs_f64());
        drop(calls);
        if let Some(fault) = fault {
            let mut fault_labels = labels([("policy", policy), ("kind", fault.kind.as_str())]);
            fault_labels.extend(limit_of(fault).map(|limit| ("limit", limit.to_owned())));
            self.faults.get_or_create(&fault_labels).inc();
        }
    }

    /// A call to Teleport ended.
    pub(super) fn called(&self, call: &str, failure: Option<&Failure>, took: Duration) {
        let result = failure.map_or("ok", |failure| failure.class.as_str());
        self.calls.get_or_create(&labels([("call", call), ("result", result)])).observe(took.as_secs_f64());
    }

    pub(super) fn sees(&self, event: &Event) {
        match event {
            Event::WatchUp => drop(self.watch_up.set(1)),
            Event::WatchDown(_) => drop(self.watch_up.set(0)),
            Event::Tick
            | Event::RequestPut(_)
            | Event::RequestGone(_)
            | Event::LockPut(_)
            | Event::LockGone(_)
            | Event::Listed(_)
            | Event::Facts(_)
            | Event::BreakerReleased
            | Event::PanelChanged(_)
            | Event::Done(..) => {}
        }
    }

    pub(super) fn recorded(&self, record: &Record) {
        match record {
            Record::Decided(decided) => self.decided(decided),
            Record::Outcome(Outcome { decision: _, at: _, step, result }) => {
                let step = match step {
                    Step::Lock(_) => "lock",
                    Step::Unlock(_) => "unlock",
                    Step::Approve(_) => "approve",
                    Step::Deny(_) => "deny",
                    Step::Decision => "decision",
                };
                let result = match result {
                    StepResult::Applied => "applied",
                    StepResult::Reviewed(_) => "reviewed",
                    StepResult::Failed(_) => "failed",
                    StepResult::Superseded(_) => "superseded",
                };
                self.steps.get_or_create(&labels([("step", step), ("result", result)])).inc();
            }
            Record::Lifecycle { at: _, what, detail: _ } => match what {
                Lifecycle::Alarm => drop(self.alarms.inc()),
                Lifecycle::ViewIncomplete => drop(self.sight_lost.inc()),
                Lifecycle::Started
                | Lifecycle::Stopped
                | Lifecycle::ViewComplete
                | Lifecycle::BreakerTripped
                | Lifecycle::BreakerReleased
                | Lifecycle::StandbyBegan
                | Lifecycle::Leading
                | Lifecycle::PanelChanged
                | Lifecycle::PanelRefused
                | Lifecycle::ConfigurationRead
                | Lifecycle::IdentityChanged
                | Lifecycle::Quarantined
                | Lifecycle::QuarantineEnded
                | Lifecycle::Overridden
                | Lifecycle::Erased
                | Lifecycle::Archived => {}
            },
        }
    }

    fn decided(&self, decided: &Decided) {
        let verdict = decided.decision.as_ref().map_or(ENFORCE, |decision| decision.verdict.as_str());
        self.decisions.get_or_create(&decision_labels(verdict, decided.dry_run)).inc();
        for (policy, rule) in decided.decision.as_ref().map_or_else(Vec::new, |decision| fired(&decision.because)) {
            self.fired(&policy, &rule, verdict);
        }
        for (_, rule) in &decided.locks {
            let (policy, rule) = rule.split_once('/').unwrap_or(("", rule));
            self.fired(policy, rule, "lock");
        }
    }

    pub(super) fn fired(&self, policy: &str, rule: &str, verdict: &str) {
        let (policy, rule) = self.told_apart(policy, rule);
        self.rules.get_or_create(&labels([("policy", &policy), ("rule", &rule), ("verdict", verdict)])).inc();
    }

    /// A policy and a rule as labels.
    fn told_apart(&self, policy: &str, rule: &str) -> (String, String) {
        let rule = if rule.len() > RULE_BYTES_MAX { "other" } else { rule };
        let pair = (policy.to_owned(), rule.to_owned());
        let mut known = self.known_rules.lock().unwrap_or_else(PoisonError::into_inner);
        if known.contains(&pair) {
            return pair;
        }
        if known.len() < RULES_MAX {
            known.insert(pair.clone());
            return pair;
        }
        ("other".to_owned(), "other".to_owned())
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}

/// The policies and rules that determined a verdict.
fn fired(because: &Because) -> Vec<(String, String)> {
    match because {
        Because::Grounds(grounds) | Because::Faults(_, grounds) => {
            grounds.iter().map(|(policy, ground)| (policy.as_str().to_owned(), ground.rule.clone())).collect()
        }
        // Names of the host's own, which contain one `/`.
        Because::Guarded(_) | Because::LockImpossible(_) | Because::Silence => {
            let split = |rule: &String| rule.split_once('/').map(|(a, b)| (a.to_owned(), b.to_owned()));
            because.rules().iter().filter_map(split).collect()
        }
    }
}

const fn result(good: bool) -> &'static str {
    if good { "ok" } else { "failed" }
}

fn decision_labels(verdict: &str, dry_run: bool) -> Labels {
    labels([("verdict", verdict), ("dry_run", if dry_run { "true" } else { "false" })])
}

fn labels<const N: usize>(labels: [(&'static str, &str); N]) -> Labels {
    labels.map(|(name, value)| (name, value.to_owned())).to_vec()
}

fn add<M: Metric + Clone + Default>(registry: &mut Registry, name: &str, help: &str) -> M {
    let metric = M::default();
    registry.register(name, help, metric.clone());
    metric
}

fn add_duration(registry: &mut Registry, name: &str, help: &str) -> Histograms {
    let histograms = Histograms::new_with_constructor(|| Histogram::new(BUCKETS_SECS));
    registry.register_with_unit(name, help, Unit::Seconds, histograms.clone());
    histograms
}

// === impl Gauges ===

impl Gauges {
    fn new(to: &mut Registry) -> Self {
        let seconds = |to: &mut Registry, name: &str, help: &str| {
            let family = Family::<Labels, Float>::default();
            to.register_with_unit(name, help, Unit::Seconds, family.clone());
            family
        };
        Self {
            ready: add(to, "ready", "Whether the daemon is ready, as `/readyz` says"),
            view_complete: add(to, "view_complete", "Whether the view of the cluster is complete"),
            breaker_tripped: add(
                to,
                "breaker_tripped",
                "Whether nothing is enforced until an operator releases the breaker",
            ),
            policy_available: add(
                to,
                "policy_available",
                "Whether a policy of the panel is asked: loaded, and not in quarantine",
            ),
            panel_stale: add(to, "panel_stale", "Whether another panel is configured, which cannot replace this one"),
            requests: add(to, "requests", "Access requests, by how they stand"),
            resources: add(to, "resources_held", "Different resources held, summed up over users"),
            holders: add(to, "users_holding", "Users who hold anything"),
            subjects: add(to, "subjects", "Users being judged, waiting, or failed in their last round"),
            last_full_list: seconds(to, "last_full_list_timestamp", "When the newest full list was begun"),
            identity_expiry: seconds(to, "identity_expiry_timestamp", "When the daemon's identity expires"),
            identity_usable: add(to, "identity_file_usable", "Whether the identity file can be used as it is now"),
            identity_renewals: add(to, "identity_renewals", "Fresh identities that were taken"),
            fact_fresh: add(to, "fact_fresh", "Whether a fact that policies are shown is as young as it must be"),
            clock_skew: seconds(
                to,
                "clock_skew",
                "The Auth server's clock minus this machine's: bounds, as far as known",
            ),
        }
    }

    fn set(&self, now: &Now) {
        self.ready.set(i64::from(now.ready));
        self.view_complete.set(i64::from(now.view_complete));
        self.breaker_tripped.set(i64::from(now.breaker_tripped));
        // Without those that have left the panel.
        self.policy_available.clear();
        for seen in &now.panel.policies {
            let labels = labels([("policy", seen.name.as_str())]);
            self.policy_available.get_or_create(&labels).set(i64::from(seen.health.is_asked()));
        }
        self.panel_stale.set(i64::from(now.panel.stale.is_some()));
        let count = now.holdings;
        for (state, number) in [
            ("pending", count.pending),
            ("held", count.held),
            ("locked", count.locked),
            ("later", count.later),
            ("promoted", count.promoted),
        ] {
            self.requests.get_or_create(&labels([("state", state)])).set(whole(number));
        }
        self.resources.set(whole(count.resources));
        self.holders.set(whole(count.holders));
        for (state, number) in ["in-flight", "waiting", "retrying"].into_iter().zip(now.subjects) {
            self.subjects.get_or_create(&labels([("state", state)])).set(whole(number));
        }
        known(&self.last_full_list, &labels([]), now.last_full_list_secs);
        known(&self.identity_expiry, &labels([]), now.identity_expiry_secs);
        known(&self.identity_usable, &labels([]), now.identity_usable.map(|usable| f64::from(u8::from(usable))));
        self.identity_renewals.inner().store(now.identity_renewals, Ordering::Relaxed);
        for fact in now.facts.iter() {
            self.fact_fresh.get_or_create(&labels([("fact", &fact.name)])).set(i64::from(fact.fresh));
        }
        for (bound, secs) in ["lower", "upper"].into_iter().zip(now.skew_secs) {
            known(&self.clock_skew, &labels([("bound", bound)]), secs);
        }
    }
}

/// What is not known is not there, rather than zero.
fn known(family: &Family<Labels, Float>, labels: &Labels, value: Option<f64>) {
    match value {
        Some(value) => drop(family.get_or_create(labels).set(value)),
        None => drop(family.remove(labels)),
    }
}

fn whole(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
