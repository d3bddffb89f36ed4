//! `tribunal.toml`. An operator wrote it, so that it is no danger, but a mistake in it must be told and not crash.

use std::path::Path;

use tribunal::config::Config;

use super::{KIB, MIB, Target};
use crate::mutate::Form;

const WORDS: &[&[u8]] = &[
    b"[teleport]\n",
    b"[poll]\n",
    b"[limits]\n",
    b"[locks]\n",
    b"[guard]\n",
    b"[ledger]\n",
    b"[health]\n",
    b"[daemon]\n",
    b"[scope]\n",
    b"[[exemption]]\n",
    b"[[plugin]]\n",
    b"address = ",
    b"identity-file = ",
    b"resolve-with = \"review\"\n",
    b"route = \"ssh\"\n",
    b"interval = \"30s\"\n",
    b"settings = {",
    b"settings = { classes = [\"a\", \"b\"] }\n",
    b"effects = [\"deny\"]\n",
    b"source = \"builtin:cap\"\n",
    b"digest = \"sha256:",
    b"mode = \"shadow\"\n",
    b"until = 2027-01-01T00:00:00Z\n",
    b"\"\"\"",
    b"'''",
    b"\\u0000",
    b"\\U0010ffff",
    b"\xc3\xa4",
    b"\xf0\x9f\x8f\x9b",
    b"\xe2\x80\x8b",
    b"1e400",
    b"0x",
    b"-9223372036854775808",
    b"nan",
    b"inf",
    b"1979-05-27",
    b" = ",
    b"\n",
    b"{}",
    b"[[",
    b"]]",
    b"#",
    b"users = [",
    b"roles = [",
    b"request = ",
    b"reason = ",
];

const SEEDS: [&[u8]; 2] = [
    br#"[teleport]
address = "auth.example.com:3025"
identity-file = "/opt/machine-id/identity"
resolve-with = "state"
route = "auto"

[poll]
interval = "30s"

[locks]
release = "when-clear"
human-approved = "exempt"

[guard]
protected-roles = ["editor", "auditor"]

[limits]
deadline-ms = 50
subjects-in-flight = 64
locked-percent-per-round = 20

[scope]
exclude-users = ["root"]

[[exemption]]
user = "alice"
until = "2027-01-01T00:00:00Z"
reason = "on call"

[health]
listen = "127.0.0.1:9090"

[daemon]
lease = "auto"

[ledger]
dir = "/var/lib/tribunal/ledger"

[[plugin]]
name = "separation"
source = "builtin:separation"
settings = { classes = ["prod", "research"] }

[[plugin]]
name = "cap"
source = "builtin:cap"
effects = ["approve", "lock"]
settings = { max-resources = 3 }
"#,
    br#"[teleport]
address = "proxy.example.com"
identity-file = "identity"
[[plugin]]
name = "own"
source = "own.wasm"
digest = "sha256:0000000000000000000000000000000000000000000000000000000000000000"
effects = ["deny"]
mode = "shadow"
[plugin.settings.deep.deeper]
a = [1, 2.5, true, "x", 2026-01-01, { b = [] }]
"#,
];

pub(super) fn target() -> Target {
    Target {
        name: "config",
        form: Form::Bytes,
        words: WORDS,
        input_bytes_max: 64 * KIB,
        // Each mistake is told with its line, and a line may have many of them.
        memory: (4 * MIB, 4 * KIB),
        seeds: || SEEDS.iter().map(|text| text.to_vec()).collect(),
        run: Box::new(|case| {
            let text = String::from_utf8_lossy(case);
            Ok(match Config::from_toml(&text, Path::new("/etc/tribunal/tribunal.toml")) {
                Ok(config) => format!("{} plugins, {} exemptions", config.plugins.len(), config.exemptions.len()),
                Err(errors) if errors.to_string().is_empty() => {
                    return Err("nothing is said of what is wrong".to_owned());
                }
                Err(errors) => errors.problems().first().map_or_else(String::new, |problem| problem.what.clone()),
            })
        }),
    }
}
