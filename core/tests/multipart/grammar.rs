//! RFC 2046 §5.1.1 and RFC 7578, line by line. Each case is read whole, byte by byte, and cut in two at every place.

use callboard_core::media_type::MediaType;
use callboard_core::multipart::{MultipartError, MultipartLimits};

use crate::run::{Cut, Outcome, run};

pub(crate) fn read_as(media_type: &str, body: &[u8]) -> Outcome {
    let media_type = MediaType::parse(media_type.as_bytes()).expect("a media type");
    let limits = MultipartLimits::default();
    let whole = run(&media_type, &limits, body, Cut::Whole);
    assert_eq!(run(&media_type, &limits, body, Cut::Bytes), whole, "{:?}", body.escape_ascii().to_string());
    for place in 0..=body.len() {
        assert_eq!(run(&media_type, &limits, body, Cut::At(place)), whole, "cut at {place}");
    }
    whole
}

fn form(body: &str) -> Outcome {
    read_as("multipart/form-data; boundary=B", body.as_bytes())
}

fn mixed(body: &str) -> Outcome {
    read_as("multipart/mixed; boundary=B", body.as_bytes())
}

/// The data of the parts of a good body.
fn data(outcome: &Outcome) -> Vec<&[u8]> {
    assert_eq!(outcome.error, None);
    outcome.parts.iter().map(|part| &part.data[..]).collect()
}

#[test]
fn the_example_of_rfc_2046() {
    let body = "This is the preamble.  It is to be ignored, though it\r\n\
        is a handy place for composition agents to include an\r\n\
        explanatory note to non-MIME conformant readers.\r\n\
        \r\n\
        --simple boundary\r\n\
        \r\n\
        This is implicitly typed plain US-ASCII text.\r\n\
        It does NOT end with a linebreak.\r\n\
        --simple boundary\r\n\
        Content-type: text/plain; charset=us-ascii\r\n\
        \r\n\
        This is explicitly typed plain US-ASCII text.\r\n\
        It DOES end with a linebreak.\r\n\
        \r\n\
        --simple boundary--\r\n\
        \r\n\
        This is the epilogue.  It is also to be ignored.\r\n";
    let outcome = read_as("multipart/mixed; boundary=\"simple boundary\"", body.as_bytes());
    let [one, two] = &outcome.parts[..] else { panic!("{outcome:?}") };
    assert!(one.head.headers().is_empty());
    assert!(one.data.ends_with(b"\r\nIt does NOT end with a linebreak."));
    assert!(two.data.ends_with(b"It DOES end with a linebreak.\r\n"));
    assert_eq!(two.head.media_type().and_then(MediaType::charset), Some("us-ascii"));
}

/// RFC 7578 §4.2 to §4.6: a field in another charset, several files of one field, and a charset for all.
#[test]
fn the_examples_of_rfc_7578() {
    let body = "--AaB03x\r\n\
        content-disposition: form-data; name=\"field1\"\r\n\
        content-type: text/plain;charset=UTF-8\r\n\
        content-transfer-encoding: quoted-printable\r\n\
        \r\n\
        Joe owes =E2=82=AC100.\r\n\
        --AaB03x\r\n\
        content-disposition: form-data; name=\"_charset_\"\r\n\
        \r\n\
        iso-8859-1\r\n\
        --AaB03x\r\n\
        content-disposition: form-data; name=\"files\"; filename=\"one%0D%0A%22.txt\"\r\n\
        \r\n\
        1\r\n\
        --AaB03x\r\n\
        content-disposition: form-data; name=\"files\"; filename=\"two.txt\"\r\n\
        content-type: text/plain\r\n\
        \r\n\
        2\r\n\
        --AaB03x--\r\n";
    let outcome = read_as("multipart/form-data; boundary=AaB03x", body.as_bytes());
    assert_eq!(data(&outcome), ["Joe owes \u{20ac}100.", "iso-8859-1", "1", "2"].map(str::as_bytes));
    assert_eq!(outcome.charset.as_deref(), Some("iso-8859-1"));
    let names: Vec<_> = outcome.parts.iter().map(|part| (part.head.name(), part.head.filename())).collect();
    assert_eq!(names[0], (Some("field1"), None));
    assert_eq!(names[2..], [(Some("files"), Some("one\r\n\".txt")), (Some("files"), Some("two.txt"))]);
    let media_type = outcome.parts[0].head.media_type().expect("a media type");
    assert_eq!(media_type.charset(), Some("UTF-8"));
    assert_eq!(outcome.parts[2].head.media_type(), None, "RFC 7578 section 4.4: then it is text/plain");
}

#[test]
fn parts_that_are_almost_nothing() {
    assert_eq!(data(&mixed("--B--")), Vec::<&[u8]>::new());
    assert_eq!(data(&mixed("--B--\r\n")), Vec::<&[u8]>::new());
    assert_eq!(data(&mixed("\r\n--B--\r\nepilogue")), Vec::<&[u8]>::new());
    // Fields, an empty line, no data: with its own line end before the delimiter, or sharing the empty line's.
    assert_eq!(data(&mixed("--B\r\nA: b\r\n\r\n\r\n--B--")), [b""]);
    assert_eq!(data(&mixed("--B\r\nA: b\r\n\r\n--B--")), [b""]);
    assert_eq!(data(&mixed("--B\r\n\r\n--B\r\n\r\n\r\n--B--")), [b"", b""]);
}

#[test]
fn data_that_is_almost_a_delimiter() {
    for text in [
        "\r",
        "\n",
        "\r\n",
        "\r\r\n\n",
        "\r\n-",
        "\r\n--",
        "\r\r\n--",
        "\r\n\r\n--",
        "-",
        "--",
        "--C",
        "-B",
        "x--B--",
        "\n--B",
        "\r--B",
        "\r\n--b",
        "\r\n-\r\n--\r\n--\r",
        "a\r\n--\r\n-B\r\n--",
    ] {
        let outcome = mixed(&format!("--B\r\n\r\n{text}\r\n--B\r\n\r\n{text}\r\n--B--\r\n"));
        assert_eq!(data(&outcome), [text.as_bytes(), text.as_bytes()], "{text:?}");
    }
}

#[test]
fn a_long_boundary_with_a_repeating_beginning() {
    let boundary = "-".repeat(69) + "B";
    let delimiter = format!("\r\n--{boundary}");
    for length in 0..delimiter.len() {
        let text = format!("{}\r\nx{}", &delimiter[..length], &delimiter[..length]);
        let body = format!("--{boundary}\r\n\r\n{text}{delimiter}--");
        let outcome = read_as(&format!("multipart/mixed; boundary={boundary}"), body.as_bytes());
        assert_eq!(data(&outcome), [text.as_bytes()], "{length}");
    }
}

#[test]
fn what_follows_a_delimiter_on_its_line() {
    assert_eq!(data(&mixed("--B \t \r\n\r\nx\r\n--B--\t \r\n")), [b"x"]);
    assert_eq!(data(&mixed("--B\r\n\r\nx\r\n--B--   ")), [b"x"]);
    for body in [
        "--Bzz\r\n\r\nx\r\n--B--",
        "--B\r\n\r\nx\r\n--Bzz\r\ny\r\n--B--",
        "--B\r\n\r\nx\r\n--B-\r\ny\r\n--B--",
        "--B\r\n\r\nx\r\n--B--zz",
        "--B\r\n\r\nx\r\n--B--\rz",
        "--B\r\n\r\nx\r\n--B--\r",
        "--B\r\n\r\nx\r\n--B- -\r\n",
        "--B\r\n\r\nx\r\n--B --\r\n",
        "--B\n\r\nx\r\n--B--",
        "--B\r\n\r\nx\r\n--B--\n",
        "--B\r\r\n\r\nx\r\n--B--",
    ] {
        assert_eq!(mixed(body).error, Some(MultipartError::DelimiterInvalid), "{body:?}");
    }
}

/// A reader that takes a bare LF for a line end sees other parts than one that does not.
#[test]
fn a_bare_line_feed_ends_nothing() {
    assert_eq!(form("--B\nContent-Disposition: x\n\nx\n--B--\n").error, Some(MultipartError::DelimiterInvalid));
    assert_eq!(form("\n--B\r\n\r\nx\r\n--B--").error, None, "the preamble is no part");
    assert_eq!(form("\n--B\r\n\r\nx\r\n--B--").parts.len(), 0);
    assert_eq!(data(&mixed("--B\r\n\r\nx\n--B--\ny\r\n--B--")), [b"x\n--B--\ny"]);
    assert_eq!(mixed("--B\r\nA: b\n\r\nx\r\n--B--").error, Some(MultipartError::FieldValue));
    assert_eq!(mixed("--B\r\nA: b\n\n\r\n\r\nx\r\n--B--").error, Some(MultipartError::FieldValue));
    assert_eq!(mixed("--B\r\nA: b\r\n\nx\r\n--B--").error, Some(MultipartError::FieldValue));
}

#[test]
fn bodies_that_end_too_early() {
    use MultipartError::{CutInHead, CutInPart, DelimiterMissing};
    for (body, error) in [
        ("", DelimiterMissing),
        ("\r\n", DelimiterMissing),
        ("no delimiter", DelimiterMissing),
        ("x--B--", DelimiterMissing),
        ("--", DelimiterMissing),
        ("--B", CutInHead),
        ("--B-", CutInHead),
        ("--B \r", CutInHead),
        ("--B\r\n", CutInHead),
        ("--B\r\nA: b", CutInHead),
        ("--B\r\nA: b\r\n", CutInHead),
        ("--B\r\nA: b\r\n\r", CutInHead),
        ("--B\r\nA: b\r\n\r\n", CutInPart),
        ("--B\r\n\r\nx", CutInPart),
        ("--B\r\n\r\nx\r\n--", CutInPart),
        ("--B\r\n\r\nx\r\n--B", CutInHead),
        ("--B\r\n\r\nx\r\n--B\r\n", CutInHead),
    ] {
        assert_eq!(mixed(body).error, Some(error), "{body:?}");
    }
    let outcome = mixed("--B\r\n\r\nx");
    assert!(!outcome.parts[0].is_complete);
}

#[test]
fn fields_of_a_part() {
    let outcome = mixed("--B\r\ncontent-TYPE:text/plain\r\nX-A:  b \r\nX-A: c\r\nX-Empty:\r\n\r\nx\r\n--B--");
    let head = &outcome.parts[0].head;
    assert_eq!(head.headers().len(), 4);
    assert_eq!(head.headers().text("x-a"), Some("b"));
    assert_eq!(head.headers().text("X-Empty"), Some(""));
    assert_eq!(head.media_type().map(MediaType::essence), Some("text/plain"));
    // RFC 5322 §2.2.3: a line that begins with white space continues the one before.
    let folded = form("--B\r\nContent-Disposition: form-data;\r\n\tname=\"a\";\r\n  filename=f\r\n\r\nx\r\n--B--");
    let head = &folded.parts[0].head;
    assert_eq!((head.name(), head.filename()), (Some("a"), Some("f")));
}

#[test]
fn fields_that_are_none() {
    use MultipartError::{FieldName, FieldRepeated, FieldValue, LengthInvalid, TransferEncodingUnknown};
    for (fields, error) in [
        ("garbage", FieldName),
        (" A: b", FieldName),
        ("A : b", FieldName),
        (": b", FieldName),
        ("A b: c", FieldName),
        ("--B", FieldName),
        ("\u{e9}: b", FieldName),
        ("A: b\rC: d", FieldValue),
        ("A: \0", FieldValue),
        ("A: b\r", FieldValue),
        ("Content-Type: a/b\r\ncontent-type: c/d", FieldRepeated),
        ("Content-Disposition: form-data; name=a\r\nContent-Disposition: form-data; name=b", FieldRepeated),
        ("Content-Length: 1\r\nContent-Length: 1", FieldRepeated),
        ("Content-Transfer-Encoding: base64\r\nContent-Transfer-Encoding: binary", FieldRepeated),
        ("Content-Transfer-Encoding: x-uuencode", TransferEncodingUnknown),
        ("Content-Transfer-Encoding:", TransferEncodingUnknown),
        ("Content-Length: +1", LengthInvalid),
        ("Content-Length: 1 ; a", LengthInvalid),
        ("Content-Length:", LengthInvalid),
    ] {
        let body = format!("--B\r\n{fields}\r\n\r\nx\r\n--B--");
        assert_eq!(mixed(&body).error, Some(error), "{fields:?}");
    }
}

#[test]
fn names_as_browsers_write_them() {
    let named = |parameters: &str| {
        let body = format!("--B\r\nContent-Disposition: form-data; {parameters}\r\n\r\nx\r\n--B--");
        let head = form(&body).parts.remove(0).head;
        (head.name().map(str::to_owned), head.filename().map(str::to_owned))
    };
    for (parameters, name, filename) in [
        ("name=\"a\"", Some("a"), None),
        ("name=a; filename=b", Some("a"), Some("b")),
        ("name=\"\"; filename=\"\"", Some(""), Some("")),
        ("filename=b", None, Some("b")),
        ("name=\"a%22b%0D%0Ac%0a%zz%\"", Some("a\"b\r\nc\n%zz%"), None),
        ("name=\"100%\"; filename=\"50%25\"", Some("100%"), Some("50%25")),
        (r#"name="a\"b"; filename="C:\dir\f.txt""#, Some("a\"b"), Some(r"C:\dir\f.txt")),
        ("name=a; filename=\"\u{3042}.txt\"", Some("a"), Some("\u{3042}.txt")),
        ("name=a; filename=old; filename*=UTF-8''%E3%81%82", Some("a"), Some("\u{3042}")),
        // In two ways: not at all.
        ("name=a; name=b", None, None),
        ("name=\"a\"b; filename=c", None, Some("c")),
    ] {
        let expected = (name.map(str::to_owned), filename.map(str::to_owned));
        assert_eq!(named(parameters), expected, "{parameters}");
    }
}

/// RFC 7578 §4.6.
#[test]
fn a_form_names_the_charset_of_its_fields() {
    let field =
        |name: &str, value: &str| format!("--B\r\nContent-Disposition: form-data; name={name}\r\n\r\n{value}\r\n");
    let outcome = form(&(field("_charset_", "iso-8859-1") + &field("_charset_", "utf-8") + "--B--"));
    assert_eq!(outcome.charset.as_deref(), Some("iso-8859-1"));
    assert_eq!(outcome.parts.len(), 2, "the field itself is a part like others");
    assert_eq!(form(&(field("_charset_", "") + "--B--")).charset, None);
    assert_eq!(form(&(field("charset", "latin1") + "--B--")).charset, None);
    let longest = "x".repeat(31);
    assert_eq!(form(&(field("_charset_", &longest) + "--B--")).charset, Some(longest.clone()));
    let outcome = form(&(field("_charset_", &(longest + "y")) + "--B--"));
    assert_eq!(outcome.error, Some(MultipartError::CharsetInvalid));
    let outcome = mixed(&(field("_charset_", "latin1") + "--B--"));
    assert_eq!(outcome.charset, None, "only in forms");
}

#[test]
fn a_length_of_a_part_is_checked_but_in_forms_it_means_nothing() {
    let body = |length: &str| format!("--B\r\nContent-Length: {length}\r\n\r\nabc\r\n--B--");
    assert_eq!(data(&mixed(&body("3"))), [b"abc"]);
    for length in ["0", "2", "4", "8", "99"] {
        assert_eq!(mixed(&body(length)).error, Some(MultipartError::LengthMismatch), "{length}");
        assert_eq!(data(&form(&body(length))), [b"abc"], "{length}");
    }
    assert_eq!(mixed(&body("2")).parts[0].data, b"ab");
    assert_eq!(data(&form(&body("x"))), [b"abc"]);
}

#[test]
fn boundaries_of_media_types() {
    use MultipartError::{BoundaryInvalid, BoundaryMissing, BoundaryRepeated, NotMultipart};
    let longest = "b".repeat(70);
    for (boundary, error) in [
        ("", Some(BoundaryMissing)),
        ("; boundary=", Some(BoundaryMissing)),
        ("; boundary=\"\"", Some(BoundaryInvalid)),
        ("; boundary=\"B\"x", Some(BoundaryMissing)),
        ("; boundary=B; boundary=B", Some(BoundaryRepeated)),
        ("; boundary=B; Boundary=C", Some(BoundaryRepeated)),
        ("; boundary=\"B \"", Some(BoundaryInvalid)),
        ("; boundary=B@", Some(BoundaryInvalid)),
        ("; boundary=\"\u{e9}\"", Some(BoundaryInvalid)),
        ("; BOUNDARY=\"'()+_,-./:=? z\"", None),
        ("; charset=utf-8; boundary = a/b:c=d", None),
    ] {
        let media_type = MediaType::parse(format!("multipart/form-data{boundary}").as_bytes()).unwrap();
        let outcome = run(&media_type, &MultipartLimits::default(), b"", Cut::Whole);
        assert_eq!(outcome.error, error.or(Some(MultipartError::DelimiterMissing)), "{boundary}");
    }
    assert_eq!(
        read_as(&format!("multipart/mixed; boundary={longest}"), format!("--{longest}--").as_bytes()).error,
        None
    );
    let outcome = read_as(&format!("multipart/mixed; boundary={longest}b"), b"");
    assert_eq!(outcome.error, Some(BoundaryInvalid));
    assert_eq!(read_as("text/plain; boundary=B", b"--B--").error, Some(NotMultipart));
    assert_eq!(NotMultipart.status().code(), 415);
    assert_eq!(BoundaryInvalid.status().code(), 400);
    assert_eq!(MultipartError::BodyTooLarge.status().code(), 413);
}
