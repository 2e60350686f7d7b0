//! Random bodies: what is written is read, and any bytes read in any pieces give the same.

use callboard_core::Random;
use callboard_core::media_type::MediaType;
use callboard_core::multipart::{Boundary, MultipartLimits, Part, TransferEncoding, Writer};

use crate::run::{Cut, check_parts, run};

const SEEDS: u64 = 2_000;

/// Pieces of which bodies are made that are nearly right.
const PIECES: [&[u8]; 22] = [
    b"--B",
    b"--B",
    b"--B\r\n",
    b"--B\r\n\r\n",
    b"--B--",
    b"\r\n",
    b"\r\n",
    b"\r\n--B\r\n",
    b"\r",
    b"\n",
    b"--",
    b"-",
    b"B",
    b" ",
    b"x",
    b"A: b\r\n",
    b"Content-Length: 4\r\n",
    b"Content-Transfer-Encoding: base64\r\n\r\nZm9v",
    b"Content-Transfer-Encoding: quoted-printable\r\n\r\na=3D=\r\n",
    b"Content-Disposition: form-data; name=_charset_\r\n",
    b"=",
    b"\x00\xff",
];

pub(crate) fn nearly_right(random: &mut Random) -> Vec<u8> {
    let count = random.below(16);
    let mut body = Vec::new();
    for _ in 0..count {
        body.extend_from_slice(PIECES[usize::try_from(random.below(PIECES.len() as u64)).unwrap()]);
    }
    body
}

#[test]
fn any_bytes_in_any_pieces_give_the_same() {
    let (mut good, mut bad) = (0, 0);
    for seed in 0..3 * SEEDS {
        let mut random = Random::from_seed(seed);
        let body = nearly_right(&mut random);
        let kind = if random.below(2) == 0 { "form-data" } else { "mixed" };
        let media_type: MediaType = format!("multipart/{kind}; boundary=B").parse().unwrap();
        let mut limits = MultipartLimits::default();
        if random.below(2) == 0 {
            limits =
                MultipartLimits { parts: 2, part: 5, total: 60, header_line: 30, head: 40, header_count: 1, depth: 0 };
        }
        let whole = run(&media_type, &limits, &body, Cut::Whole);
        check_parts(&media_type, &limits, &body, seed.to_le_bytes()[0], &whole);
        for cut in [Cut::Bytes, Cut::Random(random.fork()), Cut::Eager(random.fork())] {
            let outcome = run(&media_type, &limits, &body, cut.clone());
            assert_eq!(outcome, whole, "seed {seed}, {cut:?}: {}", body.escape_ascii());
        }
        if whole.error.is_none() { good += 1 } else { bad += 1 }
    }
    assert!(good > 50 && bad > 500, "{good} good, {bad} bad: the generator is one-sided");
}

#[test]
fn what_is_written_is_read() {
    for seed in 0..SEEDS {
        let mut random = Random::from_seed(seed);
        let is_form = random.below(2) == 0;
        let boundary = Boundary::random([seed, random.next_u64()]);
        let mut writer: Writer = if is_form { Writer::form_data(boundary) } else { Writer::mixed(boundary) };
        let mut expected = Vec::new();
        for _ in 0..random.below(4) {
            let (name, filename, data) = (name(&mut random), name(&mut random), nearly_right(&mut random));
            let part = if is_form {
                Part::file(&name, &filename, "text/plain; charset=utf-8", data.clone()).unwrap()
            } else {
                let encodings =
                    [TransferEncoding::Identity, TransferEncoding::Base64, TransferEncoding::QuotedPrintable];
                let encoding = encodings[usize::try_from(random.below(3)).unwrap()];
                Part::bytes(data.clone()).with_transfer_encoding(encoding).unwrap()
            };
            writer.add(part).unwrap();
            expected.push((is_form.then_some((name, filename)), data));
        }
        let media_type = writer.content_type();
        let body = writer.into_bytes();
        let outcome = run(&media_type, &MultipartLimits::default(), &body, Cut::Random(random));
        assert_eq!(outcome.error, None, "seed {seed}: {}", body.escape_ascii());
        let names =
            |head: &callboard_core::multipart::PartHead| Some((head.name()?.to_owned(), head.filename()?.to_owned()));
        let found: Vec<_> = outcome.parts.into_iter().map(|part| (names(&part.head), part.data)).collect();
        assert_eq!(found, expected, "seed {seed}");
    }
}

/// Without what a form cannot tell apart: percent signs before `22`, `0D`, `0A`, and backslashes.
fn name(random: &mut Random) -> String {
    let characters = ["a", "\"", "\r", "\n", ";", "=", " ", "%", "\u{e9}", "\u{3042}", "/", "'", "*"];
    (0..random.below(6)).map(|_| characters[usize::try_from(random.below(13)).unwrap()]).collect()
}
