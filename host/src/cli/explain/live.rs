//! A request that somebody might make now: the cluster is read as the daemon reads it, and the case is made as the daemon
//! makes it. Nothing is asked of the cluster but what there is.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use anyhow::Context;
use tribunal_core::Controller;
use tribunal_core::request::{
    AccessRequest, Attributes, Decider, RequestId, RequestKind, RequestState, RequestedResource, UserName,
};
use tribunal_ports::{Clock as _, Teleport as _};
use tribunal_teleport::Identity;

use super::super::args::ExplainArgs;
use super::{Question, of_config, roles_of};
use crate::assembly;
use crate::clock::SystemClock;
use crate::config::Config;
use crate::explain::Guards;
use crate::facts::Facts;

/// The id of a request that nobody has made.
const ASKED: &str = "hypothetical";

pub(super) async fn question(args: &ExplainArgs, user: &str, config: Config) -> anyhow::Result<Question> {
    let resources =
        args.resources.iter().map(|path| resource(path)).collect::<anyhow::Result<Vec<RequestedResource>>>()?;
    anyhow::ensure!(
        !(args.roles.is_empty() && resources.is_empty()),
        "a request is for something: name a `--role`, or a `--resource`"
    );
    let (panel, guards) = of_config(&config).await?;
    let identity = Identity::load(&config.teleport.identity_file).await.map_err(|error| anyhow::anyhow!("{error}"))?;
    let own_user = UserName::new(identity.user());
    let said = |failure: tribunal_core::failure::Failure| anyhow::anyhow!("{failure}");
    let (client, cluster) = Box::pin(assembly::connect(&config)).await.map_err(said)?;
    let listing = Box::pin(client.list()).await.map_err(said)?;
    let now = SystemClock.now();
    let asked = AccessRequest {
        id: RequestId::new(ASKED),
        revision: String::new(),
        user: UserName::new(user),
        state: RequestState::Pending,
        kind: RequestKind::ShortTerm,
        roles: args.roles.clone(),
        resources,
        reason: String::new(),
        created: now,
        access_starts: None,
        access_expires: Some(now.after(Duration::from_secs(args.hours.saturating_mul(3_600)))),
        request_expires: None,
        decided_by: Decider::Nobody,
        decision: None,
        resolve_reason: String::new(),
        reviews: Vec::new(),
        suggested_reviewers: Vec::new(),
        annotations: Attributes::new(),
    };
    let theirs =
        listing.requests.iter().map(|request| &**request).filter(|request| request.user == asked.user).chain([&asked]);
    let all: Vec<RequestedResource> = theirs.flat_map(|request| request.resources.clone()).collect();
    let background = Box::pin(client.background(asked.user.clone(), all)).await.map_err(said)?;
    // Where roles may not be seen, those of the case are known.
    let cluster_roles: BTreeSet<String> = Box::pin(client.roles()).await.unwrap_or_default().into_iter().collect();
    let settings = assembly::settings(&config, &cluster, own_user.clone(), ASKED.to_owned(), &panel);
    let facts = Facts::new(&config.facts).look(now);
    let case = Controller::preview(settings, facts, listing, now, &background, asked);
    let request = case.find(&RequestId::new(ASKED)).map(|entry| entry.request.clone());
    let request = request.context("a bug; please report it: the request is not in its case")?;
    let known_roles = roles_of(&case).into_iter().chain(cluster_roles).collect();
    let guards = guards.map(|guards| Guards { own_user, ..guards });
    Ok(Question { case: Arc::new(case), request, panel, guards, known_roles, recorded: None })
}

/// A resource, as Teleport writes it.
fn resource(path: &str) -> anyhow::Result<RequestedResource> {
    let mut parts = path.strip_prefix('/').unwrap_or_default().splitn(4, '/');
    let (cluster, kind, name) = (parts.next(), parts.next(), parts.next());
    let (Some(cluster), Some(kind), Some(name)) = (cluster, kind, name.filter(|name| !name.is_empty())) else {
        anyhow::bail!("`{path}` is no resource: write `/cluster/kind/name`, as `tsh request search` does");
    };
    Ok(RequestedResource {
        cluster: cluster.to_owned(),
        kind: kind.to_owned(),
        name: name.to_owned(),
        sub_resource: parts.next().unwrap_or_default().to_owned(),
        labels: None,
        constraints: None,
    })
}
