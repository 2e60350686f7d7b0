//! Proves that the core needs `alloc` and nothing else: this program has no standard library, links, and runs.
//!
//! How it proves: it defines its own panic handler. If the core or a dependency linked `std`, there would be two, and
//! the build would stop with "duplicate lang item `panic_impl`" (try it: `features = ["std"]` on the core).
//! Run it with `cargo run --manifest-path core/no-std-proof/Cargo.toml`; it exits with 0 when all went as it should,
//! and aborts otherwise. Unsafe code is needed here, and only here: without `std`, a program brings its own allocator
//! and its own `main`. The allocator hands out pieces of one static array and never takes them back.
#![no_std]
#![no_main]

extern crate alloc;

mod exchange;

use core::alloc::{GlobalAlloc, Layout};
use core::cell::UnsafeCell;
use core::panic::PanicInfo;
use core::sync::atomic::{AtomicUsize, Ordering};

const HEAP: usize = 1 << 20;

#[repr(align(16))]
struct Bump {
    heap: UnsafeCell<[u8; HEAP]>,
    used: AtomicUsize,
}

// SAFETY: pieces of the heap are handed out through the atomic `used`, never twice.
unsafe impl Sync for Bump {}

// SAFETY: a piece starts at a multiple of its alignment (at most 16, that of the heap), ends inside the heap, and
// overlaps no other, as `used` only grows.
unsafe impl GlobalAlloc for Bump {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let taken = self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| {
            let end = used.checked_next_multiple_of(layout.align())?.checked_add(layout.size())?;
            (end <= HEAP && layout.align() <= 16).then_some(end)
        });
        match taken {
            // SAFETY: the offset is inside the heap, as was checked above.
            Ok(used) => unsafe { self.heap.get().cast::<u8>().add(used.next_multiple_of(layout.align())) },
            Err(_) => core::ptr::null_mut(),
        }
    }

    unsafe fn dealloc(&self, _: *mut u8, _: Layout) {}
}

#[global_allocator]
static ALLOCATOR: Bump = Bump { heap: UnsafeCell::new([0; HEAP]), used: AtomicUsize::new(0) };

// What the C library has, and all that this program takes from it: its start-up code, memcpy and the like, and abort.
#[link(name = "c")]
unsafe extern "C" {
    safe fn abort() -> !;
}

#[panic_handler]
fn panic(_: &PanicInfo<'_>) -> ! {
    abort()
}

/// The precompiled `alloc` refers to this for unwinding. Nothing unwinds here: panics abort.
// SAFETY: `std` would bring the other symbol of this name, and is not linked.
#[unsafe(no_mangle)]
extern "C" fn rust_eh_personality() {}

/// Called by the C library's start-up code; the result is the exit code.
// SAFETY: no other symbol of this name is linked: there is no `std` that would bring one.
#[unsafe(no_mangle)]
extern "C" fn main(_: i32, _: *const *const u8) -> i32 {
    i32::from(!exchange::succeeds())
}
