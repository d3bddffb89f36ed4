//! A policy's native code with its imports, and where its exports are. Each instance that it makes is fresh; it never keeps
//! one.

use tribunal_core::request::RequestId;
use wasmtime::component::{Component, ComponentExportIndex, Instance, InstancePre, Linker};
use wasmtime::{Store, format_err};

use crate::bindings::policy::tribunal::policy::types as wit;
use crate::bindings::policy::{Policy, PolicyPre};
use crate::host::Host;

/// What a policy is made of, ready to be instantiated.
///
/// [`Self::describe`], which comes before any other question, checks the types of all exports; the others check that of the
/// one that they call, since evaluations are many, and a case is of many types.
pub(crate) struct Code {
    instances: InstancePre<Host>,
    configure: ComponentExportIndex,
    review: ComponentExportIndex,
    enforce: ComponentExportIndex,
}

// === impl Code ===

impl Code {
    /// The component with its imports.
    ///
    /// # Errors
    /// When it imports or exports something else than the contract says.
    pub(crate) fn link(linker: &Linker<Host>, component: &Component) -> wasmtime::Result<Self> {
        let instances = PolicyPre::new(linker.instantiate_pre(component)?)?.instance_pre().clone();
        let export = |name: &str| {
            component.get_export_index(None, name).ok_or_else(|| format_err!("it does not export `{name}`"))
        };
        let (configure, review, enforce) = (export("configure")?, export("review")?, export("enforce")?);
        Ok(Self { instances, configure, review, enforce })
    }

    pub(crate) fn instantiate(&self, store: &mut Store<Host>) -> wasmtime::Result<Instance> {
        self.instances.instantiate(store)
    }

    pub(crate) fn describe(&self, store: &mut Store<Host>, instance: Instance) -> wasmtime::Result<wit::Description> {
        Policy::new(&mut *store, &instance)?.call_describe(store)
    }

    pub(crate) fn configure(
        &self,
        store: &mut Store<Host>,
        instance: Instance,
        settings: &str,
    ) -> wasmtime::Result<Result<(), Vec<String>>> {
        type Answer = (Result<(), Vec<String>>,);
        let export = instance.get_typed_func::<(&str,), Answer>(&mut *store, self.configure)?;
        export.call(store, (settings,)).map(|(answer,)| answer)
    }

    pub(crate) fn review(
        &self,
        store: &mut Store<Host>,
        instance: Instance,
        case: wit::Case<'_>,
        request: &RequestId,
    ) -> wasmtime::Result<wit::Opinion> {
        let export = instance.get_typed_func::<(wit::Case<'_>, &str), (wit::Opinion,)>(&mut *store, self.review)?;
        export.call(store, (case, request.as_str())).map(|(answer,)| answer)
    }

    pub(crate) fn enforce(
        &self,
        store: &mut Store<Host>,
        instance: Instance,
        case: wit::Case<'_>,
    ) -> wasmtime::Result<Vec<wit::LockOrder>> {
        let export = instance.get_typed_func::<(wit::Case<'_>,), (Vec<wit::LockOrder>,)>(&mut *store, self.enforce)?;
        export.call(store, (case,)).map(|(answer,)| answer)
    }
}
