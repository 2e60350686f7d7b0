//! Forms: the URL standard's rules, limits, any split, and the opinion of `form_urlencoded`.

use callboard_core::Random;
use callboard_core::form::{self, FormError, FormLimits, FormReader};

type Pairs = Vec<(String, String)>;
type Expected = &'static [(&'static str, &'static str)];

fn whole(input: &[u8]) -> Pairs {
    form::pairs(input).map(|(name, value)| (name.into_owned(), value.into_owned())).collect()
}

/// The pairs read in pieces of a random or given length, and the error that ended it.
fn pieces(limits: &FormLimits, mut input: &[u8], mut length: impl FnMut() -> usize) -> (Pairs, Option<FormError>) {
    let mut reader = FormReader::new(limits.clone());
    let mut pairs = Vec::new();
    while !input.is_empty() {
        let (mut piece, rest) = input.split_at(length().clamp(1, input.len()));
        input = rest;
        loop {
            match reader.read(&mut piece) {
                Ok(Some(pair)) => pairs.push(pair),
                Ok(None) => break,
                Err(error) => {
                    assert_eq!(reader.read(&mut &b"a=b&"[..]), Err(error), "an error is final");
                    assert_eq!(reader.finish(), Err(error));
                    return (pairs, Some(error));
                }
            }
        }
    }
    match reader.finish() {
        Ok(last) => pairs.extend(last),
        Err(error) => return (pairs, Some(error)),
    }
    (pairs, None)
}

#[test]
fn the_rules_of_the_url_standard() {
    let table: &[(&[u8], Expected)] = &[
        (b"", &[]),
        (b"&&", &[]),
        (b"a=1&b=2", &[("a", "1"), ("b", "2")]),
        (b"a&=b&=&a=b=c", &[("a", ""), ("", "b"), ("", ""), ("a", "b=c")]),
        (b"a+b=c+%2B+d", &[("a b", "c + d")]),
        (b"%61%26=%3D%", &[("a&", "=%")]),
        (b"a=%4&b=%zz&c=%%41", &[("a", "%4"), ("b", "%zz"), ("c", "%A")]),
        (b"a=%E2%9C%93&b=\xe2\x9c\x93", &[("a", "\u{2713}"), ("b", "\u{2713}")]),
        (b"a=%FF&b=\xff", &[("a", "\u{fffd}"), ("b", "\u{fffd}")]),
        (b"a;b=c", &[("a;b", "c")]),
        (b"a=\xef\xbb\xbfb", &[("a", "\u{feff}b")]),
    ];
    for (input, expected) in table {
        let found = whole(input);
        let found: Vec<(&str, &str)> = found.iter().map(|(name, value)| (&**name, &**value)).collect();
        assert_eq!(found, *expected, "{}", input.escape_ascii());
    }
}

#[test]
fn limits_are_live_and_exact() {
    let with = |change: fn(&mut FormLimits)| {
        let mut limits = FormLimits::default();
        change(&mut limits);
        limits
    };
    for (input, good, bad, error) in [
        ("a=b&c=d&", with(|limits| limits.pairs = 2), with(|limits| limits.pairs = 1), FormError::TooManyPairs),
        ("a=b&&&", with(|limits| limits.pairs = 1), with(|limits| limits.pairs = 0), FormError::TooManyPairs),
        ("abc=de", with(|limits| limits.name = 3), with(|limits| limits.name = 2), FormError::NameTooLong),
        ("abc", with(|limits| limits.name = 3), with(|limits| limits.name = 2), FormError::NameTooLong),
        ("a=%41", with(|limits| limits.value = 3), with(|limits| limits.value = 2), FormError::ValueTooLong),
        ("a=%FF", FormLimits::default(), with(|limits| limits.is_strict = true), FormError::NotUtf8),
    ] {
        for length in 1..=input.len() {
            assert_eq!(pieces(&good, input.as_bytes(), || length).1, None, "{input}");
            assert_eq!(pieces(&bad, input.as_bytes(), || length).1, Some(error), "{input}");
        }
        assert_eq!(error.status().code(), if error == FormError::NotUtf8 { 400 } else { 413 });
    }
}

#[test]
fn memory_is_bounded_by_one_pair() {
    let limits = FormLimits { pairs: usize::MAX, ..FormLimits::default() };
    let mut reader = FormReader::new(limits);
    let memory = allocation_counter::measure(|| {
        for _ in 0..10_000 {
            let mut piece = &b"name=value&nam"[..];
            while reader.read(&mut piece).expect("no error").is_some() {}
            assert!(reader.read(&mut &b"&"[..]).expect("no error").is_some());
        }
    });
    assert!(memory.bytes_max < 1024, "{} bytes", memory.bytes_max);
    let memory = allocation_counter::measure(|| while reader.read(&mut &[b'x'; 100][..]).is_ok() {});
    assert!(memory.bytes_max < 4096, "{} bytes", memory.bytes_max);
}

fn random_input(random: &mut Random) -> Vec<u8> {
    let pieces: [&[u8]; 12] =
        [b"a", b"&", b"=", b"+", b"%", b"%41", b"%2", b"%e2%9c", b"%93", b"\xff", b"\xc3\xa9", b"%00"];
    let count = random.below(12);
    (0..count).flat_map(|_| pieces[usize::try_from(random.below(12)).unwrap()]).copied().collect()
}

#[test]
fn any_split_gives_the_same_and_form_urlencoded_agrees() {
    for seed in 0..20_000 {
        let mut random = Random::from_seed(seed);
        let input = random_input(&mut random);
        let expected: Pairs = form_urlencoded::parse(&input).into_owned().collect();
        assert_eq!(whole(&input), expected, "{}", input.escape_ascii());
        let lengths = || usize::try_from(1 + random.below(5)).unwrap();
        assert_eq!(pieces(&FormLimits::default(), &input, lengths), (expected, None), "{}", input.escape_ascii());
        let limits = FormLimits { pairs: 2, name: 3, value: 4, is_strict: true };
        let all = pieces(&limits, &input, || usize::MAX);
        assert_eq!(pieces(&limits, &input, || 1), all, "{}", input.escape_ascii());
    }
}

#[test]
fn what_is_written_is_read_and_form_urlencoded_writes_the_same() {
    for seed in 0..5_000 {
        let mut random = Random::from_seed(seed);
        let mut text = || String::from_utf8_lossy(&random_input(&mut random)).into_owned();
        let pairs: Pairs = (0..3).map(|_| (text(), text())).collect();
        let written = form::write(pairs_of(&pairs));
        assert_eq!(whole(written.as_bytes()), pairs);
        let theirs = form_urlencoded::Serializer::new(String::new()).extend_pairs(&pairs).finish();
        assert_eq!(written, theirs);
    }
    let every: String = (0..=255_u8).map(char::from).collect();
    let mut encoded = String::new();
    form::encode(&mut encoded, &every);
    assert_eq!(encoded, form_urlencoded::byte_serialize(every.as_bytes()).collect::<String>());
}

fn pairs_of(pairs: &Pairs) -> Vec<(&str, &str)> {
    pairs.iter().map(|(name, value)| (&**name, &**value)).collect()
}
