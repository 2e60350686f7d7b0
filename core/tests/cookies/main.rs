//! Cookies: the grammar of both fields, and with the feature `cookies` the jar.

mod pairs;
mod set_cookie;

#[cfg(feature = "cookies")]
mod access;
#[cfg(feature = "cookies")]
mod jar;
#[cfg(feature = "cookies")]
mod lines;
#[cfg(feature = "cookies")]
mod properties;
#[cfg(feature = "cookies")]
mod room;
