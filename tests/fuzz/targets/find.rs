//! What a proxy tells of itself over HTTP: the answer's body, and the answer whole.

use tokio::runtime::Runtime;
use tribunal_teleport::Address;
use tribunal_teleport::route::fuzzing;

use super::{KIB, MIB, Target, peer};
use crate::mutate::Form;

const WORDS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b":",
    b",",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"\\\"",
    b"null",
    b"true",
    b"false",
    b"1e999",
    b"-0",
    b"proxy",
    b"ssh",
    b"cluster_name",
    b"tls_routing_enabled",
    b"\"tunnel_listen_addr\":",
    b"\"web_listen_addr\":",
    b"\"public_addr\":",
    b"\"ssh_public_addr\":",
    b"\"ssh_tunnel_public_addr\":",
    b"0.0.0.0:3024",
    b"[::]:3024",
    b"[::1]",
    b"https://",
    b"@",
    b"%00",
    b"HTTP/1.1 200 OK\r\n",
    b"Content-Length: ",
    b"Transfer-Encoding: chunked\r\n",
    b"\r\n\r\n",
    b"Connection: upgrade\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"ffffffffffffffff\r\n",
    b"0\r\n\r\n",
    b"Content-Encoding: gzip\r\n",
];

const FULL: &[u8] = br#"{"auth":{"type":"local","second_factor":"otp"},"proxy":{"kube":{"enabled":true,"listen_addr":"0.0.0.0:3026"},"ssh":{"listen_addr":"0.0.0.0:3023","tunnel_listen_addr":"0.0.0.0:3024","web_listen_addr":"0.0.0.0:3080","public_addr":"proxy.example.com:443","ssh_public_addr":"ssh.example.com:3023","ssh_tunnel_public_addr":"tunnel.example.com:13024"},"tls_routing_enabled":true},"server_version":"18.1.0","min_client_version":"17.0.0","cluster_name":"example.com","automatic_upgrades":false}"#;
const SHORT: &[u8] = br#"{"cluster_name":"c","proxy":{"ssh":{"tunnel_listen_addr":"[::]:3024"}}}"#;

pub(super) fn target() -> Target {
    let proxy = proxy();
    Target {
        name: "find",
        form: Form::Bytes,
        words: WORDS,
        input_bytes_max: 64 * KIB,
        memory: (64 * KIB, 32),
        seeds: || vec![FULL.to_vec(), SHORT.to_vec()],
        run: Box::new(move |case| body(proxy.as_ref().map_err(Clone::clone)?, case)),
    }
}

/// The whole answer. The limit on its head is 64 KiB, that on its body 256 KiB, and both may be in memory twice.
pub(super) fn http() -> Target {
    let (proxy, runtime) = (proxy(), peer::runtime());
    Target {
        name: "http",
        form: Form::Bytes,
        words: WORDS,
        input_bytes_max: 512 * KIB,
        memory: (2 * MIB, 32),
        seeds: || {
            let length =
                format!("HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: {}\r\n\r\n", FULL.len());
            vec![
                [length.as_bytes(), FULL].concat(),
                [&b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n47\r\n"[..], SHORT, b"\r\n0\r\n\r\n"].concat(),
                b"HTTP/1.0 404 Not Found\r\nConnection: close\r\n\r\n404 page not found\n".to_vec(),
                b"HTTP/1.1 301 Moved Permanently\r\nLocation: https://else.example.com/\r\n\r\n".to_vec(),
            ]
        },
        run: Box::new(move |case| {
            answered(proxy.as_ref().map_err(Clone::clone)?, runtime.as_ref().map_err(Clone::clone)?, case)
        }),
    }
}

fn proxy() -> Result<Address, String> {
    "proxy.example.com:443".parse().map_err(|error| format!("no address: {error}"))
}

fn body(proxy: &Address, case: &[u8]) -> Result<String, String> {
    let (route, tunnel) = match fuzzing::find(proxy, case) {
        Ok(found) => found,
        Err(said) => return Ok(said),
    };
    if route.address() != proxy {
        return Err("an answer leads to another proxy than the one that was asked".to_owned());
    }
    let tunnel = tunnel.map(|address| address.to_string());
    if tunnel.as_ref().is_some_and(|address| address.parse::<Address>().is_err()) {
        return Err(format!("the tunnel `{tunnel:?}` is no address any more once it is written"));
    }
    Ok(if tunnel.is_some() { "a tunnel".to_owned() } else { "no tunnel".to_owned() })
}

fn answered(proxy: &Address, runtime: &Runtime, case: &[u8]) -> Result<String, String> {
    let answered = peer::hears(runtime, case, true, |stream| fuzzing::answer(stream, proxy));
    match answered {
        Ok(answer) => body(proxy, &answer),
        Err(said) => Ok(said),
    }
}
