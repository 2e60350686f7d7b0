//! Whether a failed request may be sent again, and when.
