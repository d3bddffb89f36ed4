//! Faults of a configuration as people read them: what, where, and what to do. It finds none itself.

use std::fmt;
use std::ops::Range;
use std::path::{Path, PathBuf};

/// The longest part of a line that is shown, in characters.
const SHOWN_CHARS_MAX: usize = 120;
/// How many faults of a file are told: the place of each is looked up in the text, and nobody mends more at once.
const PROBLEMS_MAX: usize = 100;

/// All faults of a configuration, in the order of the file; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigErrors {
    problems: Vec<Problem>,
}

/// One fault of a configuration.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// What is wrong, and why.
    pub what: String,
    /// What to do.
    pub help: String,
    /// Where; none for flags.
    pub place: Option<Place>,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub path: PathBuf,
    /// Where in it; none: what is missing could be anywhere.
    pub spot: Option<Spot>,
}

/// A part of a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Spot {
    /// Counted from 1.
    pub line: usize,
    /// In characters, counted from 1.
    pub column: usize,
    /// In characters, at least 1.
    pub width: usize,
    /// The line.
    pub text: String,
}

/// Collects faults of a text.
#[derive(Debug)]
pub(super) struct Findings<'t> {
    pub(super) path: &'t Path,
    pub(super) text: &'t str,
    found: Vec<Found>,
    /// How many there are beside those.
    untold: usize,
}

#[derive(Debug)]
struct Found {
    offset: usize,
    problem: Problem,
    kind: Kind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Syntax,
    Content,
    /// Something is not there, which says nothing where the text could not be read to its end.
    Absence,
}

// === impl ConfigErrors ===

impl ConfigErrors {
    pub(super) fn single(problem: Problem) -> Self {
        Self { problems: vec![problem] }
    }

    /// The faults, if there are any.
    pub(super) fn of(problems: Vec<Problem>) -> Result<(), Self> {
        if problems.is_empty() { Ok(()) } else { Err(Self { problems }) }
    }

    /// The faults.
    #[must_use]
    pub fn problems(&self) -> &[Problem] {
        &self.problems
    }
}

impl fmt::Display for ConfigErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.problems.iter().enumerate() {
            if index > 0 {
                f.write_str("\n\n")?;
            }
            write!(f, "error: {problem}")?;
        }
        Ok(())
    }
}

impl std::error::Error for ConfigErrors {}

// === impl Problem ===

impl Problem {
    pub(super) fn without_place(what: impl Into<String>, help: impl Into<String>) -> Self {
        Self { what: what.into(), help: help.into(), place: None }
    }
}

impl Problem {
    /// Place and fault in one line, for logs and lists.
    #[must_use]
    pub fn in_a_line(&self) -> String {
        match (&self.place, self.line()) {
            (Some(place), Some(line)) => format!("{}:{line}: {}", place.path.display(), self.what),
            (Some(place), None) => format!("{}: {}", place.path.display(), self.what),
            (None, _) => self.what.clone(),
        }
    }
}

/// As compilers do it, without the word `error`.
impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { what, help, place } = self;
        f.write_str(what)?;
        let mut margin = String::from(" ");
        if let Some(Place { path, spot }) = place {
            match spot {
                None => write!(f, "\n --> {}", path.display())?,
                Some(Spot { line, column, width, text }) => {
                    let number = line.to_string();
                    margin = " ".repeat(number.len().saturating_add(1));
                    write!(f, "\n{margin}--> {}:{line}:{column}", path.display())?;
                    write!(f, "\n{margin}|\n{number} | {text}")?;
                    let before = column.saturating_sub(1);
                    let room = SHOWN_CHARS_MAX.saturating_sub(before);
                    if room > 0 {
                        let carets = "^".repeat((*width).min(room));
                        write!(f, "\n{margin}| {}{carets}", " ".repeat(before))?;
                    }
                }
            }
        }
        if !help.is_empty() {
            write!(f, "\n{margin}= help: {help}")?;
        }
        Ok(())
    }
}

// === impl Findings ===

impl<'t> Findings<'t> {
    pub(super) fn new(path: &'t Path, text: &'t str) -> Self {
        Self { path, text, found: Vec::new(), untold: 0 }
    }

    /// Something is wrong here.
    pub(super) fn at(&mut self, span: &Range<usize>, what: impl Into<String>, help: impl Into<String>) {
        self.push(Kind::Content, Some(span), what.into(), help.into());
    }

    /// This is no TOML.
    pub(super) fn syntax(&mut self, span: Option<&Range<usize>>, what: impl Into<String>, help: impl Into<String>) {
        self.push(Kind::Syntax, span, what.into(), help.into());
    }

    /// Something is missing, here or anywhere.
    pub(super) fn missing(&mut self, span: Option<&Range<usize>>, what: impl Into<String>, help: impl Into<String>) {
        self.push(Kind::Absence, span, what.into(), help.into());
    }

    /// Something is wrong on the command line.
    pub(super) fn flag(&mut self, what: impl Into<String>, help: impl Into<String>) {
        let problem = Problem::without_place(what, help);
        self.found.push(Found { offset: usize::MAX, problem, kind: Kind::Content });
    }

    fn push(&mut self, kind: Kind, span: Option<&Range<usize>>, what: String, help: String) {
        if self.found.len() >= PROBLEMS_MAX {
            self.untold = self.untold.saturating_add(1);
            return;
        }
        let place = Some(Place { path: self.path.to_owned(), spot: span.map(|span| Spot::of(self.text, span)) });
        let offset = span.map_or(usize::MAX, |span| span.start);
        self.found.push(Found { offset, problem: Problem { what, help, place }, kind });
    }

    /// The line that this offset is in, counted from 1.
    pub(super) fn line(&self, offset: usize) -> usize {
        Spot::of(self.text, &(offset..offset)).line
    }

    /// All faults, in the order of the text; what is missing anywhere comes last.
    pub(super) fn finish(mut self) -> Result<(), ConfigErrors> {
        let broken: Vec<Option<usize>> =
            self.found.iter().filter(|found| found.kind == Kind::Syntax).map(|found| found.problem.line()).collect();
        if !broken.is_empty() {
            // What follows from a fault of the syntax is no fault of its own.
            self.found.retain(|found| match found.kind {
                Kind::Syntax => true,
                Kind::Content => !broken.contains(&found.problem.line()),
                Kind::Absence => false,
            });
        }
        self.found.sort_by_key(|found| found.offset);
        let mut problems: Vec<Problem> = self.found.into_iter().map(|found| found.problem).collect();
        if self.untold > 0 {
            let more = format!("there are more faults than these {}", problems.len());
            problems.push(Problem::without_place(more, "mend these first"));
        }
        ConfigErrors::of(problems)
    }
}

impl Problem {
    fn line(&self) -> Option<usize> {
        self.place.as_ref().and_then(|place| place.spot.as_ref()).map(|spot| spot.line)
    }
}

// === impl Spot ===

impl Spot {
    pub(super) fn of(text: &str, span: &Range<usize>) -> Self {
        let before = text.get(..span.start).unwrap_or(text);
        let start = before.rfind('\n').map_or(0, |at| at.saturating_add(1));
        let whole = text.get(start..).and_then(|rest| rest.lines().next()).unwrap_or_default();
        let column = before.get(start..).map_or(0, |part| part.chars().count()).saturating_add(1);
        let length = whole.chars().count();
        let spanned = text.get(span.clone()).and_then(|part| part.lines().next()).unwrap_or_default();
        let room = length.saturating_sub(column.saturating_sub(1));
        Self {
            line: before.matches('\n').count().saturating_add(1),
            column,
            width: spanned.chars().count().min(room).max(1),
            text: whole.chars().take(SHOWN_CHARS_MAX).map(|c| if c.is_control() { ' ' } else { c }).collect(),
        }
    }
}
