//! The proxy's web port: discovery (`/webapi/find`, `/webapi/ping`) and the connection upgrade (`lib/web/apiserver.go`,
//! `lib/web/conn_upgrade.go`). It must never know what an upgraded connection carries.

use std::convert::Infallible;
use std::io;
use std::sync::Arc;

use http_body_util::Full;
use hyper::body::{Bytes, Incoming};
use hyper::header::{self, HeaderValue};
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use serde_json::json;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use super::listen::Stream;
use super::{ProxySettings, Shared, Silence, Upgrade, tunnel};

/// The version that discovery tells.
const SERVER_VERSION: &str = "18.1.0";
/// The sub-protocols that are known.
const PROTOCOLS: [&str; 2] = ["alpn", "alpn-ping"];

/// Serves HTTP/1.1 on one connection.
pub(super) async fn serve(stream: Stream, shared: &Arc<Shared>, settings: &ProxySettings) -> io::Result<()> {
    if settings.silence == Silence::AfterTls {
        return std::future::pending().await;
    }
    let service = hyper::service::service_fn(|request: Request<Incoming>| {
        let (shared, settings) = (Arc::clone(shared), settings.clone());
        async move { Ok::<_, Infallible>(answer(request, shared, settings).await) }
    });
    let serving = hyper::server::conn::http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    serving.with_upgrades().await.map_err(io::Error::other)
}

async fn answer(request: Request<Incoming>, shared: Arc<Shared>, settings: ProxySettings) -> Response<Full<Bytes>> {
    match (request.method(), request.uri().path()) {
        (&Method::GET, "/webapi/find") => {
            shared.count("find");
            discovery(&shared, &settings, false)
        }
        (&Method::GET, "/webapi/ping") => discovery(&shared, &settings, true),
        (&Method::GET, "/webapi/connectionupgrade") => upgrade(request, shared, settings).await,
        (_, _) => plain(StatusCode::NOT_FOUND, r#"{"error":{"message":"not found"}}"#.to_owned()),
    }
}

fn discovery(shared: &Shared, settings: &ProxySettings, with_auth: bool) -> Response<Full<Bytes>> {
    if let Some(body) = &settings.find_body {
        return plain(StatusCode::OK, body.clone());
    }
    let web = shared.addr.to_string();
    let mut ssh = json!({ "listen_addr": "0.0.0.0:3023", "web_listen_addr": web });
    let told = [
        ("public_addr", &settings.public_addr),
        ("ssh_tunnel_public_addr", &settings.ssh_tunnel_public_addr),
        ("tunnel_listen_addr", &settings.tunnel_listen_addr),
    ];
    if let Some(ssh) = ssh.as_object_mut() {
        ssh.extend(told.into_iter().filter_map(|(key, value)| Some((key.to_owned(), json!(value.as_ref()?)))));
    }
    let mut body = json!({
        "proxy": { "kube": {}, "db": {}, "ssh": ssh, "tls_routing_enabled": settings.tls_routing },
        "server_version": SERVER_VERSION,
        "min_client_version": "17.0.0",
        "cluster_name": settings.cluster_told.as_ref().unwrap_or(&shared.cluster),
        "edition": "community",
        "fips": false,
    });
    if let Some(body) = body.as_object_mut().filter(|_| with_auth) {
        body.insert("auth".to_owned(), json!({ "type": "local", "second_factor": "on" }));
    }
    plain(StatusCode::OK, body.to_string())
}

async fn upgrade(request: Request<Incoming>, shared: Arc<Shared>, settings: ProxySettings) -> Response<Full<Bytes>> {
    shared.count("upgrade");
    if settings.upgrade == Upgrade::Silent {
        return std::future::pending().await;
    }
    let sent = |name: &str| request.headers().get(name).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let websocket = sent("upgrade") == "websocket" && sent("connection").eq_ignore_ascii_case("upgrade");
    if settings.upgrade == Upgrade::NotFound || !websocket {
        return plain(StatusCode::NOT_FOUND, "404 page not found\n".to_owned());
    }
    let (key, protocol) = (sent("sec-websocket-key").to_owned(), sent("sec-websocket-protocol").to_owned());
    if sent("sec-websocket-version") != "13" || key.is_empty() {
        return plain(StatusCode::BAD_REQUEST, "Bad Request\n".to_owned());
    }
    let key = if settings.upgrade == Upgrade::WrongKey { format!("{key}=") } else { key };
    let mut response = plain(StatusCode::SWITCHING_PROTOCOLS, String::new());
    let headers = response.headers_mut();
    headers.remove(header::CONTENT_TYPE);
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    let known = PROTOCOLS.iter().find(|known| **known == protocol).copied();
    if let Some(known) = known.filter(|_| settings.upgrade != Upgrade::NoProtocol) {
        headers.insert(header::SEC_WEBSOCKET_PROTOCOL, HeaderValue::from_static(known));
    }
    let ping = (known == Some("alpn-ping")).then_some(settings.ping_every);
    tokio::spawn(async move {
        let cut = shared.connection_token();
        let tunnelled = async {
            let upgraded = hyper::upgrade::on(request).await.map_err(io::Error::other)?;
            tunnel::serve(TokioIo::new(upgraded), ping, &shared, &settings).await
        };
        tokio::select! {
            () = cut.cancelled() => {}
            ended = tunnelled => if let Err(error) = ended {
                tracing::debug!(%error, "Upgraded connection ended");
            }
        }
    });
    response
}

fn plain(status: StatusCode, body: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(Bytes::from(body)));
    *response.status_mut() = status;
    response.headers_mut().insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    response
}
