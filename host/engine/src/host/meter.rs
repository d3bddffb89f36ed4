//! Sums up what an instance holds and refuses what is too much; remembers the refusal, because a guest turns it into a
//! crash that looks like something else. It never frees anything.

use wasmtime::ResourceLimiter;

use crate::engine::limits::Limits;

/// Counts memory and table elements over a whole store: wasmtime's own limiter counts each memory for itself.
pub(crate) struct Meter {
    memory_bytes: usize,
    memory_bytes_max: usize,
    table_elements: usize,
    table_elements_max: usize,
    instances_max: usize,
    memories_max: usize,
    tables_max: usize,
    refused: Option<Refused>,
}

/// The first growth that was refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refused {
    /// Memory: how many bytes it would have been.
    Memory { bytes: usize, max: usize },
    /// Tables: how many elements it would have been.
    Table { elements: usize, max: usize },
}

// === impl Meter ===

impl Meter {
    pub(super) const fn new(limits: &Limits) -> Self {
        Self {
            memory_bytes: 0,
            memory_bytes_max: limits.memory_bytes_max,
            table_elements: 0,
            table_elements_max: limits.table_elements_max,
            instances_max: limits.instances_max,
            memories_max: limits.memories_max,
            tables_max: limits.tables_max,
            refused: None,
        }
    }

    /// What the instance holds: bytes of memory, elements of tables. Neither ever shrinks.
    pub(crate) const fn held(&self) -> (usize, usize) {
        (self.memory_bytes, self.table_elements)
    }

    /// The growth that was refused, if any was.
    pub(crate) const fn refused(&self) -> Option<Refused> {
        self.refused
    }
}

impl ResourceLimiter for Meter {
    fn memory_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if beyond_its_own(desired, maximum, self.memory_bytes_max) {
            return Ok(false);
        }
        let bytes = self.memory_bytes.saturating_add(desired.saturating_sub(current));
        let max = self.memory_bytes_max;
        if bytes > max {
            self.refused.get_or_insert(Refused::Memory { bytes, max });
            return Ok(false);
        }
        self.memory_bytes = bytes;
        Ok(true)
    }

    fn table_growing(&mut self, current: usize, desired: usize, maximum: Option<usize>) -> wasmtime::Result<bool> {
        if beyond_its_own(desired, maximum, self.table_elements_max) {
            return Ok(false);
        }
        let elements = self.table_elements.saturating_add(desired.saturating_sub(current));
        let max = self.table_elements_max;
        if elements > max {
            self.refused.get_or_insert(Refused::Table { elements, max });
            return Ok(false);
        }
        self.table_elements = elements;
        Ok(true)
    }

    fn instances(&self) -> usize {
        self.instances_max
    }

    fn tables(&self) -> usize {
        self.tables_max
    }

    fn memories(&self) -> usize {
        self.memories_max
    }
}

/// Whether the growth fails by what the guest itself declared, which is no limit of ours. A maximum as high as our limit
/// is ours: wasmtime lowers those of guests to the size of the pool's slots.
fn beyond_its_own(desired: usize, maximum: Option<usize>, limit: usize) -> bool {
    maximum.is_some_and(|maximum| maximum < limit && desired > maximum)
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn memories_are_summed_over_the_store() {
        let mut meter = Meter::new(&Limits { memory_bytes_max: 100, ..Limits::default() });
        assert!(meter.memory_growing(0, 60, None).unwrap());
        assert!(meter.memory_growing(0, 40, None).unwrap());
        assert!(!meter.memory_growing(60, 61, None).unwrap());
        assert_eq!(meter.refused(), Some(Refused::Memory { bytes: 101, max: 100 }));
    }

    #[test]
    fn a_growth_beyond_the_guests_own_maximum_is_no_refusal_of_ours() {
        let mut meter = Meter::new(&Limits { memory_bytes_max: 100, ..Limits::default() });
        assert!(!meter.memory_growing(0, 200, Some(50)).unwrap());
        assert_eq!(meter.refused(), None);
        assert!(!meter.memory_growing(0, 200, Some(100)).unwrap());
        assert_eq!(meter.refused(), Some(Refused::Memory { bytes: 200, max: 100 }));
    }
}
