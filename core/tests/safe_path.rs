//! Paths of requests that may become paths of files, and each rule that refuses one.

use std::path::{Component, Path, PathBuf};

use callboard_core::Random;
use callboard_core::safe_path::{Hidden, PathRule, SafePath, UnsafePath};

fn names(path: &str) -> Result<Vec<String>, UnsafePath> {
    SafePath::parse(path, Hidden::Refused).map(|path| path.names().to_vec())
}

#[test]
fn paths_that_are_served() {
    for (path, expected, is_folder) in [
        ("", &[][..], true),
        ("/", &[], true),
        ("/a", &["a"], false),
        ("a", &["a"], false),
        ("/a/", &["a"], true),
        ("/a/b.txt", &["a", "b.txt"], false),
        ("/a%20b/c%2Bd+e", &["a b", "c+d+e"], false),
        ("/%e3%81%82/\u{3042}", &["\u{3042}", "\u{3042}"], false),
        ("/100%25", &["100%"], false),
        // Decoded once.
        ("/%252e%252e/x", &["%2e%2e", "x"], false),
        ("/%2541", &["%41"], false),
        ("/what%3F", &["what?"], false),
        ("/~user/a~b", &["~user", "a~b"], false),
        ("/a~1b", &["a~1b"], false),
        ("/longer-name~1", &["longer-name~1"], false),
        ("/a..b", &["a..b"], false),
        ("/console/com10/con1", &["console", "com10", "con1"], false),
        ("/a%E2%80%8Cb", &["a\u{200c}b"], false),
        ("/%20a", &[" a"], false),
    ] {
        let found = SafePath::parse(path, Hidden::Refused).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert!(found.names() == expected && found.is_folder() == is_folder, "{path}: {found:?}");
        assert_eq!(found.to_string(), expected.join("/"), "{path}");
    }
}

#[test]
fn each_rule_with_its_place() {
    use PathRule as Rule;
    for (path, rule, at) in [
        ("/%", Rule::Encoding, 1),
        ("/a%4", Rule::Encoding, 2),
        ("/%41%zz", Rule::Encoding, 4),
        ("/a/%2", Rule::Encoding, 3),
        ("/%u002e", Rule::Encoding, 1),
        ("/%ff", Rule::NotUtf8, 1),
        ("/a/%41%c0%ae", Rule::NotUtf8, 6),
        // Over-long forms are no UTF-8: neither a dot nor a slash.
        ("/%c0%ae%c0%ae/x", Rule::NotUtf8, 1),
        ("/..%c0%af", Rule::NotUtf8, 3),
        ("/%ed%a0%80", Rule::NotUtf8, 1),
        ("//", Rule::Empty, 1),
        ("//etc/passwd", Rule::Empty, 1),
        ("/a//b", Rule::Empty, 3),
        ("/a//", Rule::Empty, 3),
        ("/.", Rule::Current, 1),
        ("/a/./b", Rule::Current, 3),
        ("/%2e/b", Rule::Current, 1),
        ("/..", Rule::Parent, 1),
        ("..", Rule::Parent, 0),
        ("../x", Rule::Parent, 0),
        ("/a/../../etc/passwd", Rule::Parent, 3),
        ("/a/..", Rule::Parent, 3),
        ("/.%2e/x", Rule::Parent, 1),
        ("/%2E%2e/x", Rule::Parent, 1),
        ("/..%2f..%2fetc", Rule::Separator, 3),
        ("/a%2Fb", Rule::Separator, 2),
        ("/%2fetc/passwd", Rule::Separator, 1),
        ("/a\\b", Rule::Separator, 2),
        ("/..%5c..%5cx", Rule::Separator, 3),
        ("/a%5Cb", Rule::Separator, 2),
        ("/%5c%5cserver%5cshare", Rule::Separator, 1),
        ("/a%00.txt", Rule::Control, 2),
        ("/a%0d%0ab", Rule::Control, 2),
        ("/%7f", Rule::Control, 1),
        ("/%c2%85", Rule::Control, 1),
        ("/exe.%e2%80%aetxt", Rule::Invisible, 5),
        ("/%ef%bb%bfa", Rule::Invisible, 1),
        ("/%e2%80%8c.git/config", Rule::Invisible, 1),
        ("/%c2%ad.env", Rule::Invisible, 1),
        ("/C:", Rule::Colon, 2),
        ("/C:/windows", Rule::Colon, 2),
        ("/c%3a", Rule::Colon, 2),
        ("/index.html::$DATA", Rule::Colon, 11),
        ("/a/b:stream", Rule::Colon, 4),
        ("/con", Rule::Device, 1),
        ("/a/NUL.txt", Rule::Device, 3),
        ("/aux/b", Rule::Device, 1),
        ("/com1", Rule::Device, 1),
        ("/Lpt9.a.b", Rule::Device, 1),
        ("/com%c2%b9.txt", Rule::Device, 1),
        ("/prn%20.txt", Rule::Device, 1),
        ("/CONOUT$", Rule::Device, 1),
        ("/a.txt.", Rule::TrailingDotOrSpace, 1),
        ("/a.txt%20", Rule::TrailingDotOrSpace, 1),
        ("/a%2e/b", Rule::TrailingDotOrSpace, 1),
        ("/...", Rule::TrailingDotOrSpace, 1),
        ("/..%20/x", Rule::TrailingDotOrSpace, 1),
        ("/%20", Rule::TrailingDotOrSpace, 1),
        ("/.htaccess.", Rule::TrailingDotOrSpace, 1),
        ("/HTPASS~1", Rule::ShortName, 1),
        ("/git~1/config", Rule::ShortName, 1),
        ("/progra~1", Rule::ShortName, 1),
        ("/ab1234~1.htm", Rule::ShortName, 1),
        ("/a%7e12", Rule::ShortName, 1),
        ("/.git/config", Rule::Hidden, 1),
        ("/a/.env", Rule::Hidden, 3),
        ("/%2ehtpasswd", Rule::Hidden, 1),
        ("/.well-known/x", Rule::Hidden, 1),
        ("/..a", Rule::Hidden, 1),
    ] {
        let error = names(path).expect_err(path);
        assert_eq!((error.rule, error.at), (rule, at), "{path}: {error}");
        let status = if matches!(rule, Rule::Encoding | Rule::NotUtf8) { 400 } else { 404 };
        assert_eq!(error.status().code(), status, "{path}");
        assert!(error.to_string().ends_with(&format!(", at byte {at}")), "{error}");
    }
}

#[test]
fn hidden_names_by_policy() {
    for (path, well_known, served) in [
        ("/.well-known/security.txt", true, true),
        ("/.well-known", true, true),
        ("/a/.well-known/x", false, true),
        ("/.Well-Known/x", false, true),
        ("/.well-known/.x", false, true),
        ("/.git/config", false, true),
        ("/..", false, false),
        ("/.", false, false),
        ("/...", false, false),
        ("/%e2%80%8c.git", false, false),
    ] {
        assert!(SafePath::parse(path, Hidden::Refused).is_err(), "{path}");
        assert_eq!(SafePath::parse(path, Hidden::WellKnown).is_ok(), well_known, "{path}");
        assert_eq!(SafePath::parse(path, Hidden::Served).is_ok(), served, "{path}");
    }
    assert_eq!(Hidden::default(), Hidden::Refused);
}

/// Every byte, raw where it can be and encoded, alone and inside of a name.
#[test]
fn any_byte_at_any_place() {
    for byte in 0..=255_u8 {
        let encoded = format!("%{byte:02x}");
        for path in [format!("/{encoded}"), format!("/a{encoded}b"), format!("/a/{encoded}/b"), format!("/a{encoded}")]
        {
            let Ok(found) = names(&path) else { continue };
            assert!(byte.is_ascii_graphic() || byte == b' ', "{path}");
            assert!(!matches!(byte, b'/' | b'\\' | b':'), "{path}");
            assert!(found.iter().all(|name| !name.is_empty()), "{path}");
        }
        let is_plain = (byte.is_ascii_graphic() || byte == b' ') && !matches!(byte, b'/' | b'\\' | b':');
        assert_eq!(names(&format!("/a{encoded}b")).is_ok(), is_plain, "{byte:#x}");
    }
}

/// No text leads out of the folder, for this system's own idea of paths and for that of Windows.
#[test]
fn nothing_escapes() {
    let pieces = [
        "/",
        "\\",
        ".",
        "..",
        "%2e",
        "%2F",
        "%5c",
        "%00",
        ":",
        "C:",
        "a",
        "~1",
        "con",
        " ",
        "%20",
        "%",
        "%25",
        "%c0%af",
        "\u{200c}",
        "\u{ff0e}",
        "\u{2215}",
        "%ef%bc%8f",
    ];
    let mut served = 0;
    for seed in 0..40_000 {
        let mut random = Random::from_seed(seed);
        let mut draw = || pieces[usize::try_from(random.below(pieces.len() as u64)).unwrap()];
        let path: String = (0..=seed % 7).map(|_| draw()).collect();
        for hidden in [Hidden::Refused, Hidden::WellKnown, Hidden::Served] {
            let Ok(safe) = SafePath::parse(&path, hidden) else { continue };
            served += 1;
            let root = Path::new("/srv/root");
            let joined: PathBuf = root.join(safe.to_string());
            let below = joined.strip_prefix(root).expect("it is below the root");
            assert!(below.components().all(|component| matches!(component, Component::Normal(_))), "{path}");
            assert_eq!(below.components().count(), safe.names().len(), "{path}");
            for name in safe.names() {
                assert!(!name.contains(['/', '\\', ':', '\0']) && !name.ends_with(['.', ' ']), "{path}");
            }
        }
    }
    assert!(served > 3_000, "{served}");
}
