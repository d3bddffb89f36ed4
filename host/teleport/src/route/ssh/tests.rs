//! The stream over SSH, by itself: much data, silence, ends, and what is not as it should be.
#![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

mod certificates;

use std::time::Duration;

use tempfile::TempDir;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpListener;
use tribunal_sim::{Scenario, SimClock, SimServer, SshTunnel, TunnelSettings};

use super::failure::Problem;
use super::kex::{Offer, Trust};
use super::link::Link;
use super::message::{
    CHANNEL_CLOSE, CHANNEL_DATA, CHANNEL_EOF, CHANNEL_REQUEST, DISCONNECT, GLOBAL_REQUEST, REQUEST_FAILURE,
};
use super::packet::{Cipher, Packets};
use super::session::{DATA_BYTES_MAX, OURS, Opened};
use super::tunnel::{Patience, Tunnel};
use super::wire::{Reader, Writer};
use crate::identity::Identity;
use crate::route::{Dial, Reach};

const MEGABYTES: usize = 3 * 1024 * 1024;

#[tokio::test]
async fn megabytes_pass_both_ways_while_keys_change() {
    let echo = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let leads_to = Some(echo.local_addr().unwrap());
    tokio::spawn(async move {
        let (mut stream, _) = echo.accept().await.unwrap();
        let (mut reader, mut writer) = stream.split();
        tokio::io::copy(&mut reader, &mut writer).await.unwrap();
    });
    let dir = TempDir::new().unwrap();
    let scenario = Scenario::parse("cluster = \"dev\"").unwrap();
    let listen = "127.0.0.1:0".parse().unwrap();
    let running = SimServer::start(scenario, listen, Some(dir.path().to_owned()), SimClock::real()).await.unwrap();
    let settings = TunnelSettings { rekey_after_packets: Some(100), leads_to, ..TunnelSettings::default() };
    let tunnel = SshTunnel::beside(&running, settings).await.unwrap();
    let identity = Identity::load(&dir.path().join("identity")).await.unwrap();
    let reach = Reach::default();
    let address = tunnel.addr().to_string().parse().unwrap();
    let stream = super::open(&address, "dev", Dial { reach: &reach, identity: &identity }).await.unwrap();
    let (mut reader, mut writer) = tokio::io::split(stream);
    let sent: Vec<u8> = (0..MEGABYTES).map(|index| u8::try_from(index * 31 % 251).unwrap()).collect();
    let writing = async {
        writer.write_all(&sent).await.unwrap();
        writer.shutdown().await.unwrap();
    };
    let mut received = Vec::new();
    let (_, read) = tokio::join!(writing, reader.read_to_end(&mut received));
    read.unwrap();
    assert!(received == sent, "{} of {} bytes came back as they were sent", received.len(), sent.len());
    assert!(tunnel.rekeyed() > 0);
}

/// A stream, and the server's end of its connection, without keys.
fn pair() -> (Tunnel, Server) {
    let (ours, theirs) = tokio::io::duplex(1024 * 1024);
    let link = Link::new(Box::new(ours), Trust { host: String::new(), authorities: Vec::new() }).agreed();
    let opened = Opened { theirs: 9, window: 1000, data_bytes_max: 100 };
    let patience = Patience { ask: Duration::from_secs(60), end: Duration::from_secs(180) };
    let server = Server { stream: theirs, packets: Packets::default(), input: Vec::new() };
    (Tunnel::new(link, opened, patience), server)
}

/// The server's end of a connection.
struct Server {
    stream: DuplexStream,
    packets: Packets,
    input: Vec<u8>,
}

impl Server {
    /// The next message; `None` at the end.
    async fn next(&mut self) -> Option<Vec<u8>> {
        loop {
            if let Some(message) = self.packets.take(&mut self.input).unwrap() {
                return Some(message);
            }
            if self.stream.read_buf(&mut self.input).await.unwrap() == 0 {
                return None;
            }
        }
    }

    /// All that comes until the end.
    async fn rest(&mut self) -> Vec<Vec<u8>> {
        let mut messages = Vec::new();
        while let Some(message) = self.next().await {
            messages.push(message);
        }
        messages
    }

    async fn say(&mut self, message: &[u8]) {
        let mut output = Vec::new();
        self.packets.put(message, &mut output).unwrap();
        self.stream.write_all(&output).await.unwrap();
    }
}

fn data(bytes: &[u8]) -> Vec<u8> {
    Writer::message(CHANNEL_DATA).u32(OURS).string(bytes).finish()
}

#[tokio::test(start_paused = true)]
async fn a_server_that_says_nothing_is_asked_and_then_given_up() {
    let (mut tunnel, mut server) = pair();
    let error = tunnel.read_u8().await.unwrap_err();
    assert_eq!(error.to_string(), "it was silent for 180 s; check the network between");
    let asked = server.rest().await;
    assert_eq!(asked.len(), 2);
    for message in asked {
        let mut reader = Reader::new(&message[1..]);
        assert_eq!((message[0], reader.text()), (GLOBAL_REQUEST, Ok("keepalive@openssh.com")));
    }
}

#[tokio::test(start_paused = true)]
async fn a_server_that_answers_is_kept_for_days() {
    let (mut tunnel, mut server) = pair();
    tokio::spawn(async move {
        while server.next().await.is_some_and(|message| message[0] == GLOBAL_REQUEST) {
            server.say(&[REQUEST_FAILURE]).await;
        }
    });
    let days = Duration::from_secs(3 * 24 * 60 * 60);
    assert!(tokio::time::timeout(days, tunnel.read_u8()).await.is_err());
}

#[tokio::test]
async fn what_came_before_the_end_is_read_before_the_end() {
    let (mut tunnel, mut server) = pair();
    server.say(&data(b"last words")).await;
    server.say(&Writer::message(CHANNEL_EOF).u32(OURS).finish()).await;
    server.say(&Writer::message(CHANNEL_CLOSE).u32(OURS).finish()).await;
    let mut read = String::new();
    tunnel.read_to_string(&mut read).await.unwrap();
    assert_eq!(read, "last words");
    let said: Vec<u8> = server.rest().await.iter().map(|message| message[0]).collect();
    assert_eq!(said, [CHANNEL_CLOSE, DISCONNECT]);
}

#[tokio::test]
async fn whoever_drops_the_stream_ends_the_connection() {
    let (mut tunnel, mut server) = pair();
    tunnel.write_all(b"x").await.unwrap();
    assert_eq!(server.next().await.unwrap()[0], CHANNEL_DATA);
    drop(tunnel);
    let said: Vec<u8> = server.rest().await.iter().map(|message| message[0]).collect();
    assert!(said.ends_with(&[CHANNEL_CLOSE, DISCONNECT]), "{said:?}");
}

#[tokio::test(start_paused = true)]
async fn no_more_is_sent_than_the_server_allows() {
    let (mut tunnel, mut server) = pair();
    tokio::spawn(async move {
        tunnel.write_all(&[0; 5000]).await.unwrap();
        std::future::pending::<()>().await;
    });
    let mut sent = 0;
    while sent < 1000 {
        let message = server.next().await.unwrap();
        let length = Reader::new(&message[5..]).string().unwrap().len();
        assert!(length <= 100, "{length}");
        sent += length;
    }
    assert_eq!(sent, 1000);
    let more = tokio::time::timeout(Duration::from_secs(10), server.next()).await;
    assert!(more.is_err(), "{more:?}");
}

#[tokio::test]
async fn a_server_that_breaks_the_rules_is_left() {
    let much = vec![0; usize::try_from(DATA_BYTES_MAX).unwrap() + 1];
    let cases = [
        (vec![data(&much)], "SSH failed: it sends more than it may"),
        (vec![Writer::message(CHANNEL_EOF).u32(OURS).finish(), data(b"x")], "SSH failed: it sends more than it may"),
        (
            vec![Writer::message(CHANNEL_DATA).u32(5).string("x").finish()],
            "SSH failed: it speaks of a channel that there is not",
        ),
        (vec![vec![CHANNEL_DATA, 0]], "SSH failed: it sends a garbled message"),
        (vec![vec![21]], "SSH failed: it exchanges keys out of turn"),
        (
            vec![Writer::message(DISCONNECT).u32(2).string("bye\n").string("").finish()],
            "it ended the connection during the exchange of SSH banners: `bye`; see the proxy's log",
        ),
    ];
    for (said, expected) in cases {
        let (mut tunnel, mut server) = pair();
        for message in said {
            server.say(&message).await;
        }
        let mut read = Vec::new();
        let error = tunnel.read_to_end(&mut read).await.unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
}

#[tokio::test]
async fn a_request_on_the_channel_is_refused_and_unknown_messages_are_called_unknown() {
    let (_tunnel, mut server) = pair();
    server.say(&Writer::message(CHANNEL_REQUEST).u32(OURS).string("x").boolean(true).finish()).await;
    assert_eq!(server.next().await.unwrap(), Writer::message(100).u32(9).finish());
    server.say(&[200]).await;
    assert_eq!(server.next().await.unwrap(), Writer::message(3).u32(1).finish());
}

/// Two ends with the same keys.
fn sealed() -> (Packets, Packets) {
    let key =
        || Cipher::Aes256Gcm.key(&[7; 32], &[1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]).unwrap();
    let (mut ours, mut theirs) = (Packets::default(), Packets::default());
    ours.seal_with(key());
    theirs.open_with(key());
    (ours, theirs)
}

#[test]
fn every_changed_bit_of_a_sealed_packet_is_noticed() {
    let mut output = Vec::new();
    sealed().0.put(b"payload", &mut output).unwrap();
    let bits = output.len() * 8;
    for bit in 0..bits {
        let mut input = output.clone();
        input[bit / 8] ^= 1 << (bit % 8);
        let taken = sealed().1.take(&mut input);
        assert!(!matches!(taken, Ok(Some(_))), "bit {bit}");
    }
}

#[test]
fn sealed_packets_come_in_their_order_only() {
    let (mut ours, mut theirs) = sealed();
    let (mut first, mut second) = (Vec::new(), Vec::new());
    ours.put(b"first", &mut first).unwrap();
    ours.put(b"second", &mut second).unwrap();
    assert!(sealed().1.take(&mut second.clone()).is_err());
    let mut input = [first.clone(), second].concat();
    assert_eq!(theirs.take(&mut input).unwrap().unwrap(), b"first");
    assert_eq!(theirs.take(&mut input).unwrap().unwrap(), b"second");
    assert!(theirs.take(&mut input).unwrap().is_none());
    assert!(theirs.take(&mut first).is_err(), "a packet counts once");
}

/// What comes of a handshake in which the server says `bytes` after its banner, and hangs up.
fn handshake_with(bytes: &[u8]) -> Result<(), Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (ours, mut theirs) = tokio::io::duplex(64 * 1024);
        let mut link = Link::new(Box::new(ours), Trust { host: String::new(), authorities: Vec::new() });
        theirs.write_all(&[b"SSH-2.0-x\r\n", bytes].concat()).await.unwrap();
        theirs.shutdown().await.unwrap();
        tokio::time::timeout(Duration::from_secs(30), link.begin()).await.unwrap()
    })
}

proptest::proptest! {
    #[test]
    fn no_server_without_a_certificate_gets_through_the_handshake(
        bodies in proptest::collection::vec((0_u8..35, proptest::collection::vec(proptest::num::u8::ANY, 0..200)), 0..5),
        offers in proptest::bool::ANY,
    ) {
        let mut bytes = Vec::new();
        if offers {
            Packets::default().put(Offer::new().unwrap().message(), &mut bytes).unwrap();
        }
        for (kind, body) in &bodies {
            Packets::default().put(&[&[*kind], body.as_slice()].concat(), &mut bytes).unwrap();
        }
        proptest::prop_assert!(handshake_with(&bytes).is_err());
        let noise: Vec<u8> = bodies.into_iter().flat_map(|(_, body)| body).collect();
        proptest::prop_assert!(handshake_with(&noise).is_err());
    }

    #[test]
    fn no_bytes_make_the_packets_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..200)) {
        let mut input = bytes.clone();
        while let Ok(Some(_)) = Packets::default().take(&mut input) {}
        let _taken = sealed().1.take(&mut bytes.clone());
    }

    #[test]
    fn no_message_makes_the_link_panic(bytes in proptest::collection::vec(proptest::num::u8::ANY, 0..100), kind in 0_u8..110) {
        let (ours, _theirs) = tokio::io::duplex(16);
        let mut link = Link::new(Box::new(ours), Trust { host: String::new(), authorities: Vec::new() }).agreed();
        let _said = link.small_talk(&[&[kind], bytes.as_slice()].concat());
        let _said = link.small_talk(&bytes);
    }

    #[test]
    fn a_packet_is_read_as_it_was_written(payload in proptest::collection::vec(proptest::num::u8::ANY, 1..2000)) {
        let (mut ours, mut theirs) = sealed();
        let mut wire = Vec::new();
        ours.put(&payload, &mut wire).unwrap();
        let mut clear = Vec::new();
        Packets::default().put(&payload, &mut clear).unwrap();
        proptest::prop_assert_eq!(theirs.take(&mut wire).unwrap().unwrap(), payload.clone());
        proptest::prop_assert_eq!(Packets::default().take(&mut clear).unwrap().unwrap(), payload);
    }
}
