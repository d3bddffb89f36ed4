//! Semaphores: leases that a limited number of holders can have at a time, used as leader leases. Time is the server's, never the client's.

use std::sync::Arc;

use tribunal_proto::types::{
    AcquireSemaphoreRequest, Metadata, SemaphoreFilter, SemaphoreLease, SemaphoreLeaseRef, SemaphoreV3,
};

use super::locks::page;
use super::refusal::{bad_parameter, limit_exceeded, not_found};
use super::{Caller, Change, Cluster, KIND_SEMAPHORE, Refusal};
use crate::clock::Moment;

const PAGE_MAX: usize = 1000;

impl Cluster {
    /// `AcquireSemaphore`. The answer does not carry the holder, as in Teleport.
    ///
    /// # Errors
    /// Without `create` and `update`; missing fields or an end in the past; `ResourceExhausted` when all leases are held.
    pub fn acquire_semaphore(
        &mut self,
        caller: &Caller,
        now: Moment,
        request: AcquireSemaphoreRequest,
    ) -> Result<SemaphoreLease, Refusal> {
        self.require(caller, KIND_SEMAPHORE, &["create", "update"])?;
        if request.semaphore_kind.is_empty() || request.semaphore_name.is_empty() {
            return Err(bad_parameter("missing semaphore kind or name"));
        }
        if request.max_leases <= 0 {
            return Err(bad_parameter("missing or non-positive max leases"));
        }
        let expires =
            Moment::from_proto(request.expires.as_ref()).ok_or_else(|| bad_parameter("missing lease expiry"))?;
        if expires <= now {
            return Err(bad_parameter("cannot acquire a lease that has already expired"));
        }
        let key = (request.semaphore_kind.clone(), request.semaphore_name.clone());
        let mut semaphore = self.semaphores.get(&key).cloned().unwrap_or_else(|| SemaphoreV3 {
            kind: KIND_SEMAPHORE.to_owned(),
            sub_kind: request.semaphore_kind.clone(),
            version: "v3".to_owned(),
            metadata: Some(Metadata {
                name: request.semaphore_name.clone(),
                namespace: "default".to_owned(),
                ..Metadata::default()
            }),
            spec: None,
        });
        let leases = &mut semaphore.spec.get_or_insert_default().leases;
        leases.retain(|lease| Moment::from_proto(lease.expires.as_ref()).is_some_and(|end| now < end));
        if i64::try_from(leases.len()).unwrap_or(i64::MAX) >= request.max_leases {
            return Err(limit_exceeded(format!(
                "cannot acquire semaphore {}/{}: all {} leases are held",
                key.0, key.1, request.max_leases
            )));
        }
        let lease_id = self.ids.revision();
        leases.push(SemaphoreLeaseRef { lease_id: lease_id.clone(), expires: request.expires, holder: request.holder });
        self.store_semaphore(now, &caller.user, key, semaphore);
        Ok(SemaphoreLease {
            semaphore_kind: request.semaphore_kind,
            semaphore_name: request.semaphore_name,
            lease_id,
            expires: request.expires,
        })
    }

    /// `KeepAliveSemaphoreLease`: gives a lease a new end.
    ///
    /// # Errors
    /// Without `update`; `InvalidArgument` for an end in the past; `NotFound` when the lease is gone (leadership is lost).
    pub fn keep_alive_semaphore(
        &mut self,
        caller: &Caller,
        now: Moment,
        lease: &SemaphoreLease,
    ) -> Result<(), Refusal> {
        let (key, mut semaphore) = self.lease_checks(caller, now, lease)?;
        let leases = &mut semaphore.spec.get_or_insert_default().leases;
        let held = leases
            .iter_mut()
            .find(|held| {
                held.lease_id == lease.lease_id
                    && Moment::from_proto(held.expires.as_ref()).is_some_and(|end| now < end)
            })
            .ok_or_else(|| lease_not_found(lease))?;
        held.expires = lease.expires;
        self.store_semaphore(now, &caller.user, key, semaphore);
        Ok(())
    }

    /// `CancelSemaphoreLease`.
    ///
    /// # Errors
    /// Without `update`; `InvalidArgument` for a lease that is over; `NotFound` when it is gone.
    pub fn cancel_semaphore(&mut self, caller: &Caller, now: Moment, lease: &SemaphoreLease) -> Result<(), Refusal> {
        let (key, mut semaphore) = self.lease_checks(caller, now, lease)?;
        let leases = &mut semaphore.spec.get_or_insert_default().leases;
        let before = leases.len();
        leases.retain(|held| held.lease_id != lease.lease_id);
        if leases.len() == before {
            return Err(lease_not_found(lease));
        }
        self.store_semaphore(now, &caller.user, key, semaphore);
        Ok(())
    }

    fn lease_checks(
        &self,
        caller: &Caller,
        now: Moment,
        lease: &SemaphoreLease,
    ) -> Result<((String, String), SemaphoreV3), Refusal> {
        self.require(caller, KIND_SEMAPHORE, &["update"])?;
        if lease.semaphore_kind.is_empty() || lease.semaphore_name.is_empty() || lease.lease_id.is_empty() {
            return Err(bad_parameter("missing semaphore kind, name or lease id"));
        }
        if Moment::from_proto(lease.expires.as_ref()).is_none_or(|expires| expires <= now) {
            return Err(bad_parameter(format!("the lease `{}` has already expired", lease.lease_id)));
        }
        let key = (lease.semaphore_kind.clone(), lease.semaphore_name.clone());
        let semaphore = self.semaphores.get(&key).cloned().ok_or_else(|| lease_not_found(lease))?;
        Ok((key, semaphore))
    }

    fn store_semaphore(&mut self, now: Moment, by: &str, key: (String, String), mut semaphore: SemaphoreV3) {
        let revision = self.ids.revision();
        let last = semaphore.spec.as_ref().and_then(|spec| {
            spec.leases.iter().filter_map(|lease| lease.expires).max_by_key(|expires| Moment::from_proto(Some(expires)))
        });
        let metadata = semaphore.metadata.get_or_insert_default();
        metadata.revision = revision;
        metadata.expires = last;
        self.semaphores.insert(key, semaphore.clone());
        self.record(now, by, Change::SemaphorePut(Arc::new(semaphore)));
    }

    /// `GetSemaphores`: by kind and name; empty fields match all.
    ///
    /// # Errors
    /// Without `list` and `read`.
    pub fn get_semaphores(&self, caller: &Caller, filter: &SemaphoreFilter) -> Result<Vec<SemaphoreV3>, Refusal> {
        self.require(caller, KIND_SEMAPHORE, &["list", "read"])?;
        let wanted = |((kind, name), _): &(&(String, String), &SemaphoreV3)| {
            (filter.semaphore_kind.is_empty() || *kind == filter.semaphore_kind)
                && (filter.semaphore_name.is_empty() || *name == filter.semaphore_name)
        };
        Ok(self.semaphores.iter().filter(wanted).map(|(_, semaphore)| semaphore.clone()).collect())
    }

    /// `ListSemaphores`: a page of the same, and the next page's token.
    ///
    /// # Errors
    /// Without `list` and `read`.
    pub fn list_semaphores(
        &self,
        caller: &Caller,
        filter: &SemaphoreFilter,
        size: i32,
        token: &str,
    ) -> Result<(Vec<SemaphoreV3>, String), Refusal> {
        let key = |semaphore: &SemaphoreV3| {
            let name = semaphore.metadata.as_ref().map_or("", |metadata| metadata.name.as_str());
            format!("{}/{name}", semaphore.sub_kind)
        };
        let mut all = self.get_semaphores(caller, filter)?;
        all.sort_by_cached_key(key);
        Ok(page(all, size, PAGE_MAX, token, key))
    }

    /// `DeleteSemaphore`.
    ///
    /// # Errors
    /// Without `delete`; without kind and name; when there is no such semaphore.
    pub fn delete_semaphore(&mut self, caller: &Caller, now: Moment, filter: &SemaphoreFilter) -> Result<(), Refusal> {
        self.require(caller, KIND_SEMAPHORE, &["delete"])?;
        if filter.semaphore_kind.is_empty() || filter.semaphore_name.is_empty() {
            return Err(bad_parameter("missing semaphore kind or name"));
        }
        let key = (filter.semaphore_kind.clone(), filter.semaphore_name.clone());
        if !self.remove_semaphore(now, &caller.user, &key) {
            return Err(not_found(format!("semaphore {}/{} is not found", key.0, key.1)));
        }
        Ok(())
    }

    pub(super) fn remove_semaphore(&mut self, now: Moment, by: &str, key: &(String, String)) -> bool {
        let removed = self.semaphores.remove(key).is_some();
        if removed {
            self.record(now, by, Change::SemaphoreDeleted(key.0.clone(), key.1.clone()));
        }
        removed
    }
}

fn lease_not_found(lease: &SemaphoreLease) -> Refusal {
    not_found(format!(
        "lease `{}` of semaphore {}/{} is not found",
        lease.lease_id, lease.semaphore_kind, lease.semaphore_name
    ))
}
