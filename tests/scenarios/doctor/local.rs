//! What goes wrong on this machine, and with the cluster as a whole.

use std::net::TcpListener;
use std::path::PathBuf;

use tonic::Code;
use tribunal::doctor::Outcome::{Failed, Warning};
use tribunal_proto::types::AcquireSemaphoreRequest;
use tribunal_sim::{Caller, Often};

use super::bench::{Bench, Seed};
use crate::world::way::Way;

const DAY_MS: i64 = 24 * 60 * 60 * 1_000;

async fn fails(bench: &Bench, method: &str) {
    bench.world.server().faults(|faults| {
        faults.fail(method, Often::Probability(1.0), Code::Internal, "the backend is away");
    });
}

pub(crate) const SEEDS: &[Seed] = &[
    Seed {
        name: "an empty panel",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.plugins.clear() }),
        check: "configuration",
        outcome: Failed,
        words: "[[plugin]]",
    },
    Seed {
        name: "a key that nobody knows",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.teleport_keys.push_str("identity = \"x\"\n") }),
        check: "configuration",
        outcome: Failed,
        words: "tribunal.toml:",
    },
    Seed {
        name: "a plugin that is not there",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                bench.plugins.push_str("[[plugin]]\nname = \"ours\"\nsource = \"gone.wasm\"\neffects = [\"deny\"]\n");
            })
        },
        check: "plugins",
        outcome: Failed,
        words: "gone.wasm",
    },
    Seed {
        name: "a plugin that is another one than it should be",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                bench.plugins.push_str(&format!("digest = \"sha256:{}\"\n", "0".repeat(64)));
            })
        },
        check: "plugins",
        outcome: Failed,
        words: "digest",
    },
    Seed {
        name: "a panel that may approve nothing",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.plugins.push_str("effects = [\"deny\", \"lock\"]\n") }),
        check: "configuration",
        outcome: Failed,
        words: "may approve",
    },
    Seed {
        name: "a ledger that cannot be written",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.ledger_dir = PathBuf::from("/proc/self/ledger") }),
        check: "ledger",
        outcome: Failed,
        words: "cannot be written",
    },
    Seed {
        name: "a file where the ledger should be",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { std::fs::write(&bench.ledger_dir, "").unwrap() }),
        check: "ledger",
        outcome: Failed,
        words: "is no directory",
    },
    Seed {
        name: "a health port that something else has",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let other = TcpListener::bind("127.0.0.1:0").unwrap();
                bench.sections.push_str(&format!("[health]\nlisten = \"{}\"\n", other.local_addr().unwrap()));
                // Whoever connects is sent away at once.
                other.set_nonblocking(true).unwrap();
                let other = tokio::net::TcpListener::from_std(other).unwrap();
                let serving = tokio::spawn(async move { while other.accept().await.is_ok() {} });
                bench.held.push(Box::new(serving));
            })
        },
        check: "health-port",
        outcome: Failed,
        words: "not by tribunal",
    },
    Seed {
        name: "a server that is too old",
        way: Way::Auth,
        setup: |setup| setup.scenario(|scenario| scenario.version = Some("15.4.2".to_owned())),
        spoil: |_bench| Box::pin(async {}),
        check: "version",
        outcome: Failed,
        words: "too old",
    },
    Seed {
        name: "a server that nobody knows yet",
        way: Way::Auth,
        setup: |setup| setup.scenario(|scenario| scenario.version = Some("20.0.1".to_owned())),
        spoil: |_bench| Box::pin(async {}),
        check: "version",
        outcome: Warning,
        words: "newer than this daemon knows",
    },
    Seed {
        name: "a server that is too new to speak to us",
        way: Way::Auth,
        setup: |setup| {
            setup.scenario(|scenario| {
                scenario.version = Some("20.0.1".to_owned());
                scenario.oldest_client = Some("19.0.0".to_owned());
            })
        },
        spoil: |_bench| Box::pin(async {}),
        check: "ping",
        outcome: Failed,
        words: "20.0.1",
    },
    Seed {
        name: "reviews in an edition that has none",
        way: Way::Auth,
        setup: |setup| setup.scenario(|scenario| scenario.enterprise = false),
        spoil: |bench| Box::pin(async { bench.teleport_keys.push_str("resolve-with = \"review\"\n") }),
        check: "edition",
        outcome: Failed,
        words: "takes no reviews",
    },
    Seed {
        name: "a clock that is ten minutes behind",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.world.server().faults(|faults| faults.set_clock_skew_ms(600_000)) }),
        check: "clock",
        outcome: Failed,
        words: "s behind the Auth server's",
    },
    Seed {
        name: "a clock that is five seconds ahead",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { bench.world.server().faults(|faults| faults.set_clock_skew_ms(-5_000)) }),
        check: "clock",
        outcome: Warning,
        words: "s ahead of the Auth server's",
    },
    Seed {
        name: "a list that does not become whole",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { fails(bench, "ListAccessRequests").await }),
        check: "view",
        outcome: Failed,
        words: "the backend is away",
    },
    Seed {
        name: "a watch that does not begin",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| Box::pin(async { fails(bench, "WatchEvents").await }),
        check: "watch",
        outcome: Failed,
        words: "the backend is away",
    },
    Seed {
        name: "a lease that must be held, and nobody is allowed to",
        way: Way::Auth,
        setup: |setup| setup.scenario(|scenario| scenario.bot.rules.retain(|rule| rule.resources != ["semaphore"])),
        spoil: |bench| Box::pin(async { bench.sections.push_str("[daemon]\nlease = \"required\"\n") }),
        check: "lease",
        outcome: Failed,
        words: "nobody lets us hold one",
    },
    Seed {
        name: "a lease that no daemon gives back",
        way: Way::Auth,
        setup: |setup| setup,
        spoil: |bench| {
            Box::pin(async {
                let caller = Caller { bot: true, ..Caller::person("bot-tribunal", &["tribunal"]) };
                bench.world.server().with(|cluster, now| {
                    let request = AcquireSemaphoreRequest {
                        semaphore_kind: "tribunal".to_owned(),
                        semaphore_name: "dev".to_owned(),
                        max_leases: 1,
                        expires: Some(now.plus_ms(DAY_MS).to_proto()),
                        holder: "somebody".to_owned(),
                    };
                    cluster.acquire_semaphore(&caller, now, request).unwrap();
                });
            })
        },
        check: "lease",
        outcome: Failed,
        words: "tctl rm semaphore/dev",
    },
];
