//! The smallest wasmtime that can run a policy: what nobody could do with less. It must never have a limit of ours.

use std::sync::Arc;

use bumpalo::Bump;
use tribunal_core::case::Case;
use tribunal_core::request::RequestId;
use wasmtime::component::{Component, HasSelf, Linker};
use wasmtime::{Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel, PoolingAllocationConfig, Store};

use crate::bindings::policy::tribunal::policy::{log, types};
use crate::bindings::policy::{Policy, PolicyPre};
use crate::lowered;

/// Memory of an instance that stays resident, as the engine has it: less would be slower.
const KEEP_RESIDENT_BYTES: usize = 256 * 1024;

/// A component, ready to be instantiated.
pub(crate) struct Bare {
    wasm: Engine,
    code: PolicyPre<Nothing>,
    settings: String,
}

/// The host's side of what the policy imports.
struct Nothing;

impl log::Host for Nothing {
    fn write(&mut self, _: log::Level, _: String) -> wasmtime::Result<()> {
        Ok(())
    }
}

impl types::Host for Nothing {}

// === impl Bare ===

impl Bare {
    pub(crate) fn new(bytes: &[u8], settings: &str) -> Self {
        let mut pooling = PoolingAllocationConfig::new();
        pooling
            .total_component_instances(4)
            .max_core_instances_per_component(64)
            .total_core_instances(256)
            .total_memories(32)
            .total_tables(256)
            .max_tables_per_module(64)
            .table_elements(100_000)
            .linear_memory_keep_resident(KEEP_RESIDENT_BYTES)
            .table_keep_resident(KEEP_RESIDENT_BYTES)
            .pagemap_scan(Enabled::Auto);
        let mut config = Config::new();
        config.cranelift_opt_level(OptLevel::Speed).concurrency_support(false);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pooling));
        let wasm = Engine::new(&config).unwrap();
        let component = Component::new(&wasm, bytes).unwrap();
        let mut linker = Linker::new(&wasm);
        Policy::add_to_linker::<Nothing, HasSelf<Nothing>>(&mut linker, |nothing| nothing).unwrap();
        // What the language's library imports and the policy never calls.
        linker.define_unknown_imports_as_traps(&component).unwrap();
        let code = PolicyPre::new(linker.instantiate_pre(&component).unwrap()).unwrap();
        Self { wasm, code, settings: settings.to_owned() }
    }

    pub(crate) fn review(&self, case: &Arc<Case>, request: &RequestId) -> types::Opinion {
        let mut store = Store::new(&self.wasm, Nothing);
        let policy = self.code.instantiate(&mut store).unwrap();
        policy.call_configure(&mut store, &self.settings).unwrap().unwrap();
        let arena = Bump::new();
        policy.call_review(&mut store, lowered::case(case, &arena), request.as_str()).unwrap()
    }
}
