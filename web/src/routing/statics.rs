//! Paths without parameters, found before the tree is asked: a table by length and last byte.

/// The static routes of an app.
#[derive(Debug, Default)]
pub(super) struct Statics {
    /// A power of two of buckets, at least twice as many as paths.
    buckets: Vec<Vec<(Box<str>, u32)>>,
    count: usize,
}

impl Statics {
    /// Adds a path as it is compared, unless it has parameters.
    pub(super) fn add(&mut self, path: &str, route: u32) {
        if path.contains(['{', '}']) {
            return;
        }
        self.count += 1;
        if self.buckets.len() < 2 * self.count {
            let paths: Vec<_> = std::mem::take(&mut self.buckets).into_iter().flatten().collect();
            self.buckets.resize_with((4 * self.count).next_power_of_two(), Vec::new);
            for (path, route) in paths {
                self.put(path, route);
            }
        }
        self.put(path.into(), route);
    }

    fn put(&mut self, path: Box<str>, route: u32) {
        let place = self.place(path.as_bytes());
        if let Some(bucket) = self.buckets.get_mut(place) {
            bucket.push((path, route));
        }
    }

    /// The route of exactly this path.
    #[inline]
    pub(super) fn find(&self, path: &str) -> Option<u32> {
        let bucket = self.buckets.get(self.place(path.as_bytes()))?;
        bucket.iter().find(|(known, _)| **known == *path).map(|(_, route)| *route)
    }

    #[inline]
    fn place(&self, path: &[u8]) -> usize {
        let last = path.last().copied().map_or(0, usize::from);
        let middle = path.get(path.len() / 2).copied().map_or(0, usize::from);
        ((path.len() * 31) ^ (last * 7) ^ middle) & self.buckets.len().wrapping_sub(1)
    }
}

#[cfg(test)]
mod tests {
    use super::Statics;

    #[test]
    fn every_path_is_found_and_no_other() {
        let mut statics = Statics::default();
        assert_eq!(statics.find("/"), None);
        let paths: Vec<String> = (0..1_000).map(|number| format!("/route/{number}")).collect();
        for (path, route) in paths.iter().zip(0..) {
            statics.add(path, route);
        }
        statics.add("/{id}", 5_000);
        for (path, route) in paths.iter().zip(0..) {
            assert_eq!(statics.find(path), Some(route));
        }
        for path in ["", "/", "/route", "/route/1000", "/{id}", "/route/01"] {
            assert_eq!(statics.find(path), None, "{path}");
        }
    }
}
