//! What a caught panic said.

use std::any::Any;

/// The message of a panic, if it has one.
pub(super) fn panic_text(panic: Box<dyn Any + Send>) -> String {
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().map_or_else(|| "no text".to_owned(), |&text| text.to_owned()),
    }
}
