//! The health port of a world's daemon, and probes that ask it over a real socket. It shows what `tribunal run` would.

use std::net::SocketAddr;
use std::sync::Arc;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tribunal::daemon::Ports;
use tribunal::health::ask::Port;
use tribunal::health::identity::Seen;
use tribunal::health::report::Report;
use tribunal::health::{Outlook, Outside, Whose, serve};
use tribunal::signs::{Feeds, Shown, Signs};
use tribunal_core::case::Fact;
use tribunal_core::{Settings, Status};
use tribunal_ports::Clock as _;

use super::clock::WorldClock;
use super::gate::Gated;
use super::{World, within};

/// Ports with all that passes them seen.
type Watched<E, L> = Ports<Shown<Gated>, Shown<E>, Shown<L>, WorldClock>;

/// The ports of a daemon with all that passes them seen, and what others see of it.
pub(super) fn watched<E, L>(
    ports: Ports<Gated, E, L, WorldClock>,
    settings: &Settings,
    status: watch::Receiver<Option<Status>>,
    facts: watch::Receiver<Arc<[Fact]>>,
    stop: CancellationToken,
) -> (Watched<E, L>, Outlook) {
    let (clock, teleport) = (Arc::clone(&ports.clock), Arc::clone(&ports.teleport));
    let signs = Signs::new(settings, Feeds { status, stand: None, stop }, move || clock.now());
    let ports = signs.watch_over(ports);
    let follow = Arc::clone(&signs);
    // It ends with the daemon, whose status it follows.
    tokio::spawn(async move { follow.follow().await });
    let outlook = Outlook::new(signs, move || {
        let seen = Seen::of(&teleport.client.identity_file().held());
        Outside { identity: Some(seen), skew: teleport.client.skew(), facts: facts.borrow().clone() }
    });
    (ports, outlook)
}

/// An open health port.
pub(crate) struct Probe {
    at: SocketAddr,
    /// None: somebody else serves it.
    _served: Option<AbortOnDropHandle<()>>,
}

impl World {
    /// Opens the health port of the daemon that runs.
    pub(crate) async fn probe(&self) -> Probe {
        let outlook = self.outlook.clone().expect("a daemon");
        let listener = serve::listen("127.0.0.1:0".parse().unwrap()).await.unwrap();
        let at = listener.local_addr().unwrap();
        Probe { at, _served: Some(AbortOnDropHandle::new(tokio::spawn(serve::serve(listener, outlook)))) }
    }
}

impl Probe {
    /// Of the health port there.
    pub(crate) fn at(at: SocketAddr) -> Self {
        Self { at, _served: None }
    }

    /// The status and the body of what is answered.
    pub(crate) async fn get(&self, path: &str) -> (u16, String) {
        let answer = async {
            let mut stream = TcpStream::connect(self.at).await.unwrap();
            stream.write_all(format!("GET {path} HTTP/1.1\r\nHost: probe\r\n\r\n").as_bytes()).await.unwrap();
            let mut answer = String::new();
            stream.read_to_string(&mut answer).await.unwrap();
            answer
        };
        let answer = within("the health port answers", answer).await;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        (head.split(' ').nth(1).unwrap().parse().unwrap(), body.to_owned())
    }

    /// What `/readyz` says.
    pub(crate) async fn ready(&self) -> (u16, String) {
        self.get("/readyz").await
    }

    /// The value of a metric, with its labels as they are written.
    pub(crate) async fn metric(&self, name: &str) -> Option<f64> {
        let (status, text) = self.get("/metrics").await;
        assert_eq!(status, 200);
        let value = text.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(' '))?;
        Some(value.parse().unwrap())
    }

    /// Everything, as `tribunal status` reads it.
    pub(crate) async fn report(&self, whose: &Whose) -> Report {
        Port::of(self.at).report(whose).await.unwrap()
    }

    /// Asks until it is so: some things are seen a moment after they happened.
    pub(crate) async fn until(&self, what: &str, mut like: impl FnMut(&Report) -> bool) -> Report {
        within(what, async {
            loop {
                let report = self.report(&Whose::Together).await;
                if like(&report) {
                    return report;
                }
                tokio::task::yield_now().await;
            }
        })
        .await
    }
}
