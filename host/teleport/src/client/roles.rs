//! Reads which roles the cluster has.
//!
//! Must never return a part of them as if it were all.

use std::convert::Infallible;

use tribunal_core::failure::Failure;
use tribunal_proto::proto;

use super::Client;
use super::list::PAGE_ENTRIES;
use super::page::PAGE_TRIES_MAX;
use super::whole::{Partial, Whole};
use crate::failure::{Method, explain};

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
            Ok(roles) => roles.map_err(|partial| partial.explain(LIST_ROLES)),
            Err(_) => Err(explain(LIST_ROLES, &connection.too_late(after))),
        }
    }

    async fn page_roles(&self) -> Result<Vec<String>, Partial> {
        let connection = self.connection();
        let auth = connection.auth();
        let mut names = Whole::new();
        let mut start_key = String::new();
        loop {
            let page = proto::ListRolesRequest { limit: PAGE_ENTRIES, start_key: start_key.clone(), filter: None };
            let ask = || {
                let (mut auth, page) = (auth.clone(), page.clone());
                async move { auth.list_roles(page).await }
            };
            let page = self.page(&connection, LIST_ROLES, PAGE_TRIES_MAX, ask).await?;
            names.take(page.roles, |role| Ok::<_, Infallible>(role.metadata.unwrap_or_default().name))?;
            if page.next_key.is_empty() {
                let mut names = names.end();
                names.retain(|name| !name.is_empty());
                names.sort_unstable();
                names.dedup();
                return Ok(names);
            }
            start_key = names.next(&start_key, page.next_key)?;
        }
    }
}
