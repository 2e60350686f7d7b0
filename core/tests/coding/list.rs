//! What `Content-Encoding` says.

use callboard_core::coding::{Coding, Codings, CodingsError};
use callboard_core::{Headers, header};

fn read(values: &[&str]) -> Result<Vec<Coding>, CodingsError> {
    let mut headers = Headers::new();
    for value in values {
        headers.append(header::CONTENT_ENCODING, value).unwrap();
    }
    Codings::read(&headers).map(|codings| codings.as_slice().to_vec())
}

#[test]
fn lists_are_read_over_all_fields_without_case() {
    let rows: &[(&[&str], &[Coding])] = &[
        (&[], &[]),
        (&[""], &[]),
        (&["identity"], &[]),
        (&["gzip"], &[Coding::Gzip]),
        (&["X-GZIP"], &[Coding::Gzip]),
        (&["Deflate"], &[Coding::Deflate]),
        (&["bR"], &[Coding::Brotli]),
        (&[" ,gzip ,\tidentity,, br"], &[Coding::Gzip, Coding::Brotli]),
        (&["gzip", "br"], &[Coding::Gzip, Coding::Brotli]),
        (&["gzip, gzip", "deflate"], &[Coding::Gzip, Coding::Gzip, Coding::Deflate]),
        #[cfg(feature = "zstd")]
        (&["ZStd"], &[Coding::Zstd]),
    ];
    for &(values, expected) in rows {
        assert_eq!(read(values).as_deref(), Ok(expected), "{values:?}");
    }
}

#[test]
fn what_is_not_known_is_no_coding() {
    for value in ["compress", "gzip;q=1", "gzip br", "g\u{17f}ip", "bogus, gzip", "gz", "dcb", "br, *"] {
        assert_eq!(read(&[value]), Err(CodingsError::Unknown), "{value}");
    }
    assert_eq!(read(&["gzip, gzip, gzip, gzip"]), Err(CodingsError::TooMany));
    assert_eq!(CodingsError::Unknown.status().code(), 415);
    assert!(CodingsError::Unknown.explain().contains("feature `zstd`"), "the remedy is named");
}

#[test]
fn what_is_accepted_is_what_is_compiled_in() {
    let names: Vec<&str> = Coding::ALL.iter().map(|coding| coding.name()).collect();
    assert_eq!(names.join(", "), Coding::ACCEPT);
    assert!(names.iter().all(|name| Coding::from_name(name).is_some_and(|coding| coding.name() == *name)));
}
