//! The policy `ticket`: no access without an open ticket, and none any more when it is closed.
//! It must never approve on a fact that is missing, out of date or damaged, and never lock for want of one.

mod settings;
mod tickets;

use tribunal_classes::pattern::Finder;
use tribunal_guest::prelude::*;
use tribunal_terms::{Marker, Selectors, begins, last_fact, listed, read_fact, utc};

pub use crate::settings::{AssignedTo, Scope, Settings, Unknown, WhenClosed, WhenOpen};
use crate::tickets::{Ticket as Known, Tickets, Wanted};

/// The ticket is good.
pub const TICKET_OPEN: &str = "ticket-open";
/// The reason names no ticket, or too many.
pub const NO_TICKET: &str = "no-ticket";
/// What is known of tickets cannot be relied on now.
pub const TICKETS_NOT_KNOWN: &str = "tickets-not-known";
/// The fact has no such ticket.
pub const TICKET_NOT_FOUND: &str = "ticket-not-found";
/// The ticket is closed.
pub const TICKET_CLOSED: &str = "ticket-closed";
/// The ticket is somebody else's.
pub const TICKET_OF_ANOTHER: &str = "ticket-of-another";
/// The ticket is about something else.
pub const TICKET_ABOUT_OTHER_THINGS: &str = "ticket-about-other-things";
/// The ticket's time has not come, or is over.
pub const TICKET_AT_ANOTHER_TIME: &str = "ticket-at-another-time";

/// At most this many tickets in a reason: each of them may be a ground.
pub const TICKETS_COUNT_MAX: usize = 10;

/// The configured policy.
#[derive(Clone, Debug)]
pub struct Ticket {
    settings: Settings,
    finder: Finder,
    only: Selectors,
    marker: Option<Marker>,
}

tribunal_guest::export!(Ticket);

/// What is wrong with one ticket.
#[derive(Debug, Default)]
struct Problems {
    against: Vec<Ground>,
    unsure: Vec<Ground>,
}

// === impl Ticket ===

impl Policy for Ticket {
    type Settings = Settings;

    fn describe() -> Description {
        description("ticket", env!("CARGO_PKG_VERSION"), "no access without an open ticket, and none when it is closed")
            .rule(TICKET_OPEN, "the reason names a ticket that is open, and in order")
            .rule(NO_TICKET, "the reason names no ticket, or too many")
            .rule(TICKETS_NOT_KNOWN, "the fact with the tickets is missing, out of date or damaged")
            .rule(TICKET_NOT_FOUND, "the fact has no such ticket")
            .rule(TICKET_CLOSED, "the ticket is not open")
            .rule(TICKET_OF_ANOTHER, "the ticket is not assigned to who asks")
            .rule(TICKET_ABOUT_OTHER_THINGS, "the ticket is not about what is asked for")
            .rule(TICKET_AT_ANOTHER_TIME, "the ticket's time has not come, or is over")
            .effect(Effect::Approve)
            .effect(Effect::Deny)
            .effect(Effect::Escalate)
            .effect(Effect::Lock)
    }

    fn new(settings: Settings) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let finder = Finder::new(&settings.pattern);
        let finder = finder.map_err(|why| faults.push(format!("`pattern`: the pattern `{}` {why}", settings.pattern)));
        if let Ok(finder) = &finder
            && finder.find(&settings.example) != [settings.example.as_str()]
        {
            faults.push(format!("`example` is `{}`, in which `pattern` finds no ticket", settings.example));
        }
        if settings.open.is_empty() {
            faults.push("`open` is empty: no ticket could ever be open".to_owned());
        }
        let only = Selectors::new("only", &settings.only, &mut faults);
        let marker = settings.unless_marked.as_ref();
        let marker = marker.map(|word| Marker::new("unless-marked", word, &mut faults));
        match finder {
            Ok(finder) if faults.is_empty() => Ok(Self { settings, finder, only, marker }),
            Ok(_) | Err(()) => Err(faults),
        }
    }

    fn review(&self, case: &Case, request: &AccessRequest) -> Opinion {
        if !self.is_for(case, request) {
            return abstain();
        }
        let numbers = self.numbers(request);
        if numbers.is_empty() {
            return deny(NO_TICKET, format!("Name an open ticket in the reason, such as `{}`", self.settings.example));
        }
        if numbers.len() > TICKETS_COUNT_MAX {
            let count = numbers.len();
            return deny(NO_TICKET, format!("The reason names {count} tickets: name the one that this is for"));
        }
        let named = listed(numbers.iter().map(String::as_str));
        match read_fact(case, &self.settings.fact, Wanted(&numbers)) {
            Ok(tickets) => self.judge(case, request, &numbers, &tickets),
            Err(why) => {
                escalate(TICKETS_NOT_KNOWN, format!("Whether {named} is open cannot be told, so people decide: {why}"))
            }
        }
    }

    fn enforce(&self, case: &Case) -> Vec<LockOrder> {
        if self.settings.when_closed == WhenClosed::Leave {
            return Vec::new();
        }
        let bound = case.held().filter(|request| !request.is_exempt() && self.is_for(case, request));
        let bound: Vec<_> = bound.map(|request| (request, self.numbers(request))).collect();
        let mut numbers: Vec<String> = bound.iter().flat_map(|(_, numbers)| numbers.clone()).collect();
        numbers.sort_unstable();
        numbers.dedup();
        if numbers.is_empty() {
            return Vec::new();
        }
        // An order that is not given again is undone: what was closed stays closed while the fact is out of date.
        match last_fact(case, &self.settings.fact, Wanted(&numbers)) {
            Ok(tickets) => {
                bound.iter().filter_map(|(held, numbers)| self.order(case, held, numbers, &tickets)).collect()
            }
            Err(why) => {
                log::warn(format!("whose tickets are closed cannot be told: {why}"));
                Vec::new()
            }
        }
    }
}

impl Ticket {
    /// Whether a ticket is needed.
    fn is_for(&self, case: &Case, request: &AccessRequest) -> bool {
        let is_marked = self.marker.as_ref().is_some_and(|marker| marker.is_in(&request.reason));
        !is_marked && self.only.any(case, request).may_be()
    }

    /// The tickets that a reason names, in upper case.
    fn numbers(&self, request: &AccessRequest) -> Vec<String> {
        let mut numbers: Vec<String> = Vec::new();
        for found in self.finder.find(&request.reason) {
            let number = found.to_ascii_uppercase();
            if !numbers.contains(&number) {
                numbers.push(number);
            }
        }
        numbers
    }

    /// One good ticket is enough.
    fn judge(&self, case: &Case, request: &AccessRequest, numbers: &[String], tickets: &Tickets) -> Opinion {
        let (mut against, mut unsure) = (Vec::new(), Vec::new());
        for number in numbers {
            let problems = self.problems(case, request, number, tickets.get(number));
            if problems.against.is_empty() && problems.unsure.is_empty() {
                return match self.settings.when_open {
                    WhenOpen::Abstain => abstain(),
                    WhenOpen::Approve => approve(TICKET_OPEN, format!("Ticket `{number}` is open")),
                };
            }
            if problems.against.is_empty() {
                unsure.extend(problems.unsure);
            }
            against.extend(problems.against);
        }
        match unsure.into_iter().next() {
            Some(Ground { rule, reason }) => escalate(rule, reason),
            None => deny_all(against).unwrap_or_else(abstain),
        }
    }

    fn problems(&self, case: &Case, request: &AccessRequest, number: &str, ticket: Option<&Known>) -> Problems {
        let mut problems = Problems::default();
        let Some(ticket) = ticket else {
            let reason =
                format!("Ticket `{number}` is not known: check its number, or try again when it is some minutes old");
            let ground = ground(TICKET_NOT_FOUND, reason);
            match self.settings.unknown {
                Unknown::Deny => problems.against.push(ground),
                Unknown::Escalate => problems.unsure.push(ground),
            }
            return problems;
        };
        if !self.is_open(ticket) {
            let reason = format!("Ticket `{number}` is `{}`: open it again, or name one that is open", ticket.status);
            problems.against.push(ground(TICKET_CLOSED, reason));
        }
        self.look_at_assignee(case, number, ticket, &mut problems);
        let covers = match self.settings.scope {
            Scope::WhereListed => ticket.covers(request),
            Scope::Listed => ticket.lists() && ticket.covers(request),
            Scope::Ignore => true,
        };
        if !covers {
            let reason = format!(
                "Ticket `{number}` is not about all that is asked for: ask for less, or have the ticket name it"
            );
            problems.against.push(ground(TICKET_ABOUT_OTHER_THINGS, reason));
        }
        let begins = begins(request).max(case.now);
        if let Some(starts) = ticket.starts.filter(|starts| begins < *starts) {
            let reason =
                format!("The work of ticket `{number}` starts at {}: ask for access from then on", utc(starts));
            problems.against.push(ground(TICKET_AT_ANOTHER_TIME, reason));
        }
        if let Some(ends) = ticket.ends.filter(|ends| *ends <= begins) {
            let reason =
                format!("The time of ticket `{number}` was over at {}: have it extended, or name another", utc(ends));
            problems.against.push(ground(TICKET_AT_ANOTHER_TIME, reason));
        }
        problems
    }

    fn look_at_assignee(&self, case: &Case, number: &str, ticket: &Known, problems: &mut Problems) {
        if self.settings.assigned_to == AssignedTo::Anybody {
            return;
        }
        let is_assigned = |name: &String| ticket.assignee.as_ref() == Some(name);
        let names = match &self.settings.assignee_trait {
            None => std::slice::from_ref(&case.subject.name),
            Some(_) if case.subject.traits.is_none() => {
                let reason =
                    format!("Whose ticket `{number}` is cannot be told: the requester's traits could not be read");
                problems.unsure.push(ground(TICKET_OF_ANOTHER, reason));
                return;
            }
            Some(key) => case.subject.trait_values(key).unwrap_or_default(),
        };
        if !names.iter().any(is_assigned) {
            let reason = match &ticket.assignee {
                Some(assignee) => {
                    format!("Ticket `{number}` is assigned to `{assignee}`: have it assigned to you, or name yours")
                }
                None => format!("Ticket `{number}` is assigned to nobody: take it first"),
            };
            problems.against.push(ground(TICKET_OF_ANOTHER, reason));
        }
    }

    fn is_open(&self, ticket: &Known) -> bool {
        self.settings.open.iter().any(|open| open.eq_ignore_ascii_case(&ticket.status))
    }

    /// A lock, if each of the tickets is closed or over.
    fn order(&self, case: &Case, held: &AccessRequest, numbers: &[String], tickets: &Tickets) -> Option<LockOrder> {
        let mut order = None;
        for number in numbers {
            let (rule, what) = match tickets.get(number) {
                None if self.settings.when_closed == WhenClosed::LockUnlisted => {
                    (TICKET_NOT_FOUND, "is not listed any more".to_owned())
                }
                Some(ticket) if !self.is_open(ticket) => (TICKET_CLOSED, format!("is `{}`", ticket.status)),
                Some(Known { ends: Some(ends), .. }) if *ends <= case.now => {
                    (TICKET_AT_ANOTHER_TIME, format!("was over at {}", utc(*ends)))
                }
                None | Some(_) => return None,
            };
            let reason = format!(
                "Ticket `{number}` {what}, so the access that was for it ends: open the ticket again, or ask anew with another"
            );
            order.get_or_insert_with(|| lock(&held.id, rule, reason));
        }
        order
    }
}
