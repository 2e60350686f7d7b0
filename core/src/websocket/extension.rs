//! `Sec-WebSocket-Extensions` (RFC 6455 §9.1), and the negotiation of permessage-deflate (RFC 7692 §5, §7.1).

use alloc::string::String;
use alloc::vec::Vec;

use crate::fields::list::{self, Parameter};
use crate::syntax::is_token;

#[cfg(feature = "compression")]
pub(super) use deflate::DeflateAgreement;

/// One extension with its parameters.
#[derive(Debug, PartialEq)]
pub(super) struct Extension {
    pub(super) name: String,
    pub(super) parameters: Vec<(String, Option<String>)>,
}

/// The field does not follow its grammar.
#[derive(Debug, PartialEq)]
pub(super) struct Malformed;

/// Reads all fields of the name; empty list elements are skipped (RFC 9110 §5.6.1.2).
pub(super) fn read<'a>(fields: impl Iterator<Item = &'a [u8]>) -> Result<Vec<Extension>, Malformed> {
    fields.flat_map(list::elements).map(extension).collect()
}

fn extension(element: &[u8]) -> Result<Extension, Malformed> {
    // An empty part is malformed here (§9.1), unlike elsewhere.
    let mut parts = list::parts(element, b';');
    let name = token(parts.next().unwrap_or_default())?;
    Ok(Extension { name, parameters: parts.map(parameter).collect::<Result<_, _>>()? })
}

/// What is quoted must be a token once the escapes are gone (§9.1).
fn parameter(text: &[u8]) -> Result<(String, Option<String>), Malformed> {
    let Parameter { name, value } = Parameter::parse(text).ok_or(Malformed)?;
    Ok((token(name)?, value.map(|value| token(&value)).transpose()?))
}

fn token(bytes: &[u8]) -> Result<String, Malformed> {
    if !is_token(bytes) {
        return Err(Malformed);
    }
    String::from_utf8(bytes.to_vec()).map_err(|_| Malformed)
}

#[cfg(feature = "compression")]
mod deflate {
    use alloc::string::String;
    use core::fmt::Write;

    use super::super::{Compression, Role};
    use super::Extension;

    const NAME: &str = "permessage-deflate";
    const SERVER_NO_TAKEOVER: &str = "server_no_context_takeover";
    const CLIENT_NO_TAKEOVER: &str = "client_no_context_takeover";
    const SERVER_WINDOW: &str = "server_max_window_bits";
    const CLIENT_WINDOW: &str = "client_max_window_bits";
    /// The window where nothing is said.
    const FULL: u8 = 15;

    /// The parameters of an offer or an answer, each at most once.
    #[derive(Debug, Default)]
    struct Parameters {
        server_no_takeover: bool,
        client_no_takeover: bool,
        server_window: Option<u8>,
        /// In an offer the value may be missing: the client supports the parameter and names no limit.
        client_window: Limit,
    }

    /// `client_max_window_bits`.
    #[derive(Clone, Copy, Debug, Default, PartialEq)]
    enum Limit {
        #[default]
        Absent,
        Bare,
        Bits(u8),
    }

    /// permessage-deflate as agreed.
    #[derive(Clone, Debug, PartialEq, Eq)]
    pub(in super::super) struct DeflateAgreement {
        pub(in super::super) settings: Compression,
        server_window: u8,
        client_window: u8,
        server_takeover: bool,
        client_takeover: bool,
    }

    impl Parameters {
        /// `None` if anything is unknown, repeated or out of range: the offer is declined, the answer fails (§7.1).
        fn read(extension: &Extension) -> Option<Self> {
            if !extension.name.eq_ignore_ascii_case(NAME) {
                return None;
            }
            let mut read = Self::default();
            for (name, value) in &extension.parameters {
                match (name.as_str(), value) {
                    (SERVER_NO_TAKEOVER, None) if !read.server_no_takeover => read.server_no_takeover = true,
                    (CLIENT_NO_TAKEOVER, None) if !read.client_no_takeover => read.client_no_takeover = true,
                    (SERVER_WINDOW, Some(value)) if read.server_window.is_none() => {
                        read.server_window = Some(window(value)?);
                    }
                    (CLIENT_WINDOW, None) if read.client_window == Limit::Absent => read.client_window = Limit::Bare,
                    (CLIENT_WINDOW, Some(value)) if read.client_window == Limit::Absent => {
                        read.client_window = Limit::Bits(window(value)?);
                    }
                    _ => return None,
                }
            }
            Some(read)
        }
    }

    /// 8 to 15 in decimal without leading zeros (§7.1.2).
    fn window(value: &str) -> Option<u8> {
        let bits: u8 = value.parse().ok()?;
        let is_plain = value.bytes().all(|byte| byte.is_ascii_digit()) && !value.starts_with('0');
        (is_plain && (8..=FULL).contains(&bits)).then_some(bits)
    }

    impl DeflateAgreement {
        /// The client's offer.
        pub(in super::super) fn offer(settings: &Compression) -> String {
            let mut offer = String::from(NAME);
            if !settings.peer_takeover {
                let _ = write!(offer, "; {SERVER_NO_TAKEOVER}");
            }
            if !settings.our_takeover {
                let _ = write!(offer, "; {CLIENT_NO_TAKEOVER}");
            }
            if settings.peer_window < FULL {
                let _ = write!(offer, "; {SERVER_WINDOW}={}", settings.peer_window.max(9));
            }
            let _ = match settings.our_window {
                FULL.. => write!(offer, "; {CLIENT_WINDOW}"),
                bits => write!(offer, "; {CLIENT_WINDOW}={}", bits.max(9)),
            };
            offer
        }

        /// The server's choice: the first offer that it can meet, and the answer that says so.
        pub(in super::super) fn accept(offers: &[Extension], settings: &Compression) -> Option<(Self, String)> {
            let offer = offers.iter().find_map(Parameters::read)?;
            let ours = settings.our_window.clamp(9, FULL);
            let theirs = settings.peer_window.clamp(9, FULL);
            let server_window = offer.server_window.unwrap_or(FULL).min(ours);
            let client_window = match offer.client_window {
                Limit::Absent => FULL,
                Limit::Bare => theirs,
                Limit::Bits(bits) => bits.min(theirs),
            };
            let agreement = Self {
                settings: settings.clone(),
                server_window,
                client_window,
                server_takeover: settings.our_takeover && !offer.server_no_takeover,
                client_takeover: settings.peer_takeover && !offer.client_no_takeover,
            };
            let mut answer = String::from(NAME);
            if !agreement.server_takeover {
                let _ = write!(answer, "; {SERVER_NO_TAKEOVER}");
            }
            if !agreement.client_takeover {
                let _ = write!(answer, "; {CLIENT_NO_TAKEOVER}");
            }
            if server_window < FULL {
                let _ = write!(answer, "; {SERVER_WINDOW}={server_window}");
            }
            // Only a client that offered the parameter understands it (§7.1.2.2).
            if offer.client_window != Limit::Absent && client_window < FULL {
                let _ = write!(answer, "; {CLIENT_WINDOW}={client_window}");
            }
            Some((agreement, answer))
        }

        /// The client's check of the answer; `None` if it is not an answer to the offer (§7.1).
        pub(in super::super) fn confirm(answer: &Extension, settings: &Compression) -> Option<Self> {
            let answer = Parameters::read(answer)?;
            let server_window = answer.server_window.unwrap_or(FULL);
            let asked = settings.peer_window.clamp(9, FULL);
            let client_window = match answer.client_window {
                Limit::Absent => FULL,
                // In an answer the value is needed.
                Limit::Bare => return None,
                Limit::Bits(bits) => bits,
            };
            if server_window > asked || (!settings.peer_takeover && !answer.server_no_takeover) {
                return None;
            }
            Some(Self {
                settings: settings.clone(),
                server_window,
                client_window: client_window.min(settings.our_window.clamp(9, FULL)),
                server_takeover: !answer.server_no_takeover,
                client_takeover: !answer.client_no_takeover && settings.our_takeover,
            })
        }

        /// The window of our compressor, and whether it is kept between messages.
        pub(in super::super) fn ours(&self, role: Role) -> (u8, bool) {
            match role {
                Role::Client => (self.client_window, self.client_takeover),
                Role::Server => (self.server_window, self.server_takeover),
            }
        }

        /// The same of the peer's.
        pub(in super::super) fn theirs(&self, role: Role) -> (u8, bool) {
            match role {
                Role::Client => (self.server_window, self.server_takeover),
                Role::Server => (self.client_window, self.client_takeover),
            }
        }
    }
}
