//! `tribunal dev` and `tribunal run` as people start them: the built binary, real processes, real mTLS. Nothing here may
//! look inside of them.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing, reason = "tests")]

#[path = "dev/breaker.rs"]
mod breaker;
#[path = "dev/kill.rs"]
mod kill;
#[path = "dev/process.rs"]
mod process;
#[path = "dev/reload.rs"]
mod reload;
#[path = "dev/signs.rs"]
mod signs;

use std::path::PathBuf;

use serde_json::{Value, json};

use process::{Process, Served, failed, run, said, said_json};

/// What must become of the cast's requests, in order: user, asked for, state, locked, rules.
fn expected() -> Value {
    let complies = ["cap/within-cap", "separation/classes-separate"];
    let node = |number: u32| format!("/dev/node/node-{number}");
    let over_cap = ["cap/within-cap", "separation/classes-separate", "cap/held-over-cap"];
    let conflict = ["cap/within-cap", "separation/classes-separate", "separation/held-conflict"];
    json!([
        ["hoarder", [node(1)], "APPROVED", true, over_cap],
        ["hoarder", [node(2)], "APPROVED", false, complies],
        ["hoarder", [node(3)], "APPROVED", false, complies],
        ["hoarder", [node(4)], "APPROVED", false, complies],
        ["straddler", ["prod-admin", "research-admin"], "DENIED", false, ["separation/request-mixes-classes"]],
        ["switcher", ["prod-admin"], "APPROVED", true, conflict],
        ["switcher", ["research-admin"], "APPROVED", false, complies],
        ["bulk", [node(1), node(2), node(3), node(4), node(5)], "DENIED", false, ["cap/request-over-cap"]],
        ["climber", ["editor"], "PENDING", false, ["guard/protected-role"]],
    ])
}

/// The same of what was printed.
fn essence(requests: &[Value]) -> Value {
    let essence = |request: &Value| {
        let by_role = request["resources"].as_array().unwrap().is_empty();
        let asked = if by_role { &request["roles"] } else { &request["resources"] };
        json!([request["user"], asked, request["state"], request["locked"], request["rules"]])
    };
    requests.iter().map(essence).collect()
}

#[tokio::test]
async fn once_ends_in_the_expected_state_and_prints_nothing_but_it() {
    let output = run(&["dev", "--once", "--json"]).await;
    let stderr = String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(0), "{stderr}");
    let stdout = String::from_utf8(output.stdout).unwrap();
    assert_eq!(stdout.lines().count(), 1, "{stdout}");
    let state: Value = serde_json::from_str(&stdout).unwrap();
    let requests = state["requests"].as_array().unwrap();
    assert_eq!(essence(requests), expected(), "{stdout}");
    assert_eq!(state["decisions"], 9, "one for each request");
    assert!(state["elapsed_ms"].as_u64().unwrap() > 0);
    assert_eq!(state.as_object().unwrap().len(), 3);

    let reason = requests[4]["resolve_reason"].as_str().unwrap();
    assert!(reason.contains("prod: [prod-admin]") && reason.contains("research: [research-admin]"), "{reason}");
    for request in requests {
        let keys: Vec<&str> = request.as_object().unwrap().keys().map(String::as_str).collect();
        let all = ["id", "lock_reason", "locked", "resolve_reason", "resources", "roles", "rules", "state", "user"];
        assert_eq!(keys, all);
        assert_eq!(request["locked"], !request["lock_reason"].as_str().unwrap().is_empty());
    }
    assert!(stderr.contains("never could use more than 3 resources at once"), "{stderr}");
}

#[tokio::test]
async fn once_tells_each_step_and_shows_everybody_in_a_table() {
    let text = said(&["dev", "--once"]).await;
    let (story, table) = text.split_once('┌').unwrap();
    for user in ["hoarder", "straddler", "switcher", "bulk", "climber"] {
        assert!(story.lines().any(|line| line.starts_with(user) && line.contains("asks for")), "{user} in\n{story}");
        assert!(table.contains(user), "{user} in\n{table}");
    }
    let told = |words: &str| story.lines().filter(|line| line.starts_with("tribunal") && line.contains(words)).count();
    assert_eq!((told("approves"), told("denies"), told("leaves"), told("locks")), (6, 2, 1, 2), "{story}");
    assert!(story.contains("hoarder never could use more than 3 resources at once"), "{story}");
    assert!(story.contains("switcher never could use `prod-admin` and `research-admin` at once"), "{story}");
    for words in ["left to people", "protected", "locked: ", "separation/held-conflict", "guard/protected-role"] {
        assert!(table.contains(words), "{words} in\n{table}");
    }
}

#[tokio::test]
async fn without_once_the_cluster_stays_up_for_a_newcomer_until_ctrl_c() {
    let mut dev = Process::start(&["dev"]);
    let command = dev.says("--user alice --resource").await;
    let dir = PathBuf::from(command.split_whitespace().skip_while(|word| *word != "--dir").nth(1).unwrap());
    dev.says("Ctrl-C").await;
    let arguments =
        ["dev", "request", "--dir", dir.to_str().unwrap(), "--user", "alice", "--resource", "/dev/node/node-1"];
    let id = said(&arguments).await;
    let requests = said_json(&["dev", "requests", "--dir", dir.to_str().unwrap(), "--json"]).await;
    let requests = requests["requests"].as_array().unwrap().clone();
    assert_eq!(requests.len(), 10);
    assert_eq!(requests[9]["id"], id.trim());
    assert_eq!(dev.end("INT").await.code(), Some(0));
    assert!(!dir.exists(), "{}", dir.display());
}

#[tokio::test]
async fn a_daemon_with_the_sample_watchers_flags_decides_a_served_cluster_alike() {
    let served = Served::start(None).await;
    let mut daemon = served.watcher().await;
    for request in expected().as_array().unwrap() {
        let flag = if request[1][0].as_str().unwrap().starts_with('/') { "--resource" } else { "--role" };
        let asked = request[1].as_array().unwrap().iter();
        let wish: Vec<&str> = asked.flat_map(|name| [flag, name.as_str().unwrap()]).collect();
        let id = served.ask(request[0].as_str().unwrap(), &wish).await;
        if request[2] == "PENDING" {
            daemon.logs("guard/protected-role").await;
        } else {
            served.resolved(&id).await;
        }
    }
    let mut told = expected();
    // The cluster itself has no word about a request that was left alone.
    told[8][4] = json!([]);
    assert_eq!(essence(&served.requests().await), told);

    let locks = said_json(&["dev", "locks", "--dir", served.path(), "--json"]).await;
    let requests = served.requests().await;
    let locked: Vec<&Value> = requests.iter().filter(|request| request["locked"] == true).map(|r| &r["id"]).collect();
    let on: Vec<&Value> = locks["locks"].as_array().unwrap().iter().map(|lock| &lock["request"]).collect();
    assert_eq!(on, locked);
    let table = said(&["dev", "requests", "--dir", served.path()]).await;
    assert!(table.contains("hoarder") && table.contains("locked: Exceeded"), "{table}");
    let table = said(&["dev", "locks", "--dir", served.path()]).await;
    assert!(table.contains("cap/held-over-cap") && table.contains("bot-tribunal"), "{table}");

    assert_eq!(daemon.end("TERM").await.code(), Some(0));
    assert_eq!(served.process.end("TERM").await.code(), Some(0));
}

#[tokio::test]
async fn a_program_is_told_where_the_cluster_is() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().to_str().unwrap();
    let old = ["--teleport-version", "16"];
    let serve = ["dev", "--serve", "--listen", "127.0.0.1:0", "--dir", dir, "--json", old[0], old[1]];
    let mut serve = Process::start(&serve);
    let told: Value = serde_json::from_str(&serve.says("{").await).unwrap();
    let address = std::fs::read_to_string(temp.path().join("address")).unwrap();
    assert_eq!(told, json!({ "address": address.trim(), "cluster": "dev", "dir": dir }));
    said(&["dev", "requests", "--dir", dir]).await;
    said(&["dev", "locks", "--dir", dir]).await;
    assert_eq!(serve.end("INT").await.code(), Some(0));
}

#[tokio::test]
async fn people_decide_on_a_served_cluster_as_its_admin() {
    let served = Served::start(None).await;
    for name in ["identity", "admin.identity", "hoarder.identity", "alice.identity"] {
        assert!(served.dir.path().join(name).is_file(), "{name}");
    }
    let (first, second) =
        (served.ask("alice", &["--role", "editor"]).await, served.ask("bulk", &["--role", "prod-admin"]).await);
    let (_, end) = first.rsplit_once('-').unwrap();
    said(&["dev", "approve", "--dir", served.path(), end, "--reason", "fine"]).await;
    said(&["dev", "deny", "--dir", served.path(), &second]).await;
    let requests = served.requests().await;
    assert_eq!(requests[0]["state"], "APPROVED");
    assert_eq!(requests[0]["resolve_reason"], "fine");
    assert_eq!(requests[1]["state"], "DENIED");
    let (code, words) = failed(&["dev", "approve", "--dir", served.path(), &second]).await;
    assert_eq!(code, 1);
    assert!(words.contains("`admin` cannot approve the request: ") && words.contains("already denied"), "{words}");
    let (code, words) = failed(&["dev", "request", "--dir", served.path(), "--user", "bulk", "--role", "admin"]).await;
    assert_eq!(code, 1);
    assert!(words.contains("`bulk` cannot ask for access: "), "{words}");
}

#[tokio::test]
async fn a_scenario_file_is_decided_to_its_end() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("scenario.toml");
    let text = r#"
        cluster = "c"
        [[role]]
        name = "asker"
        [role.allow.request]
        roles = ["prod-admin", "auditor"]
        [[role]]
        name = "prod-admin"
        [[role]]
        name = "auditor"
        [[user]]
        name = "ann"
        roles = ["asker"]
        [[request]]
        user = "ann"
        roles = ["auditor"]
        age = "2m"
        [[request]]
        user = "ann"
        roles = ["prod-admin"]
        age = "1m"
    "#;
    std::fs::write(&file, text).unwrap();
    let state = said_json(&["dev", "--once", "--json", "--scenario", file.to_str().unwrap()]).await;
    let complies = ["cap/within-cap", "separation/classes-separate"];
    assert_eq!(
        essence(state["requests"].as_array().unwrap()),
        json!([
            ["ann", ["auditor"], "PENDING", false, ["guard/protected-role"]],
            ["ann", ["prod-admin"], "APPROVED", false, complies],
        ])
    );
}

#[tokio::test]
async fn a_scenario_that_is_interrupted_is_no_success() {
    let temp = tempfile::tempdir().unwrap();
    let file = temp.path().join("never-ends.toml");
    let text = r#"
        cluster = "c"
        [[role]]
        name = "prod-admin"
        [[user]]
        name = "ann"
        [[request]]
        user = "ann"
        roles = ["prod-admin"]
        [[faults.error]]
        method = "SetAccessRequestState"
        code = "unavailable"
        probability = 1.0
    "#;
    std::fs::write(&file, text).unwrap();
    let mut dev = Process::start(&["dev", "--once", "--scenario", file.to_str().unwrap()]);
    dev.says("listens on").await;
    assert_eq!(dev.end("INT").await.code(), Some(1));
}

#[tokio::test]
async fn what_cannot_be_served_is_told_with_what_to_do() {
    let temp = tempfile::tempdir().unwrap();
    let dir = temp.path().join("dir");
    let dir = dir.to_str().unwrap();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let bad = temp.path().join("bad.toml");
    std::fs::write(&bad, "cluster = \"c\"\n[[user]]\nname = \"ann\"\nroles = [\"nobody-knows\"]\n").unwrap();
    let bad = bad.to_str().unwrap();
    let cases: [(&[&str], &[&str]); 8] = [
        (&["dev", "--serve", "--dir", dir, "--listen", &address], &["cannot listen on", &address, "choose another"]),
        (
            &["dev", "--serve", "--dir", "/dev/null/x", "--listen", "127.0.0.1:0"],
            &["`/dev/null/x`", "choose a directory"],
        ),
        (&["dev", "--serve", "--dir", dir, "--scenario", bad], &["bad.toml", "line 4: ", "nobody-knows"]),
        (
            &["dev", "--serve", "--dir", dir, "--scenario", "/no/file"],
            &["cannot read `/no/file`", "point `--scenario`"],
        ),
        (&["dev", "--once", "--scenario", bad], &["bad.toml", "line 4: ", "nobody-knows"]),
        (&["dev", "--serve"], &["--dir"]),
        (&["dev", "--serve", "--dir", dir, "--teleport-version", "15"], &["release 15 cannot be simulated", "16, 17"]),
        (&["dev", "requests", "--dir", "/no/dir"], &["`/no/dir`", "tribunal dev --serve"]),
    ];
    for (arguments, words) in cases {
        let (code, told) = failed(arguments).await;
        assert!([1, 2].contains(&code), "{arguments:?}: {code}\n{told}");
        for word in words {
            assert!(told.contains(word), "{arguments:?}: `{word}` in\n{told}");
        }
        assert!(!told.contains("panicked"), "{told}");
    }
}

#[tokio::test]
async fn what_a_user_cannot_do_is_told_with_what_to_do() {
    let served = Served::start(None).await;
    let dir = served.path();
    let cases: [(&[&str], &str); 4] = [
        (
            &["dev", "request", "--dir", dir, "--user", "nobody", "--role", "r"],
            "there is no user `nobody`; choose one of",
        ),
        (&["dev", "request", "--dir", dir, "--user", "../x", "--role", "r"], "there is no user `../x`"),
        (&["dev", "request", "--dir", dir, "--user", "bulk", "--resource", "node-1"], "as `/cluster/kind/name`"),
        (&["dev", "deny", "--dir", dir, "no-such-id"], "names 0 requests"),
    ];
    for (arguments, words) in cases {
        let (code, told) = failed(arguments).await;
        assert!(code == 1 && told.contains(words), "{arguments:?}: {code}\n{told}");
    }
    let dir = served.dir.path().to_owned();
    let Served { process, dir: _kept, address } = served;
    process.end("TERM").await;
    let (code, told) = failed(&["dev", "requests", "--dir", dir.to_str().unwrap()]).await;
    assert!(code == 1 && told.contains(&address) && told.contains("still running?"), "{code}\n{told}");
}
