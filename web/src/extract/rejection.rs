//! What rejections have in common: a status, a text, and that they are responses.

/// Makes a rejection with `status()` and `Display` an error and a response.
macro_rules! rejection {
    ($name:ty) => {
        impl std::error::Error for $name {}

        impl crate::response::IntoResponse for $name {
            fn into_response(self) -> crate::Response {
                (self.status(), self.to_string()).into_response()
            }
        }
    };
}

pub(super) use rejection;
