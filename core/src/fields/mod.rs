//! Typed fields: what a field value says, read and written.
