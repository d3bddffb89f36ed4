//! The channel as a stream of bytes.
//!
//! Must never end without saying why, if it was a failure.

use std::io;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, DuplexStream, ReadBuf};
use tokio::sync::oneshot;

use super::failure::Problem;
use super::link::Link;
use super::mover::Mover;
use super::session::Opened;
use crate::connect::{KEEPALIVE_ANSWER_SECS_MAX, KEEPALIVE_SECS};

/// How much the stream buffers between its user and the task, in bytes.
const PIPE_BYTES: usize = 64 * 1024;

/// How long a quiet server is left alone, and from when on it counts as dead.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    pub(super) ask: Duration,
    pub(super) end: Duration,
}

/// A stream of bytes to Auth through a channel of SSH.
pub(super) struct Tunnel {
    pipe: DuplexStream,
    failure: Arc<OnceLock<Problem>>,
    /// Dropped with the stream, which ends the task.
    _alive: oneshot::Sender<()>,
}

// === impl Patience ===

impl Default for Patience {
    fn default() -> Self {
        Self { ask: Duration::from_secs(KEEPALIVE_SECS), end: Duration::from_secs(KEEPALIVE_ANSWER_SECS_MAX) }
    }
}

// === impl Tunnel ===

impl Tunnel {
    /// The channel `opened` of `link`.
    pub(super) fn new(link: Link, opened: Opened, patience: Patience) -> Self {
        let (pipe, ours) = tokio::io::duplex(PIPE_BYTES);
        let failure = Arc::new(OnceLock::new());
        let (alive, ended) = oneshot::channel();
        let mover = Mover::new(link, opened, patience);
        let seen = Arc::clone(&failure);
        tokio::spawn(async move {
            if let Err(problem) = mover.run(ours, ended, &seen).await {
                tracing::debug!(error = %problem, "SSH to the proxy ended");
            }
        });
        Self { pipe, failure, _alive: alive }
    }

    fn failed(&self) -> Option<io::Error> {
        self.failure.get().map(|problem| io::Error::new(io::ErrorKind::ConnectionAborted, problem.to_string()))
    }
}

impl AsyncRead for Tunnel {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        match Pin::new(&mut self.pipe).poll_read(cx, buffer) {
            Poll::Ready(Ok(())) if buffer.filled().len() == before && buffer.remaining() > 0 => {
                Poll::Ready(self.failed().map_or(Ok(()), Err))
            }
            other @ (Poll::Ready(_) | Poll::Pending) => other,
        }
    }
}

impl AsyncWrite for Tunnel {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.pipe).poll_write(cx, bytes) {
            Poll::Ready(Err(error)) => Poll::Ready(Err(self.failed().unwrap_or(error))),
            other @ (Poll::Ready(_) | Poll::Pending) => other,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.pipe).poll_shutdown(cx)
    }
}
