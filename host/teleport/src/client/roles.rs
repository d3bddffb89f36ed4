//! Reads which roles the cluster has.
//!
//! Must never return a part of them as if it were all.

use tonic::Status;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_proto::proto;

use super::Client;
use super::list::{PAGE_ENTRIES, next};
use crate::failure::{Method, explain};

/// The most roles that a cluster may have.
const ROLES_MAX: usize = 20_000;

const LIST_ROLES: Method = Method { name: "ListRoles", needs: "role: list, read" };

impl Client {
    /// The names of all roles of the cluster, in order.
    ///
    /// # Errors
    /// If they cannot be listed whole; the text says what is missing: the right to, or the method.
    pub async fn roles(&self) -> Result<Vec<String>, Failure> {
        let connection = self.connection();
        let after = self.limits().list;
        match tokio::time::timeout(after, self.page_roles()).await {
            Ok(roles) => roles,
            Err(_) => Err(explain(LIST_ROLES, &connection.too_late(after))),
        }
    }

    async fn page_roles(&self) -> Result<Vec<String>, Failure> {
        let connection = self.connection();
        let mut auth = connection.auth();
        let refused = |status: Status| explain(LIST_ROLES, &status);
        let mut names = Vec::new();
        let mut start_key = String::new();
        loop {
            let page = proto::ListRolesRequest { limit: PAGE_ENTRIES, start_key: start_key.clone(), filter: None };
            let page = self.call(&connection, auth.list_roles(page)).await.map_err(refused)?;
            names.extend(page.roles.into_iter().filter_map(|role| role.metadata).map(|metadata| metadata.name));
            if names.len() > ROLES_MAX {
                let detail = format!("`{}`: more than {ROLES_MAX} roles; a part of them is no list", LIST_ROLES.name);
                return Err(Failure::new(FailureClass::Alarm, detail));
            }
            if page.next_key.is_empty() {
                names.sort_unstable();
                names.dedup();
                return Ok(names);
            }
            start_key = next(&start_key, page.next_key).map_err(|partial| partial.explain(LIST_ROLES))?;
        }
    }
}
