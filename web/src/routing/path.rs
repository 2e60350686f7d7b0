//! Paths as the router compares them.
//!
//! A path is decoded before it is matched, but for `%2F` and `%25`: so an encoded slash stays inside its segment, and
//! what is decoded later is decoded once. A path without `%` is used as it lies in the request's target.

use std::borrow::Cow;

/// The path to match, or `None` if it does not decode to UTF-8.
pub(crate) fn normalize(path: &str) -> Option<Cow<'_, str>> {
    if !path.as_bytes().contains(&b'%') {
        return Some(Cow::Borrowed(path));
    }
    let mut decoded = Vec::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = match (first, tail) {
            (b'%', [high, low, ..]) => digit(*high).zip(digit(*low)).map(|(high, low)| high << 4 | low),
            _ => None,
        };
        match (first, escaped) {
            (_, Some(byte @ (b'/' | b'%'))) => decoded.extend_from_slice(if byte == b'/' { b"%2F" } else { b"%25" }),
            (_, Some(byte)) => decoded.push(byte),
            // A percent sign that begins no escape stands for itself.
            (b'%', None) => decoded.extend_from_slice(b"%25"),
            (byte, None) => decoded.push(*byte),
        }
        rest = if escaped.is_some() { &tail[2..] } else { tail };
    }
    String::from_utf8(decoded).ok().map(Cow::Owned)
}

fn digit(character: u8) -> Option<u8> {
    (character as char).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_slash_and_percent_stay_encoded() {
        assert_eq!(normalize("/a/b").unwrap(), "/a/b");
        assert_eq!(normalize("/%61%2fb%2F%25").unwrap(), "/a%2Fb%2F%25");
        assert_eq!(normalize("/caf%C3%A9").unwrap(), "/caf\u{e9}");
        assert_eq!(normalize("/%zz%").unwrap(), "/%25zz%25");
        assert_eq!(normalize("/%2%35").unwrap(), "/%2525", "decoded once: {}", "%25 and 5");
        assert_eq!(normalize("/%ff"), None);
    }
}
