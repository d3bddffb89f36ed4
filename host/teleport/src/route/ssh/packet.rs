//! Packets of SSH (RFC 4253, section 6): in the clear before keys are agreed on, under AES-GCM afterwards.
//!
//! Must never hand out a byte that was not authenticated, once there are keys.

use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, Tag, UnboundKey};

use super::failure::Problem;

/// The longest packet that is read, in bytes; Go's `x/crypto/ssh` has the same limit.
const PACKET_BYTES_MAX: usize = 256 * 1024;
/// The most packets under one key. A key is good for 2^32 (NIST SP 800-38D); a connection does not come near this.
const PACKETS_MAX: u64 = 1 << 31;

const LENGTH_BYTES: usize = 4;
const TAG_BYTES: usize = 16;
const CLEAR_BLOCK_BYTES: usize = 8;
const GCM_BLOCK_BYTES: usize = 16;
const PADDING_BYTES_MIN: usize = 4;

/// An algorithm to seal packets with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cipher {
    Aes128Gcm,
    Aes256Gcm,
}

/// A key for one direction, and how often it was used.
pub(super) struct PacketKey {
    key: LessSafeKey,
    fixed: [u8; 4],
    counter: u64,
    used: u64,
}

/// Both directions: packets in and out of plain bytes.
#[derive(Default)]
pub(super) struct Packets {
    seal: Option<PacketKey>,
    open: Option<PacketKey>,
    received: u32,
}

// === impl Cipher ===

impl Cipher {
    /// How long its key is, in bytes.
    pub(super) fn key_bytes(self) -> usize {
        match self {
            Self::Aes128Gcm => 16,
            Self::Aes256Gcm => 32,
        }
    }

    /// A key for one direction, from what was agreed on (RFC 5647).
    pub(super) fn key(self, key: &[u8], nonce: &[u8]) -> Result<PacketKey, Problem> {
        let algorithm = match self {
            Self::Aes128Gcm => &AES_128_GCM,
            Self::Aes256Gcm => &AES_256_GCM,
        };
        let key = key.get(..self.key_bytes()).and_then(|key| UnboundKey::new(algorithm, key).ok());
        let (fixed, counter) = match nonce.split_at_checked(4) {
            Some((fixed, rest)) => (fixed.try_into().ok(), rest.get(..8).and_then(|rest| rest.try_into().ok())),
            None => (None, None),
        };
        let (Some(key), Some(fixed), Some(counter)) = (key, fixed, counter) else {
            return Err(Problem::protocol("its keys cannot be derived"));
        };
        Ok(PacketKey { key: LessSafeKey::new(key), fixed, counter: u64::from_be_bytes(counter), used: 0 })
    }
}

// === impl PacketKey ===

impl PacketKey {
    /// A nonce that was not used before.
    fn nonce(&mut self) -> Result<Nonce, Problem> {
        if self.used >= PACKETS_MAX {
            return Err(Problem::protocol("it has lasted as long as one key is good for"));
        }
        self.used = self.used.saturating_add(1);
        let mut nonce = [0; 12];
        let bytes = self.fixed.into_iter().chain(self.counter.to_be_bytes());
        nonce.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
        self.counter = self.counter.wrapping_add(1);
        Ok(Nonce::assume_unique_for_key(nonce))
    }
}

// === impl Packets ===

impl Packets {
    /// From here on, what is written is sealed with `key`.
    pub(super) fn seal_with(&mut self, key: PacketKey) {
        self.seal = Some(key);
    }

    /// From here on, what is read was sealed with `key`.
    pub(super) fn open_with(&mut self, key: PacketKey) {
        self.open = Some(key);
    }

    /// How many packets came before the last one.
    pub(super) fn last_received(&self) -> u32 {
        self.received.wrapping_sub(1)
    }

    /// Appends a packet with `payload` to `output`.
    pub(super) fn put(&mut self, payload: &[u8], output: &mut Vec<u8>) -> Result<(), Problem> {
        let too_long = || Problem::protocol("a message of ours is too long");
        let block = if self.seal.is_some() { GCM_BLOCK_BYTES } else { CLEAR_BLOCK_BYTES };
        // Under AES-GCM the length is not encrypted and does not count.
        let counted = if self.seal.is_some() { 0 } else { LENGTH_BYTES };
        let bare = counted.saturating_add(1).saturating_add(payload.len());
        let mut padding = block.saturating_sub(bare % block);
        if padding < PADDING_BYTES_MIN {
            padding = padding.saturating_add(block);
        }
        let length = payload.len().saturating_add(padding).saturating_add(1);
        let head = u32::try_from(length).map_err(|_| too_long())?.to_be_bytes();
        let mut body = Vec::with_capacity(length.saturating_add(TAG_BYTES));
        body.push(u8::try_from(padding).map_err(|_| too_long())?);
        body.extend_from_slice(payload);
        body.resize(length, 0);
        if let Some(random) = body.get_mut(payload.len().saturating_add(1)..) {
            getrandom::fill(random).map_err(|error| Problem::Protocol(format!("no randomness: {error}")))?;
        }
        output.extend_from_slice(&head);
        match &mut self.seal {
            None => output.extend_from_slice(&body),
            Some(sealer) => {
                let nonce = sealer.nonce()?;
                let tag = sealer.key.seal_in_place_separate_tag(nonce, Aad::from(head), &mut body);
                let tag = tag.map_err(|_| too_long())?;
                output.extend_from_slice(&body);
                output.extend_from_slice(tag.as_ref());
            }
        }
        Ok(())
    }

    /// The payload of the first packet of `input`, which is taken off, if it is there whole.
    pub(super) fn take(&mut self, input: &mut Vec<u8>) -> Result<Option<Vec<u8>>, Problem> {
        let Some(head) = input.first_chunk::<LENGTH_BYTES>().copied() else { return Ok(None) };
        let length = usize::try_from(u32::from_be_bytes(head)).unwrap_or(usize::MAX);
        if length > PACKET_BYTES_MAX || length < PADDING_BYTES_MIN.saturating_add(2) {
            return Err(Problem::protocol("it sends a packet of an impossible length"));
        }
        let tag_bytes = if self.open.is_some() { TAG_BYTES } else { 0 };
        let body_end = LENGTH_BYTES.saturating_add(length);
        let end = body_end.saturating_add(tag_bytes);
        let Some(packet) = input.get(..end) else { return Ok(None) };
        let (body, tag) = packet.split_at_checked(body_end).unwrap_or((packet, &[]));
        let mut body = body.get(LENGTH_BYTES..).unwrap_or_default().to_vec();
        if let Some(opener) = &mut self.open {
            let forged = || Problem::protocol("it sends a packet that is not sealed with the agreed keys");
            let tag = Tag::try_from(tag).map_err(|_| forged())?;
            let nonce = opener.nonce()?;
            opener.key.open_in_place_separate_tag(nonce, Aad::from(head), tag, &mut body, 0..).map_err(|_| forged())?;
        }
        input.drain(..end);
        self.received = self.received.wrapping_add(1);
        let padding = usize::from(body.first().copied().unwrap_or_default());
        let payload_end = body.len().checked_sub(padding);
        let payload = payload_end.and_then(|end| body.get(1..end)).filter(|payload| !payload.is_empty());
        match payload {
            Some(payload) if padding >= PADDING_BYTES_MIN => Ok(Some(payload.to_vec())),
            Some(_) | None => Err(Problem::protocol("it sends a packet with impossible padding")),
        }
    }
}
