//! Policies that change under a running daemon, as an operator does it: files, SIGHUP, the log, `tribunal status`. Nothing here
//! may look inside of it.

use std::path::Path;

use crate::process::{Process, Served, run, tribunal};

/// A plugin of a file that decides, and one that may only deny.
fn configuration(address: &str, resources_max: u32) -> String {
    format!(
        "[teleport]\naddress = \"{address}\"\nidentity-file = \"identity\"\n[poll]\ninterval = \"1s\"\n\
         [ledger]\ndir = \"ledger\"\n[health]\nlisten = \"127.0.0.1:0\"\n[engine]\ncache = \"compiled\"\n\
         [limits]\ndeadline-ms = 5000\nsetup-deadline-ms = 10000\n\
         [[plugin]]\nname = \"own\"\nsource = \"own.wasm\"\neffects = [\"approve\", \"deny\", \"lock\"]\n\
         settings = {{ max-resources = {resources_max} }}\n\
         [[plugin]]\nname = \"theirs\"\nsource = \"theirs.wasm\"\neffects = [\"deny\"]\n\
         settings = {{ max-resources = 100, when-compliant = \"abstain\" }}\n"
    )
}

/// In one step, as whoever deploys files does.
fn put(dir: &Path, name: &str, bytes: impl AsRef<[u8]>) {
    let unfinished = dir.join(format!("{name}.new"));
    std::fs::write(&unfinished, bytes).unwrap();
    std::fs::rename(unfinished, dir.join(name)).unwrap();
}

async fn status(url: &str) -> String {
    String::from_utf8(run(&["status", "--health", url]).await.stdout).unwrap()
}

#[tokio::test]
async fn policies_are_replaced_while_the_daemon_runs_and_the_last_good_ones_stay() {
    let served = Served::start(None).await;
    let dir = served.dir.path();
    put(dir, "tribunal.toml", configuration(&served.address, 1));
    put(dir, "own.wasm", tribunal_plugins::CAP);
    put(dir, "theirs.wasm", "no component");
    let config = dir.join("tribunal.toml");
    let mut daemon = Process::spawn(tribunal(&["run", "--config", config.to_str().unwrap()]));

    // A bad one does not stop the start, and what it might object to is left to people.
    let opened = daemon.logs("The health port is open").await;
    let url = format!("http://{}", opened.rsplit_once("address=").unwrap().1.trim());
    let bad = daemon.logs("Plugin not loaded").await;
    assert!(bad.contains("plugin `theirs`: is not WebAssembly"), "{bad}");
    let first = served.ask("alice", &["--resource", "/dev/node/node-1"]).await;
    daemon.logs("verdict=\"leave\"").await;
    let said = status(&url).await;
    assert!(said.contains("theirs (enforce: deny; not-loaded: is not WebAssembly"), "{said}");

    // Mended, and asked to look.
    put(dir, "theirs.wasm", tribunal_plugins::CAP);
    daemon.signal("HUP").await;
    daemon.logs("Another panel is asked").await;
    assert_eq!(served.resolved(&first).await["state"], "APPROVED");
    // Two resources at once are too many, until the settings change; nobody asks.
    let both = ["--resource", "/dev/node/node-2", "--resource", "/dev/node/node-3"];
    let second = served.ask("switcher", &both).await;
    assert_eq!(served.resolved(&second).await["state"], "DENIED");
    put(dir, "tribunal.toml", configuration(&served.address, 2));
    daemon.logs("Another panel is asked").await;
    let third = served.ask("hoarder", &both).await;
    assert_eq!(served.resolved(&third).await["state"], "APPROVED");

    // What is wrong stays out.
    put(dir, "own.wasm", &tribunal_plugins::CAP[..1_000]);
    let kept = daemon.logs("The panel cannot be replaced; the last good one stays").await;
    assert!(kept.contains("plugin `own`: is damaged"), "{kept}");
    let said = status(&url).await;
    assert!(said.contains("reload     failed at") && said.contains("plugin `own`: is damaged"), "{said}");
    let fourth = served.ask("bulk", &["--resource", "/dev/node/node-1"]).await;
    assert_eq!(served.resolved(&fourth).await["state"], "APPROVED");
    assert_eq!(daemon.end("TERM").await.code(), Some(0));

    // One component, compiled once, by another process.
    let entries: Vec<_> = std::fs::read_dir(dir.join("compiled")).unwrap().collect();
    assert_eq!(entries.len(), 1, "{entries:?}");
}

#[tokio::test]
async fn two_processes_that_load_the_same_plugins_share_what_they_compile() {
    let dir = tempfile::tempdir().unwrap();
    let dir = dir.path();
    let text = configuration("auth.example.com:3025", 3)
        .replace("{ max-resources = 100, when-compliant = \"abstain\" }", "{ classes = [\"prod\", \"research\"] }");
    put(dir, "tribunal.toml", text);
    put(dir, "own.wasm", tribunal_plugins::CAP);
    put(dir, "theirs.wasm", tribunal_plugins::SEPARATION);
    let config = dir.join("tribunal.toml");
    let check = ["check", "--config", config.to_str().unwrap()];
    // Both find nothing, compile, and put what comes of it into the same place.
    let (one, two) = tokio::join!(run(&check), run(&check));
    for output in [one, two, run(&check).await] {
        let (stdout, stderr) = (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        assert!(output.status.success(), "{stdout}{stderr}");
    }
    let entries: Vec<_> = std::fs::read_dir(dir.join("compiled")).unwrap().collect();
    assert_eq!(entries.len(), 2, "{entries:?}");
}
