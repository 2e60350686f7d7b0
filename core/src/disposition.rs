//! Content-Disposition (RFC 6266, 8187, 2231).
