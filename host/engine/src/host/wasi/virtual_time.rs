//! `wasi:clocks` and `wasi:random`, both virtual: time stands at the case's `now`, chance is a function of the case. They
//! never read this machine's clock or entropy, and sleeping returns at once.

use std::time::Duration;

use wasmtime::Result;
use wasmtime::component::Resource;

use super::{Ready, Wasi};
use crate::bindings::inert::wasi::clocks::wall_clock::Datetime;
use crate::bindings::inert::wasi::clocks::{monotonic_clock, wall_clock};
use crate::bindings::inert::wasi::random::{insecure, insecure_seed, random};

/// What both clocks say they resolve to.
const RESOLUTION: Duration = Duration::from_millis(1);

impl Wasi {
    /// The case's `now`; the epoch while a plugin is loaded.
    fn now(&self) -> Duration {
        Duration::from_millis(self.case.as_ref().map_or(0, |case| case.now.as_millis()))
    }
}

impl wall_clock::Host for Wasi {
    fn now(&mut self) -> Result<Datetime> {
        let now = Self::now(self);
        Ok(Datetime { seconds: now.as_secs(), nanoseconds: now.subsec_nanos() })
    }

    fn resolution(&mut self) -> Result<Datetime> {
        Ok(Datetime { seconds: RESOLUTION.as_secs(), nanoseconds: RESOLUTION.subsec_nanos() })
    }
}

impl monotonic_clock::Host for Wasi {
    fn now(&mut self) -> Result<u64> {
        // Never zero: some runtimes take that for a broken clock.
        Ok(u64::try_from(Self::now(self).as_nanos()).unwrap_or(u64::MAX).max(1))
    }

    fn resolution(&mut self) -> Result<u64> {
        Ok(u64::try_from(RESOLUTION.as_nanos()).unwrap_or(u64::MAX))
    }

    fn subscribe_instant(&mut self, _when: u64) -> Result<Resource<Ready>> {
        self.ready()
    }

    fn subscribe_duration(&mut self, _when: u64) -> Result<Resource<Ready>> {
        self.ready()
    }
}

impl random::Host for Wasi {
    fn get_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.random(len)
    }

    fn get_random_u64(&mut self) -> Result<u64> {
        Ok(self.random_u64())
    }
}

impl insecure::Host for Wasi {
    fn get_insecure_random_bytes(&mut self, len: u64) -> Result<Vec<u8>> {
        self.random(len)
    }

    fn get_insecure_random_u64(&mut self) -> Result<u64> {
        Ok(self.random_u64())
    }
}

impl insecure_seed::Host for Wasi {
    fn insecure_seed(&mut self) -> Result<(u64, u64)> {
        Ok((self.random_u64(), self.random_u64()))
    }
}
