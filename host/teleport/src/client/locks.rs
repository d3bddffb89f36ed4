//! Reads locks: in pages, all at once from servers that have no pages, or one by its name.
//!
//! Must never return a part of a list as if it were the whole.

use tonic::Code;
use tribunal_core::failure::{Failure, FailureClass};
use tribunal_core::lock::{Lock, LockName};
use tribunal_proto::proto;

use super::list::PAGE_ENTRIES;
use super::page::READ_TRIES_MAX;
use super::timing::created_at;
use super::whole::{Partial, Whole};
use super::{Client, Connection};
use crate::convert;
use crate::failure::{Method, explain};

const LIST_LOCKS: Method = Method { name: "ListLocks", needs: "lock: list, read" };
const GET_LOCKS: Method = Method { name: "GetLocks", needs: "lock: list, read" };
const GET_LOCK: Method = Method { name: "GetLock", needs: "lock: read" };

impl Client {
    pub(super) async fn read_lock(&self, connection: &Connection, name: &LockName) -> Result<Option<Lock>, Failure> {
        let mut auth = connection.auth();
        let request = proto::GetLockRequest { name: name.as_str().to_owned() };
        match self.call(connection, auth.get_lock(request)).await {
            Ok(message) => {
                let made = created_at(&message);
                let lock =
                    convert::lock(message).map_err(|error| Failure::new(FailureClass::Alarm, error.to_string()))?;
                self.timing.read(&lock, made);
                Ok(Some(lock))
            }
            Err(status) if status.code() == Code::NotFound => Ok(None),
            // A server that only lists locks says as much, at more cost.
            Err(status) if status.code() == Code::Unimplemented => {
                let locks = self.list_locks(connection, READ_TRIES_MAX).await?;
                Ok(locks.into_iter().find(|lock| lock.name == *name))
            }
            Err(status) => Err(explain(GET_LOCK, &status)),
        }
    }

    /// All locks, those that are over as well.
    pub(super) async fn list_locks(&self, connection: &Connection, tries: u32) -> Result<Vec<Lock>, Failure> {
        let pages = self.page_locks(connection, tries);
        match connection.lacks.lock_pages.or_older(&connection.dials, pages).await {
            Some(listed) => listed.map_err(|partial| partial.explain(LIST_LOCKS)),
            None => self.get_locks(connection, tries).await.map_err(|partial| partial.explain(GET_LOCKS)),
        }
    }

    async fn page_locks(&self, connection: &Connection, tries: u32) -> Result<Vec<Lock>, Partial> {
        let auth = connection.auth();
        let mut locks = Whole::new();
        let mut page_token = String::new();
        loop {
            let page =
                proto::ListLocksRequest { page_size: PAGE_ENTRIES, page_token: page_token.clone(), filter: None };
            let ask = || {
                let (mut auth, page) = (auth.clone(), page.clone());
                async move { auth.list_locks(page).await }
            };
            let page = self.page(connection, LIST_LOCKS, tries, ask).await?;
            locks.take(page.locks, convert::lock)?;
            if page.next_page_token.is_empty() {
                return Ok(locks.end());
            }
            page_token = locks.next(&page_token, page.next_page_token)?;
        }
    }

    /// As old servers list: all at once.
    async fn get_locks(&self, connection: &Connection, tries: u32) -> Result<Vec<Lock>, Partial> {
        let auth = connection.auth();
        let ask = || {
            let mut auth = auth.clone();
            let all = proto::GetLocksRequest { targets: Vec::new(), in_force_only: false };
            async move { auth.get_locks(all).await }
        };
        let mut locks = Whole::new();
        locks.take(self.page(connection, GET_LOCKS, tries, ask).await?.locks, convert::lock)?;
        Ok(locks.end())
    }
}
