//! `proxies`: a simulated cluster and, before it, a proxy for each way that there is through one, for the clients of
//! `tests/interop`. It must never decide anything, nor outlive whoever started it.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;
use serde_json::json;
use tribunal_sim::{Balancer, Proxy, ProxySettings, SimClock, SimServer, SshTunnel, TunnelSettings, default_scenario};

/// What to serve.
#[derive(Clone, Debug, Parser)]
#[command(name = "proxies", about = "A simulated cluster behind simulated proxies, until standard input ends")]
struct Args {
    /// Where the identity files go, and `proxies-ca.pem`
    #[arg(long)]
    dir: PathBuf,
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let Args { dir } = Args::parse();
    let listen = SocketAddr::from(([127, 0, 0, 1], 0));
    let server = SimServer::start(default_scenario()?, listen, Some(dir.clone()), SimClock::real()).await?;
    let tunnel = SshTunnel::beside(&server, TunnelSettings::default()).await?;
    let ways = [
        ("tls-routing", ProxySettings::default()),
        ("ssh-inside-tls", ProxySettings { reverse_tunnel: Some(tunnel.addr()), ..ProxySettings::default() }),
        (
            "ssh-inside-upgrade",
            ProxySettings {
                balancer: Balancer::IgnoresAlpn,
                reverse_tunnel: Some(tunnel.addr()),
                ..ProxySettings::default()
            },
        ),
        ("upgrade", ProxySettings { balancer: Balancer::IgnoresAlpn, ..ProxySettings::default() }),
        (
            "ssh",
            ProxySettings {
                tls_routing: false,
                tunnel_listen_addr: Some(tunnel.addr().to_string()),
                ..ProxySettings::default()
            },
        ),
    ];
    let mut proxies = Vec::new();
    for (way, settings) in ways {
        proxies.push((way, Proxy::beside(&server, settings).await?));
    }
    let authorities: String = proxies.iter().map(|(_, proxy)| proxy.web_ca_pem()).collect();
    std::fs::write(dir.join("proxies-ca.pem"), authorities)?;
    let addresses: serde_json::Map<_, _> =
        proxies.iter().map(|(way, proxy)| ((*way).to_owned(), json!(proxy.addr().to_string()))).collect();
    let line = json!({ "auth": server.addr().to_string(), "proxies": addresses });
    let mut stdout = std::io::stdout();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush())?;
    until_stdin_ends().await;
    drop((proxies, tunnel));
    server.shutdown().await;
    Ok(())
}

/// Whoever started us holds the other end, and lets go of it when they end, however they end.
async fn until_stdin_ends() {
    // A thread of its own: nothing else can wait for standard input without keeping the runtime from ending.
    let (ended, end) = tokio::sync::oneshot::channel();
    std::thread::spawn(move || {
        let mut nothing = [0; 1];
        while matches!(std::io::stdin().read(&mut nothing), Ok(1)) {}
        ended.send(()).ok();
    });
    end.await.ok();
}
