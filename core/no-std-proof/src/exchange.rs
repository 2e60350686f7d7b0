//! What the proof runs.

use callboard_core::{Headers, header};

/// Whether all went as it should.
pub fn succeeds() -> bool {
    let mut headers = Headers::new();
    for _ in 0..40 {
        if headers.append(header::CONTENT_TYPE, "text/plain").is_err() {
            return false;
        }
    }
    headers.len() == 40 && headers.text("content-type") == Some("text/plain")
}
