//! Carrying TLS to the cluster's Auth server, and back (`lib/srv/alpnproxy/auth/auth_proxy.go`), and SSH to the reverse tunnel. It must never change a
//! byte of it.

use std::io;
use std::net::SocketAddr;

use tokio::net::TcpStream;

use super::listen::{Bytes, Stream};
use super::{ProxySettings, Shared, Silence};
use crate::pki::authority::encoded_cluster_name;

/// Carries `stream` to the Auth server of the cluster that `protocol` names; to none if it is another cluster.
pub(super) async fn to_auth(
    mut stream: Stream,
    protocol: &[u8],
    shared: &Shared,
    settings: &ProxySettings,
) -> io::Result<()> {
    let known = format!("teleport-auth@{}", encoded_cluster_name(&shared.cluster));
    if protocol != known.as_bytes() {
        return Err(io::Error::other("no such cluster"));
    }
    shared.count("routed");
    if settings.silence == Silence::TowardsAuth {
        return std::future::pending().await;
    }
    let mut auth = TcpStream::connect(shared.auth).await?;
    auth.set_nodelay(true)?;
    let dead = shared.carried_token();
    tokio::select! {
        () = dead.cancelled() => std::future::pending().await,
        ended = tokio::io::copy_bidirectional(&mut stream, &mut auth) => ended.map(drop),
    }
}

/// Carries SSH that came inside of the proxy's own TLS to its reverse tunnel port.
pub(super) async fn to_tunnel(stream: &mut impl Bytes, tunnel: SocketAddr) -> io::Result<()> {
    let mut port = TcpStream::connect(tunnel).await?;
    port.set_nodelay(true)?;
    tokio::io::copy_bidirectional(stream, &mut port).await.map(drop)
}
