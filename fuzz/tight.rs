//! Tight limits of HTTP/1 and what a machine may hold under them, shared by the targets of both sides.

use callboard_core::Limits;

/// The longest piece of what is counted.
pub const HELD_PIECE: usize = 512;

/// The limits, and the bound on what is held.
pub fn limits() -> (Limits, usize) {
    let limits = Limits {
        start_line: 200,
        head: 1_000,
        header_count: 16,
        chunk_line: 100,
        chunk_extensions: 1_000,
        trailers: 500,
        receive_buffer: 1_000,
        ..Limits::default()
    };
    // As in `core/tests/memory.rs`: a buffer that doubled, the offsets of the fields, a copy to read from.
    let bound = 4 * (limits.head + HELD_PIECE) + 16 * 1024;
    (limits, bound)
}
