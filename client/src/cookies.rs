//! Which cookies go with a request, and what is kept of an answer.
//!
//! The store sees every answer, redirections included, before the next request goes out, and is asked anew for each
//! request. Cookies of one request come on top and are not kept.

use callboard_core::cookies::{read_cookies, write_cookies};
use callboard_core::{Headers, header};
use url::Url;

use crate::order::Order;
use crate::settings::Settings;

/// Keeps what an answer of `url` sets. The clock is asked only if it sets something.
pub(crate) fn keep(settings: &Settings, headers: &Headers, url: &Url, unix_seconds: impl FnOnce() -> u64) {
    if let Some(store) = &settings.cookie_store
        && headers.contains(header::SET_COOKIE)
    {
        store.store(url, &mut headers.get_all(header::SET_COOKIE), unix_seconds());
    }
}

/// The value of `Cookie`: of the request's own cookies, the store's, and a `Cookie` field that the user set; of a name,
/// the first of these that has it. None: what the user set, if anything, goes as it is.
pub(crate) fn field(order: &Order, settings: &Settings, unix_seconds: u64) -> Option<Vec<u8>> {
    let stored = settings.cookie_store.as_ref().and_then(|store| store.cookies(&order.url, unix_seconds));
    if stored.is_none() && order.cookies.is_empty() {
        return None;
    }
    let fields = if order.headers.contains(header::COOKIE) { &order.headers } else { &settings.headers };
    let stored: Vec<_> = stored.as_deref().into_iter().flat_map(read_cookies).collect();
    let is_own = |name: &[u8]| order.cookies.iter().any(|cookie| cookie.name() == name);
    let is_stored = |name: &[u8]| stored.iter().any(|(other, _)| *other == name);
    let given = fields.get_all(header::COOKIE).flat_map(read_cookies);
    let given = given.filter(|(name, _)| !is_own(name) && !is_stored(name));
    let kept = stored.iter().copied().filter(|(name, _)| !is_own(name));
    let own = order.cookies.iter().map(|cookie| (cookie.name(), cookie.value()));
    Some(write_cookies(given.chain(kept).chain(own)))
}
