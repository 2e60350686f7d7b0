//! Parts of the head as they are, and who sent it.

use std::convert::Infallible;
use std::fmt;
use std::net::SocketAddr;

use callboard_core::{Headers, Method, Status, Target, Version};
use callboard_runtime::Endpoint;

use super::FromRequestParts;
use super::rejection::rejection;
use crate::RequestParts;

macro_rules! parts {
    ($($type:ty = |$parts:ident| $value:expr;)+) => {
        $(
            impl FromRequestParts for $type {
                type Rejection = Infallible;

                async fn from_request_parts($parts: &mut RequestParts) -> Result<Self, Infallible> {
                    Ok($value)
                }
            }
        )+
    };
}

parts! {
    Method = |parts| parts.method.clone();
    Target = |parts| parts.target.clone();
    Version = |parts| parts.version;
    Headers = |parts| parts.headers.clone();
}

/// The address of the peer that the connection comes from: of a proxy, if there is one in front.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PeerAddress(pub Endpoint);

impl PeerAddress {
    /// The TCP address, if it is one.
    pub fn tcp(&self) -> Option<SocketAddr> {
        self.0.tcp()
    }
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromRequestParts for PeerAddress {
    type Rejection = NoPeer;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, NoPeer> {
        parts.peer().cloned().map(Self).ok_or(NoPeer)
    }
}

/// There is no connection: the app was called by [`Service::call`](crate::Service::call).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPeer;

impl NoPeer {
    /// The status that is answered: 500.
    pub fn status(&self) -> Status {
        Status::INTERNAL_SERVER_ERROR
    }
}

impl fmt::Display for NoPeer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the request came over no connection")
    }
}

rejection!(NoPeer);
