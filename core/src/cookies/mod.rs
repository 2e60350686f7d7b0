//! The cookie jar (RFC 6265bis).
