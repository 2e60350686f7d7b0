//! Whether a request goes through a proxy, and which.
