//! Finds the PEM blocks of an identity file between lines that are something else, such as SSH certificates.
//!
//! Must never take a block that has no end for a whole one: a file caught half written is no identity.

use rustls_pki_types::pem::PemObject as _;
use rustls_pki_types::{CertificateDer, PrivatePkcs8KeyDer};

use super::InvalidIdentity;

const BEGIN: &str = "-----BEGIN ";
const END: &str = "-----END ";
const DASHES: &str = "-----";

/// A PEM block, not yet decoded.
pub(super) struct Block<'a> {
    /// What it says it is.
    pub(super) label: &'a str,
    /// The number of its first line, from 1.
    pub(super) line: usize,
    body: Vec<&'a str>,
}

/// The blocks of `text`, in order.
pub(super) fn blocks(text: &str) -> Result<Vec<Block<'_>>, InvalidIdentity> {
    let mut blocks = Vec::new();
    let mut open: Option<Block<'_>> = None;
    for (index, line) in text.lines().enumerate() {
        let line = line.trim();
        match (open.take(), fence(line, BEGIN), fence(line, END)) {
            (None, Some(label), _) => open = Some(Block { label, line: index.saturating_add(1), body: Vec::new() }),
            (None, None, _) => {}
            (Some(block), None, None) => {
                let mut block = block;
                block.body.push(line);
                open = Some(block);
            }
            (Some(block), None, Some(label)) if label == block.label => blocks.push(block),
            (Some(block), _, _) => return Err(block.truncated()),
        }
    }
    match open {
        Some(block) => Err(block.truncated()),
        None => Ok(blocks),
    }
}

/// The label of a line that begins or ends a block.
fn fence<'a>(line: &'a str, prefix: &str) -> Option<&'a str> {
    line.strip_prefix(prefix)?.strip_suffix(DASHES)
}

// === impl Block ===

impl Block<'_> {
    /// Whether it says that it is a certificate.
    pub(super) fn is_certificate(&self) -> bool {
        self.label == "CERTIFICATE"
    }

    /// The bytes inside.
    pub(super) fn contents(&self) -> Result<Vec<u8>, InvalidIdentity> {
        // The label decides how the library sorts a block, and ours may be any: this one stands for "bytes".
        let text = self.relabelled("PRIVATE KEY");
        let der = PrivatePkcs8KeyDer::from_pem_slice(text.as_bytes()).map_err(|_| self.truncated())?;
        Ok(der.secret_pkcs8_der().to_vec())
    }

    /// The certificate inside, not looked into.
    pub(super) fn certificate(&self) -> Result<CertificateDer<'static>, InvalidIdentity> {
        let text = self.relabelled("CERTIFICATE");
        CertificateDer::from_pem_slice(text.as_bytes()).map_err(|_| self.truncated())
    }

    fn relabelled(&self, label: &str) -> String {
        // Headers (RFC 1421) stand before an empty line; only encrypted keys have them, and those fail later.
        format!("{BEGIN}{label}{DASHES}\n{}\n{END}{label}{DASHES}\n", self.body.join("\n"))
    }

    fn truncated(&self) -> InvalidIdentity {
        InvalidIdentity::Truncated { label: self.label.to_owned(), line: self.line }
    }
}
