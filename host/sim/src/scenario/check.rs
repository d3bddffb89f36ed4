//! What TOML alone cannot tell about a scenario: references, duplicates, values. It reports every problem with its line and its remedy, and
//! repairs nothing.

use std::collections::BTreeSet;

use super::{ConditionsDef, FaultDef, ReviewDef, RuleDef, Scenario};
use crate::cluster::PREVIEW_ROLE;
use crate::cluster::predicate::Predicate;
use crate::cluster::resource_id;
use crate::release::{METHODS, numbers};

/// A syntax or key error, with the line, in one line.
pub(super) fn describe(text: &str, error: &toml::de::Error) -> String {
    let line =
        error.span().and_then(|span| text.get(..span.start)).map_or(1, |before| before.matches('\n').count() + 1);
    let message = error.message().trim_end_matches('.').replace('\n', "; ");
    format!("line {line}: {message}: see SCENARIO.md for the keys and their form")
}

struct Finder<'a> {
    text: &'a str,
    problems: Vec<String>,
}

impl Finder<'_> {
    /// Adds a problem at the first line after the `index`th `header` that contains `needle` in quotes, or at the header itself.
    fn add(&mut self, header: &str, index: usize, needle: &str, message: &str) {
        let mut headers = 0;
        let mut line = 1;
        let quoted = format!("\"{needle}\"");
        for (number, content) in self.text.lines().enumerate() {
            if content.trim() == header {
                headers += 1;
                if headers == index + 1 {
                    line = number + 1;
                }
                if headers > index + 1 {
                    break;
                }
            }
            if headers == index + 1 && (content.contains(&quoted) || content.contains(&quoted.replace('"', "'"))) {
                line = number + 1;
                break;
            }
        }
        self.problems.push(format!("line {line}: {message}"));
    }

    /// Adds a problem at the first line that contains `needle` in quotes.
    fn add_anywhere(&mut self, needle: &str, message: &str) {
        let quoted = [format!("\"{needle}\""), format!("'{needle}'")];
        let has_it = |line: &str| quoted.iter().any(|quoted| line.contains(quoted.as_str()));
        let line = self.text.lines().position(has_it).map_or(1, |index| index + 1);
        self.problems.push(format!("line {line}: {message}"));
    }
}

pub(super) fn problems(scenario: &Scenario, text: &str) -> Vec<String> {
    let mut finder = Finder { text, problems: Vec::new() };
    if scenario.cluster.is_empty() {
        finder.problems.push("line 1: `cluster` is empty: give the cluster a name".to_owned());
    }
    if scenario.sweep.interval.ms() <= 0 {
        finder.add("[sweep]", 0, "interval", "`interval` must be longer than nothing: write, say, `1s`");
    }
    check_release(scenario, &mut finder);
    let roles = check_roles(scenario, &mut finder);
    let users = check_users(scenario, &roles, &mut finder);
    check_nodes(scenario, &mut finder);
    check_requests(scenario, &users, &mut finder);
    check_faults(&scenario.faults, &mut finder);
    finder.problems
}

fn check_release(scenario: &Scenario, finder: &mut Finder<'_>) {
    for method in scenario.lacks.iter().filter(|method| !METHODS.contains(&method.as_str())) {
        let message = format!("`{method}` is not a method that can be lacking: see SCENARIO.md for how they are named");
        finder.add_anywhere(method, &message);
    }
    for version in scenario.version.iter().chain(&scenario.oldest_client).filter(|version| numbers(version).is_none()) {
        let message = format!("`{version}` is not a version: write three numbers, such as 18.2.0");
        finder.add_anywhere(version, &message);
    }
}

fn check_roles(scenario: &Scenario, finder: &mut Finder<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::from([scenario.bot.name.clone()]);
    if scenario.bot.previews_resources && !scenario.roles.iter().any(|role| role.name == PREVIEW_ROLE) {
        names.insert(PREVIEW_ROLE.to_owned());
    }
    for (index, role) in scenario.roles.iter().enumerate() {
        if !names.insert(role.name.clone()) {
            finder.add(
                "[[role]]",
                index,
                &role.name,
                &format!("role `{}` is there twice (or is the bot's): rename one", role.name),
            );
        }
    }
    for (index, role) in scenario.roles.iter().enumerate() {
        for half in [&role.allow, &role.deny] {
            check_conditions(half, &names, index, finder);
        }
        if let Some(mode) =
            role.request_access.as_deref().filter(|mode| !["optional", "reason", "always"].contains(mode))
        {
            finder.add(
                "[[role]]",
                index,
                mode,
                &format!("`request-access` is `{mode}`: write `optional`, `reason` or `always`"),
            );
        }
    }
    check_rules(&scenario.bot.rules, "[bot]", 0, finder);
    check_rules(&scenario.bot.deny_rules, "[bot]", 0, finder);
    if let Some(review) = &scenario.bot.review_requests {
        check_review(review, &names, "[bot]", 0, finder);
    }
    names
}

fn check_conditions(half: &ConditionsDef, names: &BTreeSet<String>, index: usize, finder: &mut Finder<'_>) {
    check_rules(&half.rules, "[[role]]", index, finder);
    for role in &half.request.search_as_roles {
        if !names.contains(role) {
            finder.add(
                "[[role]]",
                index,
                role,
                &format!("`search-as-roles` names the role `{role}`, which is not defined: add a [[role]] for it"),
            );
        }
    }
    for role in half.request.roles.iter().filter(|role| !role.contains('*')) {
        if !names.contains(role) {
            finder.add(
                "[[role]]",
                index,
                role,
                &format!("`request.roles` names the role `{role}`, which is not defined: add a [[role]] for it"),
            );
        }
    }
    if !["", "required", "optional"].contains(&half.request.reason.mode.as_str()) {
        let mode = &half.request.reason.mode;
        finder.add("[[role]]", index, mode, &format!("`reason.mode` is `{mode}`: write `required` or `optional`"));
    }
    for threshold in &half.request.thresholds {
        check_predicate(&threshold.filter, "[[role]]", index, finder);
        if threshold.approve == 0 && threshold.deny == 0 {
            finder.add(
                "[[role]]",
                index,
                &threshold.name,
                "a threshold of 0 approvals and 0 denials never decides: give one of them a number",
            );
        }
    }
    if let Some(review) = &half.review_requests {
        check_review(review, names, "[[role]]", index, finder);
    }
}

fn check_review(review: &ReviewDef, names: &BTreeSet<String>, header: &str, index: usize, finder: &mut Finder<'_>) {
    check_predicate(&review.r#where, header, index, finder);
    for role in review.preview_as_roles.iter().filter(|role| !names.contains(*role)) {
        let message =
            format!("`preview-as-roles` names the role `{role}`, which is not defined: add a [[role]] for it");
        finder.add(header, index, role, &message);
    }
}

fn check_rules(rules: &[RuleDef], header: &str, index: usize, finder: &mut Finder<'_>) {
    const VERBS: [&str; 8] = ["*", "list", "read", "readnosecrets", "create", "update", "delete", "use"];
    for verb in rules.iter().flat_map(|rule| &rule.verbs).filter(|verb| !VERBS.contains(&verb.as_str())) {
        finder.add(header, index, verb, &format!("`{verb}` is not a verb: use one of {}", VERBS.join(", ")));
    }
}

fn check_predicate(text: &str, header: &str, index: usize, finder: &mut Finder<'_>) {
    if let Err(problem) = Predicate::parse(text) {
        finder.add(header, index, text, &format!("predicate `{text}`: {problem}"));
    }
}

fn check_users(scenario: &Scenario, roles: &BTreeSet<String>, finder: &mut Finder<'_>) -> BTreeSet<String> {
    let mut names = BTreeSet::from([scenario.bot_user()]);
    for (index, user) in scenario.users.iter().enumerate() {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "-_.@+".contains(letter);
        if user.name.is_empty() || user.name.starts_with('.') || !user.name.chars().all(plain) {
            let message = format!("user `{}` cannot be a file name: use letters, digits and - _ . @ +", user.name);
            finder.add("[[user]]", index, &user.name, &message);
        }
        if !names.insert(user.name.clone()) {
            finder.add(
                "[[user]]",
                index,
                &user.name,
                &format!("user `{}` is there twice (or is the bot): rename one", user.name),
            );
        }
        for role in user.roles.iter().chain(user.login_roles.iter().flatten()).filter(|role| !roles.contains(*role)) {
            let message =
                format!("user `{}` has the role `{role}`, which is not defined: add a [[role]] for it", user.name);
            finder.add("[[user]]", index, role, &message);
        }
    }
    names
}

fn check_nodes(scenario: &Scenario, finder: &mut Finder<'_>) {
    let mut names = BTreeSet::new();
    for (index, node) in scenario.nodes.iter().enumerate() {
        if !names.insert((&node.kind, &node.name)) {
            finder.add(
                "[[node]]",
                index,
                &node.name,
                &format!("{} `{}` is there twice: rename one", node.kind, node.name),
            );
        }
    }
}

fn check_requests(scenario: &Scenario, users: &BTreeSet<String>, finder: &mut Finder<'_>) {
    let mut ids = BTreeSet::new();
    for (index, request) in scenario.requests.iter().enumerate() {
        if !users.contains(&request.user) {
            let message = format!("request of user `{}`, who is not defined: add a [[user]] for them", request.user);
            finder.add("[[request]]", index, &request.user, &message);
        }
        if let Some(id) = &request.id {
            if uuid::Uuid::parse_str(id).is_err() {
                finder.add("[[request]]", index, id, &format!("`{id}` is not a UUID: correct it, or leave `id` out"));
            } else if !ids.insert(id) {
                finder.add("[[request]]", index, id, &format!("request `{id}` is there twice: change one id"));
            }
        }
        if request.roles.is_empty() && request.resources.is_empty() {
            finder.add("[[request]]", index, &request.user, "request asks for nothing: give it `roles` or `resources`");
        }
        for resource in request.resources.iter().filter(|resource| resource_id::parse(resource).is_none()) {
            let message = format!(
                "`{resource}` is not a resource: write /cluster/kind/name, such as /{}/node/node-1",
                scenario.cluster
            );
            finder.add("[[request]]", index, resource, &message);
        }
    }
}

fn check_faults(faults: &FaultDef, finder: &mut Finder<'_>) {
    if faults.latency.ms() < 0 || faults.latency_jitter.ms() < 0 {
        finder.add("[faults]", 0, "latency", "a latency cannot be negative: use 0s or more");
    }
    let errors = faults.error.iter().map(|fault| ("[[faults.error]]", &fault.method, fault.next, fault.probability));
    let losses =
        faults.lost_reply.iter().map(|fault| ("[[faults.lost-reply]]", &fault.method, fault.next, fault.probability));
    for list in [errors.collect::<Vec<_>>(), losses.collect()] {
        for (index, (header, method, next, probability)) in list.into_iter().enumerate() {
            match (next, probability) {
                (Some(_), None) => {}
                (None, Some(chance)) if (0.0..=1.0).contains(&chance) => {}
                (None, Some(chance)) => {
                    finder.add(header, index, method, &format!("`probability` is {chance}: use 0 to 1"))
                }
                (Some(_), Some(_)) | (None, None) => {
                    finder.add(header, index, method, "give either `next` or `probability`");
                }
            }
        }
    }
}
