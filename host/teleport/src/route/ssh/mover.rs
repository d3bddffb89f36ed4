//! The task that moves bytes between the SSH connection and whoever uses the stream.
//!
//! Must never hold more than the windows allow, nor outlive whoever uses the stream.

use std::collections::VecDeque;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _, DuplexStream};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::failure::Problem;
use super::link::Link;
use super::message::{
    CHANNEL_CLOSE, CHANNEL_DATA, CHANNEL_EOF, CHANNEL_EXTENDED_DATA, CHANNEL_REQUEST, CHANNEL_WINDOW_ADJUST,
    DISCONNECT, GLOBAL_REQUEST,
};
use super::session::{DATA_BYTES_MAX, OURS, Opened, WINDOW_BYTES, refuse_request};
use super::tunnel::Patience;
use super::wire::{Garbled, Reader, Writer};

/// How much is taken from the user at once, in bytes.
const CHUNK_BYTES: usize = 16 * 1024;
/// From how much unsent on, nothing more is taken: neither from the user nor from the server.
const OUTPUT_BYTES_MAX: usize = 256 * 1024;
/// How much is read from the server at once, in bytes.
const READ_BYTES: usize = 32 * 1024;
/// How long a goodbye may take.
const GOODBYE_SECS_MAX: u64 = 2;
/// "By application" (RFC 4250, section 4.2.2).
const BY_APPLICATION: u32 = 11;

/// Whether the server sends more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Theirs {
    Open,
    Ended,
    Closed,
}

/// Whether we send more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Ours {
    Open,
    Ended,
}

/// Moves bytes.
pub(super) struct Mover {
    link: Link,
    opened: Opened,
    /// How much we may send.
    window: u32,
    /// What came, and the user did not take yet.
    inbox: VecDeque<u8>,
    /// How much the server may still send.
    granted: u32,
    /// How much the user took since the server was granted more.
    taken: u32,
    theirs: Theirs,
    ours: Ours,
    unflushed: bool,
    heard: Instant,
    asked: Instant,
    patience: Patience,
}

// === impl Mover ===

impl Mover {
    /// For the channel `opened` of `link`.
    pub(super) fn new(link: Link, opened: Opened, patience: Patience) -> Self {
        Self {
            link,
            window: opened.window,
            opened,
            inbox: VecDeque::new(),
            granted: WINDOW_BYTES,
            taken: 0,
            theirs: Theirs::Open,
            ours: Ours::Open,
            unflushed: false,
            heard: Instant::now(),
            asked: Instant::now(),
            patience,
        }
    }

    /// Moves bytes until the channel is closed, something fails, or whoever holds the other end of `ended` drops it.
    pub(super) async fn run(
        mut self,
        pipe: DuplexStream,
        ended: oneshot::Receiver<()>,
        failure: &OnceLock<Problem>,
    ) -> Result<(), Problem> {
        let result = tokio::select! {
            moved = self.move_bytes(pipe, failure) => moved,
            _ = ended => Ok(()),
        };
        if result.is_ok() {
            let goodbye = self.goodbye();
            let _ = tokio::time::timeout(Duration::from_secs(GOODBYE_SECS_MAX), goodbye).await;
        }
        result
    }

    /// Until the channel is closed, or something fails. The failure is told before the user sees the end of the stream.
    async fn move_bytes(&mut self, pipe: DuplexStream, failure: &OnceLock<Problem>) -> Result<(), Problem> {
        let (mut user_reads, mut user_writes) = {
            let (reader, writer) = tokio::io::split(pipe);
            (writer, reader)
        };
        let mut chunk = vec![0; CHUNK_BYTES];
        loop {
            let moved = self.step(&mut user_reads, &mut user_writes, &mut chunk).await;
            match moved {
                Ok(true) => {}
                Ok(false) => return Ok(()),
                Err(problem) => {
                    let _ = failure.set(problem.clone());
                    return Err(problem);
                }
            }
        }
    }

    /// One event. `false` at the end.
    async fn step(
        &mut self,
        user_reads: &mut (impl AsyncWrite + Unpin),
        user_writes: &mut (impl AsyncRead + Unpin),
        chunk: &mut [u8],
    ) -> Result<bool, Problem> {
        while self.link.output.len() < OUTPUT_BYTES_MAX {
            let Some(message) = self.link.take()? else { break };
            self.heard = Instant::now();
            self.message(&message)?;
        }
        if self.inbox.is_empty() {
            match self.theirs {
                Theirs::Open => {}
                // The user's end of the stream is told; it may still send.
                Theirs::Ended => drop(user_reads.shutdown().await),
                Theirs::Closed => return Ok(false),
            }
        }
        self.grant()?;
        let room = self.room();
        let chunk = chunk.get_mut(..room).unwrap_or_default();
        self.link.input.reserve(READ_BYTES);
        let next_ask = self.heard.max(self.asked).checked_add(self.patience.ask).unwrap_or(self.heard);
        // A server that closed the channel may hang up before all of it is read here.
        let open = self.theirs != Theirs::Closed;
        let link = &mut self.link;
        tokio::select! {
            read = link.reader.read_buf(&mut link.input), if open && link.output.len() < OUTPUT_BYTES_MAX => {
                if read.map_err(|error| Problem::broken(&error))? == 0 {
                    return Err(Problem::HungUp(link.step));
                }
            }
            written = push(&mut link.writer, &link.output), if open && (self.unflushed || !link.output.is_empty()) => {
                let written = written.map_err(|error| Problem::broken(&error))?;
                link.output.drain(..written);
                self.unflushed = written > 0;
            }
            read = user_writes.read(chunk), if room > 0 => {
                let read = read.map_err(|error| Problem::broken(&error))?;
                self.send(chunk.get(..read).unwrap_or_default())?;
            }
            written = user_reads.write(self.inbox.as_slices().0), if !self.inbox.is_empty() => {
                // The user is gone: whoever dropped the stream ends this task anyway.
                let Ok(written) = written else { return Ok(false) };
                self.inbox.drain(..written);
                self.taken = self.taken.saturating_add(u32::try_from(written).unwrap_or(u32::MAX));
            }
            () = tokio::time::sleep_until(next_ask), if open => self.ask()?,
        }
        Ok(true)
    }

    /// How much may be taken from the user now.
    fn room(&self) -> usize {
        let blocked = self.ours == Ours::Ended
            || self.theirs == Theirs::Closed
            || !self.link.may_send()
            || self.link.output.len() >= OUTPUT_BYTES_MAX;
        if blocked {
            return 0;
        }
        let bytes = self.window.min(self.opened.data_bytes_max);
        usize::try_from(bytes).unwrap_or(CHUNK_BYTES).min(CHUNK_BYTES)
    }

    /// What the user sends; nothing is its end.
    fn send(&mut self, bytes: &[u8]) -> Result<(), Problem> {
        let theirs = self.opened.theirs;
        if bytes.is_empty() {
            self.ours = Ours::Ended;
            return self.link.put(&Writer::message(CHANNEL_EOF).u32(theirs).finish());
        }
        self.window = self.window.saturating_sub(u32::try_from(bytes.len()).unwrap_or(u32::MAX));
        self.link.put(&Writer::message(CHANNEL_DATA).u32(theirs).string(bytes).finish())
    }

    /// Lets the server send more when the user has taken half a window.
    fn grant(&mut self) -> Result<(), Problem> {
        if self.taken < WINDOW_BYTES / 2 || !self.link.may_send() || self.theirs != Theirs::Open {
            return Ok(());
        }
        let more = std::mem::take(&mut self.taken);
        self.granted = self.granted.saturating_add(more);
        self.link.put(&Writer::message(CHANNEL_WINDOW_ADJUST).u32(self.opened.theirs).u32(more).finish())
    }

    /// Asks a quiet server whether it lives.
    fn ask(&mut self) -> Result<(), Problem> {
        if self.heard.elapsed() >= self.patience.end {
            return Err(Problem::Silent(self.patience.end));
        }
        self.asked = Instant::now();
        if !self.link.may_send() {
            return Ok(());
        }
        self.link.put(&Writer::message(GLOBAL_REQUEST).string("keepalive@openssh.com").boolean(true).finish())
    }

    fn message(&mut self, message: &[u8]) -> Result<(), Problem> {
        let Some(message) = self.link.small_talk(message)? else { return Ok(()) };
        let garbled = |Garbled| Problem::protocol("it sends a garbled message");
        let mut reader = Reader::new(message);
        let kind = reader.byte().map_err(garbled)?;
        if !(CHANNEL_WINDOW_ADJUST..=CHANNEL_REQUEST).contains(&kind) {
            return self.link.unknown();
        }
        if reader.u32().map_err(garbled)? != OURS {
            return Err(Problem::protocol("it speaks of a channel that there is not"));
        }
        match kind {
            CHANNEL_WINDOW_ADJUST => {
                self.window = self.window.saturating_add(reader.u32().map_err(garbled)?);
                Ok(())
            }
            CHANNEL_DATA => {
                let data = reader.string().map_err(garbled)?;
                self.charge(data)?;
                self.inbox.extend(data);
                Ok(())
            }
            CHANNEL_EXTENDED_DATA => {
                let _kind = reader.u32().map_err(garbled)?;
                let data = reader.string().map_err(garbled)?;
                self.charge(data)?;
                self.taken = self.taken.saturating_add(u32::try_from(data.len()).unwrap_or(u32::MAX));
                Ok(())
            }
            CHANNEL_EOF => {
                self.theirs = Theirs::Ended;
                Ok(())
            }
            CHANNEL_CLOSE => {
                self.theirs = Theirs::Closed;
                Ok(())
            }
            CHANNEL_REQUEST => refuse_request(&mut self.link, self.opened.theirs, &mut reader),
            _ => self.link.unknown(),
        }
    }

    /// Takes what came from what the server may send.
    fn charge(&mut self, data: &[u8]) -> Result<(), Problem> {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let left = self.granted.checked_sub(length).filter(|_| length <= DATA_BYTES_MAX && self.theirs == Theirs::Open);
        self.granted = left.ok_or_else(|| Problem::protocol("it sends more than it may"))?;
        Ok(())
    }

    /// Tells the server that this is the end, without waiting for its answer.
    async fn goodbye(&mut self) -> Result<(), Problem> {
        if self.link.may_send() {
            self.link.put(&Writer::message(CHANNEL_CLOSE).u32(self.opened.theirs).finish())?;
            let bye = Writer::message(DISCONNECT).u32(BY_APPLICATION).string("done").string("");
            self.link.put(&bye.finish())?;
        }
        self.link.flush().await
    }
}

/// Writes some of `output`, or flushes if there is nothing. Whichever is cancelled can be begun anew.
async fn push(writer: &mut (impl AsyncWrite + Unpin), output: &[u8]) -> io::Result<usize> {
    if output.is_empty() { writer.flush().await.map(|()| 0) } else { writer.write(output).await }
}
