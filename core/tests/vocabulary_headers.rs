//! Headers against the plainest model: a vector of names and values. Random edits from a seed, and tables of what is
//! refused.

use callboard_core::{Headers, InvalidHeader, Random, header};

type Model = Vec<(String, Vec<u8>)>;

fn assert_same(headers: &Headers, model: &Model, seed: u64) {
    assert_eq!(headers.len(), model.len(), "seed {seed}");
    assert_eq!(headers.is_empty(), model.is_empty());
    let listed: Model = headers.iter().map(|(name, value)| (name.to_owned(), value.to_vec())).collect();
    assert_eq!(&listed, model, "seed {seed}");
    assert_eq!(headers.iter().len(), model.len());
}

fn model_get<'a>(model: &'a Model, name: &str) -> Vec<&'a [u8]> {
    model.iter().filter(|(other, _)| other.eq_ignore_ascii_case(name)).map(|(_, value)| &value[..]).collect()
}

fn model_set(model: &mut Model, name: &str, value: &[u8]) {
    let Some(place) = model.iter().position(|(other, _)| other.eq_ignore_ascii_case(name)) else {
        model.push((name.to_owned(), value.to_vec()));
        return;
    };
    model[place] = (name.to_owned(), value.to_vec());
    let mut index = 0;
    model.retain(|(other, _)| {
        index += 1;
        index - 1 <= place || !other.eq_ignore_ascii_case(name)
    });
}

/// A name out of few, so that they collide, in random case.
fn name(random: &mut Random) -> String {
    let pool = ["accept", "host", "x", "x-longer-name", "set-cookie", "y"];
    let name = pool[usize::try_from(random.below(pool.len() as u64)).unwrap()];
    name.chars().map(|letter| if random.below(2) == 0 { letter.to_ascii_uppercase() } else { letter }).collect()
}

fn value(random: &mut Random) -> Vec<u8> {
    // A few are so long that what follows lies beyond 64 KiB.
    let longest = [12, 400, 40_000][usize::from(random.below(10) == 0) + usize::from(random.below(100) == 0)];
    let length = random.below(longest);
    (0..length).map(|_| b"abcXYZ,;=\"\x80\xff"[usize::try_from(random.below(12)).unwrap()]).collect()
}

#[test]
fn random_edits_agree_with_a_vector() {
    for seed in 0..400 {
        let mut random = Random::from_seed(seed);
        let (mut headers, mut model) = (Headers::new(), Model::new());
        for _ in 0..60 {
            let (name, value) = (name(&mut random), value(&mut random));
            match random.below(20) {
                0..=8 => {
                    headers.append(&name, &value).unwrap();
                    model.push((name.clone(), value));
                }
                9..=13 => {
                    headers.set(&name, &value).unwrap();
                    model_set(&mut model, &name, &value);
                }
                14..=16 => {
                    let existed = !model_get(&model, &name).is_empty();
                    assert_eq!(headers.remove(&name), existed, "seed {seed}");
                    model.retain(|(other, _)| !other.eq_ignore_ascii_case(&name));
                }
                17 => {
                    headers.extend(&headers.clone());
                    model.extend(model.clone());
                    if model.len() > 100 {
                        headers.clear();
                        model.clear();
                    }
                }
                18 => headers = headers.clone(),
                _ if random.below(5) == 0 => {
                    headers.clear();
                    model.clear();
                }
                _ => assert!(headers.append("bad name", &value).is_err()),
            }
            assert_same(&headers, &model, seed);
            let expected = model_get(&model, &name);
            assert_eq!(headers.get(&name), expected.first().copied(), "seed {seed}");
            assert_eq!(headers.contains(&name), !expected.is_empty());
            assert_eq!(headers.get_all(&name.to_uppercase()).collect::<Vec<_>>(), expected, "seed {seed}");
        }
    }
}

#[test]
fn a_long_value_takes_the_place_of_a_short_one() {
    let long = "v".repeat(70_000);
    let mut headers = Headers::new();
    for name in ["a", "b", "c"] {
        headers.append(name, "1").unwrap();
    }
    headers.set("a", &long).unwrap();
    headers.append("d", "2").unwrap();
    headers.set("b", "3").unwrap();
    let expected = [("a", long.as_bytes()), ("b", b"3"), ("c", b"1"), ("d", b"2")];
    assert!(headers.iter().eq(expected));
    headers.set("a", "short").unwrap();
    assert!(headers.remove("c"));
    assert!(headers.iter().eq([("a", &b"short"[..]), ("b", b"3"), ("d", b"2")]));
}

#[test]
fn names_are_tokens() {
    let mut headers = Headers::new();
    for name in ["", " ", "a b", "a:", "a\r\n", "\u{e9}", "a\0", "(a)", "a\t", "\"a\""] {
        assert_eq!(headers.append(name, "v"), Err(InvalidHeader::Name), "{name:?}");
        assert_eq!(headers.set(name, "v"), Err(InvalidHeader::Name), "{name:?}");
    }
    assert_eq!(headers.append(&"n".repeat(65_536), ""), Err(InvalidHeader::TooLong));
    assert!(headers.is_empty());
    headers.append(&"n".repeat(65_535), "").unwrap();
    headers.append("!#$%&'*+-.^_`|~09azAZ", "").unwrap();
    assert_eq!(headers.len(), 2);
}

#[test]
fn values_have_no_control_bytes_and_no_space_around() {
    let mut headers = Headers::new();
    for byte in (0..=31).chain([127_u8]).filter(|&byte| byte != b'\t') {
        assert_eq!(headers.append("n", [b'a', byte, b'b']), Err(InvalidHeader::Value), "{byte:#x}");
        assert_eq!(headers.append("n", [byte]), Err(InvalidHeader::Value), "{byte:#x} alone");
        assert_eq!(headers.append("n", [b'a', byte]), Err(InvalidHeader::Value), "{byte:#x} at the end");
    }
    assert!(headers.is_empty());
    let table: [(&[u8], &[u8]); 5] = [
        (b"", b""),
        (b" \t", b""),
        (b"\t a\tb ", b"a\tb"),
        (b"\x80\xff", b"\x80\xff"),
        ("gr\u{fc}n".as_bytes(), "gr\u{fc}n".as_bytes()),
    ];
    for (value, stored) in table {
        headers.set("n", value).unwrap();
        assert_eq!(headers.get("N"), Some(stored));
    }
    assert_eq!(headers.text("n"), Some("gr\u{fc}n"));
    headers.set("n", b"\xff").unwrap();
    assert_eq!(headers.text("n"), None);
}

#[test]
fn tokens_are_found_in_lists_over_several_fields() {
    let mut headers = Headers::new();
    headers.append("Connection", "keep-alive , Upgrade").unwrap();
    headers.append("connection", ",,x-closed,\tClose").unwrap();
    for token in ["keep-alive", "upgrade", "close", "CLOSE", "x-closed"] {
        assert!(headers.has_token(header::CONNECTION, token), "{token}");
    }
    for token in ["keep", "clos", "closed", "keep-alive , Upgrade"] {
        assert!(!headers.has_token(header::CONNECTION, token), "{token}");
    }
    assert!(!headers.has_token("upgrade", "upgrade"));
}

#[test]
fn equality_ignores_the_case_of_names_and_nothing_else() {
    let build = |fields: &[(&str, &str)]| {
        let mut headers = Headers::new();
        for (name, value) in fields {
            headers.append(name, value).unwrap();
        }
        headers
    };
    let headers = build(&[("A", "1"), ("B", "2")]);
    assert_eq!(headers, build(&[("a", "1"), ("b", "2")]));
    for other in [&[("A", "1")][..], &[("B", "2"), ("A", "1")], &[("A", "1"), ("B", "3")], &[("A", "1"), ("C", "2")]] {
        assert_ne!(headers, build(other));
    }
    assert_eq!(Headers::default(), build(&[]));
}

#[test]
fn debug_output_shows_fields_and_hides_secrets() {
    let mut headers = Headers::new();
    headers.append("Host", "example.org").unwrap();
    for name in ["authorization", "Proxy-Authorization", "COOKIE", "Set-Cookie"] {
        headers.append(name, "hunter2").unwrap();
    }
    headers.append("X", b"\xff\"").unwrap();
    let text = format!("{headers:?}");
    assert!(text.contains("example.org") && text.contains("Set-Cookie"), "{text}");
    assert!(!text.contains("hunter2"), "{text}");
    assert!(text.contains(r#""\xff\"""#), "{text}");
}
