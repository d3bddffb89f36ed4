//! The policy of the project's README: a request without a ticket number in its reason is denied.
//! It must never approve: that a ticket is named says nothing about the ticket.

use tribunal_guest::prelude::*;

struct Ticket;

impl Policy for Ticket {
    type Settings = NoSettings;

    fn describe() -> Description {
        description("ticket", "0.1.0", "denies requests that name no ticket")
            .rule("no-ticket", "the reason names no ticket")
            .effect(Effect::Deny)
    }

    fn new(_settings: NoSettings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn review(&self, _case: &Case, request: &AccessRequest) -> Opinion {
        let names_ticket = request.reason.split_whitespace().any(|word| word.starts_with("OPS-"));
        if names_ticket { abstain() } else { deny("no-ticket", "name a ticket in the reason, such as OPS-42") }
    }
}

tribunal_guest::export!(Ticket);

#[cfg(test)]
#[expect(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;
    use tribunal_guest::testing::{case, pending};

    fn ask(reason: &str) -> Opinion {
        let case = case("alice").request(pending("r1").reason(reason)).build();
        Ticket.review(&case, case.find("r1").unwrap())
    }

    #[test]
    fn a_request_without_a_ticket_is_denied() {
        assert_eq!(ask("please"), deny("no-ticket", "name a ticket in the reason, such as OPS-42"));
        assert_eq!(ask("database is slow, OPS-42"), abstain());
    }
}
