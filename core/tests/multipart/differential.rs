//! Another reader's opinion, multer's, of bodies that are nearly right: where both read one, they read the same.

use std::convert::Infallible;

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Boundary, MultipartLimits, Part, Writer};
use futures_lite::future::block_on;
use futures_lite::stream;

use crate::properties::nearly_right;
use crate::run::{Cut, run};

type Parts = Vec<(Option<String>, Option<String>, Vec<u8>)>;

fn theirs(body: &[u8], boundary: &str, random: &mut Random) -> Result<Parts, multer::Error> {
    let mut pieces = Vec::new();
    let mut rest = Bytes::copy_from_slice(body);
    while !rest.is_empty() {
        let length = usize::try_from(1 + random.below(20)).unwrap().min(rest.len());
        pieces.push(Ok::<_, Infallible>(rest.split_to(length)));
    }
    let mut multipart = multer::Multipart::new(stream::iter(pieces), boundary);
    let mut parts = Vec::new();
    block_on(async {
        while let Some(field) = multipart.next_field().await? {
            let (name, filename) = (field.name().map(str::to_owned), field.file_name().map(str::to_owned));
            parts.push((name, filename, field.bytes().await?.to_vec()));
        }
        Ok(parts)
    })
}

fn ours(body: &[u8], boundary: &str, random: Random) -> Option<Parts> {
    let media_type: MediaType = format!("multipart/form-data; boundary={boundary}").parse().unwrap();
    let outcome = run(&media_type, &MultipartLimits::default(), body, Cut::Random(random));
    // What follows the empty head of a part without fields is taken for its head by multer.
    if outcome.error.is_some() || outcome.parts.iter().any(|part| part.head.headers().is_empty()) {
        return None;
    }
    let text = |text: Option<&str>| text.map(str::to_owned);
    let parts = outcome.parts.into_iter();
    Some(parts.map(|part| (text(part.head.name()), text(part.head.filename()), part.data)).collect())
}

#[test]
fn multer_reads_what_is_written() {
    for seed in 0..2_000 {
        let mut random = Random::from_seed(seed);
        let mut writer: Writer = Writer::form_data(Boundary::random([seed, 1]));
        for number in 0..random.below(4) {
            let name = format!("name {number}; a=b \u{3042}");
            writer.add(Part::file(&name, "f.txt", "text/plain", nearly_right(&mut random)).unwrap()).unwrap();
        }
        let boundary = writer.boundary().clone();
        let body = writer.into_bytes();
        let theirs = theirs(&body, boundary.as_str(), &mut random).expect("a good body");
        assert_eq!(ours(&body, boundary.as_str(), random), Some(theirs), "{}", body.escape_ascii());
    }
}

/// A body that both accept has the same parts. Left out is what multer does not do: transfer encodings, and the
/// delimiter that follows a head at once (in RFC 2046 such a part has no body; multer takes it for data).
#[test]
fn no_body_is_read_in_two_ways() {
    let mut both = 0;
    for seed in 0..8_000 {
        let mut random = Random::from_seed(seed);
        let mut body = b"--B\r\nContent-Disposition: form-data; name=a\r\n\r\n".to_vec();
        body.extend_from_slice(&nearly_right(&mut random));
        body.extend_from_slice(b"\r\n--B--\r\n");
        let has = |text: &[u8]| body.windows(text.len()).any(|window| window == text);
        if has(b"Transfer") || has(b"\r\n\r\n--B") {
            continue;
        }
        if let (Ok(theirs), Some(ours)) = (theirs(&body, "B", &mut random), ours(&body, "B", random)) {
            both += 1;
            assert_eq!(ours, theirs, "seed {seed}: {}", body.escape_ascii());
        }
    }
    assert!(both > 500, "only {both} bodies are read by both");
}
