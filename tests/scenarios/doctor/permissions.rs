//! Roles that allow too little or too much.

use tribunal::doctor::Outcome::{self, Failed, Warning};
use tribunal_sim::scenario::{ReviewDef, RuleDef};

use super::bench::Seed;
use crate::world::Setup;
use crate::world::way::Way;

/// The bot's role lacks this verb.
fn without(setup: Setup, kind: &str, verb: &str) -> Setup {
    setup.scenario(|scenario| {
        for rule in &mut scenario.bot.rules {
            if rule.resources.iter().any(|known| known == kind) {
                rule.verbs.retain(|known| known != verb);
            }
        }
    })
}

fn also(setup: Setup, kind: &str, verb: &str) -> Setup {
    let rule = RuleDef { resources: vec![kind.to_owned()], verbs: vec![verb.to_owned()] };
    setup.scenario(|scenario| scenario.bot.rules.push(rule))
}

const fn lacks(name: &'static str, setup: fn(Setup) -> Setup, check: &'static str, outcome: Outcome) -> Seed {
    Seed { name, way: Way::Auth, setup, spoil: |_bench| Box::pin(async {}), check, outcome, words: "missing: " }
}

pub(crate) const SEEDS: &[Seed] = &[
    lacks("no list of requests", |s| without(s, "access_request", "list"), "access_request:list", Failed),
    lacks("no read of requests", |s| without(s, "access_request", "read"), "access_request:read", Failed),
    lacks("no update of requests", |s| without(s, "access_request", "update"), "access_request:update", Failed),
    lacks("no list of locks", |s| without(s, "lock", "list"), "lock:list", Failed),
    lacks("no read of locks", |s| without(s, "lock", "read"), "lock:read", Failed),
    lacks("no creation of locks", |s| without(s, "lock", "create"), "lock:create", Failed),
    lacks("no update of locks", |s| without(s, "lock", "update"), "lock:update", Failed),
    lacks("no deletion of locks", |s| without(s, "lock", "delete"), "lock:delete", Failed),
    lacks("no creation of leases", |s| without(s, "semaphore", "create"), "semaphore:create", Warning),
    lacks("no update of leases", |s| without(s, "semaphore", "update"), "semaphore:update", Warning),
    lacks("no list of leases", |s| without(s, "semaphore", "list"), "semaphore:list", Warning),
    Seed {
        name: "a denial that beats what another rule allows",
        way: Way::Auth,
        setup: |setup| {
            setup.scenario(|scenario| {
                let (resources, verbs) = (vec!["lock".to_owned()], vec!["create".to_owned()]);
                scenario.bot.deny_rules.push(RuleDef { resources, verbs });
            })
        },
        spoil: |_bench| Box::pin(async {}),
        check: "locks",
        outcome: Failed,
        words: "`create` on `lock`",
    },
    Seed {
        name: "no standing roles for a policy that looks at them",
        way: Way::Auth,
        setup: |setup| without(setup, "user", "read"),
        spoil: |bench| {
            Box::pin(async {
                bench.plugins.push_str(
                    "[[plugin]]\nname = \"apart\"\nsource = \"builtin:separation\"\n\
                     settings = { classes = [\"prod\", \"research\"] }\n",
                );
            })
        },
        check: "user:read",
        outcome: Warning,
        words: "policies see that they are unknown",
    },
    Seed {
        name: "no right to review",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.teleport_keys.push_str("resolve-with = \"review\"\n") }),
        check: "review_requests",
        outcome: Failed,
        words: "add them to `roles` of `review_requests`",
    },
    Seed {
        name: "a right to review too little",
        way: Way::Auth,
        setup: |setup| {
            setup.scenario(|scenario| {
                let roles = vec!["prod-*".to_owned()];
                scenario.bot.review_requests = Some(ReviewDef { roles, ..ReviewDef::default() });
            })
        },
        spoil: |bench| Box::pin(async { bench.teleport_keys.push_str("resolve-with = \"review\"\n") }),
        check: "review_requests",
        outcome: Failed,
        words: "may not be reviewed",
    },
    Seed {
        name: "a right to change roles",
        way: Way::Auth,
        setup: |setup| also(setup, "role", "*"),
        spoil: |_bench| Box::pin(async {}),
        check: "excess-rights",
        outcome: Warning,
        words: "role: ",
    },
    Seed {
        name: "a right to everything",
        way: Way::Auth,
        setup: |setup| also(setup, "*", "*"),
        spoil: |_bench| Box::pin(async {}),
        check: "excess-rights",
        outcome: Warning,
        words: "*: *",
    },
    Seed {
        name: "a right to delete locks that are never released",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.sections.push_str("[locks]\nrelease = \"never\"\n") }),
        check: "excess-rights",
        outcome: Warning,
        words: "lock: delete",
    },
    Seed {
        name: "a right to review that is not used",
        way: Way::Auth,
        setup: |setup| {
            setup.scenario(|scenario| {
                let roles = vec!["*".to_owned()];
                scenario.bot.review_requests = Some(ReviewDef { roles, ..ReviewDef::default() });
            })
        },
        spoil: |_bench| Box::pin(async {}),
        check: "excess-rights",
        outcome: Warning,
        words: "review_requests.roles: *",
    },
    Seed {
        name: "rights of a rehearsal that it does not need",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.dry_run = true }),
        check: "excess-rights",
        outcome: Warning,
        words: "access_request: update",
    },
];
