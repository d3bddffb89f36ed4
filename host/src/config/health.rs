//! `[health]`: where others may ask how the daemon stands. It opens no port.

use std::net::SocketAddr;

use super::document::Section;
use super::problem::Findings;

/// The address to listen on; none where nothing is said.
pub(super) fn read(mut section: Section<'_>, findings: &mut Findings<'_>) -> Option<SocketAddr> {
    let listen = section.string("listen", "127.0.0.1:9464", findings).and_then(|(text, span)| {
        let parsed = text.parse::<SocketAddr>();
        if parsed.is_err() {
            findings.at(
                &span,
                format!("`listen` cannot be `{text}`: it must be an IP address and a port"),
                "write it like `127.0.0.1:9464` or `[::1]:9464`",
            );
        }
        parsed.ok()
    });
    section.finish(findings);
    listen
}
