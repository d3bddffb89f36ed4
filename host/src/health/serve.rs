//! The health port: plain HTTP/1.1, one answer for each connection. Whatever a client does or leaves undone, it holds
//! nothing for long: connections, headers and time are bounded, and the newest connection has precedence.

use std::borrow::Borrow;
use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::body::Incoming;
use hyper::header::{ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderValue};
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use percent_encoding::percent_decode_str;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Mutex;
use tokio::task::{AbortHandle, JoinSet};
use tracing::{info, warn};
use tribunal_core::request::UserName;

use super::{Outlook, Whose};
use crate::signs::metrics;

/// Connections at once; a further one takes the place of the oldest.
pub const CONNECTIONS_MAX: usize = 32;
/// How long a connection may last, in seconds.
pub const CONNECTION_SECS_MAX: u64 = 10;
/// How long the head of a request may take, in seconds.
pub const HEAD_SECS_MAX: u64 = 5;
/// The longest head of a request, in bytes.
pub const HEAD_BYTES_MAX: usize = 16 * 1024;
/// Header fields in a request.
pub const HEADERS_MAX: usize = 64;
/// The pause after a connection that could not be taken: the system may lack file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

const TEXT: &str = "text/plain; charset=utf-8";
const JSON: &str = "application/json";
const ROOT: &str = "/livez    whether the daemon turns\n/readyz   whether it is ready, or why not\n\
                    /metrics  for Prometheus\n/status   everything, as JSON; ?user=NAME and ?users for who holds what\n";

/// Opens the port, and warns where others than this machine may reach it.
///
/// # Errors
/// If it cannot be opened.
pub async fn listen(at: SocketAddr) -> io::Result<TcpListener> {
    let listener = TcpListener::bind(at).await?;
    let address = listener.local_addr()?;
    info!(%address, "The health port is open");
    if !address.ip().is_loopback() {
        warn!(%address, "The health port can be reached by other machines, and shows them who holds what");
    }
    Ok(listener)
}

/// Answers for ever.
pub async fn serve(listener: impl Borrow<TcpListener>, outlook: Outlook) {
    // Of the answers that take a while one is made at a time.
    let outlook = Arc::new((outlook, Arc::new(Mutex::new(()))));
    let mut connections = JoinSet::new();
    let mut oldest: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        let stream = match listener.borrow().accept().await {
            Ok((stream, _from)) => stream,
            Err(error) => {
                tracing::debug!(%error, "A connection to the health port could not be taken");
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            }
        };
        while connections.try_join_next().is_some() {}
        oldest.retain(|connection| !connection.is_finished());
        while oldest.len() >= CONNECTIONS_MAX {
            oldest.pop_front().iter().for_each(AbortHandle::abort);
        }
        oldest.push_back(connections.spawn(converse(stream, Arc::clone(&outlook))));
    }
}

type Shared = Arc<(Outlook, Arc<Mutex<()>>)>;

async fn converse(stream: TcpStream, outlook: Shared) {
    let answer = service_fn(move |request: Request<Incoming>| {
        let outlook = Arc::clone(&outlook);
        async move { Ok::<_, Infallible>(answer(&request, &outlook).await) }
    });
    let mut http = hyper::server::conn::http1::Builder::new();
    http.timer(TokioTimer::new())
        .header_read_timeout(Duration::from_secs(HEAD_SECS_MAX))
        .max_buf_size(HEAD_BYTES_MAX)
        .max_headers(HEADERS_MAX)
        .keep_alive(false);
    let conversation = http.serve_connection(TokioIo::new(stream), answer);
    let ended = tokio::time::timeout(Duration::from_secs(CONNECTION_SECS_MAX), conversation).await;
    // What a client does wrong is the client's to know.
    tracing::trace!(?ended, "A connection to the health port ended");
}

async fn answer(request: &Request<Incoming>, (outlook, one): &(Outlook, Arc<Mutex<()>>)) -> Response<String> {
    if ![Method::GET, Method::HEAD].contains(request.method()) {
        let mut refusal = respond(StatusCode::METHOD_NOT_ALLOWED, TEXT, "only GET and HEAD\n".to_owned());
        refusal.headers_mut().insert(ALLOW, HeaderValue::from_static("GET, HEAD"));
        return refusal;
    }
    match request.uri().path() {
        "/" => respond(StatusCode::OK, TEXT, ROOT.to_owned()),
        "/livez" => match outlook.live() {
            Ok(()) => respond(StatusCode::OK, TEXT, "live\n".to_owned()),
            Err(why) => respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not live: {why}\n")),
        },
        "/readyz" => match outlook.obstacles() {
            why if why.is_empty() => respond(StatusCode::OK, TEXT, "ready\n".to_owned()),
            why => respond(StatusCode::SERVICE_UNAVAILABLE, TEXT, format!("not ready: {}\n", why.join("; "))),
        },
        "/metrics" => at_leisure(outlook, one, metrics::CONTENT_TYPE, |outlook| Some(outlook.metrics())).await,
        "/status" => {
            let whose = whose(request.uri().query().unwrap_or_default());
            at_leisure(outlook, one, JSON, move |outlook| serde_json::to_string(&outlook.report(&whose)).ok()).await
        }
        _ => respond(StatusCode::NOT_FOUND, TEXT, ROOT.to_owned()),
    }
}

/// What takes a while in a large cluster is made where it holds up nothing, one at a time.
async fn at_leisure(
    outlook: &Outlook,
    one: &Arc<Mutex<()>>,
    content_type: &'static str,
    make: impl FnOnce(&Outlook) -> Option<String> + Send + 'static,
) -> Response<String> {
    let turn = Arc::clone(one).lock_owned().await;
    let outlook = outlook.clone();
    let made = tokio::task::spawn_blocking(move || {
        let made = make(&outlook);
        drop(turn);
        made
    });
    match made.await {
        Ok(Some(body)) => respond(StatusCode::OK, content_type, body),
        Ok(None) | Err(_) => {
            respond(StatusCode::INTERNAL_SERVER_ERROR, TEXT, "this is a bug; please report it\n".to_owned())
        }
    }
}

/// Whose holdings a query asks for.
fn whose(query: &str) -> Whose {
    let mut whose = Whose::Together;
    for part in query.split('&') {
        match part.split_once('=').unwrap_or((part, "")) {
            ("users", _) => whose = Whose::Everybody,
            ("user", name) => whose = Whose::One(UserName::new(percent_decode_str(name).decode_utf8_lossy())),
            _ => {}
        }
    }
    whose
}

fn respond(status: StatusCode, content_type: &'static str, body: String) -> Response<String> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static(content_type));
    headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

#[cfg(test)]
mod tests;
