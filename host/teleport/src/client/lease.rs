//! Leases, as Teleport's semaphores with one lease each (`lib/services/local/presence.go`).
//!
//! Must never take "could not be asked" for "is free", nor for "there are none".

use std::convert::Infallible;

use tonic::{Code, Status};
use tribunal_core::Timestamp;
use tribunal_core::failure::Failure;
use tribunal_ports::{Before, Kept, Lease, LeaseWish, Taken};
use tribunal_proto::{proto, types};

use super::list::PAGE_ENTRIES;
use super::page::READ_TRIES_MAX;
use super::whole::{Partial, Whole};
use super::{Client, Connection};
use crate::convert::{timestamp, timestamp_to_proto};
use crate::failure::{Method, explain};
use crate::rights::TO_HOLD;

/// The kind of our semaphores; their names are those of the leases.
pub const SEMAPHORE_KIND: &str = "tribunal";
/// How many lead at a time.
const LEASES_MAX: i64 = 1;

const ACQUIRE: Method = Method { name: "AcquireSemaphore", needs: "semaphore: create, update" };
const KEEP_ALIVE: Method = Method { name: "KeepAliveSemaphoreLease", needs: "semaphore: update" };
const CANCEL: Method = Method { name: "CancelSemaphoreLease", needs: "semaphore: update" };
const LIST: Method = Method { name: "ListSemaphores", needs: "semaphore: list, read" };
const GET: Method = Method { name: "GetSemaphores", needs: "semaphore: list, read" };
/// What keeping others away needs, for people.
const NEEDED: &str = "`semaphore: list, read, create, update`";

impl Client {
    /// Looks at the semaphore first: a lease of ours whose reply was lost, or from before a crash, is found again, and
    /// what stood there before tells whether its holder is known to be gone.
    pub(super) async fn take(&self, wish: LeaseWish) -> Result<Taken, Failure> {
        let connection = self.connection();
        let after = self.limits().list;
        let seen = match tokio::time::timeout(after, self.see(&connection, &wish.name)).await {
            Ok(seen) => seen?,
            Err(_) => return Err(explain(LIST, &connection.too_late(after))),
        };
        if let Seen::Leases(leases) = &seen
            && let Some(ours) = leases.iter().find(|lease| lease.holder == wish.holder)
        {
            let lease = Lease { name: wish.name.clone(), id: ours.lease_id.clone(), until: wish.until };
            if self.keep(lease.clone()).await? == Kept::Held {
                // What stood there before it was ours, nobody can tell any more.
                return Ok(Taken::Ours { lease, before: Before::Unseen });
            }
        }
        let acquire = types::AcquireSemaphoreRequest {
            semaphore_kind: SEMAPHORE_KIND.to_owned(),
            semaphore_name: wish.name.clone(),
            max_leases: LEASES_MAX,
            expires: Some(timestamp_to_proto(wish.until)),
            holder: wish.holder,
        };
        let mut auth = connection.auth();
        match self.call(&connection, auth.acquire_semaphore(acquire)).await {
            Ok(taken) => {
                let lease = Lease { name: wish.name, id: taken.lease_id, until: wish.until };
                Ok(Taken::Ours { lease, before: seen.before() })
            }
            Err(status) if status.code() == Code::ResourceExhausted => Ok(seen.theirs()),
            Err(status) if status.code() == Code::PermissionDenied => self.unable(&status).await,
            Err(status) if status.code() == Code::Unimplemented => {
                Ok(Taken::Unable("the server has no semaphores".to_owned()))
            }
            Err(status) if status.code() == Code::InvalidArgument => Err(misunderstood(ACQUIRE, &status)),
            Err(status) => Err(explain(ACQUIRE, &status)),
        }
    }

    /// A lease that is not kept because of the time on this machine is gone as well: its end cannot be trusted.
    pub(super) async fn keep(&self, lease: Lease) -> Result<Kept, Failure> {
        let connection = self.connection();
        let mut auth = connection.auth();
        match self.call(&connection, auth.keep_alive_semaphore_lease(to_proto(lease))).await {
            Ok(()) => Ok(Kept::Held),
            Err(status) if status.code() == Code::NotFound => Ok(Kept::Gone(explain(KEEP_ALIVE, &status).detail)),
            Err(status) if status.code() == Code::InvalidArgument => {
                Ok(Kept::Gone(misunderstood(KEEP_ALIVE, &status).detail))
            }
            Err(status) => Err(explain(KEEP_ALIVE, &status)),
        }
    }

    pub(super) async fn give_back(&self, lease: Lease) -> Result<(), Failure> {
        let connection = self.connection();
        let mut auth = connection.auth();
        match self.call(&connection, auth.cancel_semaphore_lease(to_proto(lease))).await {
            Ok(()) => Ok(()),
            Err(status) if status.code() == Code::NotFound => Ok(()),
            Err(status) => Err(explain(CANCEL, &status)),
        }
    }

    /// What a refusal means: a right is missing, or it is us who are refused for the time being, which is no proof that
    /// nobody leads.
    async fn unable(&self, refusal: &Status) -> Result<Taken, Failure> {
        let missing = match self.rights().await? {
            Some(rights) => rights.missing(TO_HOLD),
            // The server cannot tell; whoever is refused everywhere is refused for another reason.
            None => self.ping().await.map(|_cluster| vec![ACQUIRE.needs.to_owned()])?,
        };
        if missing.is_empty() {
            return Err(explain(ACQUIRE, refusal));
        }
        Ok(Taken::Unable(format!("its role lacks {}: give it {NEEDED}", missing.join("; "))))
    }

    /// The semaphore as it stands, where it may be seen.
    async fn see(&self, connection: &Connection, name: &str) -> Result<Seen, Failure> {
        let filter =
            types::SemaphoreFilter { semaphore_kind: SEMAPHORE_KIND.to_owned(), semaphore_name: name.to_owned() };
        let pages = self.page_semaphores(connection, filter.clone());
        let (method, semaphores) = match connection.lacks.semaphore_pages.or_older(&connection.dials, pages).await {
            Some(listed) => (LIST, listed),
            None => (GET, self.get_semaphores(connection, filter).await),
        };
        match semaphores {
            Ok(semaphores) => {
                let is_it = |it: &types::SemaphoreV3| {
                    it.sub_kind == SEMAPHORE_KIND && it.metadata.as_ref().is_some_and(|metadata| metadata.name == name)
                };
                let found = semaphores.into_iter().find(is_it);
                Ok(found.map_or(Seen::Nothing, |it| Seen::Leases(it.spec.unwrap_or_default().leases)))
            }
            Err(Partial::Refused(status)) if matches!(status.code(), Code::PermissionDenied | Code::Unimplemented) => {
                Ok(Seen::Unseen)
            }
            Err(partial) => Err(partial.explain(method)),
        }
    }

    /// All semaphores that `filter` lets through. A server that passes the filter over lists others as well, so that the
    /// one that is meant may be on any page.
    async fn page_semaphores(
        &self,
        connection: &Connection,
        filter: types::SemaphoreFilter,
    ) -> Result<Vec<types::SemaphoreV3>, Partial> {
        let auth = connection.auth();
        let mut semaphores = Whole::new();
        let mut page_token = String::new();
        loop {
            let page = proto::ListSemaphoresRequest {
                page_size: PAGE_ENTRIES,
                page_token: page_token.clone(),
                filter: Some(filter.clone()),
            };
            let ask = || {
                let (mut auth, page) = (auth.clone(), page.clone());
                async move { auth.list_semaphores(page).await }
            };
            let page = self.page(connection, LIST, READ_TRIES_MAX, ask).await?;
            semaphores.take(page.semaphores, Ok::<_, Infallible>)?;
            if page.next_page_token.is_empty() {
                return Ok(semaphores.end());
            }
            page_token = semaphores.next(&page_token, page.next_page_token)?;
        }
    }

    /// As old servers list: all at once.
    async fn get_semaphores(
        &self,
        connection: &Connection,
        filter: types::SemaphoreFilter,
    ) -> Result<Vec<types::SemaphoreV3>, Partial> {
        let mut auth = connection.auth();
        let mut semaphores = Whole::new();
        let all = self.call(connection, auth.get_semaphores(filter)).await?;
        semaphores.take(all.semaphores, Ok::<_, Infallible>)?;
        Ok(semaphores.end())
    }
}

/// What is seen of a semaphore.
#[derive(Debug)]
enum Seen {
    Unseen,
    Nothing,
    /// Perhaps over, perhaps none.
    Leases(Vec<types::SemaphoreLeaseRef>),
}

// === impl Seen ===

impl Seen {
    fn before(&self) -> Before {
        match self {
            Self::Unseen => Before::Unseen,
            Self::Nothing => Before::Nothing,
            Self::Leases(_) => Before::Over,
        }
    }

    /// Whoever has the lease that ends last.
    fn theirs(self) -> Taken {
        let leases = match self {
            Self::Unseen | Self::Nothing => Vec::new(),
            Self::Leases(leases) => leases,
        };
        let end = |lease: &types::SemaphoreLeaseRef| timestamp(lease.expires.as_ref());
        let last = leases.into_iter().max_by_key(end);
        let until: Option<Timestamp> = last.as_ref().and_then(end);
        Taken::Theirs { holder: last.map(|lease| lease.holder), until }
    }
}

fn to_proto(lease: Lease) -> types::SemaphoreLease {
    types::SemaphoreLease {
        semaphore_kind: SEMAPHORE_KIND.to_owned(),
        semaphore_name: lease.name,
        lease_id: lease.id,
        expires: Some(timestamp_to_proto(lease.until)),
    }
}

/// All that can be wrong with what we ask for is its time: an end that is over by the server's clock.
fn misunderstood(method: Method, status: &Status) -> Failure {
    let failure = explain(method, status);
    Failure::new(failure.class, format!("{}; check the clock of this machine", failure.detail))
}
