//! What renews the identity: as the kubelet swaps secrets, as tctl writes in place, and as neither should. It never asks
//! whether the daemon has noticed.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use tribunal_sim::{Handle, IdentityKey, IssueOptions, KeyForm, Span};

use crate::chance::Chance;

/// How long a file that is written in place is half there, in milliseconds.
const HALF_MS: (u64, u64) = (1, 400);
/// Kinds of keys, as clusters change them.
const KEYS: [IdentityKey; 3] = [IdentityKey::EcdsaP256, IdentityKey::Ed25519, IdentityKey::Rsa2048];

/// The identity's file, and when it is renewed.
#[derive(Debug)]
pub(crate) struct Tbot {
    user: String,
    dir: PathBuf,
    life: Duration,
    every: Duration,
    next: Instant,
    /// The rest of a file that is half written, and when it comes.
    rest: Option<(Instant, Vec<u8>)>,
    chance: Chance,
    pub(crate) renewals: u64,
    pub(crate) swaps: u64,
    pub(crate) in_place: u64,
    /// Files that stayed half written until the next renewal.
    pub(crate) torn: u64,
    last_torn: bool,
}

// === impl Tbot ===

impl Tbot {
    /// Writes the first identity of `user` to `identity` in `dir`.
    pub(crate) fn new(
        server: &Handle,
        user: String,
        dir: &Path,
        times: [Duration; 2],
        seed: u64,
    ) -> Result<Self, String> {
        let [life, every] = times;
        let secret = dir.join("secret");
        fs::create_dir(&secret).map_err(cannot)?;
        symlink("secret/..data/identity", dir.join("identity")).map_err(cannot)?;
        let mut tbot = Self {
            user,
            dir: secret,
            life,
            every,
            next: Instant::now() + every,
            rest: None,
            chance: Chance::new(seed ^ 0x7b07),
            renewals: 0,
            swaps: 0,
            in_place: 0,
            torn: 0,
            last_torn: false,
        };
        let text = tbot.issue(server)?;
        tbot.swap(text.as_bytes()).map_err(cannot)?;
        Ok(tbot)
    }

    /// Renews, if it is time.
    pub(crate) fn act(&mut self, server: &Handle) -> Result<(), String> {
        if let Some((_, rest)) = self.rest.take_if(|(at, _)| *at <= Instant::now()) {
            fs::OpenOptions::new()
                .append(true)
                .open(self.file())
                .and_then(|mut file| file.write_all(&rest))
                .map_err(cannot)?;
        }
        if self.next > Instant::now() || self.rest.is_some() {
            return Ok(());
        }
        self.next += self.every;
        self.renew(server)
    }

    /// Renews now, however long nothing was done before.
    pub(crate) fn wake(&mut self, server: &Handle) -> Result<(), String> {
        self.next = Instant::now() + self.every;
        self.renew(server)
    }

    fn renew(&mut self, server: &Handle) -> Result<(), String> {
        let text = self.issue(server)?;
        self.renewals += 1;
        // Never two of them in a row: nobody outlives that.
        let may_tear = !std::mem::take(&mut self.last_torn);
        match self.chance.below(8) {
            0 if may_tear => {
                (self.torn, self.last_torn) = (self.torn + 1, true);
                self.half(text.as_bytes()).map(drop)
            }
            0..=3 => {
                self.in_place += 1;
                let at = Instant::now() + Duration::from_millis(self.chance.between(HALF_MS.0, HALF_MS.1));
                self.half(text.as_bytes()).map(|rest| self.rest = Some((at, rest)))
            }
            _ => self.swap(text.as_bytes()),
        }
        .map_err(cannot)
    }

    fn issue(&mut self, server: &Handle) -> Result<String, String> {
        let life = Span::from_ms(i64::try_from(self.life.as_millis()).unwrap_or(i64::MAX));
        let key = self.chance.pick(&KEYS).copied().unwrap_or_default();
        let form = if self.chance.percent(20) { KeyForm::Traditional } else { KeyForm::Teleport };
        let options = IssueOptions { life, key, form, ..IssueOptions::of(&self.user) };
        server.issue(&options).map(|identity| identity.to_text()).map_err(|error| error.to_string())
    }

    fn file(&self) -> PathBuf {
        self.dir.join("..data/identity")
    }

    /// A new directory, to which the link is swapped; the old one goes.
    fn swap(&mut self, text: &[u8]) -> io::Result<()> {
        let before = fs::read_link(self.dir.join("..data")).ok();
        self.swaps += 1;
        let name = format!("..{}", self.swaps);
        fs::create_dir(self.dir.join(&name))?;
        fs::write(self.dir.join(&name).join("identity"), text)?;
        symlink(&name, self.dir.join("..data.new"))?;
        fs::rename(self.dir.join("..data.new"), self.dir.join("..data"))?;
        before.map_or(Ok(()), |before| fs::remove_dir_all(self.dir.join(before)))
    }

    /// The file, cut anywhere; gives the rest back.
    fn half(&mut self, text: &[u8]) -> io::Result<Vec<u8>> {
        let length = u64::try_from(text.len()).unwrap_or(u64::MAX);
        let cut = usize::try_from(self.chance.below(length)).unwrap_or(0);
        let (begin, rest) = text.split_at(cut);
        fs::write(self.file(), begin)?;
        Ok(rest.to_vec())
    }
}

#[expect(clippy::needless_pass_by_value, reason = "an end of `map_err`")]
fn cannot(error: io::Error) -> String {
    format!("the identity file cannot be written: {error}")
}
