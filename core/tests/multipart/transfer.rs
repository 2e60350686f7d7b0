//! Base64 and quoted-printable parts (RFC 2045 §6.7, §6.8), decoded at any split.

use callboard_core::multipart::MultipartError;

use crate::grammar::read_as;

fn decode(encoding: &str, data: &str) -> Result<Vec<u8>, (Vec<u8>, MultipartError)> {
    let body = format!("--B\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n{data}\r\n--B--");
    let outcome = read_as("multipart/mixed; boundary=B", body.as_bytes());
    let data = outcome.parts.into_iter().next().map(|part| part.data).unwrap_or_default();
    outcome.error.map_or(Ok(data.clone()), |error| Err((data, error)))
}

#[test]
fn base64() {
    for (data, expected) in [
        ("", ""),
        ("Zg==", "f"),
        ("Zm8=", "fo"),
        ("Zm9v", "foo"),
        ("Zm9vYmFy", "foobar"),
        ("Zm\r\n9v\r\n YmE=\r\n", "fooba"),
        ("Z\r\ng\r\n=\r\n=\r\n", "f"),
    ] {
        assert_eq!(decode("BASE64", data), Ok(expected.as_bytes().to_vec()), "{data:?}");
    }
    assert_eq!(decode("base64", "/+8="), Ok(vec![0xff, 0xef]));
    for (data, before) in [
        ("Zm9vZg", "foo"),
        ("Zm9vZ", "foo"),
        ("Zm9vZg=", "foo"),
        ("Zm9v=", "foo"),
        ("Zg==Zg==", "f"),
        ("Zm8=Z", "fo"),
        ("Zm8==", "fo"),
        ("Z===", ""),
        ("====", ""),
        ("Zg=a", ""),
        ("Zm9v!", "foo"),
        ("Zm9-", ""),
    ] {
        let expected = Err((before.as_bytes().to_vec(), MultipartError::Base64Invalid));
        assert_eq!(decode("base64", data), expected, "{data:?}");
    }
}

#[test]
fn quoted_printable() {
    for (data, expected) in [
        ("", ""),
        ("abc", "abc"),
        ("a=3Db", "a=b"),
        ("=66=6f=6F", "foo"),
        ("a=\r\nb", "ab"),
        ("a= \t\r\nb", "ab"),
        ("a=\nb", "ab"),
        ("a \t\r\nb", "a\r\nb"),
        ("a \tb", "a \tb"),
        ("a\r\n\r\nb", "a\r\n\r\nb"),
        ("a\rb", "a\rb"),
        ("a \rb", "a \rb"),
        ("a\r\rb", "a\r\rb"),
        ("a \nb", "a\nb"),
        // White space and a soft line end at the very end are no content.
        ("a  ", "a"),
        ("a=", "a"),
        ("a=20", "a "),
        ("a\r", "a\r"),
        ("=E3=81=82", "\u{3042}"),
    ] {
        assert_eq!(decode("Quoted-Printable", data), Ok(expected.as_bytes().to_vec()), "{data:?}");
    }
    for (data, before) in [("ab=zz", "ab"), ("ab=4", "ab"), ("ab=4zc", "ab"), ("ab= c", "ab"), ("ab==", "ab")] {
        let expected = Err((before.as_bytes().to_vec(), MultipartError::QuotedPrintableInvalid));
        assert_eq!(decode("quoted-printable", data), expected, "{data:?}");
    }
    let spaces = " ".repeat(999);
    assert!(decode("quoted-printable", &format!("a{}b", &spaces[1..])).is_ok());
    assert!(decode("quoted-printable", &format!("a{spaces}b")).is_err());
}

#[test]
fn encodings_that_change_nothing() {
    for encoding in ["7bit", "8BIT", "binary"] {
        assert_eq!(decode(encoding, "a=3D\r\nZg=="), Ok(b"a=3D\r\nZg==".to_vec()));
    }
}
