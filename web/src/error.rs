//! Why an app does not start: typed, and naming what is to be changed.

use std::fmt;
use std::io;

use callboard_runtime::Endpoint;

/// A route that cannot be.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum RouteError {
    /// Two paths match the same requests and neither goes before the other.
    Conflict {
        /// The path that was added.
        path: String,
        /// The path that was there.
        with: String,
    },
    /// A path that is not one: where braces are wrong, for example.
    Invalid {
        /// The path that was added.
        path: String,
        /// What is wrong.
        why: String,
    },
    /// One path has two handlers of one method.
    MethodRepeated {
        /// The path.
        path: String,
        /// The method, or `any`.
        method: String,
    },
}

impl fmt::Display for RouteError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conflict { path, with } => write!(f, "the route {path} conflicts with {with}"),
            Self::Invalid { path, why } => write!(f, "the route {path} is invalid: {why}"),
            Self::MethodRepeated { path, method } => write!(f, "the route {path} has two handlers for {method}"),
        }
    }
}

impl std::error::Error for RouteError {}

/// Why an app did not start.
#[derive(Debug)]
#[non_exhaustive]
pub enum StartError {
    /// A route cannot be.
    Route(RouteError),
    /// A handler wants data that the app does not have: see [`App::data`](crate::App::data).
    MissingData {
        /// Method and path of the route.
        route: String,
        /// Name of the type.
        type_name: &'static str,
    },
    /// The address to listen on is not one.
    InvalidAddress {
        /// As given.
        address: String,
        /// What is wrong.
        why: &'static str,
    },
    /// The host of the address was not found.
    Resolve {
        /// As given.
        address: String,
        /// What the resolver said.
        error: io::Error,
    },
    /// Listening failed: the port is in use, say.
    Listen {
        /// Where.
        address: Endpoint,
        /// What the system said.
        error: io::Error,
    },
    /// The runtime cannot do what [`App::run`](crate::App::run) needs: block, or give signals.
    Runtime(io::Error),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Route(error) => error.fmt(f),
            Self::MissingData { route, type_name } => {
                write!(f, "{route} needs data of type {type_name}: give it to the app by `.data(value)`")
            }
            Self::InvalidAddress { address, why } => write!(f, "cannot listen on {address:?}: {why}"),
            Self::Resolve { address, error } => write!(f, "cannot listen on {address:?}: {error}"),
            Self::Listen { address, error } => write!(f, "cannot listen on {address}: {error}"),
            Self::Runtime(error) => write!(f, "the runtime cannot serve: {error}"),
        }
    }
}

impl std::error::Error for StartError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Route(error) => Some(error),
            Self::Resolve { error, .. } | Self::Listen { error, .. } | Self::Runtime(error) => Some(error),
            Self::MissingData { .. } | Self::InvalidAddress { .. } => None,
        }
    }
}

impl From<RouteError> for StartError {
    fn from(error: RouteError) -> Self {
        Self::Route(error)
    }
}
