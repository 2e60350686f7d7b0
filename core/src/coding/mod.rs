//! Content codings as streaming machines: gzip, deflate, br and zstd.
