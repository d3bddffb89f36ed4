//! TCP to an address: each address of a name with a short head start over the next (as RFC 8305 has it, in the order of
//! the resolver), or through the environment's HTTP proxy.
//!
//! Must never send a byte of its own to whoever answers, the HTTP proxy excepted.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use futures::FutureExt as _;
use tokio::net::TcpStream;

use super::http_proxy::HttpProxy;
use super::stagger::{Miss, stagger};
use super::web::Web;
use super::{ByteStream, Reach, http};
use crate::address::Address;
use crate::connect::{ConnectError, Step, in_time};

/// The head start of each address of a name over the next, in milliseconds.
pub(crate) const ADDRESS_HEAD_MILLIS: u64 = 250;
/// How many addresses of a name are tried.
pub(crate) const ADDRESSES_MAX: usize = 16;

/// A connection to `address`, through the environment's HTTP proxy where there is to be one.
///
/// # Errors
/// If nothing answers there in time.
pub(crate) async fn open(address: &Address, reach: &Reach) -> Result<ByteStream, ConnectError> {
    let proxy = HttpProxy::of(&reach.environment, address.host(), address.port()).map_err(|error| {
        ConnectError::Obstructed { detail: format!("cannot reach `{address}`: {error}"), alarm: true }
    })?;
    let Some(proxy) = proxy else {
        return Ok(Box::new(direct(address, reach).await?));
    };
    let at = |alarm| {
        move |error: ConnectError| ConnectError::Obstructed {
            detail: format!("cannot reach `{address}` through the HTTP proxy that `HTTPS_PROXY` names: {error}"),
            alarm,
        }
    };
    let mut stream: ByteStream = Box::new(direct(&proxy.address, reach).await.map_err(at(false))?);
    if proxy.tls {
        let web = Web::load(reach).await?;
        let secured = web.secure(stream, &proxy.address, &[b"http/1.1"], reach).await;
        stream = Box::new(secured.map_err(|failure| at(true)(failure.error))?);
    }
    let connecting = http::connect(stream, address, &proxy);
    in_time(reach.deadlines.http, Step::HttpConnect, &proxy.address, connecting).await
}

/// The addresses of a name, in the order of the resolver.
///
/// # Errors
/// If it cannot be looked up in time.
pub(super) async fn lookup(address: &Address, reach: &Reach) -> Result<Vec<SocketAddr>, ConnectError> {
    let unreachable = |cause| ConnectError::Unreachable { address: address.clone(), cause };
    let looking = async { tokio::net::lookup_host((address.host(), address.port())).await.map_err(unreachable) };
    Ok(in_time(reach.deadlines.lookup, Step::Lookup, address, looking).await?.take(ADDRESSES_MAX).collect())
}

async fn direct(address: &Address, reach: &Reach) -> Result<TcpStream, ConnectError> {
    let unreachable = |cause| ConnectError::Unreachable { address: address.clone(), cause };
    let found = lookup(address, reach).await?;
    let attempts = found.into_iter().map(|one| async move { connect(one).await.map_err(Miss::GoOn) }.boxed()).collect();
    let connecting = async {
        let connected = stagger(attempts, Duration::from_millis(ADDRESS_HEAD_MILLIS)).await;
        connected.map_err(|errors| unreachable(said(errors)))
    };
    in_time(reach.deadlines.tcp, Step::Tcp, address, connecting).await
}

/// A connection to one address of a name.
///
/// # Errors
/// The address, and what it said.
pub(super) async fn connect(one: SocketAddr) -> Result<TcpStream, (SocketAddr, io::Error)> {
    let connected = TcpStream::connect(one).await.and_then(|stream| stream.set_nodelay(true).map(|()| stream));
    connected.map_err(|error| (one, error))
}

/// What all addresses of a name said, in one.
fn said(mut errors: Vec<(SocketAddr, io::Error)>) -> io::Error {
    if errors.len() <= 1 {
        return errors.pop().map_or_else(|| io::Error::other("its name has no address"), |(_, error)| error);
    }
    let all: Vec<String> = errors.iter().map(|(address, error)| format!("`{address}`: {error}")).collect();
    io::Error::other(format!("none of its {} addresses answers ({})", all.len(), all.join(", ")))
}
