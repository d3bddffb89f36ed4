//! The figures, for people. It measures nothing.

use std::time::Duration;

/// The samples of one guest and one size.
#[derive(Clone, Debug, Default)]
pub(crate) struct Line {
    pub(crate) guest: String,
    pub(crate) nodes: usize,
    pub(crate) native: Vec<Duration>,
    pub(crate) bare: Vec<Duration>,
    pub(crate) engine: Vec<Duration>,
    pub(crate) pool: Vec<Duration>,
}

/// Everything.
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub(crate) lines: Vec<Line>,
    /// Decisions a second.
    pub(crate) rate: f64,
}

// === impl Line ===

impl Line {
    pub(crate) fn new(guest: &str, nodes: usize) -> Self {
        Self { guest: guest.to_owned(), nodes, ..Self::default() }
    }

    /// What the limits cost: the median of the engine, in medians of bare wasmtime.
    pub(crate) fn limits_cost(&self) -> f64 {
        quantile(&self.engine, 500) / quantile(&self.bare, 500)
    }

    /// The 99th percentile of the engine, in its medians.
    pub(crate) fn tail(&self) -> f64 {
        quantile(&self.engine, 990) / quantile(&self.engine, 500)
    }

    fn text(&self) -> String {
        let Self { guest, nodes, native, bare, engine, pool } = self;
        let pair = |samples: &[Duration]| {
            if samples.is_empty() {
                return format!("{:>20}", "-");
            }
            format!("{:>10.1}{:>10.1}", quantile(samples, 500), quantile(samples, 990))
        };
        let to_native = match native.as_slice() {
            [] => "-".to_owned(),
            some => format!("{:.1}", quantile(engine, 500) / quantile(some, 500)),
        };
        format!(
            "{guest:<8}{nodes:>6}{}{}{}{}{:>11.2}{:>11.2}{:>11.2}{to_native:>13}",
            pair(native),
            pair(bare),
            pair(engine),
            pair(pool),
            self.limits_cost(),
            quantile(pool, 500) / quantile(bare, 500),
            self.tail()
        )
    }
}

// === impl Figures ===

impl Figures {
    #[expect(clippy::print_stdout, reason = "a program of the developers")]
    pub(crate) fn add(&mut self, line: Line) {
        println!("{}", line.text());
        self.lines.push(line);
    }

    pub(crate) fn head() -> String {
        let ways = ["native", "bare", "engine", "pool"].map(|way| format!("{:>10}{:>10}", format!("{way} p50"), "p99"));
        let [native, bare, engine, pool] = ways;
        format!(
            "microseconds; ratios of medians\n{:<8}{:>6}{native}{bare}{engine}{pool}{:>11}{:>11}{:>11}{:>13}",
            "guest", "nodes", "engine/bare", "pool/bare", "p99/p50", "engine/native"
        )
    }
}

/// The smallest that so many of a thousand are not longer than, in microseconds.
fn quantile(samples: &[Duration], of_thousand: usize) -> f64 {
    let mut sorted = samples.to_vec();
    sorted.sort_unstable();
    let rank = sorted.len().saturating_mul(of_thousand).div_ceil(1_000).saturating_sub(1);
    sorted.get(rank).map_or(f64::NAN, Duration::as_secs_f64) * 1e6
}
