//! What a user holds without any request.

use std::collections::BTreeMap;

use tribunal_core::request::{Attributes, Subject, UserName};
use tribunal_proto::{trait_v1, types, userloginstate_v1};

use super::attributes;

/// From the state since the last login, which includes what access lists add.
#[must_use]
pub fn subject_of_login_state(name: UserName, state: userloginstate_v1::UserLoginState) -> Subject {
    let userloginstate_v1::Spec { roles, traits, user_type: _, original_roles: _ } = state.spec.unwrap_or_default();
    let mut attributes: Attributes = BTreeMap::new();
    for trait_v1::Trait { key, values } in traits {
        attributes.entry(key).or_default().extend(values);
    }
    Subject { name, roles: Some(roles), traits: Some(attributes) }
}

/// From the stored user.
#[must_use]
pub fn subject_of_user(name: UserName, user: types::UserV2) -> Subject {
    let types::UserSpecV2 { roles, traits, status: _, expires: _ } = user.spec.unwrap_or_default();
    Subject { name, roles: Some(roles), traits: Some(attributes(traits)) }
}
