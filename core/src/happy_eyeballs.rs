//! Which address to try next, and when (RFC 8305).
