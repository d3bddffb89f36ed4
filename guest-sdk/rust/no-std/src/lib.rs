//! The policy `ticket` without the standard library: it imports nothing of WASI, and has a seventh of the size.
//! It must never approve: that a ticket is named says nothing about the ticket.

#![cfg_attr(target_arch = "wasm32", no_std)]

extern crate alloc;

use alloc::string::{String, ToString as _};
use alloc::vec;
use alloc::vec::Vec;

use crate::tribunal::policy::types::{Effect, Ground, Rule};

wit_bindgen::generate!({ path: "../../../wit", world: "policy", generate_all });

struct Ticket;

export!(Ticket);

impl Guest for Ticket {
    fn describe() -> Description {
        Description {
            name: "ticket".to_string(),
            version: "0.1.0".to_string(),
            summary: "denies requests that name no ticket".to_string(),
            rules: vec![Rule { id: "no-ticket".to_string(), summary: "the reason names no ticket".to_string() }],
            effects: vec![Effect::Deny],
            settings_schema: String::new(),
        }
    }

    fn configure(settings: String) -> Result<(), Vec<String>> {
        // A JSON object without keys.
        let has_keys = settings.contains('"');
        if has_keys { Err(vec!["there are no settings: leave them out".to_string()]) } else { Ok(()) }
    }

    fn review(case: Case, request: String) -> Opinion {
        let Some(asked) = case.requests.iter().find(|asked| asked.id == request) else { return Opinion::Abstain };
        if asked.reason.split_whitespace().any(|word| word.starts_with("OPS-")) {
            return Opinion::Abstain;
        }
        let reason = "name a ticket in the reason, such as OPS-42".to_string();
        Opinion::Deny(vec![Ground { rule: "no-ticket".to_string(), reason }])
    }

    fn enforce(_case: Case) -> Vec<LockOrder> {
        Vec::new()
    }
}

/// What the standard library would bring.
#[cfg(target_arch = "wasm32")]
mod runtime {
    use alloc::alloc::{Layout, alloc, realloc};

    #[global_allocator]
    static ALLOCATOR: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

    // `memcpy` and its like.
    #[link(name = "c")]
    unsafe extern "C" {}

    /// A trap is a fault for the host. Nobody hears the message.
    #[panic_handler]
    fn panic(_info: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }

    /// Memory that the host writes arguments into, as the canonical ABI asks for it.
    ///
    /// # Safety
    /// `old` was given by this function for `old_size` bytes, or `old_size` is 0; `align` is a power of two.
    #[unsafe(no_mangle)]
    pub unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
        if size == 0 {
            return core::ptr::without_provenance_mut(align);
        }
        let given = match old_size {
            // SAFETY: the host asks for an alignment of the ABI, and for more than nothing.
            0 => unsafe { alloc(Layout::from_size_align_unchecked(size, align)) },
            // SAFETY: as promised by the caller.
            _ => unsafe { realloc(old, Layout::from_size_align_unchecked(old_size, align), size) },
        };
        if given.is_null() { core::arch::wasm32::unreachable() } else { given }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_are_none() {
        assert_eq!(Ticket::configure("{}".to_string()), Ok(()));
        assert!(Ticket::configure("{\"a\": 1}".to_string()).is_err());
    }
}
