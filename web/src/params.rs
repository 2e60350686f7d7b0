//! The parameters that a match cut out of a path: ranges of it, decoded when they are asked for.

use std::borrow::Cow;
use std::ops::Range;

use percent_encoding::percent_decode_str;

/// Parameters that need no allocation.
const INLINE: usize = 4;

/// What a match cut out of the path: the route, and a range of the path per parameter, in the order of the route.
#[derive(Clone, Debug, Default)]
pub(crate) struct Params {
    /// Index of the route in the router, if one matched.
    pub(crate) route: Option<u32>,
    count: u32,
    inline: [(u32, u32); INLINE],
    more: Option<Box<More>>,
}

/// What few requests need.
#[derive(Clone, Debug, Default)]
struct More {
    /// The path that the ranges are of, where it is not the target's own.
    path: Option<String>,
    ranges: Vec<(u32, u32)>,
}

impl Params {
    pub(crate) fn new(route: u32) -> Self {
        Self { route: Some(route), ..Self::default() }
    }

    /// Remembers the path that was matched, if it had to be decoded.
    pub(crate) fn keep_path(&mut self, path: Cow<'_, str>) {
        if let Cow::Owned(path) = path {
            self.more.get_or_insert_default().path = Some(path);
        }
    }

    pub(crate) fn push(&mut self, range: Range<usize>) {
        // A head is shorter than 4 GiB.
        let range = (u32::try_from(range.start).unwrap_or(u32::MAX), u32::try_from(range.end).unwrap_or(u32::MAX));
        match self.inline.get_mut(self.count as usize) {
            Some(place) => *place = range,
            None => self.more.get_or_insert_default().ranges.push(range),
        }
        self.count += 1;
    }

    pub(crate) fn len(&self) -> usize {
        self.count as usize
    }

    /// Parameter `index`, decoded. `target` is the path of the request's target.
    pub(crate) fn value<'a>(&'a self, index: usize, target: &'a str) -> Option<Cow<'a, str>> {
        if index >= self.len() {
            return None;
        }
        let (start, end) = match self.inline.get(index) {
            Some(range) => *range,
            None => *self.more.as_ref()?.ranges.get(index - INLINE)?,
        };
        let path = self.more.as_ref().and_then(|more| more.path.as_deref()).unwrap_or(target);
        let value = path.get(start as usize..end as usize)?;
        if !value.as_bytes().contains(&b'%') {
            return Some(Cow::Borrowed(value));
        }
        // Only `/` and `%` are still encoded, so what was UTF-8 stays so.
        Some(percent_decode_str(value).decode_utf8_lossy())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_beyond_the_inline_ones_are_kept() {
        let mut params = Params::new(0);
        for start in 0..6 {
            params.push(start..start + 1);
        }
        let values: Vec<_> = (0..7).map_while(|index| params.value(index, "abcdef")).collect();
        assert_eq!(values, ["a", "b", "c", "d", "e", "f"]);
    }
}
