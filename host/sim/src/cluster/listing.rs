//! Listing requests: what a caller sees, filters, order and pages. It serves the list view, except for a single id, which it reads from
//! the backend.

use tribunal_proto::proto::{AccessRequestSort, ListAccessRequestsRequest};
use tribunal_proto::types::{AccessRequestFilter, AccessRequestScope, AccessRequestV3, RequestState};

use super::create::requested_resources;
use super::rbac::no_verb;
use super::refusal::bad_parameter;
use super::{Caller, Cluster, KIND_ACCESS_REQUEST, Refusal, StoredRequest, id_of, object_expiry, resource_id, spec_of};
use crate::clock::Moment;

/// Page size when the caller names none.
pub(super) const PAGE_DEFAULT: usize = 1000;
/// Largest page that may be asked for.
const PAGE_MAX: usize = 16_000;

/// A page, and where the next one starts (empty on the last).
#[derive(Debug)]
pub struct Page {
    /// The requests.
    pub requests: Vec<StoredRequest>,
    /// Opaque; good for the same sort only.
    pub next_key: String,
}

impl Cluster {
    /// `ListAccessRequests`.
    ///
    /// # Errors
    /// A rule that denies `list` or `read`. Unless a single id is asked for: a limit above 16,000, an unknown sort, another than the
    /// default order while the cache is down.
    pub fn list_requests(
        &self,
        caller: &Caller,
        now: Moment,
        query: &ListAccessRequestsRequest,
    ) -> Result<Page, Refusal> {
        let Some(filter) = self.permitted(caller, query.filter.as_ref())? else {
            return Ok(Page { requests: Vec::new(), next_key: String::new() });
        };
        if !filter.id.is_empty() {
            // Teleport's backend answers, which checks neither limit nor sort for one request.
            return Ok(Page { requests: self.matching(caller, now, &filter, "").collect(), next_key: String::new() });
        }
        let limit = match usize::try_from(query.limit) {
            Ok(0) => PAGE_DEFAULT,
            Ok(limit) if limit <= PAGE_MAX => limit,
            Ok(_) | Err(_) => {
                return Err(bad_parameter(format!("page size of {} is not between 0 and {PAGE_MAX}", query.limit)));
            }
        };
        let sort = AccessRequestSort::try_from(query.sort)
            .map_err(|_| bad_parameter(format!("unsupported sort index {}", query.sort)))?;
        if self.settings.cache_down && (sort != AccessRequestSort::Default || query.descending) {
            return Err(bad_parameter(
                "the access request cache is not available: only the default ascending order works",
            ));
        }
        let plain = sort == AccessRequestSort::Default && !query.descending;
        let mut page: Vec<StoredRequest> = if plain {
            self.matching(caller, now, &filter, &query.start_key).take(limit + 1).collect()
        } else {
            let mut all: Vec<StoredRequest> = self.matching(caller, now, &filter, "").collect();
            all.sort_by_cached_key(|request| sort_key(sort, request));
            if query.descending {
                all.reverse();
            }
            let before = |request: &StoredRequest| {
                let key = sort_key(sort, request);
                if query.descending { key > query.start_key } else { key < query.start_key }
            };
            let start = if query.start_key.is_empty() { 0 } else { all.partition_point(before) };
            all.into_iter().skip(start).take(limit + 1).collect()
        };
        let next_key = if page.len() > limit {
            page.pop().map(|next| sort_key(sort, &next)).unwrap_or_default()
        } else {
            String::new()
        };
        Ok(Page { requests: page, next_key })
    }

    /// Everything that the filter lets through, by id: the body of `GetAccessRequestsV2`.
    ///
    /// # Errors
    /// A rule that denies `list` or `read`.
    pub fn all_requests(
        &self,
        caller: &Caller,
        now: Moment,
        filter: &AccessRequestFilter,
    ) -> Result<Vec<StoredRequest>, Refusal> {
        let filter = self.permitted(caller, Some(filter))?;
        Ok(filter.map(|filter| self.matching(caller, now, &filter, "").collect()).unwrap_or_default())
    }

    /// The request with this id, if the caller may see it; for an empty id the first of all that the caller may see.
    ///
    /// # Errors
    /// A rule that denies `list` or `read`.
    pub(super) fn first_visible(
        &self,
        caller: &Caller,
        now: Moment,
        id: &str,
    ) -> Result<Option<StoredRequest>, Refusal> {
        let filter = AccessRequestFilter { id: id.to_owned(), ..AccessRequestFilter::default() };
        let filter = self.permitted(caller, Some(&filter))?;
        Ok(filter.and_then(|filter| self.matching(caller, now, &filter, "").next()))
    }

    /// The filter as the caller may use it; none where it can only find nothing.
    ///
    /// # Errors
    /// A rule that denies `list` or `read`: who merely lacks them sees own and reviewable requests.
    fn permitted<'a>(
        &self,
        caller: &'a Caller,
        filter: Option<&'a AccessRequestFilter>,
    ) -> Result<Option<Filter<'a>>, Refusal> {
        if let Some(verb) = ["list", "read"].into_iter().find(|verb| self.denied(caller, KIND_ACCESS_REQUEST, verb)) {
            return Err(no_verb(KIND_ACCESS_REQUEST, verb));
        }
        let mut filter = Filter::new(filter, caller);
        if !self.sees_all(caller) && filter.user != caller.user && !self.reviews_anything(caller) {
            if !filter.user.is_empty() {
                return Ok(None);
            }
            filter.user = &caller.user;
        }
        Ok(Some(filter))
    }

    /// By id, from `start` on.
    fn matching<'a>(
        &'a self,
        caller: &'a Caller,
        now: Moment,
        filter: &'a Filter<'a>,
        start: &str,
    ) -> impl Iterator<Item = StoredRequest> + use<'a> {
        let sees_all = self.sees_all(caller);
        let one = self.requests.get(filter.id);
        let listed = filter.id.is_empty().then(|| self.list_view.requests().range(start.to_owned()..));
        let live = move |request: &&StoredRequest| object_expiry(request).is_none_or(|expiry| now < expiry);
        listed
            .into_iter()
            .flatten()
            .map(|(_, request)| request)
            .filter(live)
            .chain(one)
            .filter(move |request| filter.lets_through(request) && (sees_all || self.sees(caller, request)))
            .cloned()
    }

    fn sees_all(&self, caller: &Caller) -> bool {
        self.can(caller, KIND_ACCESS_REQUEST, "list") && self.can(caller, KIND_ACCESS_REQUEST, "read")
    }

    fn sees(&self, caller: &Caller, request: &AccessRequestV3) -> bool {
        spec_of(request).user == caller.user || self.may_review(caller, request)
    }
}

/// Order within a sort, ties broken by id.
fn sort_key(sort: AccessRequestSort, request: &AccessRequestV3) -> String {
    let (id, spec) = (id_of(request), spec_of(request));
    match sort {
        AccessRequestSort::Default => id.to_owned(),
        AccessRequestSort::Created => {
            let ms = Moment::from_proto(spec.created.as_ref()).map_or(0, |created| created.unix_ms().max(0));
            format!("{ms:020}/{id}")
        }
        AccessRequestSort::State => format!("{}/{id}", state_name(spec.state)),
        AccessRequestSort::User => format!("{}/{id}", spec.user),
    }
}

pub(super) fn state_name(state: i32) -> String {
    RequestState::try_from(state).map_or_else(|_| state.to_string(), |state| state.as_str_name().to_owned())
}

/// A filter with the caller as its requester, whatever the client wrote there.
struct Filter<'a> {
    id: &'a str,
    user: &'a str,
    /// 0 for all. A number without a name matches no request, or those that were set to it.
    state: i32,
    keywords: &'a [String],
    scope: AccessRequestScope,
    requester: &'a str,
}

impl<'a> Filter<'a> {
    fn new(filter: Option<&'a AccessRequestFilter>, caller: &'a Caller) -> Self {
        let requester = caller.user.as_str();
        let Some(filter) = filter else {
            return Self {
                id: "",
                user: "",
                state: RequestState::None.into(),
                keywords: &[],
                scope: AccessRequestScope::Default,
                requester,
            };
        };
        Self {
            id: &filter.id,
            user: &filter.user,
            state: filter.state,
            keywords: &filter.search_keywords,
            // A scope without a name does not narrow.
            scope: filter.scope(),
            requester,
        }
    }

    fn lets_through(&self, request: &AccessRequestV3) -> bool {
        let spec = spec_of(request);
        let reviewed = || spec.reviews.iter().any(|review| review.author == self.requester);
        let in_scope = match self.scope {
            AccessRequestScope::Default => true,
            AccessRequestScope::MyRequests => spec.user == self.requester,
            AccessRequestScope::NeedsReview => {
                spec.user != self.requester && spec.state == i32::from(RequestState::Pending) && !reviewed()
            }
            AccessRequestScope::Reviewed => reviewed(),
        };
        in_scope
            && (self.id.is_empty() || id_of(request) == self.id)
            && (self.user.is_empty() || spec.user == self.user)
            && (self.state == i32::from(RequestState::None) || spec.state == self.state)
            && self.keywords.iter().all(|keyword| mentions(request, keyword))
    }
}

fn mentions(request: &AccessRequestV3, keyword: &str) -> bool {
    let keyword = keyword.to_lowercase();
    let spec = spec_of(request);
    let has = |text: &str| text.to_lowercase().contains(&keyword);
    has(id_of(request))
        || has(&spec.user)
        || has(&spec.request_reason)
        || spec.roles.iter().any(|role| has(role))
        || has(&state_name(spec.state))
        || requested_resources(spec).any(|resource| has(&resource_id::to_text(resource)))
}
