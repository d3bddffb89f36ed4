//! Users who ask: which request is made next. It never makes one itself, so that chance is the same on every machine.

use tribunal_sim::{RequestSpec, Span};

use crate::chance::Chance;
use crate::world::{NODES, node, user};

/// How many users ask at one time; the window moves over all of them.
const WINDOW: u64 = 300;
/// Nodes that one user asks for, again and again.
const NODES_OF_USER: u64 = 7;
/// How long access lasts, in milliseconds: short, so that it ends under way.
const LASTS_MS: (u64, u64) = (20_000, 60_000);

const PROD: [&str; 2] = ["prod-admin", "prod-reader"];
const RESEARCH: [&str; 2] = ["research-admin", "research-reader"];

/// All requests of a soak, one after the other.
#[derive(Debug)]
pub(crate) struct Users {
    chance: Chance,
    subjects: u64,
    requests: u64,
    made: u64,
}

// === impl Users ===

impl Users {
    pub(crate) fn new(seed: u64, subjects: u64, requests: u64) -> Self {
        Self { chance: Chance::new(seed ^ 0x75), subjects, requests, made: 0 }
    }

    pub(crate) const fn made(&self) -> u64 {
        self.made
    }

    pub(crate) const fn are_done(&self) -> bool {
        self.made >= self.requests
    }

    /// The next request; none when all were made.
    pub(crate) fn next(&mut self) -> Option<RequestSpec> {
        if self.are_done() {
            return None;
        }
        let window = WINDOW.min(self.subjects);
        // Requests come from a window of users that moves once around all of them, so that each of them makes about as
        // many, while those before still last.
        let first = self.subjects * self.made / self.requests;
        let asks = (first + self.chance.below(window)) % self.subjects;
        self.made += 1;
        let lasts = self.chance.between(LASTS_MS.0, LASTS_MS.1);
        let mut wish = RequestSpec {
            user: user(asks),
            reason: format!("soak {}", self.made),
            lasts: Some(Span::from_ms(i64::try_from(lasts).unwrap_or(i64::MAX))),
            ..RequestSpec::default()
        };
        let chance = &mut self.chance;
        let mut one_of = |roles: &[&str]| chance.pick(roles).map(|role| (*role).to_owned());
        match one_of(&["nodes", "nodes", "nodes", "nodes", "prod", "prod", "research", "research", "other"]).as_deref()
        {
            Some("prod") => wish.roles.extend(one_of(&PROD)),
            Some("research") => wish.roles.extend(one_of(&RESEARCH)),
            Some("other") => {
                let kind = one_of(&["billing", "editor", "both"]).unwrap_or_default();
                if kind == "both" {
                    wish.roles.extend(one_of(&PROD));
                    wish.roles.extend(one_of(&RESEARCH));
                } else {
                    wish.roles.push(kind);
                }
            }
            Some(_) | None => {
                for _ in 0..chance.between(1, 5) {
                    let number = (asks * 11 + chance.below(NODES_OF_USER)) % NODES;
                    let resource = format!("/soak/node/{}", node(number));
                    if !wish.resources.contains(&resource) {
                        wish.resources.push(resource);
                    }
                }
            }
        }
        Some(wish)
    }
}
