//! Every limit, one below and one past it, however the body is cut; and what the reader holds in memory.

use bytes::Bytes;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Event, MultipartError, MultipartLimits, Reader};

use crate::run::{Cut, Outcome, run};

fn media_type() -> MediaType {
    "multipart/form-data; boundary=B".parse().expect("a media type")
}

fn read(limits: &MultipartLimits, body: &str) -> Outcome {
    let whole = run(&media_type(), limits, body.as_bytes(), Cut::Whole);
    assert_eq!(run(&media_type(), limits, body.as_bytes(), Cut::Bytes), whole);
    for place in 0..=body.len() {
        assert_eq!(run(&media_type(), limits, body.as_bytes(), Cut::At(place)), whole, "cut at {place}");
    }
    whole
}

/// A limit that `body` just keeps, and what a smaller one says.
fn check(body: &str, limit: impl Fn(&mut MultipartLimits, usize), least: usize, error: MultipartError) {
    let mut limits = MultipartLimits::default();
    limit(&mut limits, least);
    assert_eq!(read(&limits, body).error, None, "{limits:?}");
    limit(&mut limits, least - 1);
    assert_eq!(read(&limits, body).error, Some(error), "{limits:?}");
    assert_eq!(error.status().code(), 413);
}

#[test]
fn each_limit_is_live_and_exact() {
    use MultipartError as E;
    let parts = "--B\r\n\r\nx\r\n--B\r\n\r\ny\r\n--B--";
    check(parts, |limits, parts| limits.parts = parts, 2, E::TooManyParts);
    check("--B\r\n\r\nlong\r\n\r\n--B--", |limits, part| limits.part = part as u64, 6, E::PartTooLarge);
    check(parts, |limits, total| limits.total = total as u64, parts.len(), E::BodyTooLarge);
    let fields = "--B\r\nA: 1\r\nB: 22\r\n C\r\n\r\nx\r\n--B--";
    check(fields, |limits, line| limits.header_line = line, 7, E::FieldLineTooLong);
    check(fields, |limits, head| limits.head = head, 19, E::HeadTooLong);
    check(fields, |limits, count| limits.header_count = count, 2, E::TooManyFields);
    check("--B    \r\n\r\n\r\n--B--", |limits, line| limits.header_line = line, 4, E::FieldLineTooLong);
}

#[test]
fn what_comes_before_a_limit_is_still_given() {
    let limits = MultipartLimits { part: 3, ..MultipartLimits::default() };
    let outcome = read(&limits, "--B\r\n\r\nabcdef\r\n--B--");
    assert_eq!((&outcome.parts[0].data[..], outcome.error), (&b"abc"[..], Some(MultipartError::PartTooLarge)));
    let limits = MultipartLimits { total: 10, ..MultipartLimits::default() };
    let outcome = read(&limits, "--B\r\n\r\nabcdef\r\n--B--");
    assert_eq!((&outcome.parts[0].data[..], outcome.error), (&b"abc"[..], Some(MultipartError::BodyTooLarge)));
    // The epilogue counts for nothing.
    let limits = MultipartLimits { total: 7, ..MultipartLimits::default() };
    assert_eq!(read(&limits, "--B--\r\nand more").error, None);
}

/// Data is cut from the input, and of what came before only the beginning of a delimiter or a head is held.
#[test]
fn memory_does_not_grow_with_the_body() {
    let mut body = b"--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n".to_vec();
    while body.len() < 1 << 20 {
        body.extend_from_slice(b"\r\n--\r\n--C\r\n-\r");
    }
    body.extend_from_slice(b"\r\n--B--");
    let body = Bytes::from(body);
    for piece in [1_usize, 7, 4096, body.len()] {
        let mut reader = Reader::new(&media_type(), MultipartLimits::default()).expect("a reader");
        let mut length = 0;
        let memory = allocation_counter::measure(|| {
            for start in (0..body.len()).step_by(piece) {
                reader.handle_input(body.slice(start..body.len().min(start + piece)));
                while let Some(event) = reader.poll_event().expect("no error") {
                    length += if let Event::Data(data) = event { data.len() } else { 0 };
                }
            }
        });
        assert_eq!(length, body.len() - 49 - 7, "pieces of {piece}");
        assert!(memory.bytes_max < 4096, "pieces of {piece}: {} bytes", memory.bytes_max);
        assert!(memory.count_total < 40, "pieces of {piece}: {} allocations", memory.count_total);
    }
}

#[test]
fn a_head_without_end_is_cut_off_before_it_is_held() {
    let mut reader = Reader::new(&media_type(), MultipartLimits::default()).expect("a reader");
    let memory = allocation_counter::measure(|| {
        reader.handle_input(Bytes::from_static(b"--B\r\n"));
        let line = Bytes::from_static(&[b'x'; 1000]);
        let error = loop {
            reader.handle_input(line.clone());
            match reader.poll_event() {
                Ok(event) => assert_eq!(event, None),
                Err(error) => break error,
            }
        };
        assert_eq!(error, MultipartError::FieldLineTooLong);
    });
    assert!(memory.bytes_max < 40 * 1024, "{} bytes", memory.bytes_max);
}
