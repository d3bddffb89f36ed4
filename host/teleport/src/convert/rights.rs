//! What roles allow and deny.

use tribunal_proto::types;

use crate::rights::Rights;

/// From all roles of an identity. A rule or a right to review with a condition allows nothing for certain, and may deny.
#[must_use]
pub fn rights(roles: impl IntoIterator<Item = types::RoleV6>) -> Rights {
    let mut rights = Rights::default();
    for role in roles {
        let types::RoleSpecV6 { options: _, allow, deny } = role.spec.unwrap_or_default();
        let types::RoleConditions { rules, request: _, review_requests } = allow.unwrap_or_default();
        for types::Rule { resources, verbs, r#where, actions: _ } in rules {
            if r#where.trim().is_empty() {
                rights.allow(&resources, &verbs);
            }
        }
        if let Some(types::AccessReviewConditions { roles, r#where, preview_as_roles }) = review_requests {
            rights.allow_preview(&preview_as_roles);
            if r#where.trim().is_empty() {
                rights.allow_review(&roles);
            }
        }
        let types::RoleConditions { rules, request: _, review_requests } = deny.unwrap_or_default();
        for types::Rule { resources, verbs, r#where: _, actions: _ } in rules {
            rights.deny(&resources, &verbs);
        }
        if let Some(types::AccessReviewConditions { roles, r#where: _, preview_as_roles: _ }) = review_requests {
            rights.deny_review(&roles);
        }
    }
    rights
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rights::TO_SEE;

    fn rule(resource: &str, verbs: &[&str], condition: &str) -> types::Rule {
        types::Rule {
            resources: vec![resource.to_owned()],
            verbs: verbs.iter().map(|verb| (*verb).to_owned()).collect(),
            r#where: condition.to_owned(),
            actions: Vec::new(),
        }
    }

    fn role(allow: Vec<types::Rule>, deny: Vec<types::Rule>) -> types::RoleV6 {
        let half = |rules| Some(types::RoleConditions { rules, ..Default::default() });
        let spec = types::RoleSpecV6 { options: None, allow: half(allow), deny: half(deny) };
        types::RoleV6 { spec: Some(spec), ..Default::default() }
    }

    #[test]
    fn rights_add_up_over_roles_and_a_denial_counts_for_all() {
        let requests = role(vec![rule("access_request", &["list", "read"], "")], vec![]);
        let locks = role(vec![rule("lock", &["*"], "")], vec![]);
        let never = role(vec![], vec![rule("lock", &["read"], "")]);
        assert_eq!(rights([requests.clone(), locks.clone()]).missing(TO_SEE), [""; 0]);
        assert_eq!(rights([requests, locks, never]).missing(TO_SEE), ["lock: read"]);
        assert_eq!(rights([types::RoleV6::default()]), Rights::default());
    }

    #[test]
    fn a_right_to_review_under_a_condition_is_none_for_certain() {
        let reviews = |roles: &[&str], condition: &str| types::AccessReviewConditions {
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            r#where: condition.to_owned(),
            preview_as_roles: vec!["looker".to_owned()],
        };
        let role = |allow, deny| {
            let half = |review_requests| Some(types::RoleConditions { review_requests, ..Default::default() });
            let spec = types::RoleSpecV6 { options: None, allow: half(allow), deny: half(deny) };
            types::RoleV6 { spec: Some(spec), ..Default::default() }
        };
        let sometimes = "contains(reviewer.roles, \"x\")";
        let always = role(Some(reviews(&["prod-*"], "")), None);
        assert!(rights([always.clone()]).may_review("prod-*"));
        let not_one = rights([always, role(None, Some(reviews(&["prod-a"], sometimes)))]);
        assert!(not_one.may_review("prod-b") && !not_one.may_review("prod-a"));
        let uncertain = rights([role(Some(reviews(&["*"], sometimes)), None)]);
        assert!(!uncertain.may_review("prod-a"));
        assert_eq!(uncertain.previewed_as().len(), 1);
    }

    #[test]
    fn a_rule_with_a_condition_allows_nothing_for_certain_and_may_deny() {
        let sometimes = "equals(resource.spec.user, \"x\")";
        let role = role(vec![rule("lock", &["list"], sometimes), rule("lock", &["read"], "")], vec![]);
        assert_eq!(rights([role.clone()]).missing(&[("lock", &["list", "read"])]), ["lock: list"]);
        let denies = types::RoleV6 {
            spec: Some(types::RoleSpecV6 {
                deny: Some(types::RoleConditions {
                    rules: vec![rule("lock", &["read"], sometimes)],
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        assert!(!rights([role, denies]).may("lock", "read"));
    }
}
