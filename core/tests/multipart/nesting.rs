//! Parts that are multipart themselves.

use bytes::Bytes;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Boundary, Event, MultipartError, MultipartLimits, Part, Reader, Writer};

/// Reads to the leaves: their names with the depth, and their data.
fn leaves(reader: &mut Reader, depth: usize, found: &mut Vec<(usize, String)>) -> Result<(), MultipartError> {
    let mut inner: Option<(Reader, Vec<u8>)> = None;
    let mut text = String::new();
    while let Some(event) = reader.poll_event()? {
        match event {
            Event::Part(head) if head.is_multipart() => inner = Some((reader.nested(&head)?, Vec::new())),
            Event::Part(_) => text.clear(),
            Event::Data(data) => match &mut inner {
                Some((_, gathered)) => gathered.extend_from_slice(&data),
                None => text.push_str(std::str::from_utf8(&data).expect("text")),
            },
            Event::PartEnd => match inner.take() {
                Some((mut inner, data)) => {
                    inner.handle_input(Bytes::from(data));
                    inner.handle_end_of_input();
                    leaves(&mut inner, depth + 1, found)?;
                }
                None => found.push((depth, text.clone())),
            },
            Event::End => {}
        }
    }
    Ok(())
}

fn nested(depth: usize) -> Writer {
    let mut writer = Writer::mixed(Boundary::new(format!("B{depth}x")).expect("a boundary"));
    writer.add(Part::bytes(format!("before {depth}"))).expect("a part");
    if depth > 0 {
        writer.add(Part::nested(nested(depth - 1)).expect("a part")).expect("a part");
    }
    writer.add(Part::bytes(format!("after {depth}"))).expect("a part");
    writer
}

fn read(depth: usize, limits: MultipartLimits) -> Result<Vec<(usize, String)>, MultipartError> {
    let writer = nested(depth);
    let mut reader = Reader::new(&writer.content_type(), limits)?;
    reader.handle_input(writer.into_bytes().into());
    reader.handle_end_of_input();
    let mut found = Vec::new();
    leaves(&mut reader, 0, &mut found).map(|()| found)
}

#[test]
fn what_is_nested_is_read_to_the_leaves() {
    let found = read(2, MultipartLimits::default()).expect("no error");
    let expected = [(0, "before 2"), (1, "before 1"), (2, "before 0"), (2, "after 0"), (1, "after 1"), (0, "after 2")];
    assert_eq!(found, expected.map(|(depth, text)| (depth, text.to_owned())));
}

#[test]
fn depth_and_parts_are_limited_on_the_way_down() {
    let limits = |depth, parts| MultipartLimits { depth, parts, ..MultipartLimits::default() };
    assert!(read(3, limits(3, 100)).is_ok());
    assert_eq!(read(3, limits(2, 100)), Err(MultipartError::TooDeep));
    assert_eq!(read(1, limits(1, 3)), Err(MultipartError::TooManyParts));
    assert!(read(1, limits(1, 4)).is_ok());
}

/// The boundary of the outer body ends the inner one too (RFC 2046 §5.1.2).
#[test]
fn an_inner_body_that_does_not_end_is_an_error_of_its_own() {
    let body = "--B\r\nContent-Type: multipart/mixed; boundary=C\r\n\r\n--C\r\n\r\nx\r\n--B\r\n\r\ny\r\n--B--";
    let media_type: MediaType = "multipart/mixed; boundary=B".parse().expect("a media type");
    let mut reader = Reader::new(&media_type, MultipartLimits::default()).expect("a reader");
    reader.handle_input(Bytes::from_static(body.as_bytes()));
    reader.handle_end_of_input();
    assert_eq!(leaves(&mut reader, 0, &mut Vec::new()), Err(MultipartError::CutInPart));
}

#[test]
fn a_part_that_is_not_multipart_has_no_reader() {
    let media_type: MediaType = "multipart/mixed; boundary=B".parse().expect("a media type");
    let mut reader = Reader::new(&media_type, MultipartLimits::default()).expect("a reader");
    reader.handle_input(Bytes::from_static(b"--B\r\nContent-Type: multipart/mixed\r\n\r\n--B\r\n\r\n--B--"));
    let mut heads = Vec::new();
    while let Ok(Some(event)) = reader.poll_event() {
        if let Event::Part(head) = event {
            heads.push(head);
        }
    }
    assert_eq!(reader.nested(&heads[0]).err(), Some(MultipartError::BoundaryMissing));
    assert_eq!(reader.nested(&heads[1]).err(), Some(MultipartError::NotMultipart));
}
