//! Targets and hosts: tables of what is taken and what is refused (RFC 9112 §3.2, RFC 3986 §3.2).

use bytes::Bytes;
use callboard_core::{InvalidTarget, Method, Random, Target, TargetForm};

fn parse(target: &str, method: &Method) -> Result<Target, InvalidTarget> {
    Target::parse(Bytes::copy_from_slice(target.as_bytes()), method)
}

#[test]
fn origin_form_is_a_path_and_maybe_a_query() {
    let table = [
        ("/", "/", None),
        ("/a/b", "/a/b", None),
        ("/?", "/", Some("")),
        ("/a?b?c", "/a", Some("b?c")),
        ("/a%20b%zz", "/a%20b%zz", None),
        ("//host/path", "//host/path", None),
        ("/*:@!$&'()+,;=-._~", "/*:@!$&'()+,;=-._~", None),
        ("/a|{}^`\"<>\\[]", "/a|{}^`\"<>\\[]", None),
        ("/http://x/?y", "/http://x/", Some("y")),
    ];
    for (text, path, query) in table {
        for method in [Method::Get, Method::Options, Method::from_bytes(b"PURGE").unwrap()] {
            let target = parse(text, &method).unwrap();
            assert_eq!((target.path(), target.query()), (path, query), "{text}");
            assert_eq!((target.as_str(), target.form()), (text, TargetForm::Origin));
            assert_eq!((target.scheme(), target.authority()), (None, None));
            assert_eq!(target.to_string(), text);
        }
        assert_eq!(Target::origin(text), parse(text, &Method::Get));
    }
}

#[test]
fn absolute_form_has_a_scheme_and_an_authority() {
    let table = [
        ("http://a", "http", "a", "/", None),
        ("http://a/", "http", "a", "/", None),
        ("https://a:8443/b?c", "https", "a:8443", "/b", Some("c")),
        ("HTTP://A?q", "HTTP", "A", "/", Some("q")),
        ("x+y-1.z://[::1]:1/", "x+y-1.z", "[::1]:1", "/", None),
        ("http://a/b://c", "http", "a", "/b://c", None),
    ];
    for (text, scheme, authority, path, query) in table {
        let target = parse(text, &Method::Get).unwrap();
        assert_eq!(target.form(), TargetForm::Absolute, "{text}");
        assert_eq!((target.scheme(), target.authority()), (Some(scheme), Some(authority)), "{text}");
        assert_eq!((target.path(), target.query()), (path, query), "{text}");
        assert_eq!(Target::origin(text), Err(InvalidTarget));
    }
}

#[test]
fn authority_form_is_for_connect_and_asterisk_for_options() {
    let target = parse("example.org:443", &Method::Connect).unwrap();
    assert_eq!((target.form(), target.authority()), (TargetForm::Authority, Some("example.org:443")));
    assert_eq!((target.path(), target.query(), target.scheme()), ("", None, None));
    assert!(parse("[2001:db8::1]:443", &Method::Connect).is_ok());
    for text in ["example.org", "example.org:", "[::1]", "[::1]:", ":443", "/", "*", "http://a:1/", "a:b:1", "u@a:1"] {
        assert_eq!(parse(text, &Method::Connect), Err(InvalidTarget), "CONNECT {text}");
    }
    let target = parse("*", &Method::Options).unwrap();
    assert_eq!((target.form(), target.path(), target.query()), (TargetForm::Asterisk, "*", None));
    assert_eq!(target.authority(), None);
    assert_eq!(parse("*", &Method::Get), Err(InvalidTarget));
    assert_eq!(parse("**", &Method::Options), Err(InvalidTarget));
    assert_eq!(Target::origin("*"), Err(InvalidTarget));
}

#[test]
fn anything_else_is_refused() {
    let table = [
        "",
        "a",
        "a/b",
        "?q",
        "example.org:80",
        "http:",
        "http:/a",
        "http:a",
        "://a",
        "1http://a",
        "h_p://a",
        "http://",
        "http:///a",
        "http://?q",
        "http://u@a/",
        "http://u:p@a/",
        "http://a:b/",
        "http://a:65536/",
        "http://[::1/",
        "http://a b/",
        "/a b",
        "/a#b",
        "#",
        "/\u{e9}",
        "/\t",
        "/\0",
        "/\x7f",
        "/\r\n",
        "http://a#b",
    ];
    for text in table {
        assert_eq!(parse(text, &Method::Get), Err(InvalidTarget), "{text:?}");
    }
    for byte in 0..=255_u8 {
        let raw = Bytes::copy_from_slice(&[b'/', byte]);
        let expected = byte.is_ascii_graphic() && byte != b'#';
        assert_eq!(Target::parse(raw, &Method::Get).is_ok(), expected, "{byte:#x}");
    }
}

#[test]
fn hosts_are_names_addresses_and_ports() {
    let valid = [
        "a",
        "example.org",
        "127.0.0.1",
        "a-b_c~!$&'()*+,;=",
        "%41",
        "a:0",
        "a:80",
        "a:65535",
        "a:9999",
        "a:00080",
        "a:0000000080",
        "a:",
        "[::]",
        "[::1]:8",
        "[1:2:3:4:5:6:7:8]",
        "[::ffff:1.2.3.4]",
        "[v1.a:b]",
        "[vF.x]",
    ];
    let invalid = [
        "",
        ":",
        ":80",
        "a:65536",
        "a:99999",
        "a:6553a",
        "a:+80",
        "a:8a",
        "a:-1",
        "a:+1",
        "a:99999999999999999999",
        "a:1:2",
        "a@b",
        "a/b",
        "a?b",
        "a\\b",
        "a%4",
        "a%zz",
        "a b",
        "[",
        "[]",
        "[::1",
        "::1",
        "[::1]x",
        "[::1%eth0]",
        "[1:2]",
        "[v.a]",
        "[v1.]",
        "[v1]",
        "[vg.a]",
        "a[::1]",
        "\"a\"",
        "<a>",
        "a|b",
        "a,b\t",
    ];
    let with = |host: &str| parse(&format!("http://{host}/"), &Method::Get);
    for host in valid {
        assert_eq!(with(host).map(|target| target.authority().map(str::to_owned)), Ok(Some(host.to_owned())), "{host}");
    }
    for host in invalid.into_iter().filter(|host| !host.contains(['/', '?'])) {
        assert_eq!(with(host), Err(InvalidTarget), "{host:?}");
    }
}

/// Whatever bytes come, the parts of an accepted target make up the whole again.
#[test]
fn parts_of_random_targets_make_up_the_whole() {
    let alphabet = b"/?:@[]*ahtp.%0#\\ \x80-";
    let mut accepted = [0_u32; 4];
    let mut random = Random::from_seed(11);
    for round in 0..200_000_u32 {
        let mut raw: Vec<u8> = if round % 3 == 0 { b"http://".to_vec() } else { Vec::new() };
        for _ in 0..random.below(9) {
            raw.push(alphabet[usize::try_from(random.below(alphabet.len() as u64)).unwrap()]);
        }
        let method = [Method::Get, Method::Options, Method::Connect][usize::try_from(random.below(3)).unwrap()].clone();
        let Ok(target) = Target::parse(Bytes::copy_from_slice(&raw), &method) else { continue };
        accepted[target.form() as usize] += 1;
        assert_eq!(target.as_str().as_bytes(), raw);
        assert_eq!(target.form() == TargetForm::Authority, method == Method::Connect);
        let query = target.query().map(|query| format!("?{query}")).unwrap_or_default();
        let whole = match target.form() {
            TargetForm::Origin | TargetForm::Asterisk => format!("{}{query}", target.path()),
            TargetForm::Authority => target.authority().unwrap().to_owned(),
            TargetForm::Absolute => {
                let path = if raw.ends_with(target.path().as_bytes()) || !target.path().eq("/") || !query.is_empty() {
                    target.path()
                } else {
                    ""
                };
                let whole = format!("{}://{}{path}{query}", target.scheme().unwrap(), target.authority().unwrap());
                if whole.len() == raw.len() { whole } else { whole.replacen("/?", "?", 1) }
            }
        };
        assert_eq!(whole.as_bytes(), raw, "{target:?}");
    }
    assert!(accepted.iter().all(|&count| count > 0), "the generator misses a form: {accepted:?}");
}
