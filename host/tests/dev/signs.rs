//! What systemd and people see of a daemon: the built binary, a real notification socket, `tribunal status`. Nothing here
//! may look inside of it.

use std::path::Path;
use std::process::Output;

use serde_json::Value;
use tokio::net::UnixDatagram;

use crate::process::{Process, Served, in_time, run, tribunal};

/// The socket of a service manager.
struct Manager {
    socket: UnixDatagram,
    heard: Vec<String>,
}

impl Manager {
    fn at(path: &Path) -> Self {
        Self { socket: UnixDatagram::bind(path).unwrap(), heard: Vec::new() }
    }

    /// The next note with these words; its lines.
    async fn told(&mut self, words: &str) -> Vec<String> {
        let wait = async {
            loop {
                let mut note = vec![0; 4_096];
                let length = self.socket.recv(&mut note).await.unwrap();
                let note = String::from_utf8_lossy(&note[..length]).into_owned();
                self.heard.push(note.clone());
                if note.contains(words) {
                    return note.lines().map(str::to_owned).collect();
                }
            }
        };
        in_time(wait).await
    }
}

/// What `tribunal status` says: its exit code, and what it printed.
async fn status(arguments: &[&str]) -> (i32, String, String) {
    let Output { status, stdout, stderr } = run(&[&["status"], arguments].concat()).await;
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[tokio::test]
async fn systemd_and_people_are_told_how_the_daemon_stands() {
    let served = Served::start(None).await;
    let dir = served.dir.path();
    let config = dir.join("tribunal.toml");
    let text = format!(
        "[teleport]\naddress = \"{}\"\nidentity-file = \"identity\"\n[poll]\ninterval = \"1s\"\n[ledger]\ndir = \"ledger\"\n\
         [health]\nlisten = \"127.0.0.1:0\"\n[[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n",
        served.address
    );
    std::fs::write(&config, text).unwrap();
    let socket = dir.join("notify");
    let mut manager = Manager::at(&socket);
    let mut command = tribunal(&["run", "--config", config.to_str().unwrap()]);
    command.env("NOTIFY_SOCKET", &socket).env("WATCHDOG_USEC", "200000");
    let mut daemon = Process::spawn(command);
    let opened = daemon.logs("The health port is open").await;
    let port = opened.rsplit_once("address=").unwrap().1.trim().to_owned();
    let url = format!("http://{port}");
    let identity = daemon.logs("Identity").await;
    assert!(
        identity.contains("user=") && identity.contains("expires=") && identity.contains("left_secs="),
        "{identity}"
    );

    let first = manager.told("READY=1").await;
    assert!(first.iter().any(|line| line.starts_with("STATUS=")), "{first:?}");
    assert_eq!(manager.heard.len(), 1, "nothing came before: {:?}", manager.heard);
    if !first.contains(&"STATUS=ready: sees cluster dev".to_owned()) {
        manager.told("STATUS=ready: sees cluster dev").await;
    }
    manager.told("WATCHDOG=1").await;

    let request = served.ask("alice", &["--resource", "/dev/node/node-1"]).await;
    assert_eq!(served.resolved(&request).await["state"], "APPROVED");
    let (code, said, _) = status(&["--health", &url]).await;
    assert_eq!(code, 0, "{said}");
    for words in ["cluster    dev", "ready      yes", "sight      complete", "alice", "identity   bot-"] {
        assert!(said.contains(words), "`{words}` is missing:\n{said}");
    }
    let (code, said, _) = status(&["--health", &url, "--user", "alice", "--json"]).await;
    assert_eq!(code, 0, "{said}");
    let told: Value = serde_json::from_str(&said).unwrap();
    assert_eq!(told["user"]["requests"][0]["id"], request.as_str());
    assert_eq!((&told["user"]["held"], &told["ready"]), (&1.into(), &true.into()));

    // The cluster goes away.
    let Served { process, dir, .. } = served;
    process.end("TERM").await;
    manager.told("STATUS=not ready: it does not see the cluster").await;
    let (code, said, _) = status(&["--health", &url]).await;
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("ready      no: it does not see the cluster"), "{said}");

    manager.told("WATCHDOG=1").await;
    assert_eq!(daemon.end("TERM").await.code(), Some(0));
    manager.told("STOPPING=1").await;
    let (code, said, error) = status(&["--health", &url]).await;
    assert_eq!((code, said.as_str()), (2, ""));
    assert!(error.contains(&format!("nothing is known of a daemon at `{port}`")), "{error}");
    drop(dir);
}

#[tokio::test]
async fn where_nothing_can_be_asked_that_is_said() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("tribunal.toml");
    let minimal = "[teleport]\naddress = \"a:3025\"\nidentity-file = \"i\"\n";
    for (text, words) in [(minimal, "has no `listen` in `[health]`"), ("nonsense", "not TOML")] {
        std::fs::write(&config, text).unwrap();
        let (code, said, error) = status(&["--config", config.to_str().unwrap()]).await;
        assert_eq!((code, said.as_str()), (2, ""));
        assert!(error.contains(words), "{error}");
    }
    let (code, _, error) = status(&["--health", "https://localhost:1"]).await;
    assert_eq!(code, 2);
    assert!(error.contains("write it like `http://127.0.0.1:9464`"), "{error}");
}

#[tokio::test]
async fn a_health_port_that_cannot_be_opened_ends_the_start() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("tribunal.toml");
    let text = format!(
        "[teleport]\naddress = \"a:3025\"\nidentity-file = \"i\"\n[health]\nlisten = \"{}\"\n\
         [[plugin]]\nname = \"cap\"\nsource = \"builtin:cap\"\n",
        taken.local_addr().unwrap()
    );
    std::fs::write(&config, text).unwrap();
    let output = run(&["run", "--config", config.to_str().unwrap()]).await;
    let error = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(error.contains("cannot be opened") && error.contains("change `listen` in `[health]`"), "{error}");
}
