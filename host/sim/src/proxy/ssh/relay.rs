//! The channel to Auth (`handleTransport` of `lib/reversetunnel/srv.go`), and what is carried over it. It must never look into what it carries.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::TunnelFault;
use super::bytes::{Rest, garbled, message, put_string};
use super::transport::Transport;

const DISCONNECT: u8 = 1;
const GLOBAL_REQUEST: u8 = 80;
const REQUEST_FAILURE: u8 = 82;
const CHANNEL_OPEN: u8 = 90;
const CHANNEL_OPEN_CONFIRMATION: u8 = 91;
const CHANNEL_OPEN_FAILURE: u8 = 92;
const CHANNEL_WINDOW_ADJUST: u8 = 93;
const CHANNEL_DATA: u8 = 94;
const CHANNEL_EXTENDED_DATA: u8 = 95;
const CHANNEL_EOF: u8 = 96;
const CHANNEL_CLOSE: u8 = 97;
const CHANNEL_REQUEST: u8 = 98;
const CHANNEL_SUCCESS: u8 = 99;
const CHANNEL_FAILURE: u8 = 100;
/// `ssh.ConnectionFailed`
const CONNECTION_FAILED: u32 = 2;
/// Extended data of this kind is standard error.
const STDERR: u32 = 1;

/// What a client may have under way to us, in bytes; small, so that it has to wait for more at times.
const WINDOW: u32 = 128 * 1024;
const DATA_BYTES_MAX: u32 = 16 * 1024;
/// The number that we give the channel.
const OURS: u32 = 7;

/// How long a client is waited for when the channel is closed.
const GOODBYE_DEADLINE: Duration = Duration::from_secs(10);

const TRANSPORT: &str = "teleport-transport";
const DIAL: &str = "teleport-transport-dial";

/// A channel whose other end is connected to Auth.
pub(super) struct Channel {
    client: u32,
    window: u32,
    data_bytes_max: u32,
    auth: TcpStream,
}

/// Waits for a channel and for where it is to lead; `None` when there is to be none.
pub(super) async fn open(transport: &mut Transport, auth: SocketAddr) -> io::Result<Option<Channel>> {
    let (client, window, data_bytes_max) = loop {
        let request = transport.read().await?;
        let mut rest = Rest(&request);
        match rest.byte()? {
            CHANNEL_OPEN => {
                let (kind, client) = (rest.text()?, rest.number()?);
                let (window, largest) = (rest.number()?, rest.number()?);
                if kind == TRANSPORT && *transport.fault() != TunnelFault::SessionsOnly {
                    break (client, window, largest);
                }
                transport.write(&refusal(client, &kind)).await?;
            }
            GLOBAL_REQUEST => transport.write(&[REQUEST_FAILURE]).await?,
            DISCONNECT => return Ok(None),
            _ => return Err(garbled()),
        }
    };
    transport.write(&numbers(CHANNEL_OPEN_CONFIRMATION, &[client, OURS, WINDOW, DATA_BYTES_MAX])).await?;
    let request = transport.read().await?;
    let mut rest = Rest(&request);
    let is_dial = rest.byte()? == CHANNEL_REQUEST && rest.number()? == OURS && rest.text()? == DIAL;
    let address: serde_json::Value = match (is_dial, rest.byte()) {
        (true, Ok(1)) => serde_json::from_slice(rest.0)?,
        _ => return Err(garbled()),
    };
    if address.get("address").and_then(serde_json::Value::as_str) != Some("@remote-auth-server") {
        tracing::warn!("Dial request for an unexpected address leads to Auth anyway");
    }
    let dialed = if *transport.fault() == TunnelFault::NoAuth { None } else { TcpStream::connect(auth).await.ok() };
    let Some(auth) = dialed else {
        let mut reason = numbers(CHANNEL_EXTENDED_DATA, &[client, STDERR]);
        put_string(&mut reason, b"failed to dial auth server");
        transport.write(&reason).await?;
        transport.write(&numbers(CHANNEL_FAILURE, &[client])).await?;
        transport.write(&numbers(CHANNEL_CLOSE, &[client])).await?;
        return Ok(None);
    };
    auth.set_nodelay(true)?;
    transport.write(&numbers(CHANNEL_SUCCESS, &[client])).await?;
    Ok(Some(Channel { client, window, data_bytes_max, auth }))
}

/// As Teleport's tunnel refuses other channels; and, for the port of sessions, as that one refuses ours.
fn refusal(client: u32, kind: &str) -> Vec<u8> {
    let reason = if kind == "session" {
        "Cannot open new SSH session on reverse tunnel. Are you connecting to the right port?".to_owned()
    } else {
        format!("reversetunnel received unknown channel request {kind}")
    };
    let mut out = numbers(CHANNEL_OPEN_FAILURE, &[client, CONNECTION_FAILED]);
    put_string(&mut out, reason.as_bytes());
    put_string(&mut out, b"");
    out
}

fn numbers(kind: u8, numbers: &[u32]) -> Vec<u8> {
    let mut out = message(kind, &[]);
    for number in numbers {
        out.extend(number.to_be_bytes());
    }
    out
}

/// Carries bytes until either side ends.
pub(super) async fn relay(transport: &mut Transport, channel: Channel) -> io::Result<()> {
    let Channel { client, mut window, data_bytes_max, auth } = channel;
    let (mut from_auth, mut to_auth) = auth.into_split();
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let mut messages = transport.rekey_if_due().await?;
        let room = usize::try_from(window.min(data_bytes_max)).unwrap_or(0).min(buffer.len());
        if messages.is_empty() {
            tokio::select! {
                message = transport.read() => messages.push(message?),
                read = from_auth.read(buffer.get_mut(..room).unwrap_or_default()), if room > 0 => {
                    let read = read?;
                    if read == 0 {
                        transport.write(&numbers(CHANNEL_EOF, &[client])).await?;
                        transport.write(&numbers(CHANNEL_CLOSE, &[client])).await?;
                        return tokio::time::timeout(GOODBYE_DEADLINE, goodbye(transport)).await?;
                    }
                    let mut data = numbers(CHANNEL_DATA, &[client]);
                    put_string(&mut data, buffer.get(..read).unwrap_or_default());
                    transport.write(&data).await?;
                    window = window.saturating_sub(u32::try_from(read).unwrap_or(u32::MAX));
                }
            }
        }
        for message in messages {
            let mut rest = Rest(&message);
            match rest.byte()? {
                CHANNEL_DATA => {
                    rest.number()?;
                    let data = rest.string()?;
                    to_auth.write_all(data).await?;
                    let taken = u32::try_from(data.len()).map_err(|_| garbled())?;
                    transport.write(&numbers(CHANNEL_WINDOW_ADJUST, &[client, taken])).await?;
                }
                CHANNEL_WINDOW_ADJUST => {
                    rest.number()?;
                    window = window.saturating_add(rest.number()?);
                }
                CHANNEL_EOF => to_auth.shutdown().await?,
                CHANNEL_CLOSE | DISCONNECT => return Ok(()),
                GLOBAL_REQUEST => transport.write(&[REQUEST_FAILURE]).await?,
                _ => {}
            }
        }
    }
}

/// Until the client has closed its side too: hanging up earlier might take from it what it has not read.
async fn goodbye(transport: &mut Transport) -> io::Result<()> {
    loop {
        if let Some(&(CHANNEL_CLOSE | DISCONNECT)) = transport.read().await?.first() {
            return Ok(());
        }
    }
}
