//! Cases in files: as short as a person writes them, with everything else filled in, or in full as the ledger has them. It
//! builds what a policy is shown, and never judges it. `host/docs/CASES.md` is the same for people.

mod expect;
mod fill;
mod flex;
mod form;
mod short;
mod when;

use std::path::Path;

use tribunal_core::case::Case;
use tribunal_ledger::schema;

pub use self::expect::{Expect, FaultWord, LockForm, Opined, OpinionForm};
pub use self::fill::{CLUSTER_DEFAULT, NOW_DEFAULT, SUBJECT_DEFAULT, Shared};
pub use self::flex::{Flex, Many, Word};
pub use self::form::{
    CaseForm, CaseLockForm, ConstraintsForm, DecidedBy, FactForm, FactsForm, Labels, RequestForm, ResourceForm,
    ReviewForm, State, SubjectForm, Term,
};
pub use self::short::short;
pub use self::when::{Ends, When};
use super::Trouble;
use super::syntax::{self, Syntax};

/// The case that a file holds, in its short form or in the ledger's.
///
/// # Errors
/// That it cannot be read, or what is wrong in it.
pub fn read(path: &Path) -> Result<Case, Trouble> {
    let (text, syntax) = syntax::read(path)?;
    let base = path.parent().unwrap_or(Path::new("")).to_owned();
    let built = form_of(&text, syntax).and_then(|form| form.build(&Shared { base, ..Shared::default() }));
    built.map_err(|why| Trouble::form(path, why))
}

/// The case that a text holds.
///
/// # Errors
/// What is wrong in it.
pub fn parse(text: &str, syntax: Syntax) -> Result<Case, String> {
    form_of(text, syntax)?.build(&Shared::default())
}

/// The same, with what else is written there, such as what is expected.
///
/// # Errors
/// What is wrong in it.
pub fn form_of(text: &str, syntax: Syntax) -> Result<CaseForm, String> {
    // In the ledger's form everything is said, so that nothing else is one by accident.
    if let Ok(full) = syntax.parse::<schema::Case>(text) {
        return Ok(CaseForm { whole: Some(full.into()), ..CaseForm::default() });
    }
    syntax.parse(text)
}

#[cfg(test)]
mod tests;
