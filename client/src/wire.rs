//! The fields of a request as they go out: `Host` first, then the user's, the session's, and what is generated.

use callboard_core::{Headers, InvalidHeader, Version, header};

use crate::location;
use crate::order::Order;
use crate::settings::Settings;

/// Whether the fields depend on nothing but the origin and the session.
pub(crate) fn is_plain(order: &Order, settings: &Settings) -> bool {
    #[cfg(feature = "compression")]
    if order.decodes != settings.decodes {
        return false;
    }
    #[cfg(not(feature = "compression"))]
    let _ = settings;
    order.headers.is_empty()
        && order.pass.field().is_none()
        && order.body.media_type.is_none()
        && order.version == Version::Http11
        && !order.waits()
}

/// A field of the user replaces all others of its name; framing fields are the machine's. `cookies` is the value of
/// `Cookie` where it is not the user's alone.
pub(crate) fn headers(order: &Order, settings: &Settings, cookies: Option<&[u8]>) -> Result<Headers, InvalidHeader> {
    let own = &order.headers;
    let mut headers = Headers::new();
    match own.get(header::HOST) {
        Some(host) => headers.append(header::HOST, host)?,
        None => headers.append(header::HOST, location::authority(&order.url))?,
    }
    let is_made = |name: &str| {
        name.eq_ignore_ascii_case(header::HOST) || cookies.is_some() && name.eq_ignore_ascii_case(header::COOKIE)
    };
    let pass = order.pass.field().filter(|_| !own.contains(header::AUTHORIZATION));
    for (name, value) in own {
        if !is_made(name) {
            headers.append(name, value)?;
        }
    }
    if let Some(pass) = pass {
        headers.append(header::AUTHORIZATION, pass)?;
    }
    let is_replaced = |name: &str| pass.is_some() && name.eq_ignore_ascii_case(header::AUTHORIZATION);
    for (name, value) in &settings.headers {
        if !own.contains(name) && !is_made(name) && !is_replaced(name) {
            headers.append(name, value)?;
        }
    }
    if let Some(cookies) = cookies {
        headers.append(header::COOKIE, cookies)?;
    }
    let mut generate = |name: &str, value: &str| {
        if headers.contains(name) { Ok(()) } else { headers.append(name, value) }
    };
    generate(header::ACCEPT, "*/*")?;
    // Ranges are of the representation as it is coded (RFC 9110 §14.2): part of one cannot be decoded.
    #[cfg(feature = "compression")]
    if order.decodes && !own.contains(header::RANGE) && !settings.headers.contains(header::RANGE) {
        generate(header::ACCEPT_ENCODING, callboard_core::coding::Coding::ACCEPT)?;
    }
    if let Some(name) = &settings.user_agent {
        generate(header::USER_AGENT, name)?;
    }
    if let Some(media_type) = &order.body.media_type {
        generate(header::CONTENT_TYPE, media_type)?;
    }
    if order.waits() {
        generate(header::EXPECT, "100-continue")?;
    }
    if order.version == Version::Http10 {
        // RFC 9112 §9.3: HTTP/1.0 closes unless it is asked not to.
        generate(header::CONNECTION, "keep-alive")?;
    }
    Ok(headers)
}
