//! Which room may know which, read from the manifests. It must never allow an arrow that `host/ARCHITECTURE.md` does not.

use std::collections::BTreeSet;

use super::tree::{file, files, none};

/// A room, and what it may use of ours.
struct Room {
    directory: &'static str,
    ours: &'static [&'static str],
}

const ROOMS: &[Room] = &[
    Room { directory: "host/core", ours: &[] },
    Room { directory: "host/core/simulation", ours: &["tribunal-core"] },
    Room { directory: "host/ports", ours: &["tribunal-core"] },
    Room { directory: "host/engine", ours: &["tribunal-core", "tribunal-ports"] },
    Room { directory: "host/teleport", ours: &["tribunal-core", "tribunal-ports", "tribunal-proto"] },
    Room { directory: "host/ledger", ours: &["tribunal-core", "tribunal-ports"] },
    Room { directory: "host/sim", ours: &["tribunal-proto"] },
    Room {
        directory: "host",
        ours: &[
            "tribunal-classes",
            "tribunal-core",
            "tribunal-engine",
            "tribunal-hostile",
            "tribunal-ledger",
            "tribunal-plugins",
            "tribunal-ports",
            "tribunal-proto",
            "tribunal-sim",
            "tribunal-teleport",
        ],
    },
    Room { directory: "proto", ours: &[] },
    Room { directory: "guest-sdk/rust", ours: &[] },
    Room { directory: "plugins", ours: &[] },
    Room { directory: "plugins/allow-rules", ours: &["tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/break-glass", ours: &["tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/cap", ours: &["tribunal-guest"] },
    Room { directory: "plugins/classes", ours: &[] },
    Room { directory: "plugins/duration", ours: &["tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/reason-quality", ours: &["tribunal-classes", "tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/separation", ours: &["tribunal-classes", "tribunal-guest"] },
    Room { directory: "plugins/terms", ours: &["tribunal-classes", "tribunal-guest"] },
    Room { directory: "plugins/throttle", ours: &["tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/ticket", ours: &["tribunal-classes", "tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/two-person", ours: &["tribunal-guest", "tribunal-terms"] },
    Room { directory: "plugins/window", ours: &["tribunal-guest", "tribunal-terms"] },
    // Data: hostile guests and what they must come to.
    Room { directory: "tests/hostile", ours: &[] },
    Room { directory: "tests/hostile/rust", ours: &["tribunal-guest"] },
    Room { directory: "tests/hostile/rust/reader", ours: &["tribunal-guest"] },
    // Programs of the tests. `soak` looks at the server from outside of the daemon; `latency` pings it with our client;
    // `fuzz` gives hostile bytes to whatever of ours reads bytes of others; `start` makes many plugins of one of ours;
    // `conformance` asks plugins of all languages.
    Room {
        directory: "tests",
        ours: &[
            "tribunal",
            "tribunal-core",
            "tribunal-engine",
            "tribunal-plugins",
            "tribunal-proto",
            "tribunal-sim",
            "tribunal-teleport",
        ],
    },
];

/// Libraries that only some rooms may know.
const CONFINED: &[(&str, &[&str])] = &[
    ("tonic", &["proto", "host", "host/teleport", "host/sim"]),
    ("tonic-prost", &["proto"]),
    // The simulator reads and writes fields that our own messages do not have; `fuzz` makes messages of any bytes.
    ("prost", &["proto", "host/sim", "tests"]),
    ("tokio-tungstenite", &["host/teleport", "host/sim"]),
    ("rustls", &["host", "host/teleport", "host/sim"]),
    ("wasmtime", &["host/engine"]),
    ("wasmtime-wasi", &["host/engine"]),
    ("wit-bindgen", &["guest-sdk/rust"]),
    ("clap", &["host", "host/core/simulation", "tests"]),
    ("anyhow", &["host"]),
];

/// What a room's shipped code uses: the tests of a room may use more.
fn dependencies(directory: &str) -> BTreeSet<String> {
    let manifest: toml::Table = file(&format!("{directory}/Cargo.toml")).parse().unwrap();
    manifest
        .get("dependencies")
        .and_then(toml::Value::as_table)
        .into_iter()
        .flatten()
        .map(|(name, _)| name.clone())
        .collect()
}

#[test]
fn every_room_is_on_the_map() {
    let workspace: toml::Table = file("Cargo.toml").parse().unwrap();
    let members = workspace["workspace"]["members"].as_array().unwrap().iter();
    let members: BTreeSet<&str> = members.map(|member| member.as_str().unwrap()).collect();
    let rooms: BTreeSet<&str> = ROOMS.iter().map(|room| room.directory).collect();
    assert_eq!(members, rooms);
}

#[test]
fn the_core_depends_on_nothing() {
    assert_eq!(dependencies("host/core"), BTreeSet::new());
}

#[test]
fn rooms_use_only_what_lies_below_them() {
    let mut found = Vec::new();
    for Room { directory, ours } in ROOMS {
        for dependency in dependencies(directory) {
            if dependency.starts_with("tribunal") && !ours.contains(&dependency.as_str()) {
                found.push(format!("{directory} → {dependency}"));
            }
        }
    }
    none(&found, "arrows point downward");
}

#[test]
fn libraries_stay_in_their_rooms() {
    let mut found = Vec::new();
    for Room { directory, .. } in ROOMS {
        let used = dependencies(directory);
        for (library, rooms) in CONFINED {
            if used.contains(*library) && !rooms.contains(directory) {
                found.push(format!("{directory} → {library}"));
            }
        }
    }
    none(&found, "each of these libraries is known to its own rooms only");
}

#[test]
fn the_daemon_knows_neither_grpc_nor_wasm() {
    let edges = [
        "tonic",
        "wasmtime",
        "tribunal_teleport",
        "tribunal_engine",
        "tribunal_ledger",
        "tribunal_proto",
        "tribunal_sim",
    ];
    let mut found = Vec::new();
    for file in files(".rs").iter().filter(|file| file.path.starts_with("host/src/daemon")) {
        found.extend(
            edges.iter().filter(|edge| file.text.contains(**edge)).map(|edge| format!("{}: {edge}", file.path)),
        );
    }
    none(&found, "the daemon knows its ports only");
}

/// The users of the simulated cluster are clients of their own; nobody else in the binary's crate is.
#[test]
fn in_the_binary_only_the_users_of_the_simulated_cluster_speak_grpc() {
    let words = ["tonic::", "tribunal_proto", "rustls::", "wasmtime::"];
    let mut found = Vec::new();
    for file in files(".rs").iter().filter(|file| file.path.starts_with("host/src/")) {
        if !file.path.starts_with("host/src/dev/") {
            found.extend(
                words.iter().filter(|word| file.text.contains(**word)).map(|word| format!("{}: {word}", file.path)),
            );
        }
    }
    none(&found, "gRPC is spoken by the client, the simulator and its users");
}

#[test]
fn the_core_knows_no_clock_no_files_and_no_serialization() {
    let banned = [
        "std::fs",
        "std::env",
        "std::net",
        "std::thread",
        "SystemTime",
        "Instant::",
        "HashMap",
        "HashSet",
        "serde",
        "async ",
        "println!",
    ];
    let mut found = Vec::new();
    for file in
        files(".rs").iter().filter(|file| file.path.starts_with("host/core/src/") && !file.path.contains("tests"))
    {
        let shipped = file.text.split("#[cfg(test)]").next().unwrap_or_default();
        let code: Vec<&str> = shipped.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        let code = code.join("\n");
        found.extend(banned.iter().filter(|word| code.contains(**word)).map(|word| format!("{}: {word}", file.path)));
    }
    none(&found, "the core touches nothing");
}
