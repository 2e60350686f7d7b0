//! Rows of the cookie cases: a jar that starts empty, or one date.

use std::time::{SystemTime, UNIX_EPOCH};

use callboard::client::Url;
use callboard::core::cookies::{Access, CookieJar, cookie_date};
use serde_json::{Value, json};

/// A text with characters below U+0100 only stands for bytes, another for itself.
fn bytes(text: &str) -> Vec<u8> {
    let bytes: Result<Vec<u8>, _> = text.chars().map(|character| u8::try_from(u32::from(character))).collect();
    bytes.unwrap_or_else(|_| text.as_bytes().to_vec())
}

fn text(bytes: Vec<u8>) -> String {
    String::from_utf8(bytes).unwrap_or_else(|error| error.as_bytes().iter().copied().map(char::from).collect())
}

/// The answer to a row.
pub(crate) fn answer(row: &Value) -> callboard::Result<Value> {
    if let Some(date) = row["date"].as_str() {
        return Ok(json!({ "id": row["id"], "epoch": cookie_date(&bytes(date)) }));
    }
    let now = SystemTime::now().duration_since(UNIX_EPOCH)?.as_secs();
    let (mut jar, mut cookies) = (CookieJar::default(), Vec::new());
    for step in row["steps"].as_array().into_iter().flatten() {
        let url = Url::parse(step[1].as_str().unwrap_or_default())?;
        if step[0] == "get" {
            cookies.push(text(jar.cookie_field(&url, Access::default(), now).unwrap_or_default()));
        }
        for field in step[2].as_array().into_iter().flatten().filter_map(Value::as_str) {
            // What is refused is not among the answers.
            let _ = jar.set_field(&bytes(field), &url, Access::default(), now);
        }
    }
    Ok(json!({ "id": row["id"], "cookies": cookies }))
}
