//! Rotations of the cluster's authorities, one after the other, every third of them taken back. It never waits for anybody
//! to be ready, as an operator with a schedule does not.

use std::time::{Duration, Instant};

use tribunal_sim::{Handle, RotationPhase};

/// A rotation that goes through.
const THROUGH: [RotationPhase; 4] =
    [RotationPhase::Init, RotationPhase::UpdateClients, RotationPhase::UpdateServers, RotationPhase::Standby];
/// One that is taken back.
const BACK: [RotationPhase; 4] =
    [RotationPhase::Init, RotationPhase::UpdateClients, RotationPhase::Rollback, RotationPhase::Standby];

/// Where the rotations stand.
#[derive(Debug)]
pub(crate) struct Rotation {
    lasts: Duration,
    next: Instant,
    pub(crate) phases: u64,
    pub(crate) through: u64,
    pub(crate) back: u64,
}

// === impl Rotation ===

impl Rotation {
    pub(crate) fn new(lasts: Duration) -> Self {
        Self { lasts, next: Instant::now() + lasts / 2, phases: 0, through: 0, back: 0 }
    }

    /// The next phase, if it is time.
    pub(crate) fn act(&mut self, server: &Handle) -> Result<(), String> {
        if self.next > Instant::now() {
            return Ok(());
        }
        self.next += self.lasts;
        let is_back = (self.through + self.back) % 3 == 1;
        let phases = if is_back { BACK } else { THROUGH };
        let place = usize::try_from(self.phases % 4).unwrap_or(0);
        let phase = phases.get(place).copied().unwrap_or(RotationPhase::Standby);
        server.rotate_authorities(phase).map_err(|error| error.to_string())?;
        self.phases += 1;
        if phase == RotationPhase::Standby {
            *(if is_back { &mut self.back } else { &mut self.through }) += 1;
        }
        Ok(())
    }

    /// Whoever stood still for a while does not make up for it.
    pub(crate) fn wake(&mut self) {
        self.next = Instant::now() + self.lasts;
    }
}
