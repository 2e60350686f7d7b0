//! The fields of a response: shared ones, which most handlers give, or its own.

use std::sync::LazyLock;

use callboard_core::{Headers, header};

use crate::recycled::{Recycled, recycle};

/// Types of bodies whose fields are made once.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Content {
    /// No type.
    None,
    Text,
    Html,
    Json,
    Binary,
}

static SHARED: LazyLock<[Headers; 5]> = LazyLock::new(|| {
    ["", "text/plain; charset=utf-8", "text/html; charset=utf-8", "application/json", "application/octet-stream"].map(
        |content_type| {
            let mut headers = Headers::new();
            if !content_type.is_empty() {
                // It is a field value.
                let _ = headers.append(header::CONTENT_TYPE, content_type);
            }
            headers
        },
    )
});

/// Fields, copied when they are first changed.
pub(super) enum Fields {
    Shared(&'static Headers),
    Own(Recycled<Headers>),
}

impl Fields {
    #[inline]
    pub(super) fn of(content: Content) -> Self {
        Self::Shared(&SHARED[content as usize])
    }

    #[inline]
    pub(super) fn get(&self) -> &Headers {
        match self {
            Self::Shared(headers) => headers,
            Self::Own(headers) => headers,
        }
    }

    pub(super) fn get_mut(&mut self) -> &mut Headers {
        if let Self::Shared(headers) = self {
            *self = Self::Own(Recycled::new(headers.clone()));
        }
        match self {
            Self::Own(headers) => headers,
            Self::Shared(_) => unreachable!("they were just copied"),
        }
    }
}

impl Default for Fields {
    fn default() -> Self {
        Self::of(Content::None)
    }
}

recycle!(Headers);
