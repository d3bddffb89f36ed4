//! How wasmtime is configured: all that guests do not need is off. It never widens a limit.

use std::num::NonZeroUsize;

use tracing::warn;
use wasmtime::{
    Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Strategy,
    WasmBacktraceDetails,
};

use super::limits::Limits;

/// Memory of a guest that stays resident between two evaluations of a slot; beyond it pages go back to the system. Of 0, 64,
/// 128, 256 KiB, 1 and 4 MiB, measured by `cargo bench -p tribunal-tests --bench sandbox`: with none there are half as many
/// decisions a second; from 64 KiB on as many, and with 256 KiB cases of a thousand resources cost as little as with more.
const KEEP_RESIDENT_BYTES: usize = 256 * 1024;
/// Frames of a trap's backtrace that are gathered.
const BACKTRACE_FRAMES_MAX: NonZeroUsize = NonZeroUsize::MIN.saturating_add(15);

/// Whether native code counts the instructions that it runs, which costs it some speed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// It does not: how policies are asked.
    Off,
    /// It does: how their authors look at them.
    On,
}

/// An engine with the pooling allocator, or, where the machine does not give that much address space, without it.
pub(super) fn engine(limits: &Limits, counting: Counting) -> Result<Engine, String> {
    let mut config = base(limits, counting);
    config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling(limits)));
    match Engine::new(&config) {
        Ok(engine) => Ok(engine),
        Err(error) => {
            warn!(%error, "Pooling allocator unavailable, evaluations are slower");
            config.allocation_strategy(InstanceAllocationStrategy::OnDemand);
            Engine::new(&config).map_err(|error| format!("cannot configure wasmtime: {error:#}"))
        }
    }
}

/// An engine that only compiles. Its native code fits the engines that [`engine`] makes: nothing that limits or allocators
/// differ in is part of the code.
///
/// # Errors
/// A sentence that says what wasmtime refuses.
pub(crate) fn compiler(counting: Counting) -> Result<Engine, String> {
    Engine::new(&base(&Limits::default(), counting)).map_err(|error| format!("cannot configure wasmtime: {error:#}"))
}

fn base(limits: &Limits, counting: Counting) -> Config {
    let mut config = Config::new();
    // Cranelift only: the other compilers and interpreters of wasmtime are not what its advisories promise to cover.
    config.strategy(Strategy::Cranelift).cranelift_opt_level(OptLevel::Speed);
    config.epoch_interruption(true).consume_fuel(counting == Counting::On);
    config.max_wasm_stack(limits.stack_bytes_max);
    config.wasm_backtrace_max_frames(Some(BACKTRACE_FRAMES_MAX)).wasm_backtrace_details(WasmBacktraceDetails::Disable);
    // Native code without what debuggers and profilers would like to know of it: a sixth less to keep, hash and load.
    config.generate_address_map(false).native_unwind_info(false);
    // Equal input, equal answer, on every machine.
    config.cranelift_nan_canonicalization(true).relaxed_simd_deterministic(true);
    config.wasm_component_model(true).concurrency_support(false);
    // References to things of the host: no toolchain needs them in a component, and each instance that has any takes a
    // second memory's place in the pool, for a heap that counts as nobody's.
    config.gc_support(false);
    // Proposals that no supported toolchain needs. SIMD, bulk memory, reference types (the encoding of indirect calls),
    // multi-value and extended constants are what today's toolchains emit by default.
    // Components of JavaScript are made of several, and what wasmtime itself puts between two of them has both memories. A
    // module of a guest has one: `inspect.rs` sees to that.
    config.wasm_multi_memory(true);
    config
        .wasm_custom_page_sizes(false)
        .wasm_exceptions(false)
        .wasm_function_references(false)
        .wasm_gc(false)
        .wasm_memory64(false)
        .wasm_relaxed_simd(false)
        .wasm_shared_everything_threads(false)
        .wasm_stack_switching(false)
        .wasm_tail_call(false)
        .wasm_threads(false)
        .wasm_wide_arithmetic(false)
        .shared_memory(false);
    config
}

/// Slots for one live store a worker, each as large as its limits allow.
fn pooling(limits: &Limits) -> PoolingAllocationConfig {
    let stores = u32::try_from(limits.workers()).unwrap_or(u32::MAX);
    let of = |each: usize| u32::try_from(each).unwrap_or(u32::MAX);
    let mut pooling = PoolingAllocationConfig::new();
    pooling
        .total_component_instances(stores)
        .max_core_instances_per_component(of(limits.instances_max))
        .total_core_instances(stores.saturating_mul(of(limits.instances_max)))
        .max_memories_per_component(of(limits.memories_max))
        .total_memories(stores.saturating_mul(of(limits.memories_max)))
        .max_memory_size(limits.memory_bytes_max)
        .max_tables_per_component(of(limits.tables_max))
        .max_tables_per_module(of(limits.tables_max))
        .total_tables(stores.saturating_mul(of(limits.tables_max)))
        .table_elements(limits.table_elements_max)
        .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
        .table_keep_resident(KEEP_RESIDENT_BYTES)
        .pagemap_scan(Enabled::Auto);
    pooling
}

#[cfg(test)]
mod tests {
    #![expect(clippy::unwrap_used, reason = "tests")]

    use super::*;

    #[test]
    fn the_default_limits_fit_into_a_pool() {
        let engine = engine(&Limits::default(), Counting::Off).unwrap();
        assert!(engine.pooling_allocator_metrics().is_some());
    }

    #[test]
    fn native_code_fits_whatever_the_limits_are() {
        use crate::compile::compatibility;
        let compiled = compatibility(&compiler(Counting::Off).unwrap());
        let other = Limits { memory_bytes_max: 1024 * 1024, stack_bytes_max: 128 * 1024, ..Limits::default() };
        for limits in [Limits::default(), other] {
            assert_eq!(compatibility(&engine(&limits, Counting::Off).unwrap()), compiled);
        }
        assert_ne!(compatibility(&compiler(Counting::On).unwrap()), compiled);
    }

    #[test]
    fn a_pool_that_the_machine_cannot_hold_is_done_without() {
        // Two hundred thousand memories of four gigabytes are more than any address space of 48 bits.
        let limits = Limits { memories_max: 100_000, concurrency: 1, ..Limits::default() };
        let engine = engine(&limits, Counting::Off).unwrap();
        assert!(engine.pooling_allocator_metrics().is_none());
    }
}
