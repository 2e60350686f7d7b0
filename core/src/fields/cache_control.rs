//! `Cache-Control` (RFC 9111 §5.2, RFC 5861, RFC 8246): one type for requests and responses, and its writer.
//!
//! The reader is in `cache_control_read.rs`. Times are in seconds.

use alloc::string::String;
use alloc::vec::Vec;
use core::fmt;

use super::list;

/// How an answer may be stored and used again.
///
/// ```
/// use callboard_core::fields::CacheControl;
///
/// let control = CacheControl::parse([&b"max-age=3600, must-revalidate"[..]]);
/// assert_eq!((control.max_age, control.must_revalidate), (Some(3_600), true));
/// assert_eq!(control.to_string(), "must-revalidate, max-age=3600");
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct CacheControl {
    /// `no-store`: it is not stored.
    pub no_store: bool,
    /// `no-cache`: it is not used again without asking; with field names, these fields are not.
    pub no_cache: Scope,
    /// `no-transform`: nobody on the way changes the content.
    pub no_transform: bool,
    /// `public`: a shared cache may store it although it otherwise might not.
    pub is_public: bool,
    /// `private`: a shared cache does not store it; with field names, not these fields.
    pub private: Scope,
    /// `must-revalidate`: it is not used stale.
    pub must_revalidate: bool,
    /// `proxy-revalidate`: a shared cache does not use it stale.
    pub proxy_revalidate: bool,
    /// `must-understand`: it is stored only by a cache that knows the status.
    pub must_understand: bool,
    /// `immutable`: it does not change while it is fresh (RFC 8246).
    pub immutable: bool,
    /// `only-if-cached`: the client wants a stored answer, or 504.
    pub only_if_cached: bool,
    /// `max-age`: the age up to which it is fresh, or up to which the client takes it.
    pub max_age: Option<u32>,
    /// `s-maxage`: the same for shared caches.
    pub shared_max_age: Option<u32>,
    /// `max-stale`: how stale the client takes it.
    pub max_stale: Option<MaxStale>,
    /// `min-fresh`: how long the client wants it to stay fresh.
    pub min_fresh: Option<u32>,
    /// `stale-while-revalidate`: how stale it may be used while it is asked for anew (RFC 5861).
    pub stale_while_revalidate: Option<u32>,
    /// `stale-if-error`: how stale it may be used if asking fails (RFC 5861).
    pub stale_if_error: Option<u32>,
    /// Other directives, in order: the name in lower case, and the argument.
    pub extensions: Vec<(String, Option<String>)>,
}

/// What `no-cache` and `private` reach over.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Scope {
    /// The directive is absent.
    #[default]
    Nothing,
    /// These fields of the answer.
    Fields(Vec<String>),
    /// The whole answer.
    All,
}

/// How stale an answer a client takes.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub enum MaxStale {
    /// However stale.
    Any,
    /// So many seconds.
    Seconds(u32),
}

impl CacheControl {
    /// What an overflowing number of seconds is taken for: 2^31 (RFC 9111 §1.2.2).
    pub const MOST_SECONDS: u32 = 1 << 31;

    /// How long a stored answer is fresh by this field alone: `s-maxage` for a shared cache, else `max-age`.
    pub fn lifetime(&self, is_shared: bool) -> Option<u32> {
        self.shared_max_age.filter(|_| is_shared).or(self.max_age)
    }
}

impl fmt::Display for CacheControl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut writer = Writer { f, is_first: true };
        writer.flag("no-store", self.no_store)?;
        writer.scope("no-cache", &self.no_cache)?;
        writer.flag("no-transform", self.no_transform)?;
        writer.flag("public", self.is_public)?;
        writer.scope("private", &self.private)?;
        writer.flag("must-revalidate", self.must_revalidate)?;
        writer.flag("proxy-revalidate", self.proxy_revalidate)?;
        writer.flag("must-understand", self.must_understand)?;
        writer.flag("immutable", self.immutable)?;
        writer.flag("only-if-cached", self.only_if_cached)?;
        writer.seconds("max-age", self.max_age)?;
        writer.seconds("s-maxage", self.shared_max_age)?;
        match self.max_stale {
            Some(MaxStale::Any) => writer.flag("max-stale", true)?,
            Some(MaxStale::Seconds(seconds)) => writer.seconds("max-stale", Some(seconds))?,
            None => {}
        }
        writer.seconds("min-fresh", self.min_fresh)?;
        writer.seconds("stale-while-revalidate", self.stale_while_revalidate)?;
        writer.seconds("stale-if-error", self.stale_if_error)?;
        for (name, argument) in &self.extensions {
            writer.flag(name, true)?;
            if let Some(argument) = argument {
                writer.f.write_str("=")?;
                list::write_value(writer.f, argument)?;
            }
        }
        Ok(())
    }
}

struct Writer<'a, 'f> {
    f: &'a mut fmt::Formatter<'f>,
    is_first: bool,
}

impl Writer<'_, '_> {
    fn flag(&mut self, name: &str, is_set: bool) -> fmt::Result {
        if !is_set {
            return Ok(());
        }
        let separator = if self.is_first { "" } else { ", " };
        self.is_first = false;
        write!(self.f, "{separator}{name}")
    }

    fn seconds(&mut self, name: &str, seconds: Option<u32>) -> fmt::Result {
        let Some(seconds) = seconds else { return Ok(()) };
        self.flag(name, true)?;
        write!(self.f, "={seconds}")
    }

    fn scope(&mut self, name: &str, scope: &Scope) -> fmt::Result {
        match scope {
            Scope::Nothing => Ok(()),
            Scope::All => self.flag(name, true),
            Scope::Fields(fields) => {
                self.flag(name, true)?;
                self.f.write_str("=\"")?;
                list::write_joined(self.f, fields, ", ")?;
                self.f.write_str("\"")
            }
        }
    }
}
