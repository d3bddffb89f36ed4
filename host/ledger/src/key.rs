//! The host's own key, which signs checkpoints: made at the first start, never shown, and no identity of anybody in
//! Teleport. It never replaces a key that was used.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use tracing::warn;

use crate::digest::hex;
use crate::directory::{Directory, OpenError};
use crate::note::{PublicKey, SecretKey};
use crate::store::SEGMENT_MODE;

/// The secret key's file in a ledger's directory.
const SECRET: &str = "signing-key";
/// The public key's file in a ledger's directory.
const PUBLIC: &str = "ledger.pub";
/// What the names of keys begin with; chance says the rest.
const NAME_PREFIX: &str = "tribunal/";

/// The file of a ledger's public key.
pub(crate) fn public_path(ledger: &Path) -> PathBuf {
    ledger.join(PUBLIC)
}

/// The key of this ledger; made, if it has none and was never signed.
pub(crate) fn load_or_make(directory: &Directory) -> Result<SecretKey, OpenError> {
    let path = directory.path().join(SECRET);
    let public = public_path(directory.path());
    let wrong = |why: String| OpenError::Key { path: path.clone(), why };
    let key = match fs::read_to_string(&path) {
        Ok(text) => SecretKey::parse(&text).map_err(|error| wrong(format!("cannot be used: {error}; restore it")))?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            if public.exists() {
                return Err(wrong(
                    "is missing, and the ledger was signed with it: restore it, or move the whole directory aside to \
                     start a new ledger"
                        .to_owned(),
                ));
            }
            make(directory, &path).map_err(|error| wrong(format!("cannot be made: {error}")))?
        }
        Err(error) => return Err(wrong(format!("cannot be read: {error}; make it readable for the daemon's user"))),
    };
    if fs::metadata(&path).is_ok_and(|metadata| metadata.mode() & 0o077 != 0) {
        warn!(path = %path.display(), "Others may read the key that signs the ledger's checkpoints; set its mode to 0600");
    }
    let text = format!("{}\n", key.public());
    match fs::read_to_string(&public) {
        Ok(there) if PublicKey::parse(&there).as_ref() == Ok(&key.public()) => {}
        Ok(_) => return Err(wrong(format!("is not the one of `{}`: restore the one that fits", public.display()))),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            replace(directory, &public, text.as_bytes(), true)
                .map_err(|error| wrong(format!("has no public half, and it cannot be written: {error}")))?;
        }
        Err(error) => return Err(wrong(format!("has a public half that cannot be read: {error}"))),
    }
    Ok(key)
}

fn make(directory: &Directory, path: &Path) -> io::Result<SecretKey> {
    let (mut seed, mut name) = ([0; 32], [0; 8]);
    getrandom::fill(&mut seed).map_err(io::Error::other)?;
    getrandom::fill(&mut name).map_err(io::Error::other)?;
    let key = SecretKey::new(&format!("{NAME_PREFIX}{}", hex(&name)), seed).map_err(io::Error::other)?;
    replace(directory, path, key.to_text().as_bytes(), true)?;
    Ok(key)
}

/// Puts a small file in the place of an older one, so that a reader sees the one or the other; durably, if need be.
pub(crate) fn replace(directory: &Directory, path: &Path, bytes: &[u8], durably: bool) -> io::Result<()> {
    let mut aside = path.to_owned().into_os_string();
    aside.push(".new");
    let aside = PathBuf::from(aside);
    let mut file = OpenOptions::new().write(true).create(true).truncate(true).mode(SEGMENT_MODE).open(&aside)?;
    file.write_all(bytes)?;
    if durably {
        file.sync_all()?;
    }
    fs::rename(&aside, path)?;
    if durably { directory.sync() } else { Ok(()) }
}
