//! The opening handshake: RFC 6455 §1.2's example, what each side refuses, and the negotiation of subprotocols.

use callboard_core::websocket::Settings;
use callboard_core::websocket::handshake::{ClientHandshake, HandshakeError as E, ServerHandshake};
use callboard_core::{Headers, Method, Status, Version};

fn headers(fields: &[(&str, &str)]) -> Headers {
    let mut headers = Headers::new();
    for (name, value) in fields {
        headers.append(name, value).unwrap();
    }
    headers
}

const REQUEST: [(&str, &str); 6] = [
    ("Upgrade", "websocket"),
    ("Connection", "keep-alive, Upgrade"),
    ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ=="),
    ("Origin", "http://example.com"),
    ("Sec-WebSocket-Protocol", "chat, superchat"),
    ("Sec-WebSocket-Version", "13"),
];

fn read(headers: &Headers) -> Result<ServerHandshake, E> {
    ServerHandshake::read(&Method::Get, Version::Http11, headers)
}

#[test]
fn the_example_of_the_rfc() {
    let handshake = read(&headers(&REQUEST)).unwrap();
    assert_eq!(handshake.origin(), Some("http://example.com"));
    assert_eq!(handshake.protocols().collect::<Vec<_>>(), ["chat", "superchat"]);
    let (answer, agreement) = handshake.accept(Some("chat"), &Settings::default());
    assert_eq!(answer.get("Sec-WebSocket-Accept"), Some(&b"s3pPLMBiTxaQ9kYGzzhZRbK+xOo="[..]));
    assert_eq!(answer.get("Sec-WebSocket-Protocol"), Some(&b"chat"[..]));
    assert!(answer.has_token("Upgrade", "websocket") && answer.has_token("Connection", "upgrade"));
    assert!(!answer.contains("Sec-WebSocket-Extensions"));
    assert_eq!(agreement.protocol.as_deref(), Some("chat"));
    let (answer, agreement) = handshake.accept(Some("other"), &Settings::default());
    assert_eq!((answer.get("Sec-WebSocket-Protocol"), agreement.protocol), (None, None));
}

#[test]
fn a_server_refuses_what_is_no_handshake() {
    let cases: [(&str, Option<&str>, E, u16); 22] = [
        ("Upgrade", None, E::UpgradeMissing, 426),
        ("Upgrade", Some("h2c"), E::UpgradeMissing, 426),
        ("Connection", None, E::ConnectionMissing, 400),
        ("Connection", Some("keep-alive"), E::ConnectionMissing, 400),
        ("Sec-WebSocket-Key", None, E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some(""), E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ"), E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ==="), E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25j"), E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQ==AAAAAAAAAAAAAAAAAAAAAAAAA"), E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25j*Q=="), E::KeyInvalid, 400),
        ("Sec-WebSocket-Key", Some("dGhlIHNhbXBsZSBub25jZQQ="), E::KeyInvalid, 400),
        ("Sec-WebSocket-Version", None, E::ProtocolVersionUnsupported, 426),
        ("Sec-WebSocket-Version", Some("8"), E::ProtocolVersionUnsupported, 426),
        ("Sec-WebSocket-Version", Some("13, 8"), E::ProtocolVersionUnsupported, 426),
        ("Sec-WebSocket-Version", Some("+13"), E::ProtocolVersionUnsupported, 426),
        ("Sec-WebSocket-Protocol", Some("chat, chat"), E::ProtocolsInvalid, 400),
        ("Sec-WebSocket-Protocol", Some("a b"), E::ProtocolsInvalid, 400),
        ("Sec-WebSocket-Extensions", Some("x; ="), E::ExtensionsInvalid, 400),
        ("Sec-WebSocket-Extensions", Some("x;; y"), E::ExtensionsInvalid, 400),
        ("Sec-WebSocket-Extensions", Some("x; y=\"not a token\""), E::ExtensionsInvalid, 400),
        ("Sec-WebSocket-Extensions", Some("x; y=\"open"), E::ExtensionsInvalid, 400),
    ];
    for (name, value, error, status) in cases {
        let mut request = headers(&REQUEST);
        request.remove(name);
        if let Some(value) = value {
            request.append(name, value).unwrap();
        }
        let refusal = read(&request).unwrap_err();
        assert_eq!((refusal, refusal.status().code()), (error, status), "{name}: {value:?}");
        if status == 426 {
            assert_eq!(refusal.headers().get("Sec-WebSocket-Version"), Some(&b"13"[..]));
            assert!(refusal.headers().has_token("Upgrade", "websocket"));
        }
    }
    let request = headers(&REQUEST);
    let refusal = ServerHandshake::read(&Method::Post, Version::Http11, &request).unwrap_err();
    assert_eq!((refusal, refusal.status().code()), (E::MethodInvalid, 405));
    assert_eq!(refusal.headers().get("Allow"), Some(&b"GET"[..]));
    let refusal = ServerHandshake::read(&Method::Get, Version::Http10, &request).unwrap_err();
    assert_eq!(refusal, E::VersionTooOld);
    for (name, value, error) in [
        ("Sec-WebSocket-Key", "dGhlIHNhbXBsZSBub25jZQ==", E::KeyInvalid),
        ("Sec-WebSocket-Version", "13", E::ProtocolVersionUnsupported),
        ("Sec-WebSocket-Protocol", "more, chat", E::ProtocolsInvalid),
    ] {
        let mut twice = headers(&REQUEST);
        twice.append(name, value).unwrap();
        assert_eq!(read(&twice).unwrap_err(), error);
    }
}

/// RFC 6455 §4.1, item 7 has a key whose last digit says more than sixteen bytes; it is a key all the same.
#[test]
fn the_key_in_the_text_of_the_rfc_is_one() {
    let mut request = headers(&REQUEST);
    request.set("Sec-WebSocket-Key", "AQIDBAUGBwgJCgsMDQ4PEC==").unwrap();
    assert!(read(&request).is_ok());
}

/// Fields that may come in several lines make one list.
#[test]
fn lists_may_come_in_several_lines() {
    let mut request = headers(&REQUEST);
    request.set("Connection", "keep-alive").unwrap();
    request.append("Connection", "x, upgrade").unwrap();
    request.set("Upgrade", "h2c").unwrap();
    request.append("Upgrade", "websocket").unwrap();
    request.append("Sec-WebSocket-Protocol", ", third ,").unwrap();
    let handshake = read(&request).unwrap();
    assert_eq!(handshake.protocols().collect::<Vec<_>>(), ["chat", "superchat", "third"]);
}

/// Whoever looks at the origin must not take a broken one for none.
#[test]
fn an_origin_that_cannot_be_read_is_nobodys() {
    let mut request = headers(&REQUEST);
    request.set("Origin", b"http://\xff").unwrap();
    assert_eq!(read(&request).unwrap().origin(), Some("null"));
    request.set("Origin", "http://a").unwrap();
    request.append("Origin", "http://b").unwrap();
    assert_eq!(read(&request).unwrap().origin(), Some("null"));
    request.remove("Origin");
    assert_eq!(read(&request).unwrap().origin(), None);
}

#[test]
fn many_subprotocols_are_read_in_order() {
    let names: Vec<String> = (0..10_000).map(|number| format!("p{number}")).collect();
    let mut request = headers(&REQUEST);
    request.set("Sec-WebSocket-Protocol", names.join(",")).unwrap();
    assert_eq!(read(&request).unwrap().protocols().collect::<Vec<_>>(), names);
}

#[test]
fn names_and_tokens_compare_without_case() {
    let mut request = headers(&REQUEST);
    request.set("upgrade", "h2c, WebSocket").unwrap();
    request.set("CONNECTION", "UPGRADE").unwrap();
    assert!(read(&request).is_ok());
}

#[test]
fn a_client_asks_afresh_and_checks_the_answer() {
    let settings = Settings::default();
    let client = ClientHandshake::new([1, 2], &["chat", "not a token", "chat", "x"], &settings);
    assert_eq!(client.headers().get("Sec-WebSocket-Protocol"), Some(&b"chat, x"[..]));
    let other = ClientHandshake::new([1, 3], &[], &settings);
    assert_ne!(client.headers().get("Sec-WebSocket-Key"), other.headers().get("Sec-WebSocket-Key"));
    assert!(!other.headers().contains("Sec-WebSocket-Protocol"));

    let (good, _) = read(client.headers()).unwrap().accept(Some("x"), &settings);
    let switching = Status::SWITCHING_PROTOCOLS;
    assert_eq!(client.check(switching, &good).unwrap().protocol.as_deref(), Some("x"));
    assert_eq!(client.check(Status::OK, &good), Err(E::StatusUnexpected));
    assert_eq!(other.check(switching, &good), Err(E::AcceptInvalid), "the answer to another key");
    let cases: [(&str, Option<&str>, E); 13] = [
        ("Upgrade", None, E::UpgradeMissing),
        ("Connection", Some("keep-alive"), E::ConnectionMissing),
        ("Sec-WebSocket-Accept", Some(""), E::AcceptInvalid),
        ("Sec-WebSocket-Protocol", Some(""), E::ProtocolUnasked),
        ("Sec-WebSocket-Protocol", Some("X"), E::ProtocolUnasked),
        ("Sec-WebSocket-Extensions", Some("x;"), E::ExtensionsInvalid),
        ("Upgrade", Some("h2c"), E::UpgradeMissing),
        ("Connection", None, E::ConnectionMissing),
        ("Sec-WebSocket-Accept", None, E::AcceptInvalid),
        ("Sec-WebSocket-Accept", Some("s3pPLMBiTxaQ9kYGzzhZRbK+xOo="), E::AcceptInvalid),
        ("Sec-WebSocket-Protocol", Some("other"), E::ProtocolUnasked),
        ("Sec-WebSocket-Protocol", Some("chat, x"), E::ProtocolUnasked),
        ("Sec-WebSocket-Extensions", Some("permessage-deflate"), E::ExtensionUnasked),
    ];
    for (name, value, error) in cases {
        let mut answer = good.clone();
        answer.remove(name);
        if let Some(value) = value {
            answer.append(name, value).unwrap();
        }
        assert_eq!(client.check(switching, &answer), Err(error), "{name}: {value:?}");
    }
    // What may be said once only, said twice; and a choice where there was none to make.
    for (name, error) in [("Sec-WebSocket-Accept", E::AcceptInvalid), ("Sec-WebSocket-Protocol", E::ProtocolUnasked)] {
        let mut answer = good.clone();
        answer.append(name, good.get(name).unwrap()).unwrap();
        assert_eq!(client.check(switching, &answer), Err(error), "{name} twice");
    }
    let (mut answer, _) = read(other.headers()).unwrap().accept(None, &settings);
    assert_eq!(other.check(switching, &answer).unwrap().protocol, None);
    answer.append("Sec-WebSocket-Protocol", "x").unwrap();
    assert_eq!(other.check(switching, &answer), Err(E::ProtocolUnasked));
}

#[test]
fn a_renewed_handshake_has_another_key_and_takes_only_its_answer() {
    let settings = Settings::default();
    let mut client = ClientHandshake::new([1, 2], &["chat"], &settings);
    let (first, _) = read(client.headers()).unwrap().accept(Some("chat"), &settings);
    let key = client.headers().text("Sec-WebSocket-Key").unwrap().to_owned();
    client.renew([3, 4]);
    assert_ne!(client.headers().text("Sec-WebSocket-Key"), Some(&*key));
    assert_eq!(client.headers().get_all("Sec-WebSocket-Key").count(), 1);
    let (second, _) = read(client.headers()).unwrap().accept(Some("chat"), &settings);
    assert_eq!(client.check(Status::SWITCHING_PROTOCOLS, &first).unwrap_err(), E::AcceptInvalid);
    assert_eq!(client.check(Status::SWITCHING_PROTOCOLS, &second).unwrap().protocol.as_deref(), Some("chat"));
}
