//! Proxy choice: whether a request goes through a proxy, and which, as a decision over data.
//!
//! * [`ProxyRules`] are read from environment variables that are handed in, or put together by hand; [`choose`] decides
//!   for one URL. After a redirection the question is asked again: another host may have another answer.
//! * [`NoProxy`] says which hosts are asked directly, by the common reading of `no_proxy`.
//! * [`Proxy`] is one proxy with its credentials, which belong to it alone.
//!
//! [`choose`]: ProxyRules::choose

mod address;
mod no_proxy;
mod rules;

pub use address::{InvalidProxy, Proxy, ProxyScheme, connect_target};
pub use no_proxy::NoProxy;
pub use rules::{Choice, ProxyError, ProxyRules};
