//! Attacks the sandbox with the hostile corpus, beside honest plugins, and judges what came of it: faults, time, memory, leaks,
//! and whether anybody else noticed. It must never let a guest pass that was not contained.

mod arena;
mod case;
mod figures;
mod judge;
mod limits;
mod outcome;
mod process;
mod report;
mod run;
mod shown;

pub use figures::{Figures, Percentiles};
pub use judge::{
    BACK_MS_MAX, GROWTH_BEYOND_CAP_BYTES_MAX, HONEST_MS_MAX, LEFT_BYTES_MAX, LEFT_FILES_MAX, OVERTIME_MS_MAX,
};
pub use report::{Conditions, GuestReport, Report, Unknown};
pub use run::{Options, Workshops, run};
