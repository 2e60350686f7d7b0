//! What bounds a multipart body.

/// What bounds a multipart body that comes from a peer. All count encoded bytes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MultipartLimits {
    /// Parts. Default 1024.
    pub parts: usize,
    /// Bytes of the data of one part. Default 1 GiB: data is not kept, so this bounds no memory.
    pub part: u64,
    /// Bytes of the whole body up to its closing delimiter. Default 4 GiB.
    pub total: u64,
    /// Bytes of one line of a part's fields, CRLF included; and of white space after a delimiter. Default 8 KiB.
    pub header_line: usize,
    /// Bytes of all fields of a part, CRLFs included. Default 16 KiB.
    pub head: usize,
    /// Fields of a part. Default 64.
    pub header_count: usize,
    /// How deep parts may be nested by [`Reader::nested`](super::Reader::nested). Default 4.
    pub depth: usize,
}

impl Default for MultipartLimits {
    fn default() -> Self {
        Self {
            parts: 1024,
            part: 1 << 30,
            total: 4 << 30,
            header_line: 8 * 1024,
            head: 16 * 1024,
            header_count: 64,
            depth: 4,
        }
    }
}
