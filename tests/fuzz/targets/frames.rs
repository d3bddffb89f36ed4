//! The connection upgrade: the answer to it, and the frames of a WebSocket. The first byte says which.

use tribunal_teleport::Address;
use tribunal_teleport::route::fuzzing;

use super::{KIB, MIB, Target, answer, peer};
use crate::mutate::Form;

const WORDS: &[&[u8]] = &[
    b"\x82\x00",
    b"\x82\x7e",
    b"\x82\x7f",
    b"\x02\x01",
    b"\x80\x01",
    b"\x81\x01",
    b"\x88\x02\x03\xe8",
    b"\x88\x00",
    b"\x89\x00",
    b"\x8a\x00",
    b"\x89\x7d",
    b"\xc2\x01",
    b"\x82\x81",
    b"\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x00",
    b"\x82\x7f\x80\x00\x00\x00\x00\x00\x00\x00",
    b"\x82\x7e\xff\xff",
    b"HTTP/1.1 101 Switching Protocols\r\n",
    b"Upgrade: websocket\r\n",
    b"Connection: Upgrade\r\n",
    b"Sec-WebSocket-Accept: ",
    b"Sec-WebSocket-Protocol: alpn-ping\r\n",
    b"\r\n\r\n",
];

/// A frame may have a mebibyte, and a message no more.
const FRAME_BYTES: usize = MIB;

pub(super) fn target() -> Target {
    let runtime = peer::runtime();
    let proxy: Result<Address, String> =
        "proxy.example.com:443".parse().map_err(|error| format!("no address: {error}"));
    Target {
        name: "frames",
        form: Form::Bytes,
        words: WORDS,
        input_bytes_max: 256 * KIB,
        memory: (4 * FRAME_BYTES, 16),
        seeds,
        run: Box::new(move |case| {
            let (runtime, proxy) = (runtime.as_ref().map_err(Clone::clone)?, proxy.as_ref().map_err(Clone::clone)?);
            let Some((first, rest)) = case.split_first() else { return Ok(String::new()) };
            // The peer hangs up at the end: to notice that one is silent is for HTTP/2's keep-alive.
            let heard = if first & 1 == 0 {
                peer::hears(runtime, rest, true, fuzzing::frames)
            } else {
                peer::hears(runtime, rest, true, |stream| fuzzing::upgraded(stream, proxy))
            };
            if let Ok(bytes) = heard
                && usize::try_from(bytes).is_ok_and(|bytes| bytes > rest.len())
            {
                return Err(format!("{bytes} bytes were read from frames in {} bytes", rest.len()));
            }
            Ok(answer(heard))
        }),
    }
}

fn seeds() -> Vec<Vec<u8>> {
    let frames: &[&[u8]] = &[
        // Binary, in the three ways to say a length; ping, pong, text, close; a message in parts with a ping between.
        b"\x82\x05hello",
        &[&b"\x82\x7e\x00\x80"[..], &[7; 128]].concat(),
        &[&b"\x82\x7f\x00\x00\x00\x00\x00\x01\x00\x01"[..], &[9; 65537]].concat(),
        b"\x89\x02hi\x82\x01a\x8a\x00\x82\x01b\x81\x03txt\x88\x02\x03\xe8",
        b"\x02\x02ab\x89\x00\x00\x01c\x80\x01d",
        // A masked frame of a server, a reserved bit, and one that is longer than it may be.
        b"\x82\x85\x01\x02\x03\x04hello",
        b"\xc2\x01a",
        b"\x82\x7f\x00\x00\x00\x00\x00\x10\x00\x01",
    ];
    let upgrades: &[&[u8]] = &[
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Protocol: alpn-ping\r\n\r\n\x82\x01a",
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 400 Bad Request\r\n\r\n",
        b"HTTP/1.1 301 Moved\r\nLocation: /\r\n\r\n",
    ];
    let begun = |first: u8, bytes: &&[u8]| [&[first], *bytes].concat();
    frames.iter().map(|bytes| begun(0, bytes)).chain(upgrades.iter().map(|bytes| begun(1, bytes))).collect()
}
