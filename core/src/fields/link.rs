//! `Link` (RFC 8288): relations of the content to other resources, and its writer.
//!
//! The reader is in `link_read.rs`. Targets are URI references as they stand: relative ones are relative to the URL of
//! the answer, or to the anchor, and resolving them is the caller's work.

use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use super::list;
use crate::extended;
use crate::reasons::reasons;
use crate::syntax::is_token;

/// The links of a message, in order.
///
/// ```
/// use callboard_core::fields::{Field, Link, Links};
/// use callboard_core::Headers;
///
/// let mut headers = Headers::new();
/// let next = Link::new("/items?page=2", "next").with("title", "Page \"2\"")?;
/// Links(vec![next]).write(&mut headers)?;
/// assert_eq!(headers.text("Link"), Some(r#"</items?page=2>; rel=next; title="Page \"2\"""#));
/// let links = Links::read(&headers).unwrap();
/// assert_eq!(links.relation("NEXT").unwrap().target(), "/items?page=2");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Links(pub Vec<Link>);

impl Links {
    /// The first link with that relation. Relations compare without case (RFC 8288 §2.1).
    pub fn relation(&self, name: &str) -> Option<&Link> {
        self.0.iter().find(|link| link.has_relation(name))
    }
}

/// One link: where to, and what is said of it.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Link {
    pub(super) target: String,
    /// Names in lower case; values without quotes. Those with a `*` are decoded.
    pub(super) parameters: Vec<(String, Option<String>)>,
}

impl Link {
    /// A link to `target`, a URI reference, with `relation`: one, or several between spaces.
    pub fn new(target: &str, relation: &str) -> Self {
        // What would end the reference is written in its percent-encoded form.
        let target = target.replace('>', "%3E").replace('<', "%3C");
        Self { target, parameters: Vec::from([("rel".to_string(), Some(relation.to_string()))]) }
    }

    /// Adds a parameter, as `title`, `type`, `hreflang`, `media` or `anchor`. One whose text is not ASCII is written
    /// with a `*`, as an extended value (RFC 8187). A name that is no token is refused here, a control character of a
    /// value when the field is written.
    pub fn with(mut self, name: &str, value: &str) -> Result<Self, InvalidLink> {
        // RFC 8288 §3, `link-param`, and RFC 9110 §5.6.2: what is no token would end the parameter, or be another one.
        if !is_token(name.as_bytes()) {
            return Err(InvalidLink::ParameterName);
        }
        let star = if value.is_ascii() || name.ends_with('*') { "" } else { "*" };
        self.parameters.push((name.to_ascii_lowercase() + star, Some(value.to_string())));
        Ok(self)
    }

    /// Where to: a URI reference.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// What the link starts from, if it is not the content itself: a URI reference. Who does not expect one should
    /// ignore a link that has it (RFC 8288 §3.2).
    pub fn anchor(&self) -> Option<&str> {
        self.parameter("anchor")
    }

    /// The relations.
    pub fn relations(&self) -> impl Iterator<Item = &str> {
        self.parameter("rel").unwrap_or_default().split_ascii_whitespace()
    }

    /// Whether it has that relation, without case.
    pub fn has_relation(&self, name: &str) -> bool {
        self.relations().any(|relation| relation.eq_ignore_ascii_case(name))
    }

    /// The title: that of `title*` if there is one, else of `title`.
    pub fn title(&self) -> Option<&str> {
        self.parameter("title*").or_else(|| self.parameter("title"))
    }

    /// The first parameter of that name. One without a value has the empty one.
    pub fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters().find(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All parameters, in order: names in lower case, values without quotes and, where the name ends with `*`, decoded.
    pub fn parameters(&self) -> impl Iterator<Item = (&str, &str)> {
        self.parameters.iter().map(|(name, value)| (&name[..], value.as_deref().unwrap_or_default()))
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "<{}>", self.target)?;
        for (name, value) in &self.parameters {
            write!(f, "; {name}")?;
            let Some(value) = value else { continue };
            f.write_str("=")?;
            if name.ends_with('*') { extended::write(f, value) } else { list::write_value(f, value) }?;
        }
        Ok(())
    }
}

impl fmt::Display for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        list::write_joined(f, &self.0, ", ")
    }
}

reasons! {
    /// Why a link cannot be made.
    InvalidLink {
        /// The name of a parameter is no token (RFC 9110 §5.6.2).
        ParameterName => "the name of a parameter of a link is no token",
    }
}
