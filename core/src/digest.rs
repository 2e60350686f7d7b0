//! Digest authentication (RFC 7616), the deciding part.
