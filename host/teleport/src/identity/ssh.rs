//! The lines of an identity file that are for SSH: the user certificate, and whom to believe to be a host of the cluster.
//!
//! Must never make an identity unusable for TLS: what is wrong here is told to those who use SSH.

use std::path::{Path, PathBuf};

use tokio::io::AsyncReadExt as _;

/// The largest certificate beside an identity file, in bytes. A real one has less than 4 KiB.
const CERTIFICATE_BYTES_MAX: u64 = 64 * 1024;
/// Ends the first word of an SSH certificate (OpenSSH's `PROTOCOL.certkeys`).
const CERTIFICATE_SUFFIX: &str = "-cert-v01@openssh.com";
/// Begins a line about an authority, as in a `known_hosts` file.
const AUTHORITY_MARKER: &str = "@cert-authority";

/// Lines as they stand in the file.
#[derive(Clone, Debug, Default)]
pub(crate) struct SshLines {
    /// The user certificate, in the form of `authorized_keys`. Of several the last counts, as in Teleport's parser.
    pub(crate) certificate: Option<String>,
    /// The authorities of hosts, in the form of `known_hosts`.
    pub(crate) authorities: Vec<String>,
}

// === impl SshLines ===

impl SshLines {
    pub(super) fn parse(text: &str) -> Self {
        let mut lines = Self::default();
        for line in text.lines().map(str::trim) {
            match line.split_ascii_whitespace().next() {
                Some(AUTHORITY_MARKER) => lines.authorities.push(line.to_owned()),
                Some(word) if word.ends_with(CERTIFICATE_SUFFIX) => lines.certificate = Some(line.to_owned()),
                Some(_) | None => {}
            }
        }
        lines
    }

    /// Takes the certificate from the file beside `identity`, where some tools write it, if there is none here.
    pub(super) async fn complete(&mut self, identity: &Path) {
        if self.certificate.is_some() {
            return;
        }
        let mut path = identity.as_os_str().to_owned();
        path.push("-cert.pub");
        let Ok(file) = tokio::fs::File::open(PathBuf::from(path)).await else { return };
        let mut text = String::new();
        if file.take(CERTIFICATE_BYTES_MAX).read_to_string(&mut text).await.is_ok() {
            self.certificate = Self::parse(&text).certificate;
        }
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    const CERTIFICATE: &str = "ssh-ed25519-cert-v01@openssh.com AAAA";

    #[test]
    fn lines_for_ssh_are_found_between_the_others() {
        let text =
            format!("-----BEGIN\nssh-rsa AAAA\n  {CERTIFICATE}\r\n@cert-authority a ssh-rsa B\n# x\n@revoked a b c\n");
        let lines = SshLines::parse(&text);
        assert_eq!(lines.certificate.as_deref(), Some(CERTIFICATE));
        assert_eq!(lines.authorities, ["@cert-authority a ssh-rsa B"]);
    }

    #[tokio::test]
    async fn a_certificate_beside_the_identity_counts_if_there_is_none_inside() {
        let directory = tempfile::TempDir::new().unwrap();
        let identity = directory.path().join("identity");
        std::fs::write(directory.path().join("identity-cert.pub"), format!("{CERTIFICATE}\n")).unwrap();
        let mut lines = SshLines::default();
        lines.complete(&identity).await;
        assert_eq!(lines.certificate.as_deref(), Some(CERTIFICATE));
        let mut lines = SshLines { certificate: Some("mine".to_owned()), authorities: Vec::new() };
        lines.complete(&identity).await;
        assert_eq!(lines.certificate.as_deref(), Some("mine"));
    }
}
