//! Identity files that are not what they should be.

use tribunal::doctor::Outcome::{Failed, Warning};
use tribunal_proto::types::{LockSpecV2, LockTarget, LockV2, Metadata};
use tribunal_sim::{IssueOptions, Span};

use super::bench::{Bench, Seed};
use crate::world::way::Way;

const MINUTE_MS: i64 = 60_000;

pub(crate) const SEEDS: &[Seed] = &[
    Seed {
        name: "no identity file",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { std::fs::remove_file(&bench.identity_file).unwrap() }),
        check: "identity",
        outcome: Failed,
        words: "tbot's `identity` service",
    },
    Seed {
        name: "an expired identity",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.issue(|options| options.life = Span::from_ms(-MINUTE_MS)) }),
        check: "identity",
        outcome: Failed,
        words: "expired at",
    },
    Seed {
        name: "an identity that nobody renews",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.issue(|options| options.life = Span::from_ms(5 * MINUTE_MS)) }),
        check: "identity",
        outcome: Warning,
        words: "check that tbot runs and renews it",
    },
    Seed {
        name: "an identity whose time has not come",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async { bench.issue(|options| options.starts_in = Some(Span::from_ms(60 * MINUTE_MS))) })
        },
        check: "identity",
        outcome: Failed,
        words: "check this machine's clock",
    },
    Seed {
        name: "a key that is not the certificate's",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let issue = || bench.world.server().issue(&IssueOptions::of(&bench.world.bot())).unwrap();
                let mut mixed = issue();
                mixed.private_key_pem = issue().private_key_pem;
                mixed.write(&bench.identity_file).unwrap();
            })
        },
        check: "identity",
        outcome: Failed,
        words: "does not belong to its certificate",
    },
    Seed {
        name: "an identity file that is half there",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let text = std::fs::read_to_string(&bench.identity_file).unwrap();
                let half = text.get(..text.len() - 100).unwrap();
                std::fs::write(&bench.identity_file, half).unwrap();
            })
        },
        check: "identity",
        outcome: Failed,
        words: "truncated",
    },
    Seed {
        name: "an identity file that is something else",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { std::fs::write(&bench.identity_file, "{}").unwrap() }),
        check: "identity",
        outcome: Failed,
        words: "it is not an identity file",
    },
    Seed {
        name: "an identity without roles",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.issue(|options| options.roles = Some(Vec::new())) }),
        check: "identity",
        outcome: Failed,
        words: "it has no roles",
    },
    Seed {
        name: "an identity file that everybody may read",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { Bench::chmod(&bench.identity_file, 0o644) }),
        check: "identity-file",
        outcome: Failed,
        words: "mode 0644",
    },
    Seed {
        name: "a directory in which everybody may put another identity",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { Bench::chmod(bench.identity_file.parent().unwrap(), 0o777) }),
        check: "identity-file",
        outcome: Failed,
        words: "chmod o-w",
    },
    Seed {
        name: "a bot that is locked",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let target = LockTarget { user: bench.world.bot(), ..LockTarget::default() };
                let lock = LockV2 {
                    metadata: Some(Metadata { name: "stop-it".to_owned(), ..Metadata::default() }),
                    spec: Some(LockSpecV2 { target: Some(target), ..LockSpecV2::default() }),
                    ..LockV2::default()
                };
                bench.world.server().upsert_lock_as("admin", lock).unwrap();
            })
        },
        check: "ping",
        outcome: Failed,
        words: "tctl rm lock/NAME",
    },
    Seed {
        name: "a role that was renamed",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async { bench.issue(|options| options.roles = Some(vec!["tribunal-of-old".to_owned()])) })
        },
        check: "rights",
        outcome: Failed,
        words: "`tribunal-of-old` is not found",
    },
];
