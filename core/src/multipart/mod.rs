//! Multipart bodies (RFC 2046, 7578), read and written.
