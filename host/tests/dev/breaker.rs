//! The breaker as an operator meets it: the built binary, its log, real signals, `tribunal status`. Nothing here may look
//! inside of it.

use crate::process::{Process, Served, run, tribunal};

const CAP: &str = "[[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n";

/// A daemon that allows so many resources, and may not lock what anybody holds without being asked.
fn daemon(served: &Served, resources_max: u32, more: &[&str]) -> Process {
    let plugin = format!("{CAP}settings = {{ max-resources = {resources_max} }}\n");
    let alone = "[daemon]\nlease = \"off\"\n";
    let limits = "[limits]\nlocked-percent-per-round = 0\nlocked-subjects-per-round = 0\n";
    start(served, "tribunal", &[alone, limits, &plugin].concat(), more)
}

fn start(served: &Served, name: &str, sections: &str, more: &[&str]) -> Process {
    let config = served.dir.path().join(format!("{name}.toml"));
    let text = format!(
        "[teleport]\naddress = \"{}\"\nidentity-file = \"identity\"\n[poll]\ninterval = \"1s\"\n\
         [ledger]\ndir = \"ledger-{name}\"\n[health]\nlisten = \"127.0.0.1:0\"\n{sections}",
        served.address
    );
    std::fs::write(&config, text).unwrap();
    Process::spawn(tribunal(&[&["run", "--config", config.to_str().unwrap()], more].concat()))
}

async fn ends_well(daemon: Process) {
    assert_eq!(daemon.end("TERM").await.code(), Some(0));
}

#[tokio::test]
async fn an_operator_is_told_that_the_breaker_tripped_and_releases_it_by_signal_or_at_the_start() {
    let served = Served::start(None).await;
    let mut lenient = daemon(&served, 3, &["--release-breaker"]);
    lenient.logs("The breaker has not tripped; there is nothing to release").await;
    lenient.logs("Started").await;
    lenient.signal("USR1").await;
    lenient.logs("The breaker has not tripped; there is nothing to release").await;
    for node in ["/dev/node/node-1", "/dev/node/node-2", "/dev/node/node-3"] {
        let request = served.ask("alice", &["--resource", node]).await;
        assert_eq!(served.resolved(&request).await["state"], "APPROVED");
    }
    ends_well(lenient).await;

    let why = "one round would lock what more than 0 of 1 users hold";
    let mut strict = daemon(&served, 2, &[]);
    let opened = strict.logs("The health port is open").await;
    let url = format!("http://{}", opened.rsplit_once("address=").unwrap().1.trim());
    let tripped = strict.logs("The breaker tripped").await;
    assert!(tripped.contains("ERROR") && tripped.contains(why), "{tripped}");
    let status = run(&["status", "--health", &url]).await;
    let said = String::from_utf8(status.stdout).unwrap();
    assert_eq!(status.status.code(), Some(1), "{said}");
    assert!(said.contains(&format!("breaker    tripped: {why}")), "{said}");
    ends_well(strict).await;

    let mut restarted = daemon(&served, 2, &[]);
    let tripped = restarted.logs("The breaker tripped in an earlier run").await;
    for words in ["ERROR", why, "SIGUSR1", "--release-breaker"] {
        assert!(tripped.contains(words), "`{words}` is missing: {tripped}");
    }
    restarted.logs("Started").await;
    restarted.signal("USR1").await;
    restarted.logs("An operator released the breaker").await;
    restarted.logs("step=\"lock\"").await;
    ends_well(restarted).await;

    let mut stricter = daemon(&served, 1, &[]);
    stricter.logs("The breaker tripped").await;
    ends_well(stricter).await;
    let mut released = daemon(&served, 1, &["--release-breaker"]);
    let tripped = released.logs("The breaker tripped in an earlier run").await;
    assert!(tripped.contains("it is released as soon as this daemon acts"), "{tripped}");
    released.logs("An operator released the breaker").await;
    released.logs("step=\"lock\"").await;
    ends_well(released).await;
    let locked = served.requests().await.iter().filter(|request| request["locked"] == true).count();
    assert_eq!(locked, 2);
}

#[tokio::test]
async fn a_signal_to_a_daemon_that_stands_by_is_not_lost_silently() {
    let served = Served::start(None).await;
    let mut leader = start(&served, "leader", CAP, &[]);
    leader.logs("Leads").await;
    let mut standby = start(&served, "standby", CAP, &[]);
    standby.logs("Stands by; another daemon leads").await;
    standby.signal("USR1").await;
    let told = standby.logs("Stands by, so that SIGUSR1 releases nothing").await;
    assert!(told.contains("WARN") && told.contains("leads"), "{told}");
    ends_well(standby).await;
    ends_well(leader).await;
}
