//! Authentication (RFC 4252) and the one channel that we open (RFC 4254): Teleport's `teleport-transport`, dialed to Auth
//! (`api/utils/sshutils/conn.go`).
//!
//! Must never send anything before the link is up, which verifies the host.

use std::time::Duration;

use super::credentials::Credentials;
use super::failure::{Problem, Step, said};
use super::link::Link;
use super::message::{
    CHANNEL_CLOSE, CHANNEL_DATA, CHANNEL_EOF, CHANNEL_EXTENDED_DATA, CHANNEL_FAILURE, CHANNEL_OPEN,
    CHANNEL_OPEN_CONFIRMATION, CHANNEL_OPEN_FAILURE, CHANNEL_REQUEST, CHANNEL_SUCCESS, CHANNEL_WINDOW_ADJUST,
    SERVICE_ACCEPT, SERVICE_REQUEST, USERAUTH_BANNER, USERAUTH_FAILURE, USERAUTH_SUCCESS,
};
use super::wire::{Garbled, Reader, Writer};

/// Teleport's kind of channel (`api/constants/constants.go`, `ChanTransport`).
const CHANNEL: &str = "teleport-transport";
/// Where such a channel is told to go (`ChanTransportDialReq`).
const DIAL: &str = "teleport-transport-dial";
/// To Auth (`RemoteAuthServer`): JSON, as it is, without the length that SSH's strings have.
const DIAL_AUTH: &str = r#"{"address":"@remote-auth-server","conn_type":"node"}"#;
/// The number that we give our channel.
pub(super) const OURS: u32 = 0;
/// How much may be under way to us, in bytes.
pub(super) const WINDOW_BYTES: u32 = 2 * 1024 * 1024;
/// The longest piece of data that we take, in bytes.
pub(super) const DATA_BYTES_MAX: u32 = 32 * 1024;
/// How long a server that refused is listened to for its reason.
const REASON_SECS_MAX: u64 = 2;
/// The longest reason that is kept, in bytes.
const REASON_BYTES_MAX: usize = 4096;

/// A channel to Auth.
#[derive(Clone, Copy, Debug)]
pub(super) struct Opened {
    /// The number that the server gave it.
    pub(super) theirs: u32,
    /// How much we may send, in bytes.
    pub(super) window: u32,
    /// The longest piece of data that the server takes, in bytes.
    pub(super) data_bytes_max: u32,
}

fn garbled(Garbled: Garbled) -> Problem {
    Problem::protocol("it sends a garbled message")
}

fn unexpected(step: Step, message: &[u8]) -> Problem {
    let kind = message.first().copied().unwrap_or_default();
    Problem::Protocol(format!("it sends message {kind} out of turn ({step:?})"))
}

/// Authenticates, and opens a channel to Auth.
pub(super) async fn open(link: &mut Link, credentials: &Credentials) -> Result<Opened, Problem> {
    link.begin().await?;
    opened(link, credentials).await
}

/// The same on a link that is up.
pub(super) async fn opened(link: &mut Link, credentials: &Credentials) -> Result<Opened, Problem> {
    link.step = Step::Authentication;
    authenticate(link, credentials).await?;
    link.step = Step::Channel;
    let mut opened = channel(link).await?;
    link.step = Step::Dial;
    dial(link, &mut opened).await?;
    link.step = Step::Open;
    Ok(opened)
}

async fn authenticate(link: &mut Link, credentials: &Credentials) -> Result<(), Problem> {
    link.put(&Writer::message(SERVICE_REQUEST).string("ssh-userauth").finish())?;
    let answer = link.next().await?;
    if answer.first() != Some(&SERVICE_ACCEPT) {
        return Err(unexpected(link.step, &answer));
    }
    let request = credentials.request(link.session())?;
    link.put(&request)?;
    loop {
        let answer = link.next().await?;
        match answer.first() {
            Some(&USERAUTH_SUCCESS) => return Ok(()),
            Some(&USERAUTH_FAILURE) => return Err(Problem::Refused { user: credentials.user().to_owned() }),
            Some(&USERAUTH_BANNER) => {}
            Some(_) | None => return Err(unexpected(link.step, &answer)),
        }
    }
}

async fn channel(link: &mut Link) -> Result<Opened, Problem> {
    let open = Writer::message(CHANNEL_OPEN).string(CHANNEL).u32(OURS).u32(WINDOW_BYTES).u32(DATA_BYTES_MAX);
    link.put(&open.finish())?;
    let answer = link.next().await?;
    let mut reader = Reader::new(&answer);
    let kind = reader.byte().map_err(garbled)?;
    let ours = reader.u32().map_err(garbled)?;
    match kind {
        CHANNEL_OPEN_CONFIRMATION if ours == OURS => Ok(Opened {
            theirs: reader.u32().map_err(garbled)?,
            window: reader.u32().map_err(garbled)?,
            data_bytes_max: reader.u32().map_err(garbled)?,
        }),
        CHANNEL_OPEN_FAILURE if ours == OURS => {
            let _code = reader.u32().map_err(garbled)?;
            Err(Problem::NoChannel { said: said(reader.string().map_err(garbled)?) })
        }
        _ => Err(unexpected(link.step, &answer)),
    }
}

async fn dial(link: &mut Link, opened: &mut Opened) -> Result<(), Problem> {
    let request =
        Writer::message(CHANNEL_REQUEST).u32(opened.theirs).string(DIAL).boolean(true).raw(DIAL_AUTH.as_bytes());
    link.put(&request.finish())?;
    let mut reason = Vec::new();
    loop {
        match heard(link, opened, &mut reason).await? {
            Heard::Nothing => {}
            Heard::Success => return Ok(()),
            Heard::End => return Err(Problem::NotDialed { said: said_why(&reason) }),
            Heard::Failure => break,
        }
    }
    // The reason may come before the refusal or after it.
    let rest = async { while !matches!(heard(link, opened, &mut reason).await, Ok(Heard::End) | Err(_)) {} };
    let _ = tokio::time::timeout(Duration::from_secs(REASON_SECS_MAX), rest).await;
    Err(Problem::NotDialed { said: said_why(&reason) })
}

fn said_why(reason: &[u8]) -> String {
    let said = said(reason);
    if said.is_empty() { "no reason given".to_owned() } else { said }
}

/// What the server said of the dial.
enum Heard {
    Nothing,
    Success,
    Failure,
    End,
}

async fn heard(link: &mut Link, opened: &mut Opened, reason: &mut Vec<u8>) -> Result<Heard, Problem> {
    let message = link.next().await?;
    let mut reader = Reader::new(&message);
    let kind = reader.byte().map_err(garbled)?;
    if reader.u32().map_err(garbled)? != OURS {
        return Err(unexpected(link.step, &message));
    }
    match kind {
        CHANNEL_SUCCESS => Ok(Heard::Success),
        CHANNEL_FAILURE => Ok(Heard::Failure),
        CHANNEL_EOF | CHANNEL_CLOSE => Ok(Heard::End),
        CHANNEL_WINDOW_ADJUST => {
            opened.window = opened.window.saturating_add(reader.u32().map_err(garbled)?);
            Ok(Heard::Nothing)
        }
        CHANNEL_EXTENDED_DATA => {
            let _kind = reader.u32().map_err(garbled)?;
            let text = reader.string().map_err(garbled)?;
            let room = REASON_BYTES_MAX.saturating_sub(reason.len());
            reason.extend(text.iter().take(room));
            Ok(Heard::Nothing)
        }
        CHANNEL_REQUEST => refuse_request(link, opened.theirs, &mut reader).map(|()| Heard::Nothing),
        CHANNEL_DATA => Err(unexpected(link.step, &message)),
        _ => link.unknown().map(|()| Heard::Nothing),
    }
}

/// Says no to a request on our channel, if it wants an answer.
pub(super) fn refuse_request(link: &mut Link, theirs: u32, reader: &mut Reader<'_>) -> Result<(), Problem> {
    let _name = reader.string().map_err(garbled)?;
    if reader.boolean().map_err(garbled)? {
        link.put(&Writer::message(CHANNEL_FAILURE).u32(theirs).finish())?;
    }
    Ok(())
}
