//! An SSH connection below authentication and channels (RFC 4253): banners, packets, the exchange of keys whenever the
//! server wants one, and the server's small talk.
//!
//! Must never pass on a message that came before the keys were agreed on and the host was verified.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf};

use super::failure::{Problem, Step, said};
use super::kex::{Banners, Exchange, Offer, Trust};
use super::message::{
    CHANNEL_OPEN, CHANNEL_OPEN_FAILURE, DEBUG, DISCONNECT, ECDH_REPLY, EXT_INFO, GLOBAL_REQUEST, IGNORE, KEXINIT,
    NEWKEYS, PROHIBITED, REQUEST_FAILURE, REQUEST_SUCCESS, UNIMPLEMENTED,
};
use super::packet::{PacketKey, Packets};
use super::wire::{Garbled, Reader, Writer};
use crate::route::ByteStream;

/// What we say that we are.
const BANNER: &str = concat!("SSH-2.0-tribunal_", env!("CARGO_PKG_VERSION"));
/// The longest banner, in bytes, with its line end (RFC 4253, section 4.2).
const BANNER_BYTES_MAX: usize = 255;
/// How much is read at once, in bytes.
const READ_BYTES: usize = 32 * 1024;

/// An SSH connection.
pub(super) struct Link {
    pub(super) reader: ReadHalf<ByteStream>,
    pub(super) writer: WriteHalf<ByteStream>,
    /// What came and was not looked at yet.
    pub(super) input: Vec<u8>,
    /// What is to be sent.
    pub(super) output: Vec<u8>,
    /// Where we are, for messages to people.
    pub(super) step: Step,
    packets: Packets,
    banners: Banners,
    trust: Trust,
    stage: Stage,
    session: Option<Vec<u8>>,
}

/// Where an exchange of keys stands.
enum Stage {
    /// There is none.
    Idle,
    /// Ours is sent, theirs not received.
    Offered(Offer),
    /// The algorithms are agreed on; the server's answer is outstanding.
    Agreed(Box<Exchange>),
    /// Our side has switched; theirs will.
    Switching(Box<PacketKey>),
}

// === impl Link ===

impl Link {
    pub(super) fn new(stream: ByteStream, trust: Trust) -> Self {
        let (reader, writer) = tokio::io::split(stream);
        Self {
            reader,
            writer,
            input: Vec::new(),
            output: Vec::new(),
            step: Step::Banner,
            packets: Packets::default(),
            banners: Banners { ours: BANNER.as_bytes().to_vec(), theirs: Vec::new() },
            trust,
            stage: Stage::Idle,
            session: None,
        }
    }

    /// Exchanges banners and the first keys.
    pub(super) async fn begin(&mut self) -> Result<(), Problem> {
        // A proxy that listens for several protocols on one port waits for ours to say which: no waiting for its banner.
        self.output.extend_from_slice(BANNER.as_bytes());
        self.output.extend_from_slice(b"\r\n");
        self.flush().await?;
        self.banners.theirs = self.banner().await?;
        self.step = Step::Keys;
        let offer = Offer::new()?;
        self.put(offer.message())?;
        self.stage = Stage::Offered(offer);
        while self.session.is_none() || !matches!(self.stage, Stage::Idle) {
            self.flush().await?;
            let message = self.packet().await?;
            if self.small_talk(&message)?.is_some() {
                return Err(Problem::protocol("it sends messages before keys are agreed on"));
            }
        }
        Ok(())
    }

    /// As if keys had been agreed on, with none: for tests and fuzzing.
    pub(super) fn agreed(mut self) -> Self {
        self.session = Some(Vec::new());
        self
    }

    /// The name of the session, which signatures bind to.
    pub(super) fn session(&self) -> &[u8] {
        self.session.as_deref().unwrap_or_default()
    }

    /// Whether anything but key exchange may be sent now.
    pub(super) fn may_send(&self) -> bool {
        match self.stage {
            Stage::Idle | Stage::Switching(_) => true,
            Stage::Offered(_) | Stage::Agreed(_) => false,
        }
    }

    /// Appends a message to what is to be sent.
    pub(super) fn put(&mut self, message: &[u8]) -> Result<(), Problem> {
        self.packets.put(message, &mut self.output)
    }

    /// Sends all that is to be sent.
    pub(super) async fn flush(&mut self) -> Result<(), Problem> {
        let broken = |error| Problem::broken(&error);
        self.writer.write_all(&self.output).await.map_err(broken)?;
        self.output.clear();
        self.writer.flush().await.map_err(broken)
    }

    /// The next message that is not small talk.
    pub(super) async fn next(&mut self) -> Result<Vec<u8>, Problem> {
        loop {
            self.flush().await?;
            let message = self.packet().await?;
            if let Some(message) = self.small_talk(&message)? {
                return Ok(message.to_vec());
            }
        }
    }

    /// The message in the first packet that came, if one came whole.
    pub(super) fn take(&mut self) -> Result<Option<Vec<u8>>, Problem> {
        self.packets.take(&mut self.input)
    }

    async fn packet(&mut self) -> Result<Vec<u8>, Problem> {
        loop {
            if let Some(message) = self.take()? {
                return Ok(message);
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> Result<(), Problem> {
        self.input.reserve(READ_BYTES);
        let read = self.reader.read_buf(&mut self.input).await.map_err(|error| Problem::broken(&error))?;
        if read == 0 { Err(Problem::HungUp(self.step)) } else { Ok(()) }
    }

    /// The server's banner.
    async fn banner(&mut self) -> Result<Vec<u8>, Problem> {
        loop {
            let begins = b"SSH-".iter().zip(&self.input).all(|(expected, found)| expected == found);
            if !begins {
                return Err(self.no_banner());
            }
            if let Some(end) = self.input.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.input.drain(..=end).collect();
                line.pop();
                line.pop_if(|last| *last == b'\r');
                let known = line.starts_with(b"SSH-2.0-") || line.starts_with(b"SSH-1.99-");
                return if known { Ok(line) } else { Err(Problem::NotSsh(line.escape_ascii().to_string())) };
            }
            if self.input.len() > BANNER_BYTES_MAX {
                return Err(self.no_banner());
            }
            match self.read().await {
                Err(Problem::HungUp(_)) if !self.input.is_empty() => return Err(self.no_banner()),
                read => read?,
            }
        }
    }

    fn no_banner(&self) -> Problem {
        let first: Vec<u8> = self.input.iter().copied().take_while(|byte| !b"\r\n".contains(byte)).take(40).collect();
        Problem::NotSsh(first.escape_ascii().to_string())
    }

    /// Answers what is of no interest above, and carries on an exchange of keys; gives back any other message.
    pub(super) fn small_talk<'m>(&mut self, message: &'m [u8]) -> Result<Option<&'m [u8]>, Problem> {
        let mut reader = Reader::new(message);
        let kind = reader.byte().unwrap_or_default();
        let garbled = |Garbled| Problem::protocol("it sends a garbled message");
        match kind {
            DISCONNECT => {
                let _reason = reader.u32().map_err(garbled)?;
                let text = said(reader.string().map_err(garbled)?);
                Err(Problem::Disconnected { step: self.step, said: text })
            }
            KEXINIT | ECDH_REPLY | NEWKEYS => self.exchange(kind, message).map(|()| None),
            // Until the keys are agreed on, nothing else is taken: what is injected before must not count after.
            _ if self.session.is_none() || matches!(self.stage, Stage::Agreed(_)) => {
                Err(Problem::protocol("it sends messages while keys are being agreed on"))
            }
            IGNORE | DEBUG | EXT_INFO | UNIMPLEMENTED | REQUEST_SUCCESS | REQUEST_FAILURE => Ok(None),
            GLOBAL_REQUEST => {
                let _name = reader.string().map_err(garbled)?;
                if reader.boolean().map_err(garbled)? {
                    self.put(&[REQUEST_FAILURE])?;
                }
                Ok(None)
            }
            CHANNEL_OPEN => {
                let _kind = reader.string().map_err(garbled)?;
                let theirs = reader.u32().map_err(garbled)?;
                let no = Writer::message(CHANNEL_OPEN_FAILURE).u32(theirs).u32(PROHIBITED);
                self.put(&no.string("tribunal accepts no channels").string("").finish())?;
                Ok(None)
            }
            _ => Ok(Some(message)),
        }
    }

    /// Says that a message is unknown.
    pub(super) fn unknown(&mut self) -> Result<(), Problem> {
        let which = self.packets.last_received();
        self.put(&Writer::message(UNIMPLEMENTED).u32(which).finish())
    }

    /// One step of an exchange of keys.
    fn exchange(&mut self, kind: u8, message: &[u8]) -> Result<(), Problem> {
        match (kind, std::mem::replace(&mut self.stage, Stage::Idle)) {
            (KEXINIT, Stage::Offered(offer)) => self.agree(offer, message),
            (KEXINIT, Stage::Idle) if self.session.is_some() => {
                let offer = Offer::new()?;
                self.put(offer.message())?;
                self.agree(offer, message)
            }
            (ECDH_REPLY, Stage::Agreed(exchange)) => {
                let keys = exchange.finish(message, &self.banners, &self.trust, self.session.as_deref())?;
                self.put(&[NEWKEYS])?;
                self.packets.seal_with(keys.seal);
                self.session.get_or_insert(keys.hash);
                self.stage = Stage::Switching(Box::new(keys.open));
                Ok(())
            }
            (NEWKEYS, Stage::Switching(open)) => {
                self.packets.open_with(*open);
                Ok(())
            }
            _ => Err(Problem::protocol("it exchanges keys out of turn")),
        }
    }

    fn agree(&mut self, offer: Offer, theirs: &[u8]) -> Result<(), Problem> {
        let (exchange, next) = offer.answered(theirs)?;
        self.put(&next)?;
        self.stage = Stage::Agreed(Box::new(exchange));
        Ok(())
    }
}
