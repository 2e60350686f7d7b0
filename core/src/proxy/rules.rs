//! Which proxy a URL is asked through.
//!
//! The names are those that programs have agreed on: `http_proxy`, `https_proxy`, `ws_proxy`, `wss_proxy`, `all_proxy`,
//! `no_proxy`, in lower or upper case; lower case counts if both are set, and an empty value means none. In a CGI
//! program `HTTP_PROXY` is a header field of the request (`Proxy`), not of the environment, and is not believed.

use alloc::string::String;
use core::fmt;

use super::address::{InvalidProxy, Proxy};
use super::no_proxy::NoProxy;

/// A variable that does not name a proxy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProxyError {
    /// The variable. Its value may hold a password.
    pub variable: String,
    /// What is wrong with its value.
    pub problem: InvalidProxy,
}

impl fmt::Display for ProxyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.variable, self.problem)
    }
}

impl core::error::Error for ProxyError {}

/// How to reach a server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Choice<'a> {
    /// Without a proxy.
    Direct,
    /// Through this one.
    Through(&'a Proxy),
}

/// Which proxy a URL is asked through.
///
/// ```
/// use callboard_core::proxy::{Choice, ProxyRules};
///
/// let variables = [("https_proxy", "http://proxy:3128"), ("NO_PROXY", "internal.example")];
/// let rules = ProxyRules::from_variables(variables)?;
/// assert!(matches!(rules.choose("https", "example.org", 443), Choice::Through(proxy) if proxy.port() == 3128));
/// assert_eq!(rules.choose("https", "www.internal.example", 443), Choice::Direct);
/// assert_eq!(rules.choose("http", "example.org", 80), Choice::Direct);
/// # Ok::<(), callboard_core::proxy::ProxyError>(())
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ProxyRules {
    /// For `http`.
    pub http: Option<Proxy>,
    /// For `https`.
    pub https: Option<Proxy>,
    /// For `ws`; without one, that of `http`.
    pub websocket: Option<Proxy>,
    /// For `wss`; without one, that of `https`.
    pub secure_websocket: Option<Proxy>,
    /// For what has none of its own.
    pub all: Option<Proxy>,
    /// What is asked directly.
    pub direct: NoProxy,
}

impl ProxyRules {
    /// No proxy for anything.
    pub fn none() -> Self {
        Self::default()
    }

    /// One proxy for everything.
    pub fn through(proxy: Proxy) -> Self {
        Self { all: Some(proxy), ..Self::default() }
    }

    /// Reads environment variables: all of them, or the ones that matter; others are not looked at. `REQUEST_METHOD`
    /// tells a CGI program.
    pub fn from_variables<N: AsRef<str>, V: AsRef<str>>(
        variables: impl IntoIterator<Item = (N, V)>,
    ) -> Result<Self, ProxyError> {
        let mut found = [const { None }; NAMES.len()];
        let mut is_cgi = false;
        for (name, value) in variables {
            let (name, value) = (name.as_ref(), value.as_ref());
            is_cgi |= name == "REQUEST_METHOD";
            let Some(place) = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known)) else { continue };
            let variable = Variable { is_lower: name == NAMES[place], name: name.into(), value: value.into() };
            let is_better = found[place].as_ref().is_none_or(|known: &Variable| variable.is_lower && !known.is_lower);
            if is_better {
                found[place] = Some(variable);
            }
        }
        let [http, https, websocket, secure_websocket, all, direct] = found;
        let http = http.filter(|variable| variable.is_lower || !is_cgi);
        Ok(Self {
            http: read(http)?,
            https: read(https)?,
            websocket: read(websocket)?,
            secure_websocket: read(secure_websocket)?,
            all: read(all)?,
            direct: direct.map(|variable| NoProxy::parse(&variable.value)).unwrap_or_default(),
        })
    }

    /// How to reach a server: by the scheme of its URL (`http`, `https`, `ws`, `wss`; others have only the proxy for
    /// all), its host and its port.
    pub fn choose(&self, scheme: &str, host: &str, port: u16) -> Choice<'_> {
        let own = match scheme {
            "http" => self.http.as_ref(),
            "https" => self.https.as_ref(),
            "ws" => self.websocket.as_ref().or(self.http.as_ref()),
            "wss" => self.secure_websocket.as_ref().or(self.https.as_ref()),
            _ => None,
        };
        match own.or(self.all.as_ref()) {
            Some(proxy) if !self.direct.fits(host, port) => Choice::Through(proxy),
            _ => Choice::Direct,
        }
    }
}

const NAMES: [&str; 6] = ["http_proxy", "https_proxy", "ws_proxy", "wss_proxy", "all_proxy", "no_proxy"];

struct Variable {
    is_lower: bool,
    name: String,
    value: String,
}

fn read(variable: Option<Variable>) -> Result<Option<Proxy>, ProxyError> {
    let Some(variable) = variable.filter(|variable| !variable.value.trim().is_empty()) else { return Ok(None) };
    let proxy = Proxy::parse(&variable.value);
    proxy.map(Some).map_err(|problem| ProxyError { variable: variable.name, problem })
}
