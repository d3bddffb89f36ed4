//! Who calls: the facts that Teleport writes into a client certificate's subject. It decides nothing.

use crate::clock::Moment;

/// The holder of a client certificate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// The Teleport user; the certificate's common name.
    pub user: String,
    /// The roles that count for this certificate; one organization each.
    pub roles: Vec<String>,
    /// Ids of access requests that this certificate has assumed.
    pub active_requests: Vec<String>,
    /// A Machine ID bot: exempt from multi-factor checks.
    pub bot: bool,
    /// When the certificate ends; it limits how long a request of its holder can last.
    pub expires: Option<Moment>,
}

impl Caller {
    /// A person without assumed requests, whose certificate does not limit anything.
    #[must_use]
    pub fn person(user: &str, roles: &[&str]) -> Self {
        Self {
            user: user.to_owned(),
            roles: roles.iter().map(|role| (*role).to_owned()).collect(),
            active_requests: Vec::new(),
            bot: false,
            expires: None,
        }
    }
}
