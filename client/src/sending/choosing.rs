//! Who a request says that it comes from: chosen before it asks for a connection, each time.

use callboard_core::header;

use crate::error::{Error, ErrorKind, Phase};
use crate::location;
use crate::order::Order;
use crate::shared::Shared;
use crate::tokens::{Asked, TokenPlace};

/// Puts the pass on the order. Some: a token has to be fetched first.
pub(super) fn choose(order: &mut Order, session: &Shared) -> Result<Option<TokenPlace>, Error> {
    let settings = &session.settings;
    if settings.tokens.is_empty() && settings.netrc.is_none() {
        return Ok(None);
    }
    order.pass.clear();
    if order.headers.contains(header::AUTHORIZATION) {
        return Ok(None);
    }
    let origin = location::origin(&order.url);
    if let Some(tokens) = settings.tokens.iter().find(|tokens| tokens.origin() == origin) {
        return Ok(match tokens.ask(&session.runtime) {
            Asked::Known(id, token) => {
                order.pass.take(tokens, id, &token);
                None
            }
            Asked::Wait(place) => Some(place),
        });
    }
    #[cfg(feature = "digest")]
    if order.answers_digest() {
        return Ok(None);
    }
    if let Some(netrc) = &settings.netrc
        && !settings.headers.contains(header::AUTHORIZATION)
    {
        let taken = order.pass.take_entry(netrc, &order.url);
        taken.map_err(|error| Error::new(Phase::Build, ErrorKind::Credentials(error)))?;
    }
    Ok(None)
}
