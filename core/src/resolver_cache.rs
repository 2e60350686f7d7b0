//! What was looked up, for how long, and who waits for it.
