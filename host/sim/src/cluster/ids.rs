//! Identifiers from a seed: UUIDs of version 7 in order of creation, revisions, lease ids. Same seed and same calls, same identifiers.

use uuid::{Builder, Uuid};

use crate::chance::Chance;
use crate::clock::Moment;

/// Makes identifiers.
#[derive(Debug)]
pub(super) struct Ids {
    chance: Chance,
    last_ms: u64,
    /// Orders identifiers of the same millisecond; 12 bits of it are used.
    counter: u16,
}

const COUNTER_MAX: u16 = 0x0fff;

impl Ids {
    pub(super) const fn new(seed: u64) -> Self {
        Self { chance: Chance::new(seed), last_ms: 0, counter: 0 }
    }

    /// A request id. Later calls give greater ones, whatever the clock does.
    pub(super) fn request(&mut self, now: Moment) -> String {
        let now_ms = u64::try_from(now.unix_ms()).unwrap_or(0);
        if now_ms > self.last_ms {
            self.last_ms = now_ms;
            self.counter = 0;
        } else if self.counter < COUNTER_MAX {
            self.counter += 1;
        } else {
            self.last_ms = self.last_ms.saturating_add(1);
            self.counter = 0;
        }
        let [high, low] = self.counter.to_be_bytes();
        let [a, b, c, d, e, f, g, h] = self.chance.next_u64().to_be_bytes();
        Builder::from_unix_timestamp_millis(self.last_ms, &[high, low, a, b, c, d, e, f, g, h]).into_uuid().to_string()
    }

    /// An opaque revision or lease id.
    pub(super) fn revision(&mut self) -> String {
        let number = (u128::from(self.chance.next_u64()) << 64) | u128::from(self.chance.next_u64());
        Builder::from_random_bytes(Uuid::from_u128(number).into_bytes()).into_uuid().to_string()
    }
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, clippy::indexing_slicing, reason = "tests")]

    use super::*;

    #[test]
    fn request_ids_are_version_7_and_in_order_of_creation_even_within_a_millisecond() {
        let mut ids = Ids::new(1);
        let now = Moment::from_unix_ms(1_700_000_000_000);
        let made: Vec<String> = (0..10_000).map(|_| ids.request(now)).collect();
        assert!(made.windows(2).all(|pair| pair[0] < pair[1]));
        assert_eq!(Uuid::parse_str(&made[0]).unwrap().get_version_num(), 7);
        assert!(ids.request(now.plus_ms(-1000)) > made[9_999]);
    }
}
