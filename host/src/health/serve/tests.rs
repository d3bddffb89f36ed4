//! The port over real sockets, with clients that are well and ill behaved.
#![expect(clippy::unwrap_used, reason = "tests")]

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::task::JoinHandle;

use super::*;
use crate::health::ask::Port;
use crate::health::tests::outlook;
use crate::signs::tests::{Told, request};
use tribunal_core::request::RequestState;

/// Generous: what it bounds is a failing test.
const PATIENCE: Duration = Duration::from_secs(60);

struct Open {
    told: Told,
    at: SocketAddr,
    served: JoinHandle<()>,
}

impl Drop for Open {
    fn drop(&mut self) {
        self.served.abort();
    }
}

async fn open() -> Open {
    let told = Told::seeing();
    let listener = listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
    let at = listener.local_addr().unwrap();
    let served = tokio::spawn(serve(listener, outlook(&told)));
    Open { told, at, served }
}

/// Sends this and reads until the other side ends.
async fn says(at: SocketAddr, request: &str) -> String {
    let mut stream = TcpStream::connect(at).await.unwrap();
    stream.write_all(request.as_bytes()).await.unwrap();
    heard(&mut stream).await
}

async fn heard(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    // A connection that is cut off may end in an error; what came before it counts.
    let _ended = tokio::time::timeout(PATIENCE, stream.read_to_end(&mut bytes)).await.unwrap();
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn get(at: SocketAddr, path: &str) -> String {
    says(at, &format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")).await
}

#[tokio::test]
async fn every_path_answers() {
    let open = open().await;
    for (path, status, body) in [
        ("/", "200 OK", "/readyz"),
        ("/livez", "200 OK", "\r\n\r\nlive\n"),
        ("/readyz", "200 OK", "\r\n\r\nready\n"),
        ("/metrics", "200 OK", "tribunal_ready 1\n"),
        ("/status", "200 OK", "\"ready\":true"),
        ("/nothing", "404 Not Found", "/readyz"),
    ] {
        let answer = get(open.at, path).await;
        assert!(answer.starts_with(&format!("HTTP/1.1 {status}\r\n")), "{path}: {answer}");
        assert!(answer.contains(body), "{path}: {answer}");
        assert!(answer.contains("cache-control: no-store"), "{path}: {answer}");
    }
    let metrics = get(open.at, "/metrics").await;
    assert!(metrics.contains("content-type: application/openmetrics-text; version=1.0.0; charset=utf-8"), "{metrics}");
}

#[tokio::test]
async fn what_is_not_ready_says_why_on_one_line() {
    let open = open().await;
    open.told.append(Err("disk full"));
    let answer = get(open.at, "/readyz").await;
    assert!(answer.starts_with("HTTP/1.1 503 Service Unavailable\r\n"), "{answer}");
    let body = answer.split_once("\r\n\r\n").unwrap().1;
    assert_eq!(body, "not ready: the ledger cannot be written since 2027-01-15T08:00:00Z: disk full\n");
    assert!(get(open.at, "/livez").await.starts_with("HTTP/1.1 200"));
    assert!(get(open.at, "/metrics").await.contains("tribunal_ready 0\n"));
}

#[tokio::test]
async fn nothing_can_be_changed() {
    let open = open().await;
    for method in ["POST", "PUT", "DELETE", "PATCH"] {
        let answer = says(open.at, &format!("{method} /status HTTP/1.1\r\nHost: l\r\nContent-Length: 0\r\n\r\n")).await;
        assert!(answer.starts_with("HTTP/1.1 405 Method Not Allowed\r\n"), "{answer}");
        assert!(answer.contains("allow: GET, HEAD"), "{answer}");
    }
    let answer = says(open.at, "HEAD /status HTTP/1.1\r\nHost: l\r\n\r\n").await;
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n") && answer.ends_with("\r\n\r\n"), "{answer}");
}

#[tokio::test]
async fn a_users_holdings_are_shown_whatever_the_name() {
    let open = open().await;
    let name = "a b&user=c/d%ü@e";
    open.told.listed(vec![request("r", name, RequestState::Approved, &["n"])], Vec::new());
    let report = Port::of(open.at).report(&Whose::One(UserName::new(name))).await.unwrap();
    let one = report.user.unwrap();
    assert_eq!((one.user.name.as_str(), one.user.counted.held), (name, 1));
    let report = Port::of(open.at).report(&Whose::Everybody).await.unwrap();
    assert_eq!(report.users.unwrap().first().unwrap().name, name);
}

#[tokio::test]
async fn a_head_that_is_too_long_is_refused() {
    let open = open().await;
    let long = "x".repeat(HEAD_BYTES_MAX);
    for request in [
        format!("GET /readyz HTTP/1.1\r\nHost: l\r\nX-Long: {long}\r\n\r\n"),
        format!("GET /{long} HTTP/1.1\r\nHost: l\r\n\r\n"),
        format!("GET /readyz HTTP/1.1\r\nHost: l\r\n{}\r\n", "X-Many: 1\r\n".repeat(HEADERS_MAX + 1)),
    ] {
        let answer = says(open.at, &request).await;
        assert!(!answer.contains("200 OK"), "{answer}");
    }
    assert!(says(open.at, "nonsense\r\n\r\n").await.starts_with("HTTP/1.1 400"));
    assert!(get(open.at, "/readyz").await.starts_with("HTTP/1.1 200"));
}

#[tokio::test]
async fn silent_clients_keep_nobody_out_and_the_oldest_give_way() {
    let open = open().await;
    let mut silent = Vec::new();
    for _ in 0..CONNECTIONS_MAX {
        silent.push(TcpStream::connect(open.at).await.unwrap());
    }
    assert!(get(open.at, "/readyz").await.starts_with("HTTP/1.1 200"));
    // The oldest was cut off; the newest still has its time.
    assert_eq!(heard(silent.first_mut().unwrap()).await, "");
    let newest = silent.last_mut().unwrap();
    newest.write_all(b"GET /livez HTTP/1.1\r\nHost: l\r\n\r\n").await.unwrap();
    assert!(heard(newest).await.starts_with("HTTP/1.1 200"));
}

/// Under a paused clock time goes by as soon as nothing else happens.
#[tokio::test(start_paused = true)]
async fn a_slow_client_is_cut_off() {
    let open = open().await;
    let begun = tokio::time::Instant::now();
    let mut stream = TcpStream::connect(open.at).await.unwrap();
    stream.write_all(b"GET /livez HTTP/1.1\r\nHost:").await.unwrap();
    let mut answer = Vec::new();
    let _ended = stream.read_to_end(&mut answer).await;
    assert!(!String::from_utf8_lossy(&answer).contains("200"));
    assert!(begun.elapsed() <= Duration::from_secs(CONNECTION_SECS_MAX + 1));
}

#[tokio::test]
async fn a_port_that_is_taken_says_so() {
    let open = open().await;
    assert!(listen(open.at).await.is_err());
}

#[tokio::test]
async fn an_answer_of_something_else_is_none() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let at = listener.local_addr().unwrap();
    let other = tokio::spawn(async move {
        for answer in [
            "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi",
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "SSH-2.0",
        ] {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut head = [0; 1024];
            let _some = stream.read(&mut head).await.unwrap();
            stream.write_all(answer.as_bytes()).await.unwrap();
        }
    });
    for why in ["none of tribunal's", "404 Not Found", ""] {
        let error = Port::of(at).report(&Whose::Together).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("nothing is known of a daemon at `{at}`: ")) && error.contains(why),
            "{error}"
        );
    }
    other.await.unwrap();
}
