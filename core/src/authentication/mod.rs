//! The grammar of challenges and credentials (RFC 9110 §11), and the Basic scheme (RFC 7617).
