//! Who a request says that it comes from, where neither it nor its URL says so.
//!
//! The first of these that there is: `Authorization` of the request or in its URL; a token of the session for the
//! origin; a digest; `Authorization` of the session; the netrc. What is chosen here is chosen anew for each request
//! that goes out, and so for the origin that it goes to.

use std::fmt;
use std::sync::Arc;

use callboard_core::authentication::{Basic, CredentialsError};
use callboard_core::http1::ResponseHead;
use callboard_core::netrc::Netrc;
use callboard_core::token_cache::{AfterAnswer, TokenAttempt, TokenId};
use url::Url;

use crate::tokens::{Token, Tokens};

/// What one request has of it.
#[derive(Default)]
pub(crate) struct Pass {
    /// The value of `Authorization`.
    field: Option<Box<[u8]>>,
    /// Where the token is from that was sent last.
    tokens: Option<Arc<Tokens>>,
    attempt: TokenAttempt,
    /// A redirection has led to another origin.
    has_left: bool,
    /// A redirection has led away from TLS.
    is_exposed: bool,
}

impl Pass {
    /// The value of `Authorization` that goes with the request.
    pub(crate) fn field(&self) -> Option<&[u8]> {
        self.field.as_deref()
    }

    /// The request goes out without any.
    pub(crate) fn clear(&mut self) {
        (self.field, self.tokens) = (None, None);
        self.attempt.send(None);
    }

    /// The request goes out with this token.
    pub(crate) fn take(&mut self, tokens: &Arc<Tokens>, id: TokenId, token: &Token) {
        self.field = Some(token.to_field().into_bytes().into());
        self.tokens = Some(Arc::clone(tokens));
        self.attempt.send(Some(id));
    }

    /// The request goes out with the entry for the host, if it says anything. Where a redirection has led to another
    /// origin, it has to name the host: who gets the default one is not for a server to say. None where one has led
    /// away from TLS.
    pub(crate) fn take_entry(&mut self, netrc: &Netrc, url: &Url) -> Result<(), CredentialsError> {
        let Some(host) = url.host_str().filter(|_| !self.is_exposed) else { return Ok(()) };
        let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let entry = if self.has_left { netrc.look_up_machine(host) } else { netrc.look_up(host) };
        if let Some(entry) = entry.filter(|entry| !entry.user().is_empty() || !entry.password().is_empty()) {
            let basic = Basic::new(entry.user(), entry.password())?;
            self.field = Some(basic.to_field().into_bytes().into());
        }
        Ok(())
    }

    /// A redirection leads to another origin.
    pub(crate) fn leave(&mut self, from: &Url, to: &Url) {
        self.has_left = true;
        self.is_exposed |= from.scheme() == "https" && to.scheme() != "https";
    }

    /// Whether the request is to be sent once more, since its token was refused.
    pub(crate) fn is_refused(&mut self, head: &ResponseHead, is_replayable: bool) -> bool {
        let after = self.attempt.handle_answer(head.status, is_replayable);
        if let (AfterAnswer::Refuse(token) | AfterAnswer::Repeat(token), Some(tokens)) = (after, &self.tokens) {
            tokens.refuse(token);
        }
        matches!(after, AfterAnswer::Repeat(_))
    }
}

/// Without the field.
impl fmt::Debug for Pass {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pass").field("is_there", &self.field.is_some()).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_depend_on_the_way_that_led_there() {
        let netrc = "machine a login a\nmachine b login b\nmachine ::1 login six\ndefault login any";
        let netrc = Netrc::parse(netrc).unwrap();
        let rows: [(&[&str], Option<&str>); 9] = [
            (&["http://a/"], Some("a")),
            (&["http://c/"], Some("any")),
            (&["http://[::1]:8080/"], Some("six")),
            (&["http://a/", "http://b/"], Some("b")),
            (&["https://a/", "https://b/"], Some("b")),
            (&["http://a/", "http://c/"], None),
            (&["http://a/", "https://a/"], Some("a")),
            // Away from TLS; once seen, it stays so.
            (&["https://a/", "http://a/"], None),
            (&["https://a/", "http://a/", "https://b/"], None),
        ];
        for (urls, user) in rows {
            let urls: Vec<_> = urls.iter().map(|url| Url::parse(url).unwrap()).collect();
            let mut pass = Pass::default();
            for pair in urls.windows(2) {
                pass.leave(&pair[0], &pair[1]);
            }
            pass.take_entry(&netrc, urls.last().unwrap()).unwrap();
            let expected = user.map(|user| Basic::new(user, "").unwrap().to_field());
            assert_eq!(pass.field(), expected.as_ref().map(String::as_bytes), "{urls:?}");
            pass.clear();
            assert_eq!(pass.field(), None);
        }
    }
}
