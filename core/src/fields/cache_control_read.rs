//! The reader of `Cache-Control` (RFC 9111 §5.2).
//!
//! Of a directive that comes twice the first counts (§4.2.1), but a scope without field names counts over one with. A
//! lifetime that is no number is 0: such an answer is to be taken for stale (§4.2.1). One that is too large is 2^31
//! (§1.2.2). Arguments are taken as tokens and in quotes alike (§5.2). What is malformed is left out, but not what
//! keeps an answer from being stored or shared: that holds whatever is wrong with its argument.

use alloc::borrow::Cow;

use super::cache_control::{CacheControl, MaxStale, Scope};
use super::list::{self, Parameter};
use super::{Field, range};
use crate::header;
use crate::syntax::token_length;

impl CacheControl {
    /// Reads all lines of the field. What is malformed is left out, but for `no-store`, `no-cache` and `private`, which
    /// then hold for the whole answer.
    pub fn parse<'a>(lines: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut control = Self::default();
        for element in lines.into_iter().flat_map(list::elements) {
            match Parameter::parse(element) {
                Some(parameter) => control.take(&parameter),
                None => control.restrict(&element[..token_length(element)]),
            }
        }
        control
    }

    /// A directive whose argument cannot be read.
    fn restrict(&mut self, name: &[u8]) {
        match &name.to_ascii_lowercase()[..] {
            b"no-store" => self.no_store = true,
            b"no-cache" => self.no_cache = Scope::All,
            b"private" => self.private = Scope::All,
            _ => {}
        }
    }

    fn take(&mut self, parameter: &Parameter<'_>) {
        let value = parameter.value.as_ref();
        match &parameter.name.to_ascii_lowercase()[..] {
            b"no-store" => self.no_store = true,
            b"no-cache" => self.no_cache.widen(value),
            b"no-transform" => self.no_transform = true,
            b"public" => self.is_public = true,
            b"private" => self.private.widen(value),
            b"must-revalidate" => self.must_revalidate = true,
            b"proxy-revalidate" => self.proxy_revalidate = true,
            b"must-understand" => self.must_understand = true,
            b"immutable" => self.immutable = true,
            b"only-if-cached" => self.only_if_cached = true,
            b"max-age" => first(&mut self.max_age, seconds(value).or(Some(0))),
            b"s-maxage" => first(&mut self.shared_max_age, seconds(value).or(Some(0))),
            b"max-stale" if value.is_none() => first(&mut self.max_stale, Some(MaxStale::Any)),
            b"max-stale" => first(&mut self.max_stale, seconds(value).map(MaxStale::Seconds)),
            b"min-fresh" => first(&mut self.min_fresh, seconds(value)),
            b"stale-while-revalidate" => first(&mut self.stale_while_revalidate, seconds(value)),
            b"stale-if-error" => first(&mut self.stale_if_error, seconds(value)),
            name => self.extend(name, value),
        }
    }

    fn extend(&mut self, name: &[u8], value: Option<&Cow<'_, [u8]>>) {
        let argument = value.map(|value| list::text(value));
        // An argument that is not UTF-8 cannot be shown; the directive is left out.
        if let (Some(name), None | Some(Some(_))) = (list::token(name), &argument) {
            self.extensions.push((name, argument.flatten()));
        }
    }
}

impl Scope {
    fn widen(&mut self, value: Option<&Cow<'_, [u8]>>) {
        let Some(value) = value else {
            *self = Self::All;
            return;
        };
        let names = list::elements(value).filter_map(list::token);
        match self {
            Self::All => {}
            Self::Fields(fields) => fields.extend(names),
            Self::Nothing => *self = Self::Fields(names.collect()),
        }
    }
}

fn first<T>(slot: &mut Option<T>, value: Option<T>) {
    if slot.is_none() {
        *slot = value;
    }
}

/// ASCII digits; too many are the most.
fn seconds(value: Option<&Cow<'_, [u8]>>) -> Option<u32> {
    let seconds = range::position(value?)?;
    Some(u32::try_from(seconds).unwrap_or(u32::MAX).min(CacheControl::MOST_SECONDS))
}

impl Field for CacheControl {
    const NAME: &'static str = header::CACHE_CONTROL;

    fn from_values<'a>(values: impl Iterator<Item = &'a [u8]>) -> Option<Self> {
        Some(Self::parse(values))
    }
}
