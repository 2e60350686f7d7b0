//! WebSocket (RFC 6455, 7692) as machines.
