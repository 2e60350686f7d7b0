//! A netrc file as the system has it: named, found, and what is said of one that cannot be read.
#![cfg(unix)]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{self, Command};

use callboard_client::{NetrcFileError, read_netrc, read_netrc_at};
use callboard_runtime::Handle;
use callboard_smol::Smol;

/// A folder that is removed at the end.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("callboard-netrc-{}-{name}", process::id()));
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    fn file(&self, name: &str, content: impl AsRef<[u8]>) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, content).unwrap();
        path
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn read_at(path: &Path) -> Result<String, NetrcFileError> {
    let runtime = Handle::from(Smol::new());
    let mut read = None;
    runtime.block_on(Box::pin(async { read = Some(read_netrc_at(&runtime, path).await) })).unwrap();
    read.unwrap().map(|netrc| netrc.look_up("example.org").map_or_else(String::new, |entry| entry.user().to_owned()))
}

#[test]
fn a_file_is_read_by_its_path() {
    let folder = Folder::new("path");
    assert_eq!(read_at(&folder.file("good", "machine example.org login me password x")).unwrap(), "me");
    assert_eq!(read_at(&folder.file("empty", "")).unwrap(), "");
}

#[test]
fn what_cannot_be_read_is_an_error_that_names_the_file() {
    let folder = Folder::new("errors");
    let missing = read_at(&folder.0.join("missing")).unwrap_err();
    assert!(matches!(&missing, NetrcFileError::Io { error, .. } if error.kind() == std::io::ErrorKind::NotFound));
    assert!(missing.path().ends_with("missing") && missing.to_string().contains("missing"), "{missing}");
    assert!(matches!(read_at(&folder.0).unwrap_err(), NetrcFileError::Io { .. }));
    assert!(matches!(read_at(Path::new("/dev/zero")).unwrap_err(), NetrcFileError::Io { .. }));
    let garbage = read_at(&folder.file("garbage", "machine example.org\nlogin me passwort secret")).unwrap_err();
    assert!(matches!(&garbage, NetrcFileError::Syntax { error, .. } if error.line == 2), "{garbage}");
    assert!(!format!("{garbage} {garbage:?}").contains("secret"), "{garbage}");
    assert!(matches!(read_at(&folder.file("bytes", b"machine \xff")).unwrap_err(), NetrcFileError::NotText { .. }));
    let long = "# long\n".repeat(1024 * 1024);
    assert!(matches!(read_at(&folder.file("long", long)).unwrap_err(), NetrcFileError::Syntax { .. }));
}

/// Run by the test below in a process of its own, for its environment: says what it has read.
#[test]
fn says_what_the_environment_names() {
    let runtime = Handle::from(Smol::new());
    let mut read = None;
    runtime.block_on(Box::pin(async { read = Some(read_netrc(&runtime).await) })).unwrap();
    let said = match read.unwrap() {
        Ok(Some(netrc)) => format!("user {}", netrc.look_up("example.org").map_or("none", |entry| entry.user())),
        Ok(None) => "no file".to_owned(),
        Err(error) => format!("error {error}"),
    };
    println!("\nread: {said}");
}

#[test]
fn the_environment_is_read_when_it_is_asked_for() {
    let folder = Folder::new("environment");
    folder.file(".netrc", "machine example.org login home password x");
    let named = folder.file("named", "machine example.org login named password x");
    let missing = folder.0.join("missing");
    let nowhere = Folder::new("nowhere");
    let (home, named) = (folder.0.as_path(), named.as_path());
    let rows = [
        (Some(home), Some(named), "user named"),
        (Some(home), None, "user home"),
        (Some(home), Some(missing.as_path()), "error the file"),
        (Some(nowhere.0.as_path()), None, "no file"),
        (None, None, "no file"),
    ];
    for (home, named, expected) in rows {
        let mut child = Command::new(std::env::current_exe().unwrap());
        child
            .args(["--exact", "says_what_the_environment_names", "--nocapture"])
            .env_remove("NETRC")
            .env_remove("HOME");
        child.envs(home.map(|path| ("HOME", path))).envs(named.map(|path| ("NETRC", path)));
        let output = child.output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let said = text.lines().find_map(|line| line.strip_prefix("read: ")).expect("the test says what it read");
        assert!(output.status.success() && said.starts_with(expected), "{said}, not {expected}");
    }
}
