//! Single HTTP/1.1 exchanges over a stream: a GET of a small body, and CONNECT.
//!
//! Must never read more than its limits, whatever the other side sends; the deadline is its caller's.

use std::error::Error;

use base64::prelude::{BASE64_STANDARD, Engine as _};
use bytes::Bytes;
use futures::future::{Either, select};
use http::header::{ACCEPT, HOST, HeaderValue, PROXY_AUTHORIZATION, USER_AGENT};
use http::{Method, Request, Response, StatusCode};
use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;

use super::ByteStream;
use super::http_proxy::HttpProxy;
use crate::address::Address;
use crate::connect::ConnectError;

/// The longest head of an answer that is read, in bytes.
const HEAD_BYTES_MAX: usize = 64 * 1024;
/// How many headers an answer may have.
const HEADERS_MAX: usize = 128;

type Failure = Box<dyn Error + Send + Sync>;

/// The status and the body of `path` at `host`.
///
/// # Errors
/// If there is no answer, or one beyond `body_bytes_max`.
pub(crate) async fn get(
    stream: ByteStream,
    host: &Address,
    path: &str,
    body_bytes_max: usize,
) -> Result<(StatusCode, Bytes), Failure> {
    let request = Request::get(path)
        .header(HOST, host.to_string())
        .header(USER_AGENT, crate::connect::USER_AGENT)
        .header(ACCEPT, "application/json")
        .body(Empty::new())?;
    exchange(stream, request, |response| async move {
        let status = response.status();
        let body = Limited::new(response.into_body(), body_bytes_max).collect().await?;
        Ok((status, body.to_bytes()))
    })
    .await
}

/// A stream to `address` that `proxy`, at the other end of `stream`, opens.
///
/// # Errors
/// If it does not; the text says why.
pub(crate) async fn connect(
    stream: ByteStream,
    address: &Address,
    proxy: &HttpProxy,
) -> Result<ByteStream, ConnectError> {
    let at = &proxy.address;
    let obstructed = |said: String, remedy: &str| ConnectError::Obstructed {
        detail: format!(
            "the HTTP proxy at `{at}` that `HTTPS_PROXY` names opens no connection to `{address}`: {said}; {remedy}"
        ),
        alarm: false,
    };
    let target = format!("{}:{}", bracketed(address), address.port());
    let mut request = Request::builder().method(Method::CONNECT).uri(&target).header(HOST, &target);
    if let Some(credentials) = &proxy.credentials {
        let mut value = HeaderValue::from_str(&format!("Basic {}", BASE64_STANDARD.encode(credentials)))
            .unwrap_or_else(|_| HeaderValue::from_static("Basic"));
        value.set_sensitive(true);
        request = request.header(PROXY_AUTHORIZATION, value);
    }
    let request = request.body(Empty::new()).map_err(|error| obstructed(error.to_string(), "check the address"))?;
    let answered = exchange(stream, request, |response| async move {
        let status = response.status();
        if status != StatusCode::OK {
            return Ok(Err(status));
        }
        Ok(Ok(hyper::upgrade::on(response).await?))
    })
    .await;
    match answered {
        Ok(Ok(upgraded)) => Ok(Box::new(TokioIo::new(upgraded))),
        Ok(Err(StatusCode::PROXY_AUTHENTICATION_REQUIRED)) => Err(obstructed(
            "it answers 407".to_owned(),
            "write its user and password into `HTTPS_PROXY` as `http://user:password@host:port`",
        )),
        Ok(Err(status)) => Err(obstructed(
            format!("it answers {}", status.as_u16()),
            "have it allow that address, or add the address to `NO_PROXY`",
        )),
        Err(error) => Err(obstructed(innermost(error.as_ref()), "check that it is an HTTP proxy")),
    }
}

/// Sends `request`, and hands the answer to `read` while the connection is kept going.
async fn exchange<T, F>(
    stream: ByteStream,
    request: Request<Empty<Bytes>>,
    read: impl FnOnce(Response<Incoming>) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let mut builder = http1::Builder::new();
    builder.max_buf_size(HEAD_BYTES_MAX).max_headers(HEADERS_MAX);
    let (mut sender, connection) = builder.handshake(TokioIo::new(stream)).await?;
    let answered = Box::pin(async { read(sender.send_request(request).await?).await });
    match select(answered, Box::pin(connection.with_upgrades())).await {
        Either::Left((answered, _)) => answered,
        // What ended the connection, the answer tells as well.
        Either::Right((_, answered)) => answered.await,
    }
}

/// What is at the bottom of an error; the layers above it only say that something failed.
pub(crate) fn innermost(error: &(dyn Error + 'static)) -> String {
    let mut cause = error;
    while let Some(deeper) = cause.source() {
        cause = deeper;
    }
    cause.to_string()
}

fn bracketed(address: &Address) -> String {
    let host = address.host();
    if host.contains(':') { format!("[{host}]") } else { host.to_owned() }
}
