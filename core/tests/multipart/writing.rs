//! What the writer writes, what it refuses, and that it knows the length before.

use callboard_core::disposition::Disposition;
use callboard_core::multipart::{Boundary, InvalidPart, Part, Segment, TransferEncoding, Writer};

use crate::grammar::read_as;

fn boundary() -> Boundary {
    Boundary::new("B").expect("a boundary")
}

fn text(writer: Writer) -> String {
    let size = writer.size();
    let body = writer.into_bytes();
    assert_eq!(size, Some(body.len() as u64));
    String::from_utf8(body).expect("text")
}

#[test]
fn a_form() {
    let mut form = Writer::form_data(boundary());
    form.add(Part::field("a", "1").unwrap()).unwrap();
    form.add(Part::file("f", "t.txt", "text/plain", "hi\r\n").unwrap()).unwrap();
    assert_eq!((form.len(), form.is_empty()), (2, false));
    let expected = "--B\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n1\r\n\
        --B\r\nContent-Disposition: form-data; name=\"f\"; filename=\"t.txt\"\r\nContent-Type: text/plain\r\n\r\n\
        hi\r\n\r\n--B--\r\n";
    assert_eq!(text(form), expected);
    assert_eq!(text(Writer::form_data(boundary())), "--B--\r\n");
}

#[test]
fn other_kinds_say_their_length() {
    let mut mixed: Writer = Writer::mixed(boundary());
    let part = Part::bytes("{}").with_media_type("application/json").unwrap();
    mixed.add(part.with_header("X-Number", "7").unwrap()).unwrap();
    assert_eq!(mixed.content_type().to_string(), "multipart/mixed; boundary=B");
    let expected = "--B\r\nContent-Type: application/json\r\nX-Number: 7\r\nContent-Length: 2\r\n\r\n{}\r\n--B--\r\n";
    assert_eq!(text(mixed), expected);
    let related: Writer = Writer::new("Related", Boundary::new("a b").unwrap()).unwrap();
    assert_eq!(related.content_type().to_string(), "multipart/related; boundary=\"a b\"");
    assert!(matches!(Writer::<()>::new("a/b", boundary()), Err(InvalidPart::MediaType)));
}

#[test]
fn streams_stand_between_the_bytes() {
    let mut form = Writer::form_data(boundary());
    let disposition = Disposition::form_data("f").unwrap();
    form.add(Part::stream("one", Some(5)).with_disposition(&disposition).unwrap()).unwrap();
    assert_eq!(form.size(), Some(49 + 5 + 2 + 7));
    form.add(Part::stream("two", None).with_disposition(&disposition).unwrap()).unwrap();
    assert_eq!(form.size(), None);
    let kinds: Vec<_> = form
        .into_segments()
        .into_iter()
        .map(|segment| match segment {
            Segment::Bytes(bytes) => bytes.escape_ascii().to_string(),
            Segment::Stream(name, length) => format!("<{name} {length:?}>"),
        })
        .collect();
    let head = r#"--B\r\nContent-Disposition: form-data; name=\"f\"\r\n\r\n"#;
    assert_eq!(kinds, [head, "<one Some(5)>", "\\r\\n", head, "<two None>", "\\r\\n", "--B--\\r\\n"]);
}

/// An endless body: more parts follow from the next writer.
#[test]
fn the_closing_delimiter_can_be_left_out() {
    let part = |content: &'static str| {
        let mut writer: Writer = Writer::new("x-mixed-replace", boundary()).unwrap().without_close();
        writer.add(Part::bytes(content)).unwrap();
        text(writer)
    };
    let body = part("one") + &part("two") + "--B--";
    let outcome = read_as("multipart/x-mixed-replace; boundary=B", body.as_bytes());
    assert_eq!(outcome.error, None);
    assert_eq!(outcome.parts.iter().map(|part| &part.data[..]).collect::<Vec<_>>(), [b"one", b"two"]);
}

/// Header injection through every text that a caller passes on (CVE-2026-34514, CVE-2026-50269 of a neighbour).
#[test]
fn no_text_brings_a_line_of_its_own() {
    for bad in ["a\r\nX: y", "a\nb", "a\0b", "a\rb", "a\u{7f}b"] {
        assert_eq!(Part::<()>::bytes("").with_header("X", bad).err(), Some(InvalidPart::Field), "{bad:?}");
        assert_eq!(Part::<()>::bytes("").with_header(bad, "x").err(), Some(InvalidPart::Field), "{bad:?}");
        assert_eq!(Part::<()>::bytes("").with_media_type(bad).err(), Some(InvalidPart::MediaType), "{bad:?}");
        let media_type = format!("text/plain; x=\"{bad}\"");
        assert_eq!(Part::<()>::bytes("").with_media_type(&media_type).err(), Some(InvalidPart::MediaType));
        assert!(Boundary::new(bad).is_err());
        // In names of forms line ends are encoded as browsers do it, and all else is refused.
        match Part::<()>::file(bad, bad, "text/plain", "") {
            Ok(part) => {
                let field = part.headers().text("Content-Disposition").unwrap();
                assert!(bad.contains(['\r', '\n']) && !field.contains(char::is_control), "{field:?}");
            }
            Err(error) => assert_eq!(error, InvalidPart::Name),
        }
    }
}

#[test]
fn what_does_not_belong_is_refused() {
    let add = |part: Result<Part, InvalidPart>| Writer::form_data(boundary()).add(part?);
    let field = || Part::<std::convert::Infallible>::field("a", "x");
    assert_eq!(add(field()), Ok(()));
    assert_eq!(add(Ok(Part::bytes("x"))), Err(InvalidPart::NameMissing));
    let nameless = Part::bytes("x").with_header("Content-Disposition", "form-data");
    assert_eq!(add(nameless), Err(InvalidPart::NameMissing));
    let attachment = Part::bytes("x").with_disposition(&Disposition::attachment());
    assert_eq!(add(attachment), Err(InvalidPart::NameMissing));
    for name in ["Content-Length", "content-transfer-encoding"] {
        assert_eq!(field().unwrap().with_header(name, "1").err(), Some(InvalidPart::FieldReserved));
    }
    let compressed = field().unwrap().with_header("Content-Encoding", "gzip");
    assert_eq!(add(compressed), Err(InvalidPart::NotInForm));
    let encoded = field().unwrap().with_transfer_encoding(TransferEncoding::Base64);
    assert_eq!(add(encoded), Err(InvalidPart::NotInForm));
    for content in ["--B", "x\r\n--B", "--Bz"] {
        assert_eq!(add(Part::field("a", content)), Err(InvalidPart::BoundaryInContent), "{content}");
    }
    assert_eq!(add(Part::field("a", "x--B")), Ok(()));
    let inner: Writer = Writer::mixed(Boundary::new("Binner").unwrap());
    let mut outer: Writer = Writer::mixed(boundary());
    assert_eq!(outer.add(Part::nested(inner).unwrap()), Err(InvalidPart::BoundaryInContent));
    let stream = Part::stream((), None).with_transfer_encoding(TransferEncoding::Base64);
    assert_eq!(stream.err(), Some(InvalidPart::NotEncodable));
}

#[test]
fn encoded_lines_are_short() {
    let data: Vec<u8> = (0..=255).cycle().take(2000).collect();
    for encoding in [TransferEncoding::Base64, TransferEncoding::QuotedPrintable] {
        let mut writer: Writer = Writer::mixed(boundary());
        writer.add(Part::bytes(data.clone()).with_transfer_encoding(encoding).unwrap()).unwrap();
        let body = writer.into_bytes();
        assert!(body.is_ascii());
        assert!(body.split(|&byte| byte == b'\n').all(|line| line.len() <= 77));
        let outcome = read_as("multipart/mixed; boundary=B", &body);
        assert_eq!((outcome.error, &outcome.parts[0].data), (None, &data));
        assert_eq!(outcome.parts[0].head.transfer_encoding(), encoding);
    }
}

#[test]
fn boundaries_follow_from_the_seed_alone() {
    assert_eq!(Boundary::random([1, 2]), Boundary::random([1, 2]));
    assert_ne!(Boundary::random([1, 2]), Boundary::random([2, 1]));
    assert_ne!(Boundary::random([0, 0]), Boundary::random([0, 1]));
    let boundary = Boundary::random([3, 4]);
    assert_eq!(Boundary::new(boundary.as_str()), Ok(boundary.clone()));
    assert_eq!(boundary.as_str().len(), "----callboard-".len() + 32);
}
