//! The protection space of a challenge (RFC 7616 §3.3, `domain`): where the same credentials are good.

use alloc::vec::Vec;

use url::Url;

/// Areas of one `domain` that are looked at.
const MOST: usize = 64;

/// The areas that a challenge protects. None listed: all of its server.
#[derive(Clone, Debug)]
pub(super) struct Space {
    origin: Url,
    areas: Vec<Url>,
}

impl Space {
    /// Of a challenge that came from `url`. References are resolved against it; what is none is left out.
    pub(super) fn new(url: &Url, domain: &str) -> Self {
        let areas = domain.split_ascii_whitespace().filter_map(|reference| url.join(reference).ok());
        Self { origin: url.clone(), areas: areas.filter(Url::has_host).take(MOST).collect() }
    }

    /// Whether `url` is in the space.
    pub(super) fn covers(&self, url: &Url) -> bool {
        if self.areas.is_empty() { is_same_origin(&self.origin, url) } else { self.names(url) }
    }

    /// Whether an area that is listed covers `url`.
    pub(super) fn names(&self, url: &Url) -> bool {
        self.areas.iter().any(|area| is_same_origin(area, url) && is_below(area.path(), url.path()))
    }
}

pub(super) fn is_same_origin(one: &Url, other: &Url) -> bool {
    one.scheme() == other.scheme()
        && one.host() == other.host()
        && one.port_or_known_default() == other.port_or_known_default()
}

/// Whether `path` is `area` or below it: `/a` covers `/a` and `/a/b`, but not `/ab`.
fn is_below(area: &str, path: &str) -> bool {
    path.strip_prefix(area).is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || area.ends_with('/'))
}
