//! Identity files in the order and form that `tbot` writes: key, SSH certificate, TLS certificate, SSH authorities, TLS authorities. It only
//! writes them; reading them is the client's job.

use std::fs::{self, OpenOptions};
use std::io::{self, Write as _};
use std::os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _};
use std::path::Path;

/// A Machine ID identity as text, and the parts it was made of.
#[derive(Clone)]
pub struct Identity {
    /// The private key, PEM.
    pub private_key_pem: String,
    /// The SSH user certificate, one `authorized_keys` line.
    pub ssh_certificate: String,
    /// The TLS client certificate, PEM.
    pub tls_certificate_pem: String,
    /// `@cert-authority` lines.
    pub ssh_authorities: Vec<String>,
    /// The authorities that the server's certificate is verified with, PEM.
    pub tls_authorities_pem: Vec<String>,
}

impl std::fmt::Debug for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Identity").field("ssh_certificate", &self.ssh_certificate).finish_non_exhaustive()
    }
}

impl Identity {
    /// The whole file.
    #[must_use]
    pub fn to_text(&self) -> String {
        let mut text = String::new();
        push_lines(&mut text, &self.private_key_pem);
        push_lines(&mut text, &self.ssh_certificate);
        push_lines(&mut text, &self.tls_certificate_pem);
        for line in &self.ssh_authorities {
            push_lines(&mut text, line);
        }
        for pem in &self.tls_authorities_pem {
            push_lines(&mut text, pem);
        }
        text
    }

    /// Writes the file with mode 0600, replacing one that is there in a single step, as `tbot` does.
    ///
    /// # Errors
    /// What the file system says.
    pub fn write(&self, path: &Path) -> io::Result<()> {
        let mut name = path.file_name().unwrap_or_default().to_os_string();
        name.push(".new");
        let fresh = path.with_file_name(name);
        let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&fresh)?;
        file.set_permissions(fs::Permissions::from_mode(0o600))?;
        file.write_all(self.to_text().as_bytes())?;
        file.sync_all()?;
        drop(file);
        fs::rename(&fresh, path)
    }
}

/// `\r\n` becomes `\n`, and the last line is ended.
fn push_lines(text: &mut String, block: &str) {
    for line in block.lines() {
        text.push_str(line.trim_end_matches('\r'));
        text.push('\n');
    }
}
