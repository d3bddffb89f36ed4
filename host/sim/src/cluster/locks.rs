//! Locks: storing them, finding them, and refusing whoever one of them targets. It never removes a lock that nobody asked to remove.

use std::sync::Arc;

use tribunal_proto::types::{LockFilter, LockTarget, LockV2};

use super::listing::PAGE_DEFAULT;
use super::refusal::{access_denied, bad_parameter, not_found};
use super::{Caller, Change, Cluster, KIND_LOCK, Refusal, StoredLock};
use crate::clock::Moment;

/// Largest page of locks.
const PAGE_MAX: usize = 1000;

impl Cluster {
    /// Refuses a caller whom a lock in force targets.
    ///
    /// # Errors
    /// `PermissionDenied`, naming the target and the lock's message.
    pub fn admit(&self, caller: &Caller, now: Moment) -> Result<(), Refusal> {
        let named = caller.active_requests.iter().flat_map(|request| self.lock_index.on_request(request));
        let hit = named
            .chain(self.lock_index.others())
            .filter_map(|name| self.locks.get(name))
            .find(|lock| in_force(lock, now) && self.targets_caller(lock, caller));
        match hit {
            None => Ok(()),
            Some(lock) => Err(access_denied(in_force_message(lock))),
        }
    }

    fn targets_caller(&self, lock: &LockV2, caller: &Caller) -> bool {
        let Some(target) = lock.spec.as_ref().and_then(|spec| spec.target.as_ref()) else { return false };
        let LockTarget {
            user,
            role,
            access_request,
            login: _,
            mfa_device: _,
            windows_desktop: _,
            device: _,
            server_id: _,
            bot_instance_id: _,
            join_token: _,
        } = target;
        // Other fields name things that callers here do not have, so a lock that sets one of them matches nobody.
        fields(target)
            .into_iter()
            .all(|(name, value)| value.is_empty() || ["User", "Role", "AccessRequest"].contains(&name))
            && !is_empty(target)
            && (user.is_empty() || *user == caller.user)
            && (role.is_empty() || self.caller_roles(caller).contains(role))
            && (access_request.is_empty() || caller.active_requests.contains(access_request))
    }

    /// `UpsertLock`: stores a lock under the client's name, replacing one of the same name.
    ///
    /// # Errors
    /// Without `create` and `update`; without a name or a target.
    pub fn upsert_lock(&mut self, caller: &Caller, now: Moment, mut lock: LockV2) -> Result<(), Refusal> {
        self.require(caller, KIND_LOCK, &["create", "update"])?;
        if !["", KIND_LOCK].contains(&lock.kind.as_str()) {
            return Err(bad_parameter(format!("kind `{}` is not a lock", lock.kind)));
        }
        let metadata = lock.metadata.get_or_insert_default();
        if metadata.name.is_empty() {
            return Err(bad_parameter("missing parameter: the lock has no name"));
        }
        if metadata.namespace.is_empty() {
            "default".clone_into(&mut metadata.namespace);
        }
        metadata.revision = self.ids.revision();
        let name = metadata.name.clone();
        let spec = lock.spec.get_or_insert_default();
        if spec.target.as_ref().is_none_or(is_empty) {
            return Err(bad_parameter("at least one target field must be set on a lock"));
        }
        if spec.created_by.is_empty() {
            spec.created_by.clone_from(&caller.user);
        }
        if Moment::from_proto(spec.created_at.as_ref()).is_none() {
            spec.created_at = Some(now.to_proto());
        }
        KIND_LOCK.clone_into(&mut lock.kind);
        "v2".clone_into(&mut lock.version);
        let stored = Arc::new(lock);
        if let Some(replaced) = self.locks.insert(name.clone(), Arc::clone(&stored)) {
            self.lock_index.remove(&name, &replaced);
        }
        self.lock_index.insert(&name, &stored);
        self.record(now, &caller.user, Change::LockPut(stored));
        Ok(())
    }

    /// `GetLock`, from the backend.
    ///
    /// # Errors
    /// Without `read`; when there is no such lock.
    pub fn get_lock(&self, caller: &Caller, name: &str) -> Result<StoredLock, Refusal> {
        self.require(caller, KIND_LOCK, &["read"])?;
        if name.is_empty() {
            return Err(bad_parameter("missing lock name"));
        }
        self.locks.get(name).cloned().ok_or_else(|| lock_not_found(name))
    }

    /// `GetLocks`: every lock that the filter lets through, by name.
    ///
    /// # Errors
    /// Without `list` and `read`.
    pub fn get_locks(&self, caller: &Caller, now: Moment, filter: &LockFilter) -> Result<Vec<StoredLock>, Refusal> {
        self.require(caller, KIND_LOCK, &["list", "read"])?;
        let wanted = |lock: &&StoredLock| {
            (!filter.in_force_only || in_force(lock, now))
                && (filter.targets.is_empty() || filter.targets.iter().any(|target| covered_by(lock, target)))
        };
        Ok(self.list_view.locks().values().filter(wanted).cloned().collect())
    }

    /// `ListLocks`: a page of the same, and the next page's token.
    ///
    /// # Errors
    /// Without `list` and `read`.
    pub fn list_locks(
        &self,
        caller: &Caller,
        now: Moment,
        filter: &LockFilter,
        size: i32,
        token: &str,
    ) -> Result<(Vec<StoredLock>, String), Refusal> {
        let all = self.get_locks(caller, now, filter)?;
        Ok(page(all, size, PAGE_MAX, token, |lock| name_of(lock).to_owned()))
    }

    /// `DeleteLock`.
    ///
    /// # Errors
    /// Without `delete`; when there is no such lock.
    pub fn delete_lock(&mut self, caller: &Caller, now: Moment, name: &str) -> Result<(), Refusal> {
        self.require(caller, KIND_LOCK, &["delete"])?;
        if name.is_empty() {
            return Err(bad_parameter("missing lock name"));
        }
        if self.remove_lock(now, &caller.user, name) { Ok(()) } else { Err(lock_not_found(name)) }
    }

    pub(super) fn remove_lock(&mut self, now: Moment, by: &str, name: &str) -> bool {
        let Some(lock) = self.locks.remove(name) else { return false };
        self.lock_index.remove(name, &lock);
        self.record(now, by, Change::LockDeleted(name.to_owned()));
        true
    }

    /// The first lock in force on this request, if any.
    #[must_use]
    pub fn lock_on_request(&self, now: Moment, id: &str) -> Option<&StoredLock> {
        let only_this = |lock: &LockV2| {
            lock.spec.as_ref().and_then(|spec| spec.target.as_ref()).is_some_and(|target| {
                fields(target)
                    .into_iter()
                    .all(|(name, value)| if name == "AccessRequest" { value == id } else { value.is_empty() })
            })
        };
        self.lock_index
            .on_request(id)
            .filter_map(|name| self.locks.get(name))
            .find(|lock| in_force(lock, now) && only_this(lock))
    }
}

/// Whether a lock is enforced at `now`: until `spec.expires`, for ever without it.
#[must_use]
pub fn in_force(lock: &LockV2, now: Moment) -> bool {
    lock.spec.as_ref().is_some_and(|spec| Moment::from_proto(spec.expires.as_ref()).is_none_or(|expires| now < expires))
}

fn in_force_message(lock: &LockV2) -> String {
    let target = lock.spec.as_ref().and_then(|spec| spec.target.clone()).unwrap_or_default();
    let named: Vec<String> = fields(&target)
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .map(|(name, value)| format!("{name}:\"{value}\""))
        .collect();
    let message = lock.spec.as_ref().map(|spec| spec.message.as_str()).filter(|message| !message.is_empty());
    let tail = message.map(|message| format!(": {message}")).unwrap_or_default();
    format!("lock targeting {} is in force{tail}", named.join(" "))
}

fn lock_not_found(name: &str) -> Refusal {
    not_found(format!("lock `{name}` is not found"))
}

pub(super) fn name_of(lock: &LockV2) -> &str {
    lock.metadata.as_ref().map_or("", |metadata| metadata.name.as_str())
}

/// Every field of a target with Teleport's name for it.
fn fields(target: &LockTarget) -> [(&'static str, &str); 10] {
    let LockTarget {
        user,
        role,
        login,
        mfa_device,
        windows_desktop,
        access_request,
        device,
        server_id,
        bot_instance_id,
        join_token,
    } = target;
    [
        ("User", user),
        ("Role", role),
        ("Login", login),
        ("MFADevice", mfa_device),
        ("WindowsDesktop", windows_desktop),
        ("AccessRequest", access_request),
        ("Device", device),
        ("ServerID", server_id),
        ("BotInstanceID", bot_instance_id),
        ("JoinToken", join_token),
    ]
}

fn is_empty(target: &LockTarget) -> bool {
    fields(target).into_iter().all(|(_, value)| value.is_empty())
}

/// Whether something described by `wanted` is hit by the lock: every field that the lock sets is the same in `wanted`.
fn covered_by(lock: &LockV2, wanted: &LockTarget) -> bool {
    let Some(target) = lock.spec.as_ref().and_then(|spec| spec.target.as_ref()) else { return false };
    !is_empty(wanted)
        && fields(target)
            .into_iter()
            .zip(fields(wanted))
            .all(|((_, lock), (_, wanted))| lock.is_empty() || lock == wanted)
}

/// A page of a sorted list; the token is the first key of the page.
pub(super) fn page<T>(all: Vec<T>, size: i32, max: usize, token: &str, key: impl Fn(&T) -> String) -> (Vec<T>, String) {
    let size = match usize::try_from(size) {
        Ok(0) | Err(_) => PAGE_DEFAULT.min(max),
        Ok(size) => size.min(max),
    };
    let mut rest: Vec<T> = all.into_iter().skip_while(|item| key(item).as_str() < token).take(size + 1).collect();
    let next = if rest.len() > size { rest.pop().map(|item| key(&item)).unwrap_or_default() } else { String::new() };
    (rest, next)
}
