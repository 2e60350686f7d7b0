//! Which deadline of an exchange comes next.
