//! Banners, packets and keys of one SSH connection, on the server's side. It must never read a packet that its keys do not open.

use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use ring::aead::{Aad, Nonce};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::agreement::{Direction, ECDH_INIT, KEXINIT, NEWKEYS, Said, agree, offer};
use super::bytes::garbled;
use super::{TunnelFault, TunnelSettings};
use crate::pki::ssh::SshHost;

/// As Teleport's servers begin (`api/types` and `lib/sshutils`).
const BANNER: &[u8] = b"SSH-2.0-Teleport";
const BANNER_BYTES_MAX: usize = 255;
const PACKET_BYTES_MAX: usize = 256 * 1024;
const TAG_BYTES: usize = 16;

/// One connection.
pub(super) struct Transport {
    stream: TcpStream,
    input: Vec<u8>,
    to_client: Option<Direction>,
    to_server: Option<Direction>,
    host: SshHost,
    settings: TunnelSettings,
    client_banner: Vec<u8>,
    session: Option<Vec<u8>>,
    /// Packets to the client since keys were exchanged.
    sent: u64,
    rekeyed: Arc<AtomicU64>,
}

/// Answers as a web server does to what is no HTTP.
pub(super) async fn speak_http(stream: &mut TcpStream) -> io::Result<()> {
    let mut buffer = [0; 64];
    let _ = stream.read(&mut buffer).await?;
    stream.write_all(b"HTTP/1.1 400 Bad Request\r\nConnection: close\r\n\r\n400 Bad Request").await
}

impl Transport {
    pub(super) fn new(stream: TcpStream, host: SshHost, settings: TunnelSettings, rekeyed: Arc<AtomicU64>) -> Self {
        Self {
            stream,
            input: Vec::new(),
            to_client: None,
            to_server: None,
            host,
            settings,
            client_banner: Vec::new(),
            session: None,
            sent: 0,
            rekeyed,
        }
    }

    /// Banners and the first keys. Like Teleport's multiplexer it says nothing before the client did.
    pub(super) async fn begin(&mut self) -> io::Result<()> {
        self.client_banner = self.banner().await?;
        self.stream.write_all(&[BANNER, b"\r\n"].concat()).await?;
        if self.settings.fault == TunnelFault::SilentInKeys {
            return std::future::pending().await;
        }
        let early = self.exchange().await?;
        if early.is_empty() { Ok(()) } else { Err(io::Error::other("messages before the keys")) }
    }

    pub(super) fn session(&self) -> &[u8] {
        self.session.as_deref().unwrap_or_default()
    }

    pub(super) fn fault(&self) -> &TunnelFault {
        &self.settings.fault
    }

    /// Exchanges keys anew if it is time to; gives what the client had sent before it knew.
    pub(super) async fn rekey_if_due(&mut self) -> io::Result<Vec<Vec<u8>>> {
        if self.settings.rekey_after_packets.is_none_or(|packets| self.sent < packets) {
            return Ok(Vec::new());
        }
        let early = self.exchange().await?;
        self.rekeyed.fetch_add(1, Ordering::Relaxed);
        Ok(early)
    }

    async fn exchange(&mut self) -> io::Result<Vec<Vec<u8>>> {
        let server_offer = offer(&self.settings.fault)?;
        self.write(&server_offer).await?;
        let mut early = Vec::new();
        let client_offer = loop {
            let message = self.read().await?;
            if message.first() == Some(&KEXINIT) {
                break message;
            }
            early.push(message);
        };
        let init = self.read().await?;
        if init.first() != Some(&ECDH_INIT) {
            return Err(garbled());
        }
        let said = Said {
            client_banner: &self.client_banner,
            server_banner: BANNER,
            client_offer: &client_offer,
            server_offer: &server_offer,
        };
        let agreed = agree(&said, &init, &self.host, &self.settings.fault, self.session.as_deref())?;
        self.write(&agreed.reply).await?;
        self.write(&[NEWKEYS]).await?;
        self.to_client = Some(agreed.to_client);
        self.sent = 0;
        if let Some(info) = &agreed.info {
            self.write(info).await?;
        }
        if self.read().await? != [NEWKEYS] {
            return Err(garbled());
        }
        self.to_server = Some(agreed.to_server);
        self.session.get_or_insert(agreed.hash);
        Ok(early)
    }

    async fn banner(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = self.input.drain(..=end).collect();
                let line = line.strip_suffix(b"\r\n").ok_or_else(garbled)?.to_vec();
                return if line.starts_with(b"SSH-2.0-") { Ok(line) } else { Err(garbled()) };
            }
            if self.input.len() > BANNER_BYTES_MAX {
                return Err(garbled());
            }
            self.fill().await?;
        }
    }

    async fn fill(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.input).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }

    /// The next message. May be cancelled.
    pub(super) async fn read(&mut self) -> io::Result<Vec<u8>> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            self.fill().await?;
        }
    }

    fn take(&mut self) -> io::Result<Option<Vec<u8>>> {
        let Some(head) = self.input.first_chunk::<4>().copied() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(head)).map_err(|_| garbled())?;
        if !(5..=PACKET_BYTES_MAX).contains(&length) {
            return Err(garbled());
        }
        let whole = 4 + length + if self.to_server.is_some() { TAG_BYTES } else { 0 };
        if self.input.len() < whole {
            return Ok(None);
        }
        let mut body: Vec<u8> = self.input.drain(..whole).skip(4).collect();
        if let Some(direction) = &mut self.to_server {
            if length % 16 != 0 {
                return Err(garbled());
            }
            let nonce = next(&mut direction.nonce);
            let opened = direction.key.open_in_place(nonce, Aad::from(head), &mut body).map_err(|_| garbled())?;
            body = opened.to_vec();
        } else if (length + 4) % 8 != 0 {
            return Err(garbled());
        }
        let padding = usize::from(body.first().copied().unwrap_or(0));
        if padding < 4 {
            return Err(garbled());
        }
        let end = body.len().checked_sub(padding).ok_or_else(garbled)?;
        body.get(1..end).map(|payload| Some(payload.to_vec())).ok_or_else(garbled)
    }

    /// Sends a message.
    pub(super) async fn write(&mut self, payload: &[u8]) -> io::Result<()> {
        let (block, counted) = if self.to_client.is_some() { (16, 0) } else { (8, 4) };
        let padding = (4..).find(|padding| (counted + 1 + payload.len() + padding).is_multiple_of(block)).unwrap_or(4);
        let mut body = vec![u8::try_from(padding).map_err(|_| garbled())?];
        body.extend(payload);
        body.extend(vec![0; padding]);
        let head = u32::try_from(body.len()).map_err(|_| garbled())?.to_be_bytes();
        if let Some(direction) = &mut self.to_client {
            let nonce = next(&mut direction.nonce);
            direction.key.seal_in_place_append_tag(nonce, Aad::from(head), &mut body).map_err(|_| garbled())?;
        }
        self.sent = self.sent.saturating_add(1);
        self.stream.write_all(&[head.as_slice(), &body].concat()).await
    }
}

/// The nonce, which is then one more in its last eight bytes (RFC 5647, section 7.1).
fn next(nonce: &mut [u8; 12]) -> Nonce {
    let now = Nonce::assume_unique_for_key(*nonce);
    for byte in nonce.iter_mut().skip(4).rev() {
        *byte = byte.wrapping_add(1);
        if *byte != 0 {
            break;
        }
    }
    now
}
