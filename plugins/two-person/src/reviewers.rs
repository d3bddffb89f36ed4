//! Who has approved and who has denied, of those whose word counts.
//! It must never believe a review that the requester could have written: one that is the requester's own, or that was
//! there with the request.

use std::collections::BTreeMap;

use serde::Deserialize;
use tribunal_guest::{AccessRequest, Case, RequestState, Review};
use tribunal_terms::{Entries, Globs, NoFact, Object, read_fact};

/// What Machine ID bots are called.
const BOT_PREFIX: &str = "bot-";

/// Whose word counts.
pub(crate) struct Criteria<'a> {
    pub(crate) names: Option<&'a Globs>,
    pub(crate) roles: Option<&'a Globs>,
    pub(crate) other_team: bool,
    pub(crate) fact: &'a str,
}

/// What those said whose word counts; each once, in the order of their first review.
#[derive(Debug, Default)]
pub(crate) struct Reviewers<'a> {
    pub(crate) approved: Vec<&'a str>,
    pub(crate) denied: Vec<&'a str>,
}

/// What the fact knows of people, by user name.
type People = BTreeMap<String, Object<Person>>;

/// What the fact knows of a person; what else there is about them is skipped.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default)]
struct Person {
    roles: Vec<String>,
    team: Option<String>,
}

// === impl Reviewers ===

impl<'a> Reviewers<'a> {
    /// # Errors
    /// Why the fact says nothing, where it is needed.
    pub(crate) fn of(case: &Case, request: &'a AccessRequest, criteria: &Criteria<'_>) -> Result<Self, NoFact> {
        let is_named = |review: &&Review| criteria.names.is_none_or(|names| names.matches(&review.author));
        let reviews = request.reviews.iter().filter(|review| could_count(case, request, review)).filter(is_named);
        let reviews: Vec<&Review> = reviews.collect();
        let people = criteria.people(case, &reviews)?;
        let mut said = Self::default();
        for review in reviews {
            if !criteria.admits(&people, &review.author, &case.subject.name) {
                continue;
            }
            let list = match review.state {
                RequestState::Approved => &mut said.approved,
                RequestState::Denied => &mut said.denied,
                RequestState::Pending | RequestState::Promoted | RequestState::Unknown => continue,
            };
            if !list.contains(&review.author.as_str()) {
                list.push(&review.author);
            }
        }
        Ok(said)
    }
}

/// Not the requester's, not a machine's, and given after the request was there.
fn could_count(case: &Case, request: &AccessRequest, review: &Review) -> bool {
    let is_own = review.author == request.user || review.author == case.subject.name;
    let is_of_then = review.created > request.created && review.created <= case.now;
    !is_own && !review.author.is_empty() && !review.author.starts_with(BOT_PREFIX) && is_of_then
}

// === impl Criteria ===

impl Criteria<'_> {
    /// What is known of the authors and of the requester, where that matters.
    fn people(&self, case: &Case, reviews: &[&Review]) -> Result<People, NoFact> {
        if self.roles.is_none() && !self.other_team {
            return Ok(People::new());
        }
        let mut names: Vec<&str> = reviews.iter().map(|review| review.author.as_str()).collect();
        names.push(&case.subject.name);
        read_fact(case, self.fact, Entries::of(&names))
    }

    fn admits(&self, people: &People, author: &str, requester: &str) -> bool {
        let person = people.get(author).map(|Object(person)| person);
        let has_role = self
            .roles
            .is_none_or(|globs| person.is_some_and(|person| person.roles.iter().any(|role| globs.matches(role))));
        let team = |name: &str| people.get(name).and_then(|Object(person)| person.team.as_deref());
        // Of somebody whose team is not known nobody can say that it is another one.
        let is_outside =
            !self.other_team || matches!((team(author), team(requester)), (Some(theirs), Some(ours)) if theirs != ours);
        has_role && is_outside
    }
}
