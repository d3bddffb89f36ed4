//! Where a component's memory comes from, and where its panics go.
//! It must never decide where a block lies: that is for `memory`.
#![expect(unsafe_code, reason = "an allocator is")]

use core::alloc::{GlobalAlloc, Layout};
use core::arch::wasm32;
use core::cell::{Cell, UnsafeCell};
use core::fmt::Write as _;
use core::panic::PanicInfo;
use core::ptr;

use super::memory::Stretch;
use super::message::Message;
use crate::log;

/// Memory that an instance has from the start: as much as most answers need. To get more costs as much as a short answer.
const FIRST_BYTES: usize = 128 * 1024;
const PAGE_BYTES: usize = 64 * 1024;
/// As much as there is already is added at once, and no more than this.
const STEP_BYTES_MAX: usize = 1024 * 1024;

#[global_allocator]
static MEMORY: Memory = Memory { stretch: Cell::new(None) };
static FIRST: First = First(UnsafeCell::new([0; FIRST_BYTES]));

// `memcpy` and its like.
#[link(name = "c")]
unsafe extern "C" {}

struct Memory {
    /// None: nothing was asked for yet.
    stretch: Cell<Option<Stretch>>,
}

#[repr(align(16))]
struct First(UnsafeCell<[u8; FIRST_BYTES]>);

// SAFETY: an instance has one thread; the host refuses memories that are shared.
unsafe impl Sync for Memory {}
// SAFETY: as above.
unsafe impl Sync for First {}

// === impl Memory ===

impl Memory {
    fn stretch(&self) -> Stretch {
        self.stretch.get().unwrap_or_else(|| {
            let begin = FIRST.0.get().expose_provenance();
            Stretch::new(begin, begin.saturating_add(FIRST_BYTES))
        })
    }
}

// SAFETY: `Stretch` hands out no byte twice, and all of its addresses are memory of this instance: those of `FIRST`, which
// nothing else uses, and pages that the host has added.
unsafe impl GlobalAlloc for Memory {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut stretch = self.stretch();
        let block = stretch.take(layout.size(), layout.align()).or_else(|| {
            let (begin, end) = grow(layout.size().checked_add(layout.align())?)?;
            stretch.extend(begin, end);
            stretch.take(layout.size(), layout.align())
        });
        self.stretch.set(Some(stretch));
        block.map_or(ptr::null_mut(), ptr::with_exposed_provenance_mut)
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        let mut stretch = self.stretch();
        stretch.give_back(block.addr(), layout.size());
        self.stretch.set(Some(stretch));
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let mut stretch = self.stretch();
        if stretch.resize(block.addr(), layout.size(), size) {
            self.stretch.set(Some(stretch));
            return block;
        }
        // SAFETY: the size is not zero and does not overflow with the alignment, as promised by the caller.
        let moved = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !moved.is_null() {
            // SAFETY: both blocks are as long, and nobody else has the new one.
            unsafe { ptr::copy_nonoverlapping(block, moved, layout.size().min(size)) };
        }
        moved
    }
}

/// Memory that the host writes arguments into, as the canonical ABI asks for it.
///
/// # Safety
/// `old` was given by this function for `old_size` bytes, or `old_size` is 0; `align` is a power of two.
#[unsafe(no_mangle)]
unsafe extern "C" fn cabi_realloc(old: *mut u8, old_size: usize, align: usize, size: usize) -> *mut u8 {
    if size == 0 {
        return ptr::without_provenance_mut(align);
    }
    // SAFETY: the host asks for an alignment of the ABI, and for more than nothing; the rest as promised by the caller.
    let given = unsafe {
        match old_size {
            0 => MEMORY.alloc(Layout::from_size_align_unchecked(size, align)),
            _ => MEMORY.realloc(old, Layout::from_size_align_unchecked(old_size, align), size),
        }
    };
    if given.is_null() { wasm32::unreachable() } else { given }
}

/// The addresses of so many bytes more; none, if the host does not give them.
fn grow(bytes: usize) -> Option<(usize, usize)> {
    let has = wasm32::memory_size::<0>();
    let needed = bytes.div_ceil(PAGE_BYTES);
    let wanted = needed.max(has.min(STEP_BYTES_MAX / PAGE_BYTES));
    let (pages, before) = [wanted, needed].into_iter().find_map(|pages| {
        let before = wasm32::memory_grow::<0>(pages);
        (before != usize::MAX).then_some((pages, before))
    })?;
    let begin = before.checked_mul(PAGE_BYTES)?;
    // The very end of the address space cannot be written as one.
    Some((begin, begin.saturating_add(pages.saturating_mul(PAGE_BYTES))))
}

/// A trap is a fault for the host; what the panic says goes to the operator's log.
#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    let mut message = Message::new();
    let written = match info.location() {
        Some(location) => write!(message, "panicked at {location}: {}", info.message()),
        None => write!(message, "panicked: {}", info.message()),
    };
    // What did not fit is left out.
    let _ = written;
    log::warn(message.as_str());
    wasm32::unreachable()
}
