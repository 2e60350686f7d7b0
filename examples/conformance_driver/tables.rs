//! What callboard answers to each operation of the table cases: one function per operation.
//!
//! The driver program and `tests/conformance.rs` share this file, so that both are held to the same answers.

use callboard::client::Url;
use callboard::core::authentication::parse_challenges;
use callboard::core::digest::{self, Algorithm, PasswordHash, Proof, Quality};
use callboard::core::disposition::Disposition;
use callboard::core::fields::AcceptEncoding;
use callboard::core::media_type::MediaType;
use callboard::core::multipart::{Event, MultipartLimits, Reader};
use callboard::core::proxy::NoProxy;
use serde_json::{Value, json};

/// The answer to a row, without its id. None: the operation is not built.
pub(crate) fn table(operation: &str, input: &Value) -> Option<Value> {
    match operation {
        "digest" => Some(digest(input)),
        "digest-challenge" => Some(digest_challenge(input)),
        "disposition" => Some(disposition(input)),
        "encoding" => Some(encoding(input)),
        "multipart" => Some(multipart(input)),
        "no-proxy" => Some(no_proxy(input)),
        "resolve" => Some(resolve(input)),
        "safe-filename" => Some(safe_filename(input)),
        _ => None,
    }
}

fn text<'a>(input: &'a Value, name: &str) -> &'a str {
    input[name].as_str().unwrap_or_default()
}

fn error(error: impl std::fmt::Display) -> Value {
    json!({ "error": error.to_string() })
}

fn disposition(input: &Value) -> Value {
    match Disposition::parse(text(input, "value").as_bytes()) {
        Ok(disposition) => json!({ "type": disposition.kind(), "filename": disposition.filename() }),
        Err(invalid) => error(invalid),
    }
}

/// Without the field anything would do; no coding is what every client takes.
fn encoding(input: &Value) -> Value {
    let available: Vec<_> = input["available"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
    let chosen = match input["accept_encoding"].as_str() {
        Some(field) => AcceptEncoding::parse([field.as_bytes()]).choose(&available),
        None => Some("identity"),
    };
    json!({ "coding": chosen.unwrap_or("406") })
}

fn safe_filename(input: &Value) -> Value {
    let disposition = Disposition::parse(text(input, "value").as_bytes());
    json!({ "filename": disposition.ok().and_then(|disposition| disposition.safe_filename()) })
}

/// Text in which each character is a byte.
fn bytes(text: &str) -> Vec<u8> {
    text.chars().filter_map(|character| u8::try_from(u32::from(character)).ok()).collect()
}

fn multipart(input: &Value) -> Value {
    parts(text(input, "content_type"), bytes(text(input, "body"))).unwrap_or_else(error)
}

fn parts(content_type: &str, body: Vec<u8>) -> Result<Value, Box<dyn std::error::Error>> {
    let mut reader = Reader::new(&MediaType::parse(content_type.as_bytes())?, MultipartLimits::default())?;
    reader.handle_input(body.into());
    reader.handle_end_of_input();
    let (mut parts, mut data) = (Vec::new(), String::new());
    while let Some(event) = reader.poll_event()? {
        match event {
            Event::Part(head) => parts.push(json!({
                "name": head.name(),
                "filename": head.filename(),
                "content_type": head.headers().text("Content-Type"),
            })),
            Event::Data(bytes) => data.extend(bytes.iter().copied().map(char::from)),
            Event::PartEnd => {
                if let Some(part) = parts.last_mut() {
                    part["body"] = std::mem::take(&mut data).into();
                }
            }
            Event::End => {}
        }
    }
    Ok(json!({ "parts": parts }))
}

fn resolve(input: &Value) -> Value {
    match Url::parse(text(input, "base")).and_then(|base| base.join(text(input, "ref"))) {
        Ok(url) => json!({ "url": url.as_str() }),
        Err(invalid) => error(invalid),
    }
}

fn digest(input: &Value) -> Value {
    let algorithm = Algorithm::from_name(text(input, "algorithm").as_bytes());
    let Some(algorithm) = algorithm else { return error("no algorithm") };
    let part = |name: &str| text(input, name).as_bytes();
    let secret = PasswordHash::new(algorithm.hash, part("username"), part("realm"), part("password"));
    let proof = Proof {
        nonce: part("nonce"),
        client_nonce: part("cnonce"),
        nonce_count: part("nc"),
        quality: Quality::from_name(part("qop")),
        method: text(input, "method"),
        target: part("uri"),
        body: part("body"),
    };
    json!({ "response": digest::response(algorithm, &secret, &proof) })
}

fn digest_challenge(input: &Value) -> Value {
    let fields = input["www_authenticate"].as_array().into_iter().flatten().filter_map(Value::as_str);
    let challenges: Vec<_> = fields.filter_map(|field| parse_challenges(field.as_bytes()).ok()).flatten().collect();
    match digest::choose(&challenges, true) {
        Ok(chosen) => json!({ "algorithm": chosen.algorithm().name() }),
        Err(refusal) => error(refusal),
    }
}

fn no_proxy(input: &Value) -> Value {
    let Ok(url) = Url::parse(text(input, "url")) else { return error("no URL") };
    let (host, port) = (url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default());
    json!({ "direct": NoProxy::parse(text(input, "no_proxy")).fits(host, port) })
}
