//! A client that outlives its certificates: it follows its identity file, and moves to a new connection when there is a
//! fresh identity.
//!
//! Must never leave a connection that works for one that does not.

use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use tracing::{debug, info, warn};
use tribunal_core::Timestamp;
use tribunal_core::failure::Failure;
use tribunal_ports::Clock;
use tribunal_proto::proto::PingRequest;

use super::{Client, Connection, PING};
use crate::failure::explain;
use crate::identity::{LOOK_SECS, Look, SETTLE_MILLIS};

impl Client {
    /// Follows the identity file for ever. A fresh identity is taken within [`LOOK_SECS`] and [`SETTLE_MILLIS`]: later
    /// calls, and the watch, go over a new connection, as soon as the server answers there; calls under way end on the old
    /// one. A file that cannot be used changes nothing. [`Client::identity_file`] tells how it stands.
    pub async fn follow_identity(&self, clock: &impl Clock) {
        let mut trouble = None;
        loop {
            let looked = self.file.look(system_time(clock.now())).await;
            // A connection that was never made, or broke since, was made as whoever was there then.
            let made_as = self.connection().dials.identity();
            if made_as.is_some_and(|made_as| !Arc::ptr_eq(&made_as, &self.file.held().identity)) {
                self.move_on(system_time(clock.now()), &mut trouble).await;
            }
            let pause = match looked {
                Look::Unsettled => Duration::from_millis(SETTLE_MILLIS),
                Look::Same | Look::Fresh | Look::Unusable => Duration::from_secs(LOOK_SECS),
            };
            clock.sleep_until(clock.now().after(pause)).await;
        }
    }

    /// Moves to a new connection, if it works, or if the present one has no right to any more. `trouble` is what was last
    /// said of one that did not.
    async fn move_on(&self, now: SystemTime, trouble: &mut Option<Failure>) {
        let next = Connection::new(&self.target, &self.file);
        let answer = self.call(&next, next.auth().ping(PingRequest {})).await;
        let is_over = self.connection().dials.identity().is_none_or(|identity| !identity.is_valid(now));
        match answer {
            Ok(_) => {
                info!("Moves to a new connection, with the fresh identity");
                *trouble = None;
            }
            Err(status) => {
                let failure = explain(PING, &status);
                debug!(%failure, is_over, "A new connection with the fresh identity does not work");
                if !is_over {
                    if trouble.as_ref() != Some(&failure) {
                        warn!(%failure, "The fresh identity does not work yet; the connection of before is kept meanwhile");
                    }
                    *trouble = Some(failure);
                    return;
                }
            }
        }
        self.connection.send_replace(Arc::new(next));
    }
}

fn system_time(at: Timestamp) -> SystemTime {
    UNIX_EPOCH.checked_add(Duration::from_millis(at.as_millis())).unwrap_or(UNIX_EPOCH)
}
