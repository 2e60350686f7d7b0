//! Text in the few charsets that HTTP still meets; all others are an error that names them.

use crate::error::ErrorKind;

/// The charset that a media type names (RFC 9110 §8.3.2).
pub(crate) fn charset(media_type: &str) -> Option<&str> {
    let parameters = media_type.split(';').skip(1).filter_map(|parameter| parameter.split_once('='));
    let mut charsets = parameters.filter(|(name, _)| name.trim().eq_ignore_ascii_case("charset"));
    let value = charsets.next()?.1.trim().trim_matches('"');
    (!value.is_empty()).then_some(value)
}

pub(crate) fn decode(body: &[u8], charset: Option<&str>) -> Result<String, ErrorKind> {
    let name = charset.unwrap_or("utf-8").to_ascii_lowercase();
    match name.as_str() {
        "utf-8" | "utf8" => {
            let body = body.strip_prefix("\u{feff}".as_bytes()).unwrap_or(body);
            std::str::from_utf8(body).map(str::to_owned).map_err(|_| ErrorKind::Text)
        }
        "us-ascii" | "ascii" if body.is_ascii() => Ok(body.iter().copied().map(char::from).collect()),
        "us-ascii" | "ascii" => Err(ErrorKind::Text),
        "iso-8859-1" | "latin1" => Ok(body.iter().copied().map(char::from).collect()),
        _ => Err(ErrorKind::Charset(name.into())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn charsets_of_media_types() {
        let rows = [
            ("text/plain; charset=utf-8", Some("utf-8")),
            ("text/html;level=1; Charset=\"ISO-8859-1\"", Some("ISO-8859-1")),
            ("text/plain", None),
            ("text/plain; charset=", None),
            ("charset=utf-8", None),
        ];
        for (media_type, expected) in rows {
            assert_eq!(charset(media_type), expected, "{media_type}");
        }
    }

    #[test]
    fn bodies() {
        assert_eq!(decode("\u{feff}n\u{e9}".as_bytes(), None).unwrap(), "n\u{e9}");
        assert_eq!(decode(b"n\xe9", Some("ISO-8859-1")).unwrap(), "n\u{e9}");
        assert_eq!(decode(b"abc", Some("us-ascii")).unwrap(), "abc");
        assert!(matches!(decode(b"n\xe9", None), Err(ErrorKind::Text)));
        assert!(matches!(decode(b"n\xe9", Some("ascii")), Err(ErrorKind::Text)));
        assert!(matches!(decode(b"x", Some("koi8-r")), Err(ErrorKind::Charset(_))));
    }
}
