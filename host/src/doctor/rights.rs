//! What the identity may do, against what the configuration needs: told from its roles, and from the server's own answers
//! to being asked. It must never take "cannot tell" for a right.

use futures::FutureExt as _;
use tribunal_teleport::Rights;
use tribunal_teleport::client::{Answer, Ask};

use super::checks::Looking;
use super::cluster::ROLE;
use super::finding::Finding;
use super::here::gone;
use super::seen::Seen;
use crate::role::{self, Need, Needs};

/// What is said where nobody could be asked about rights. That some are missing is no reason not to look at the rest.
const UNREAD: &str = "`rights` failed";

/// Whether a verb is there.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Verdict {
    Granted,
    /// In the server's words, or ours.
    Missing(String),
    Untold,
}

pub(super) fn rights(seen: &mut Seen) -> Looking<'_> {
    async move {
        let (Some(client), Some(config), Some(panel)) = (&seen.client, &seen.config, &seen.panel) else {
            return gone();
        };
        let needs = role::needed(config, panel);
        let rights = match client.rights().await {
            Ok(rights) => rights,
            Err(failure) => {
                let remedy = format!(
                    "make the roles that the identity carries, or have tbot write it anew if they are called otherwise now; {ROLE}"
                );
                return vec![Finding::failed(format!("its roles cannot be read: {failure}"), remedy)];
            }
        };
        for ask in asked(&needs) {
            match client.ask(ask).await {
                Ok(answer) => seen.answers.push((ask, answer)),
                Err(failure) => return vec![Finding::failed_as(&failure, "see the Auth server's log")],
            }
        }
        let mut findings = verbs(&needs, rights.as_ref(), &seen.answers);
        findings.extend(others(&needs, rights.as_ref(), &seen.answers));
        seen.needs = Some(needs);
        seen.rights = rights;
        findings
    }
    .boxed()
}

/// What is to be asked: all that is about a verb that is needed.
fn asked(needs: &Needs) -> Vec<Ask> {
    let needed = needs.verbs();
    let is_needed =
        |kind: &str, verb: &str| needed.iter().any(|(known, verbs)| *known == kind && verbs.contains(&verb));
    let concerns = |ask: &Ask| match ask {
        Ask::Review => needs.review.is_some(),
        Ask::Follow
        | Ask::ListLocks
        | Ask::ReadLock
        | Ask::WriteLock
        | Ask::DeleteLock
        | Ask::SetState
        | Ask::TakeLease
        | Ask::KeepLease
        | Ask::ListLeases
        | Ask::ReadUser
        | Ask::ReadLoginState
        | Ask::ListRoles => ask.about().iter().all(|(kind, verbs)| verbs.iter().all(|verb| is_needed(kind, verb))),
    };
    Ask::ALL.into_iter().filter(concerns).collect()
}

/// A line for each verb.
fn verbs(needs: &Needs, rights: Option<&Rights>, answers: &[(Ask, Answer)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Need { resource, verbs, why, without } in &needs.rules {
        for verb in *verbs {
            let remedy = format!("allow `{verb}` on `{resource}`; {ROLE}");
            let finding = match (verdict(resource, verb, rights, answers), without) {
                (Verdict::Granted, _) => Finding::ok(why.clone()),
                (Verdict::Missing(said), None) => Finding::failed(format!("missing: {said}; the daemon {why}"), remedy),
                (Verdict::Missing(said), Some(without)) => {
                    Finding::warning(format!("missing: {said}; without it {without}"), remedy)
                }
                (Verdict::Untold, _) => Finding::warning("the server does not tell whether it is there", remedy),
            };
            findings.push(finding.named(format!("{resource}:{verb}")));
        }
    }
    findings
}

fn verdict(resource: &str, verb: &str, rights: Option<&Rights>, answers: &[(Ask, Answer)]) -> Verdict {
    if let Some(rights) = rights
        && !rights.may(resource, verb)
    {
        return Verdict::Missing("none of its roles allows it always, or one denies it".to_owned());
    }
    let mut verdict = if rights.is_some() { Verdict::Granted } else { Verdict::Untold };
    for (ask, answer) in answers {
        let is_about = ask.about().iter().any(|(kind, verbs)| *kind == resource && verbs.contains(&verb));
        match answer {
            Answer::Granted if is_about => return Verdict::Granted,
            Answer::Refused(said) if is_about && blames(*ask, said, resource, verb, rights) => {
                verdict = Verdict::Missing(said.clone());
            }
            Answer::Granted | Answer::Refused(_) | Answer::Untold(_) => {}
        }
    }
    verdict
}

/// Whether a refusal may be for this verb, rather than for another one that was asked for with it.
fn blames(ask: Ask, said: &str, resource: &str, verb: &str, rights: Option<&Rights>) -> bool {
    let others = ask.about().iter().flat_map(|(kind, verbs)| verbs.iter().map(move |verb| (*kind, *verb)));
    let mut others = others.filter(|(kind, other)| (*kind, *other) != (resource, verb));
    others.all(|(kind, other)| {
        let known_missing = rights.is_some_and(|rights| !rights.may(kind, other));
        !known_missing && !names(said, other)
    })
}

/// Whether the server's words name this verb, as Go or the simulator quote it.
fn names(said: &str, verb: &str) -> bool {
    said.contains(&format!("\"{verb}\"")) || said.contains(&format!("`{verb}`"))
}

/// What is no verb: reviews, previews.
fn others(needs: &Needs, rights: Option<&Rights>, answers: &[(Ask, Answer)]) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(review) = &needs.review {
        let lacking: Vec<&str> = review
            .roles
            .iter()
            .map(String::as_str)
            .filter(|pattern| rights.is_some_and(|rights| !rights.may_review(pattern)))
            .collect();
        let asked = answers.iter().find(|(ask, _)| *ask == Ask::Review);
        let refused = asked.and_then(|(_, answer)| match answer {
            Answer::Refused(said) => Some(said),
            Answer::Granted | Answer::Untold(_) => None,
        });
        let remedy = format!("add them to `roles` of `review_requests`; {ROLE}");
        findings.push(match (refused, lacking.as_slice()) {
            (None, []) => Finding::ok(review.why.clone()),
            (Some(said), []) => Finding::failed(format!("the server lets it review nothing: {said}"), remedy),
            (_, lacking) => Finding::failed(format!("requests for {} may not be reviewed", lacking.join(", ")), remedy),
        });
        if let Some(last) = findings.last_mut() {
            "review_requests".clone_into(&mut last.name);
        }
    }
    if let (Some(why), Some(rights)) = (&needs.labels, rights) {
        let finding = if rights.previewed_as().is_empty() {
            let what = "it previews as no role, so that policies see labels only of what its own roles open";
            Finding::warning(what, format!("add a role to `preview_as_roles` of `review_requests`; {ROLE}"))
        } else {
            Finding::ok(why.clone())
        };
        findings.push(finding.named("preview_as_roles"));
    }
    findings
}

pub(super) fn excess(seen: &mut Seen) -> Looking<'_> {
    async move {
        let Some(needs) = &seen.needs else { return vec![Finding::skipped(UNREAD)] };
        let Some(rights) = &seen.rights else {
            return vec![Finding::skipped("the server does not tell what the roles allow")];
        };
        let excess = needs.compare(rights).excess;
        vec![if excess.is_empty() {
            Finding::ok("its roles allow nothing that the daemon does not need")
        } else {
            let what = format!("its roles allow more than the daemon needs: {}", excess.join("; "));
            let remedy = format!("take it away: what it may do, a stolen identity may do; {ROLE}");
            Finding::warning(what, remedy)
        }]
    }
    .boxed()
}

pub(super) fn locks(seen: &mut Seen) -> Looking<'_> {
    async move {
        if seen.needs.is_none() {
            return vec![Finding::skipped(UNREAD)];
        }
        let answer = seen.answers.iter().find(|(ask, _)| *ask == Ask::WriteLock).map(|(_, answer)| answer);
        let finding = match answer {
            None => Finding::skipped("the panel locks nothing"),
            Some(Answer::Granted) => Finding::ok(
                "can be written: a lock without name and target was refused for that, and nothing was left behind",
            ),
            Some(Answer::Refused(said)) => Finding::failed(said, ROLE),
            Some(Answer::Untold(said)) => Finding::warning(said, "try it with `tctl lock`"),
        };
        vec![finding]
    }
    .boxed()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rights(allowed: &[(&str, &str)]) -> Rights {
        let mut rights = Rights::default();
        for (kind, verb) in allowed {
            rights.allow(&[(*kind).to_owned()], &[(*verb).to_owned()]);
        }
        rights
    }

    fn refused(said: &str) -> Answer {
        Answer::Refused(said.to_owned())
    }

    fn is_missing(verdict: &Verdict) -> bool {
        matches!(verdict, Verdict::Missing(_))
    }

    #[test]
    fn a_verb_is_there_where_the_roles_say_so_and_the_server_does_not_contradict() {
        let both = rights(&[("lock", "create"), ("lock", "update")]);
        assert_eq!(verdict("lock", "create", Some(&both), &[]), Verdict::Granted);
        let answers = [(Ask::WriteLock, Answer::Granted)];
        assert_eq!(verdict("lock", "create", Some(&both), &answers), Verdict::Granted);
        assert!(is_missing(&verdict("lock", "delete", Some(&both), &answers)));
        let contradicted = [(Ask::WriteLock, refused("access denied"))];
        assert!(is_missing(&verdict("lock", "create", Some(&both), &contradicted)));
    }

    #[test]
    fn a_refusal_is_not_held_against_a_verb_that_it_is_not_about() {
        let one = rights(&[("lock", "create")]);
        let answers = [(Ask::WriteLock, refused("access denied to perform action \"update\" on \"lock\""))];
        assert_eq!(verdict("lock", "create", Some(&one), &answers), Verdict::Granted);
        assert!(is_missing(&verdict("lock", "update", Some(&one), &answers)));
        assert_eq!(verdict("semaphore", "create", None, &answers), Verdict::Untold);
    }

    #[test]
    fn without_roles_to_see_the_servers_answers_are_all_there_is() {
        let granted = [(Ask::ListLocks, Answer::Granted)];
        assert_eq!(verdict("lock", "list", None, &granted), Verdict::Granted);
        assert_eq!(verdict("access_request", "list", None, &granted), Verdict::Untold);
        let refused = [(Ask::ListLocks, refused("access denied to perform action \"list\" on \"lock\""))];
        assert!(is_missing(&verdict("lock", "list", None, &refused)));
        assert_eq!(verdict("lock", "read", None, &refused), Verdict::Untold);
    }

    #[test]
    fn only_what_is_needed_is_asked_for() {
        assert_eq!(asked(&Needs::default()), []);
        let need = Need { resource: "lock", verbs: &["list", "read"], why: String::new(), without: None };
        let needs = Needs { rules: vec![need], ..Needs::default() };
        assert_eq!(asked(&needs), [Ask::ListLocks, Ask::ReadLock]);
    }
}
