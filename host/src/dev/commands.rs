//! `tribunal dev request|requests|locks|approve|deny`: acts on a served cluster over gRPC, each with the identity of
//! whoever would do it. It must never use the watcher's identity.

use std::io::Write;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use serde::Serialize;
use tribunal_sim::Moment;

use super::DevError;
use super::dir::{ADMIN, Dir};
use super::shown::{self, ShownLock, ShownRequest};
use super::table;
use super::user::{User, Wish};
use super::wire::id_of;

/// All requests, as `--json` prints them.
#[derive(Serialize)]
struct Requests {
    requests: Vec<ShownRequest>,
}

/// All locks, as `--json` prints them.
#[derive(Serialize)]
struct Locks {
    locks: Vec<ShownLock>,
}

/// Asks as this user; prints the request's id, or the request.
///
/// # Errors
/// When there is no such cluster or user, or the server refuses.
pub async fn request(dir: &Path, user: &str, wish: &Wish, json: bool) -> Result<(), DevError> {
    let stored = User::connect(&Dir::new(dir), user).await?.ask(wish).await?;
    if json {
        let request = shown::requests([&stored], &[], None, now()).into_iter().next();
        return request.map_or(Ok(()), |request| print_json(&request));
    }
    print(id_of(&stored))
}

/// Prints all requests, with what the cluster tells about them: rules are those that the resolve annotation
/// `tribunal/rules` and the messages of locks name, because the ledger is the daemon's.
///
/// # Errors
/// When there is no such cluster, or the server refuses.
pub async fn requests(dir: &Path, json: bool) -> Result<(), DevError> {
    let mut admin = User::connect(&Dir::new(dir), ADMIN).await?;
    // Locks first: a request that is seen approved is then seen with no lock that is not there any more.
    let locks = admin.locks().await?;
    let requests = admin.requests().await?;
    let locks: Vec<_> = locks.iter().collect();
    let requests = shown::requests(&requests, &locks, None, now());
    if json { print_json(&Requests { requests }) } else { print(&table::of_requests(&requests).to_string()) }
}

/// Prints all locks.
///
/// # Errors
/// When there is no such cluster, or the server refuses.
pub async fn locks(dir: &Path, json: bool) -> Result<(), DevError> {
    let locks = User::connect(&Dir::new(dir), ADMIN).await?.locks().await?;
    let locks = shown::locks(locks, now());
    if json { print_json(&Locks { locks }) } else { print(&table::of_locks(&locks).to_string()) }
}

/// Approves (or denies) a request as the admin, as a person would. The id may be the end of one, as tables show it.
///
/// # Errors
/// When there is no such cluster or not one such request, or the server refuses.
pub async fn resolve(dir: &Path, id: &str, approve: bool, reason: &str) -> Result<(), DevError> {
    let mut admin = User::connect(&Dir::new(dir), ADMIN).await?;
    let requests = admin.requests().await?;
    let id = whole_id(requests.iter().map(id_of), id)?;
    admin.resolve(&id, approve, reason).await?;
    print(&format!("{} {id}", if approve { "approved" } else { "denied" }))
}

/// The one id that ends like this.
fn whole_id<'a>(ids: impl Iterator<Item = &'a str> + Clone, given: &str) -> Result<String, DevError> {
    if ids.clone().any(|id| id == given) {
        return Ok(given.to_owned());
    }
    let found: Vec<&str> = ids.filter(|id| !given.is_empty() && id.ends_with(given)).collect();
    match found.as_slice() {
        [only] => Ok((*only).to_owned()),
        several_or_none => Err(DevError::Ambiguous { id: given.to_owned(), count: several_or_none.len() }),
    }
}

fn now() -> Moment {
    let since_epoch = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Moment::from_unix_ms(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
}

pub(super) fn print_json(value: &impl Serialize) -> Result<(), DevError> {
    let text = serde_json::to_string(value).map_err(|error| DevError::Output(error.into()))?;
    print(&text)
}

pub(super) fn print(text: &str) -> Result<(), DevError> {
    let mut stdout = anstream::stdout();
    writeln!(stdout, "{text}").and_then(|()| stdout.flush()).map_err(DevError::Output)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn an_end_names_a_request_only_when_it_names_no_other() {
        let ids = ["a-1", "b-1", "b-2", "2"];
        for (given, whole) in [("a-1", "a-1"), ("-2", "b-2"), ("2", "2")] {
            assert_eq!(whole_id(ids.into_iter(), given).unwrap(), whole);
        }
        for (given, count) in [("1", 2), ("", 0), ("c", 0)] {
            let error = whole_id(ids.into_iter(), given).unwrap_err().to_string();
            assert!(error.starts_with(&format!("`{given}` names {count} requests; ")), "{error}");
        }
    }
}
