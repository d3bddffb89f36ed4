//! A stream of bytes over a WebSocket: each write is a binary frame, and the contents of binary frames are what is read.
//!
//! Must never hold more than one frame of what was received.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use bytes::{Buf as _, Bytes};
use futures::{Sink as _, Stream as _};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::{Error, Message};

/// The largest frame that is sent, in bytes: about one TLS record.
const SENT_BYTES_MAX: usize = 32 * 1024;

/// Bytes in frames.
pub(crate) struct Frames<S> {
    websocket: WebSocketStream<S>,
    unread: Bytes,
    ended: bool,
}

// === impl Frames ===

impl<S> Frames<S> {
    pub(crate) fn new(websocket: WebSocketStream<S>) -> Self {
        Self { websocket, unread: Bytes::new(), ended: false }
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncRead for Frames<S> {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        while self.unread.is_empty() && !self.ended {
            match ready!(Pin::new(&mut self.websocket).poll_next(cx)) {
                Some(Ok(Message::Binary(bytes))) => self.unread = bytes,
                // The library answers pings; what else comes is passed over, as by Teleport's client.
                Some(Ok(Message::Ping(_) | Message::Pong(_) | Message::Text(_) | Message::Frame(_))) => {}
                None | Some(Ok(Message::Close(_)) | Err(Error::ConnectionClosed | Error::AlreadyClosed)) => {
                    self.ended = true;
                }
                Some(Err(error)) => return Poll::Ready(Err(broken(error))),
            }
        }
        let length = self.unread.len().min(buffer.remaining());
        buffer.put_slice(&self.unread.split_to(length));
        Poll::Ready(Ok(()))
    }
}

impl<S: AsyncRead + AsyncWrite + Unpin> AsyncWrite for Frames<S> {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        ready!(Pin::new(&mut self.websocket).poll_ready(cx)).map_err(broken)?;
        let frame = bytes.take(SENT_BYTES_MAX).copy_to_bytes(bytes.len().min(SENT_BYTES_MAX));
        let length = frame.len();
        Pin::new(&mut self.websocket).start_send(Message::Binary(frame)).map_err(broken)?;
        Poll::Ready(Ok(length))
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.websocket).poll_flush(cx).map_err(broken)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.websocket).poll_close(cx).map_err(broken)
    }
}

fn broken(error: Error) -> io::Error {
    if let Error::Io(error) = error { error } else { io::Error::other(error) }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use futures::{SinkExt as _, StreamExt as _};
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
    use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

    use super::*;

    async fn pair(frame_bytes_max: usize) -> (Frames<DuplexStream>, WebSocketStream<DuplexStream>) {
        let (ours, theirs) = tokio::io::duplex(1024);
        let config = WebSocketConfig::default().max_frame_size(Some(frame_bytes_max)).write_buffer_size(0);
        let ours = WebSocketStream::from_raw_socket(ours, Role::Client, Some(config)).await;
        (Frames::new(ours), WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
    }

    #[tokio::test]
    async fn bytes_come_through_whole_in_both_directions_whatever_the_frames() {
        let (mut ours, mut theirs) = pair(usize::MAX).await;
        let sent: Vec<u8> = (0..100_000_u32).map(|number| number.to_le_bytes()[0]).collect();
        let expected = sent.clone();
        let server = tokio::spawn(async move {
            let mut seen = Vec::new();
            while let Some(Ok(message)) = theirs.next().await {
                let Message::Binary(bytes) = message else { continue };
                assert!(bytes.len() <= SENT_BYTES_MAX);
                seen.extend_from_slice(&bytes);
                theirs.send(Message::Binary(bytes)).await.unwrap();
                if seen.len() == 100_000 {
                    break;
                }
            }
            seen
        });
        let (mut reader, mut writer) = tokio::io::split(&mut ours);
        let writing = async {
            writer.write_all(&sent).await.unwrap();
            writer.flush().await.unwrap();
        };
        let mut back = vec![0; 100_000];
        let (_, read) = tokio::join!(writing, reader.read_exact(&mut back));
        read.unwrap();
        assert!(back == expected && server.await.unwrap() == expected);
    }

    #[tokio::test]
    async fn pings_are_answered_while_reading_and_texts_passed_over() {
        let (mut ours, mut theirs) = pair(usize::MAX).await;
        let reading = tokio::spawn(async move {
            let mut read = [0; 2];
            ours.read_exact(&mut read).await.unwrap();
            (ours, read)
        });
        theirs.send(Message::Ping("teleport".into())).await.unwrap();
        assert_eq!(theirs.next().await.unwrap().unwrap(), Message::Pong("teleport".into()));
        theirs.send(Message::text("x")).await.unwrap();
        theirs.send(Message::binary(vec![])).await.unwrap();
        theirs.send(Message::binary(vec![1, 2])).await.unwrap();
        assert_eq!(reading.await.unwrap().1, [1, 2]);
    }

    #[tokio::test]
    async fn a_close_is_an_end_and_a_break_is_an_error() {
        let (mut ours, mut theirs) = pair(usize::MAX).await;
        tokio::spawn(async move { theirs.close(None).await });
        assert_eq!(ours.read(&mut [0; 8]).await.unwrap(), 0);
        let (mut ours, theirs) = pair(usize::MAX).await;
        drop(theirs);
        assert!(ours.read(&mut [0; 8]).await.is_err());
    }

    #[tokio::test]
    async fn a_frame_beyond_the_limit_is_an_error() {
        let (mut ours, mut theirs) = pair(16).await;
        tokio::spawn(async move { theirs.send(Message::binary(vec![0; 17])).await });
        assert!(ours.read(&mut [0; 8]).await.unwrap_err().to_string().contains("too long"));
    }

    proptest::proptest! {
        #![proptest_config(proptest::prelude::ProptestConfig::with_cases(512))]

        #[test]
        fn no_bytes_make_it_panic_or_hang(sent in proptest::collection::vec(proptest::prelude::any::<u8>(), 0..256)) {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
            let read = runtime.block_on(async {
                let (ours, mut theirs) = tokio::io::duplex(1024);
                let config = WebSocketConfig::default().max_frame_size(Some(64)).max_message_size(Some(64));
                let ours = WebSocketStream::from_raw_socket(ours, Role::Client, Some(config)).await;
                theirs.write_all(&sent).await.unwrap();
                theirs.shutdown().await.unwrap();
                let mut read = Vec::new();
                let reading = Frames::new(ours).read_to_end(&mut read).await;
                (read.len(), reading.is_ok())
            });
            proptest::prop_assert!(read.0 <= sent.len(), "{read:?}");
        }
    }
}
