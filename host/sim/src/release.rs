//! Releases of Teleport that can be simulated: what each says it is, which methods it lacks, and which clients it takes.
//! It must never say how a method behaves; that is the cluster's.

use std::collections::BTreeSet;

use serde::Deserialize;
use thiserror::Error;

/// The first release of a line, which lacks the most: methods came to some lines later on as well.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, PartialOrd, Ord)]
#[serde(try_from = "u64")]
pub enum Release {
    /// 16.0.0
    V16,
    /// 17.0.0
    V17,
    /// 18.0.0
    V18,
    /// 19.0.0
    V19,
}

/// A release that cannot be simulated.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("release {0} cannot be simulated: use 16, 17, 18 or 19")]
pub struct UnknownRelease(u64);

/// Methods that came after 16.0.0, with the first release that has them from its beginning: `ListLocks` and
/// `ListSemaphores` came with gravitational/teleport#60344 and #60672 to the lines 17 and 18 too, at the end of 2025, and
/// `ListUserLoginStates` with #59299 to 18. All others here are older than 16 (`ListAccessRequests`: #38633, `ListRoles`:
/// #38714, `teleport.users.v1`: #34045).
const NEWER: [(&str, Release); 3] = [
    ("ListLocks", Release::V19),
    ("ListSemaphores", Release::V19),
    ("UserLoginStateService/ListUserLoginStates", Release::V19),
];

/// Every method of the simulated server: those of `proto.AuthService` by themselves, others after their service.
pub const METHODS: [&str; 34] = [
    "Ping",
    "GetDomainName",
    "GetClusterCACert",
    "GetAccessRequestsV2",
    "ListAccessRequests",
    "CreateAccessRequestV2",
    "DeleteAccessRequest",
    "SetAccessRequestState",
    "SubmitAccessReview",
    "GetAccessCapabilities",
    "GetPluginData",
    "UpdatePluginData",
    "GetLock",
    "GetLocks",
    "ListLocks",
    "UpsertLock",
    "DeleteLock",
    "WatchEvents",
    "AcquireSemaphore",
    "KeepAliveSemaphoreLease",
    "CancelSemaphoreLease",
    "GetSemaphores",
    "ListSemaphores",
    "DeleteSemaphore",
    "GetRole",
    "ListRoles",
    "GetCurrentUserRoles",
    "GetUser",
    "ListUnifiedResources",
    "ListResources",
    "UsersService/GetUser",
    "UsersService/ListUsers",
    "UserLoginStateService/GetUserLoginState",
    "UserLoginStateService/ListUserLoginStates",
];

// === impl Release ===

impl Release {
    /// All of them, oldest first.
    pub const ALL: [Self; 4] = [Self::V16, Self::V17, Self::V18, Self::V19];

    /// What `Ping` reports.
    #[must_use]
    pub const fn version(self) -> &'static str {
        match self {
            Self::V16 => "16.0.0",
            Self::V17 => "17.0.0",
            Self::V18 => "18.0.0",
            Self::V19 => "19.0.0",
        }
    }

    /// The methods that it lacks, named as in [`METHODS`].
    #[must_use]
    pub fn lacks(self) -> BTreeSet<String> {
        NEWER.iter().filter(|(_, since)| self < *since).map(|(method, _)| (*method).to_owned()).collect()
    }

    /// The oldest client that it takes; none: any. Since 17 that is the line before its own (`lib/auth/middleware.go`).
    #[must_use]
    pub const fn oldest_client(self) -> Option<&'static str> {
        match self {
            Self::V16 => None,
            Self::V17 => Some("16.0.0"),
            Self::V18 => Some("17.0.0"),
            Self::V19 => Some("18.0.0"),
        }
    }

    /// Whether `Ping` tells what the licence covers as entitlements too (gravitational/teleport#44892, after 16.0.0).
    pub(crate) fn has_entitlements(self) -> bool {
        self > Self::V16
    }
}

impl TryFrom<u64> for Release {
    type Error = UnknownRelease;

    fn try_from(major: u64) -> Result<Self, UnknownRelease> {
        match major {
            16 => Ok(Self::V16),
            17 => Ok(Self::V17),
            18 => Ok(Self::V18),
            19 => Ok(Self::V19),
            other => Err(UnknownRelease(other)),
        }
    }
}

impl std::str::FromStr for Release {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let major: u64 = text.parse().map_err(|_| format!("`{text}` is no release: use 16, 17, 18 or 19"))?;
        Self::try_from(major).map_err(|unknown| unknown.to_string())
    }
}

/// A version's three numbers; what follows them does not count.
pub(crate) fn numbers(version: &str) -> Option<[u64; 3]> {
    let plain = version.split(['-', '+']).next()?;
    let mut parts = plain.split('.').map(|part| part.parse().ok());
    let numbers = [parts.next()??, parts.next()??, parts.next()??];
    parts.next().is_none().then_some(numbers)
}

/// The name in [`METHODS`] of what this path of a call asks for.
pub(crate) fn method_of(path: &str) -> Option<String> {
    let (service, method) = path.strip_prefix('/')?.split_once('/')?;
    match service {
        "proto.AuthService" => Some(method.to_owned()),
        other => Some(format!("{}/{method}", other.rsplit('.').next().unwrap_or(other))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_older_release_lacks_what_a_newer_one_lacks() {
        for (older, newer) in Release::ALL.iter().zip(Release::ALL.iter().skip(1)) {
            assert!(older.lacks().is_superset(&newer.lacks()), "{older:?}");
            assert!(numbers(older.version()) < numbers(newer.version()));
        }
        assert!(Release::V19.lacks().is_empty());
        assert!(Release::V18.lacks().contains("ListLocks"));
        assert!(Release::V16.lacks().iter().all(|method| METHODS.contains(&method.as_str())));
    }

    #[test]
    fn a_version_has_three_numbers() {
        assert_eq!(numbers("18.2.10-dev.1+x"), Some([18, 2, 10]));
        for text in ["", "18", "18.2", "18.2.x", "1.2.3.4", "v18.0.0"] {
            assert_eq!(numbers(text), None, "{text}");
        }
    }

    #[test]
    fn a_path_names_its_method() {
        assert_eq!(method_of("/proto.AuthService/Ping").as_deref(), Some("Ping"));
        assert_eq!(method_of("/teleport.users.v1.UsersService/GetUser").as_deref(), Some("UsersService/GetUser"));
        assert_eq!(method_of("nonsense"), None);
    }
}
