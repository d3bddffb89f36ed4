//! A proxy before an Auth server that answers pings, and an identity of the cluster.

use std::time::Duration;

use prost::Message as _;
use tempfile::NamedTempFile;
use tribunal_core::failure::Failure;
use tribunal_proto::proto::PingResponse;
use tribunal_sim::{Proxy, ProxySettings};
use tribunal_teleport::{Client, Cluster, Deadlines, Limits, Reach, Route, Target};

use super::pki::{self, Ca, File};
use super::server::{Call, Manners, Reply, Server};

/// A cluster named `root`, its proxy, and the identity file of its bot.
pub(crate) struct Place {
    pub(crate) server: Server,
    pub(crate) proxy: Proxy,
    pub(crate) file: File,
    web_ca: NamedTempFile,
}

pub(crate) fn pong(_: &Call) -> Reply {
    let pong = PingResponse { cluster_name: "root".into(), server_version: "18.1.0".into(), ..Default::default() };
    Reply::Messages(vec![pong.encode_to_vec()])
}

/// What comes of a ping.
pub(crate) async fn ping(target: Target) -> Result<Cluster, Failure> {
    Client::new(target, Limits::default()).await?.ping().await
}

impl Place {
    pub(crate) async fn new(settings: ProxySettings) -> Self {
        Self::with(settings, Manners::default()).await
    }

    pub(crate) async fn with(settings: ProxySettings, manners: Manners) -> Self {
        let ca = Ca::new("root");
        let server = Server::with(&ca, manners, pong).await;
        let listen = "127.0.0.1:0".parse().unwrap();
        let proxy = Proxy::start(listen, server.address.parse().unwrap(), "root", settings).await.unwrap();
        let web_ca = NamedTempFile::new().unwrap();
        std::fs::write(web_ca.path(), proxy.web_ca_pem()).unwrap();
        let file = File::new(&pki::identity(&ca, "bot-tribunal"));
        Self { server, proxy, file, web_ca }
    }

    /// The proxy as an operator would configure it, with the CA of its web certificate.
    pub(crate) fn target(&self) -> Target {
        let target = self.file.target(&self.proxy.addr().to_string());
        // A busy machine is no reason to look for another way.
        let deadlines = Deadlines { head: Duration::from_secs(20), ..Deadlines::default() };
        let reach = Reach { proxy_ca_file: Some(self.web_ca.path().to_owned()), deadlines, ..target.reach };
        Target { reach, ..target }
    }

    pub(crate) async fn ping(&self) -> Result<Cluster, Failure> {
        ping(self.target()).await
    }

    /// Pings, and tells by which way that was.
    pub(crate) async fn way(&self, target: Target) -> Route {
        let last = target.reach.last.clone();
        let cluster = ping(target).await.unwrap();
        assert_eq!(cluster.name, "root");
        last.get().unwrap()
    }

    /// The CA counts as those of web certificates do.
    pub(crate) fn trust(&self, ca: &Ca) {
        std::fs::write(self.web_ca.path(), format!("{}{}", self.proxy.web_ca_pem(), ca.pem())).unwrap();
    }
}
