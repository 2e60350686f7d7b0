//! Media types (RFC 9110 §8.3).
