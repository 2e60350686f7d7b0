//! A jar in a file: its owner's alone, whole or not at all.
#![cfg(feature = "cookies")]

use std::fs;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::process;

use callboard_client::{CookieJar, JarSettings, SharedJar, Url};
use callboard_core::cookies::Access;

/// A folder of this test's own, which goes with it.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("callboard-{name}-{}", process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn files(&self) -> Vec<String> {
        let names = fs::read_dir(&self.0).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
        names.collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn set(jar: &SharedJar, field: &str, now: u64) {
    let url = Url::parse("https://example.org/").unwrap();
    jar.with(|jar| jar.set_field(field.as_bytes(), &url, Access::default(), now)).unwrap();
}

fn names(jar: &SharedJar) -> String {
    jar.with(|jar| jar.iter().map(|cookie| String::from_utf8_lossy(cookie.name()).into_owned()).collect())
}

#[test]
fn what_was_saved_is_loaded_in_place_of_what_was_there() {
    let folder = Folder::new("loaded");
    let path = folder.0.join("cookies");
    let jar = SharedJar::from(CookieJar::default());
    for field in ["a=1; Max-Age=60", "b=2; Max-Age=10", "c=3"] {
        set(&jar, field, 100);
    }
    jar.save(&path, 110).unwrap();
    set(&jar, "d=4", 110);
    jar.save(&path, 111).unwrap();
    assert_eq!(folder.files(), ["cookies"], "nothing is left beside the file");

    let other = SharedJar::from(CookieJar::new(JarSettings { total: 9, ..JarSettings::default() }));
    set(&other, "x=0", 120);
    let restored = other.load(&path, 120).unwrap();
    assert_eq!((restored.taken, restored.refused.len(), names(&other)), (3, 0, "acd".to_owned()));
    assert_eq!(other.with(|jar| jar.settings().total), 9);
    // The deadline is what it was when it was set.
    other.with(|jar| jar.purge(159));
    assert_eq!(names(&other), "acd");
    other.with(|jar| jar.purge(160));
    assert_eq!(names(&other), "cd");
}

#[test]
fn what_cannot_be_read_or_written_changes_nothing() {
    let folder = Folder::new("failing");
    let jar = SharedJar::default();
    set(&jar, "a=1", 0);
    assert_eq!(jar.load(folder.0.join("missing"), 0).unwrap_err().kind(), ErrorKind::NotFound);
    assert_eq!(names(&jar), "a");
    assert_eq!(jar.save(folder.0.join("missing/cookies"), 0).unwrap_err().kind(), ErrorKind::NotFound);
    // A folder cannot be replaced by a file: what was written for that goes.
    fs::create_dir_all(folder.0.join("taken/inside")).unwrap();
    jar.save(folder.0.join("taken"), 0).unwrap_err();
    assert_eq!(folder.files(), ["taken"]);
    jar.save(folder.0.join(".."), 0).unwrap_err();
}

#[cfg(unix)]
#[test]
fn nobody_else_may_read_the_file() {
    use std::os::unix::fs::PermissionsExt;

    let folder = Folder::new("mode");
    let path = folder.0.join("cookies");
    // Not even if a file that all may read was there.
    fs::write(&path, "").unwrap();
    fs::set_permissions(&path, fs::Permissions::from_mode(0o644)).unwrap();
    let jar = SharedJar::default();
    set(&jar, "a=1", 0);
    jar.save(&path, 0).unwrap();
    assert_eq!(fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o600);
}
