//! The other end of a stream: says what it has to say, and hangs up. Time is the runtime's own and passes at once, so that
//! deadlines are reached. It must never wait for an answer.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream};
use tokio::runtime::{Builder, Runtime};

/// What the stream buffers, in bytes.
const PIPE_BYTES: usize = 64 * 1024;

/// A runtime with a clock of its own.
pub(super) fn runtime() -> Result<Runtime, String> {
    let runtime = Builder::new_current_thread().enable_time().start_paused(true).build();
    runtime.map_err(|error| format!("no runtime: {error}"))
}

/// What becomes of a stream whose other end says `bytes` and hangs up, or is silent from then on.
pub(super) fn hears<T, F>(runtime: &Runtime, bytes: &[u8], hangs_up: bool, with: impl FnOnce(DuplexStream) -> F) -> T
where
    F: Future<Output = T>,
{
    runtime.block_on(async {
        let (ours, theirs) = tokio::io::duplex(PIPE_BYTES);
        let (mut reader, mut writer) = tokio::io::split(theirs);
        let bytes = bytes.to_vec();
        let speaking = tokio::spawn(async move {
            // Whoever hung up first does not want to hear the rest.
            let _heard = writer.write_all(&bytes).await;
            if hangs_up {
                drop(writer.shutdown().await);
            }
            writer
        });
        let hearing = tokio::spawn(async move {
            let mut chunk = vec![0; 4096];
            while let Ok(1..) = reader.read(&mut chunk).await {}
        });
        let became = with(ours).await;
        hearing.abort();
        speaking.abort();
        let _ended = tokio::join!(hearing, speaking);
        became
    })
}
