//! Pieces of a stream: tables, and the same pieces whatever the cuts, checked against a search over the whole.

use bytes::Bytes;
use callboard_core::Random;
use callboard_core::pieces::{PieceError, Pieces, Search, without_line_end};

/// What a reader sees: the pieces with their separators, then the rest or the error.
type Seen = (Vec<Vec<u8>>, Result<Vec<u8>, PieceError>);

fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>, separator: &[u8], limit: usize) -> Seen {
    let mut pieces = Pieces::new();
    let mut seen = Vec::new();
    let mut search = Search::new(separator, limit);
    for part in parts {
        pieces.feed(Bytes::copy_from_slice(part));
        loop {
            match pieces.until(&mut search) {
                Ok(Some(piece)) => {
                    seen.push(piece.to_vec());
                    search = Search::new(separator, limit);
                }
                Ok(None) => break,
                Err(error) => return (seen, Err(error)),
            }
        }
    }
    (seen, Ok(pieces.up_to(usize::MAX).to_vec()))
}

/// The same, from the whole at once and as plainly as it can be said.
fn expected(mut all: &[u8], separator: &[u8], limit: usize) -> Seen {
    let mut seen = Vec::new();
    loop {
        let found = all.windows(separator.len()).position(|window| window == separator);
        match found.map(|at| at + separator.len()) {
            Some(end) if end <= limit => {
                seen.push(all[..end].to_vec());
                all = &all[end..];
            }
            None if all.len() <= limit => return (seen, Ok(all.to_vec())),
            _ => return (seen, Err(PieceError::TooLong)),
        }
    }
}

#[test]
fn a_separator_across_parts_is_found() {
    let rows: [(&[&str], &str, &[&str], &str); 6] = [
        (&["a\n", "b\nc"], "\n", &["a\n", "b\n"], "c"),
        (&["a\r", "\nb"], "\r\n", &["a\r\n"], "b"),
        (&["-", "-", "-", "end", "-", "rest"], "--end-", &["---end-"], "rest"),
        (&["aab", "aaab"], "aaab", &["aabaaab"], ""),
        (&["", "\n", ""], "\n", &["\n"], ""),
        (&[], "\n", &[], ""),
    ];
    for (parts, separator, pieces, rest) in rows {
        let seen = read(parts.iter().map(|part| part.as_bytes()), separator.as_bytes(), 100);
        let pieces = pieces.iter().map(|piece| piece.as_bytes().to_vec()).collect();
        assert_eq!(seen, (pieces, Ok(rest.as_bytes().to_vec())), "{parts:?}");
    }
}

fn below(random: &mut Random, bound: usize) -> usize {
    usize::try_from(random.below(bound as u64)).unwrap()
}

#[test]
fn any_cut_gives_the_same_pieces() {
    let separators: [&[u8]; 5] = [b"\n", b"\r\n", b"aab", b"aaaa", b"abaababa"];
    for seed in 0..4_000 {
        let mut random = Random::from_seed(seed);
        let separator = separators[below(&mut random, 5)];
        let alphabet = if separator[0] == b'a' { b"aaab".as_slice() } else { b"ab\r\n".as_slice() };
        let length = below(&mut random, 60);
        let all: Vec<u8> = (0..length).map(|_| alphabet[below(&mut random, 4)]).collect();
        let limit = below(&mut random, 40);
        let mut parts = Vec::new();
        let mut rest = all.as_slice();
        while !rest.is_empty() {
            let (part, behind) = rest.split_at(below(&mut random, 8).min(rest.len()));
            parts.push(part);
            rest = behind;
        }
        let wanted = expected(&all, separator, limit);
        assert_eq!(read(parts, separator, limit), wanted, "seed {seed}");
        assert_eq!(read([all.as_slice()], separator, limit), wanted, "seed {seed}, in one");
        assert_eq!(read(all.chunks(1), separator, limit), wanted, "seed {seed}, by bytes");
    }
}

#[test]
fn the_limit_counts_the_separator_and_is_exact() {
    assert_eq!(read([b"abc\n".as_slice()], b"\n", 4).0.len(), 1);
    assert_eq!(read([b"abc\n".as_slice()], b"\n", 3), (vec![], Err(PieceError::TooLong)));
    assert_eq!(read([b"abc".as_slice()], b"\n", 3), (vec![], Ok(b"abc".to_vec())));
    assert_eq!(read([b"abcd".as_slice()], b"\n", 3), (vec![], Err(PieceError::TooLong)));
}

#[test]
fn what_is_too_long_is_still_there() {
    let mut pieces = Pieces::new();
    pieces.feed(Bytes::from_static(b"long line\nrest"));
    assert_eq!(pieces.until(&mut Search::new(b"\n", 4)), Err(PieceError::TooLong));
    assert_eq!(pieces.until(&mut Search::new(b"\n", 10)), Ok(Some(Bytes::from_static(b"long line\n"))));
    assert_eq!(pieces.up_to(2), "re");
    assert_eq!(pieces.held(), b"st");
}

#[test]
fn an_empty_separator_is_found_nowhere() {
    assert_eq!(read([b"ab".as_slice(), b"c"], b"", 3), (vec![], Ok(b"abc".to_vec())));
    assert_eq!(read([b"ab".as_slice(), b"c"], b"", 2), (vec![], Err(PieceError::TooLong)));
}

#[test]
fn counts_are_exact_or_nothing() {
    let mut pieces = Pieces::new();
    pieces.feed(Bytes::from_static(b"abc"));
    assert_eq!(pieces.exactly(4), None);
    pieces.feed(Bytes::from_static(b"def"));
    assert_eq!(pieces.exactly(4).unwrap(), "abcd");
    assert_eq!(pieces.exactly(0).unwrap(), "");
    pieces.skip(1);
    assert_eq!(pieces.exactly(1).unwrap(), "f");
    pieces.feed(Bytes::from_static(b"g"));
    pieces.skip(5);
    assert_eq!(pieces.held(), b"");
}

#[test]
fn a_piece_inside_a_part_is_not_copied() {
    let part = Bytes::from(b"one\ntwo\n".to_vec());
    let start = part.as_ptr();
    let mut pieces = Pieces::new();
    pieces.feed(part);
    let piece = pieces.until(&mut Search::new(b"\n", 10)).unwrap().unwrap();
    assert_eq!(piece.as_ptr(), start);
}

#[test]
fn both_line_ends_come_off() {
    for (line, text) in [("a\n", "a"), ("a\r\n", "a"), ("a\r", "a\r"), ("a", "a"), ("\r\n", ""), ("\n", ""), ("", "")] {
        assert_eq!(without_line_end(Bytes::from_static(line.as_bytes())), text, "{line:?}");
    }
}
