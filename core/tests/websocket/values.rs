//! Texts and close codes as values: what they equal, and how they show.

use bytes::Bytes;
use callboard_core::websocket::{CloseCode, Role, Settings, Text};

use super::side::Side;

#[test]
fn a_text_is_its_characters() {
    let text = Text::try_from(Bytes::from_static("na\u{ef}ve".as_bytes())).unwrap();
    assert!(text == "na\u{ef}ve" && text == *"na\u{ef}ve" && text != "naive" && text != *"naive");
    assert_eq!((text.as_str(), &*text, text.as_ref()), ("na\u{ef}ve", "na\u{ef}ve", "na\u{ef}ve"));
    assert_eq!(
        (text.to_string(), format!("{text:>7}"), format!("{text:?}")),
        ("na\u{ef}ve".to_owned(), "  na\u{ef}ve".to_owned(), "\"na\u{ef}ve\"".to_owned())
    );
    assert_eq!(text.as_bytes(), "na\u{ef}ve".as_bytes());
    assert!(Text::try_from(Bytes::from_static(b"\xff")).is_err());
    assert_eq!(Text::new(), Text::from(""));
}

#[test]
fn a_code_shows_as_its_number() {
    assert_eq!(
        (CloseCode::GOING_AWAY.to_string(), format!("{:?}", CloseCode::new(4000))),
        ("1001".into(), "4000".into())
    );
}

/// Mask keys that are still to come are secret (RFC 6455 section 10.3).
#[test]
fn debug_tells_no_keys() {
    let text = format!("{:?}", Side::new(Role::Client, Settings::default()).machine);
    assert!(text.contains("Some(MaskKeys)"), "{text}");
}
