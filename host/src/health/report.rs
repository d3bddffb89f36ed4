//! What `/status` says, as JSON and as `tribunal status` shows it. It only tells; fields are added, never renamed.

use serde::{Deserialize, Serialize};
use tribunal_core::Timestamp;
use tribunal_core::opinion::{Member, Mode};
use tribunal_core::request::{AccessRequest, Decider, RequestedResource, UserName};
use tribunal_engine::{Health, PolicyHealth};

use super::{Outside, Whose, plain};
use crate::signs::Signs;
use crate::signs::holdings::{Count, Holdings, Stand};

/// How the daemon stands. Times are RFC 3339, in UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Report {
    /// Of tribunal.
    pub version: String,
    /// The name of the cluster.
    pub cluster: String,
    /// When this was told.
    pub now: String,
    /// Whether it is ready, as `/readyz` says.
    pub ready: bool,
    /// Why not.
    pub why: Vec<String>,
    /// Decide and record, but do nothing.
    pub dry_run: bool,
    /// The policies, in the order in which they are asked.
    pub panel: Vec<Policy>,
    /// Why another panel is configured than the one that is asked.
    pub panel_stale: Option<Since>,
    /// Whether it sees the cluster.
    pub sight: Sight,
    /// Why nothing is enforced until an operator releases the breaker.
    pub breaker_tripped: Option<String>,
    /// When the newest full list was begun.
    pub last_full_list: Option<String>,
    /// How long ago that was.
    pub last_full_list_age_secs: Option<u64>,
    /// The time between two full lists.
    pub poll_interval_secs: u64,
    /// Users being judged.
    pub in_flight: usize,
    /// Users waiting to be judged.
    pub waiting: usize,
    /// Users whose last round failed.
    pub retrying: usize,
    /// Why the ledger cannot be written.
    pub ledger_fault: Option<Since>,
    /// The last time that a person was called.
    pub last_alarm: Option<Since>,
    /// Who the daemon is to Teleport.
    pub identity: Option<Identity>,
    /// How far the clocks are apart.
    pub clock_skew: ClockSkew,
    /// What all users have together.
    pub holdings: Counted,
    /// What each user has, where that was asked for.
    pub users: Option<Vec<User>>,
    /// How many users are left out of `users`.
    pub users_left_out: usize,
    /// One user's requests, where they were asked for.
    pub user: Option<One>,
}

/// A policy of the panel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Policy {
    /// Its name.
    pub name: String,
    /// `enforce` or `shadow`.
    pub mode: String,
    /// What it was granted.
    pub effects: Vec<String>,
    /// The SHA-256 of its component.
    pub digest: Option<String>,
    /// `asked`, `quarantined` or `not-loaded`.
    pub health: String,
    /// Faults in a row that came last.
    pub strikes: usize,
    /// Why it is not asked.
    pub why: Option<String>,
}

/// Whether the cluster is seen.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Sight {
    /// Whether the view is complete.
    pub complete: bool,
    /// Why not.
    pub why: Option<String>,
    /// Since when not.
    pub since: Option<String>,
}

/// Something, and since when.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Since {
    /// When.
    pub since: String,
    /// What.
    pub what: String,
}

/// Who the daemon is to Teleport.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Identity {
    /// Its user.
    pub user: String,
    /// When the certificate expires.
    pub expires: String,
    /// How long that is from now.
    pub remaining_secs: u64,
    /// How many fresh identities were taken since the start.
    pub renewals: u64,
    /// Why the identity file cannot be used right now.
    pub problem: Option<String>,
}

/// The Auth server's clock minus ours.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct ClockSkew {
    /// At least this.
    pub at_least_ms: Option<i64>,
    /// At most this.
    pub at_most_ms: Option<i64>,
    /// What to do about it, if it is too much.
    pub warning: Option<String>,
}

/// How many requests of each sort.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counted {
    /// Wait for a decision.
    pub pending: usize,
    /// Give access.
    pub held: usize,
    /// Would give access, if they were not locked.
    pub locked: usize,
    /// Approved, and start later.
    pub later: usize,
    /// Turned into permanent access.
    pub promoted: usize,
    /// Different resources that those held give access to.
    pub resources: usize,
    /// Users who hold anything.
    pub holders: usize,
}

/// What a user has.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct User {
    /// Who.
    pub name: String,
    /// How many requests of each sort.
    #[serde(flatten)]
    pub counted: Counted,
}

/// One user's requests.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct One {
    /// Who, and how many.
    #[serde(flatten)]
    pub user: User,
    /// Oldest first.
    pub requests: Vec<Request>,
    /// How many requests are left out.
    pub requests_left_out: usize,
}

/// One request that is pending or gives access.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Request {
    /// Its id.
    pub id: String,
    /// `pending`, `held`, `locked`, `later` or `promoted`.
    pub stands: String,
    /// Its roles.
    pub roles: Vec<String>,
    /// Its resources, as Teleport writes them.
    pub resources: Vec<String>,
    /// When it was made.
    pub created: String,
    /// When its access ends.
    pub expires: Option<String>,
    /// `nobody`, `person`, `tribunal` or `other-bot`.
    pub decided_by: String,
}

// === impl Report ===

impl Report {
    pub(super) fn of(signs: &Signs, outside: &Outside, now: Timestamp, why: Vec<String>, whose: &Whose) -> Self {
        let (about, standing, holdings) = (signs.about(), signs.standing(), signs.holdings());
        let since =
            |told: Option<(Timestamp, String)>| told.map(|(at, what)| Since { since: utc(at), what: plain(&what) });
        let status = standing.status;
        let blind = status.as_ref().map_or_else(|| Some("it is starting".to_owned()), |status| status.blind.clone());
        let listed = status.as_ref().and_then(|status| status.last_full_list);
        let (users, users_left_out) = match whose {
            Whose::Everybody => {
                let (users, left_out) = holdings.users(now);
                (Some(users.iter().map(|(name, count)| User::of(name, *count)).collect()), left_out)
            }
            Whose::Together | Whose::One(_) => (None, 0),
        };
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            cluster: about.cluster.clone(),
            now: utc(now),
            ready: why.is_empty(),
            why,
            dry_run: about.dry_run,
            panel: panel(signs),
            panel_stale: since(signs.panel_seen().stale),
            sight: Sight {
                complete: blind.is_none(),
                why: blind.as_deref().map(plain),
                since: standing.blind_since.map(utc),
            },
            breaker_tripped: status.as_ref().and_then(|status| status.tripped.as_deref()).map(plain),
            last_full_list: listed.map(utc),
            last_full_list_age_secs: listed.map(|begun| now.since(begun).as_secs()),
            poll_interval_secs: about.poll_interval.as_secs(),
            in_flight: status.as_ref().map_or(0, |status| status.in_flight),
            waiting: status.as_ref().map_or(0, |status| status.waiting),
            retrying: status.as_ref().map_or(0, |status| status.retrying),
            ledger_fault: since(standing.ledger_fault),
            last_alarm: since(standing.last_alarm),
            identity: outside.identity.as_ref().map(|seen| Identity {
                user: seen.user.clone(),
                expires: utc(seen.expires),
                remaining_secs: seen.left(now).as_secs(),
                renewals: seen.renewals,
                problem: seen.problem.as_deref().map(plain),
            }),
            clock_skew: ClockSkew {
                at_least_ms: outside.skew.at_least_ms,
                at_most_ms: outside.skew.at_most_ms,
                warning: outside.skew.apart().map(|apart| apart.to_string()),
            },
            holdings: Counted::of(holdings.count(now)),
            users,
            users_left_out,
            user: match whose {
                Whose::One(user) => Some(One::of(&holdings, user, now)),
                Whose::Together | Whose::Everybody => None,
            },
        }
    }
}

impl Policy {
    fn of(Member { name, effects, mode }: &Member) -> Self {
        let mode = match mode {
            Mode::Enforce => "enforce",
            Mode::Shadow => "shadow",
        };
        Self {
            name: name.as_str().to_owned(),
            mode: mode.to_owned(),
            effects: effects.iter().map(|effect| effect.as_str().to_owned()).collect(),
            health: "asked".to_owned(),
            ..Self::default()
        }
    }

    /// The same, with how it stands.
    fn with(self, seen: &PolicyHealth) -> Self {
        let digest = seen.digest.map(|digest| digest.to_string());
        match &seen.health {
            Health::Asked { strikes } => Self { digest, strikes: *strikes, ..self },
            Health::Quarantined { strikes, again_in } => {
                let why = format!("it faulted again and again; it is tried in {} s", again_in.as_secs());
                Self { digest, strikes: *strikes, health: "quarantined".to_owned(), why: Some(why), ..self }
            }
            Health::Vacant(why) => Self { digest, health: "not-loaded".to_owned(), why: Some(plain(why)), ..self },
        }
    }
}

/// The policies that are asked, and how each stands where that is known.
fn panel(signs: &Signs) -> Vec<Policy> {
    let seen = signs.panel_seen().policies;
    let tell = |member: &Member| {
        let policy = Policy::of(member);
        match seen.iter().find(|seen| seen.name == member.name) {
            Some(seen) => policy.with(seen),
            None => policy,
        }
    };
    signs.panel().iter().map(tell).collect()
}

impl Counted {
    fn of(Count { pending, held, locked, later, promoted, resources, holders }: Count) -> Self {
        Self { pending, held, locked, later, promoted, resources, holders }
    }
}

impl User {
    fn of(name: &UserName, count: Count) -> Self {
        Self { name: name.as_str().to_owned(), counted: Counted::of(count) }
    }
}

impl One {
    fn of(holdings: &Holdings, user: &UserName, now: Timestamp) -> Self {
        let (requests, requests_left_out) = holdings.requests_of(user, now);
        Self {
            user: User::of(user, holdings.count_of(user, now)),
            requests: requests.into_iter().map(|(request, stand)| Request::of(request, stand)).collect(),
            requests_left_out,
        }
    }
}

impl Request {
    fn of(request: &AccessRequest, stand: Stand) -> Self {
        let decided_by = match request.decided_by {
            Decider::Nobody => "nobody",
            Decider::Person => "person",
            Decider::Tribunal => "tribunal",
            Decider::OtherBot => "other-bot",
        };
        let resource = |resource: &RequestedResource| {
            let RequestedResource { cluster, kind, name, sub_resource, labels: _, constraints: _ } = resource;
            let inside = if sub_resource.is_empty() { String::new() } else { format!("/{sub_resource}") };
            format!("/{cluster}/{kind}/{name}{inside}")
        };
        Self {
            id: request.id.as_str().to_owned(),
            stands: stand.as_str().to_owned(),
            roles: request.roles.clone(),
            resources: request.resources.iter().map(resource).collect(),
            created: utc(request.created),
            expires: request.access_expires.map(utc),
            decided_by: decided_by.to_owned(),
        }
    }
}

/// A time as people and programs read it, to the second.
pub(crate) fn utc(at: Timestamp) -> String {
    let secs = i64::try_from(at.since(Timestamp::default()).as_secs()).ok();
    let time = secs.and_then(|secs| jiff::Timestamp::from_second(secs).ok());
    time.map_or_else(|| format!("{at} ms after 1970"), |time| time.to_string())
}
