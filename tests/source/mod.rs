//! Reads the repository's own files, for the tests that judge them (`style.rs`, `layers.rs`).
//!
//! Not a Rust parser: comments and literals are blanked out, and what remains is looked at as text and tokens. A file
//! keeps its line numbers through that, so that a finding can say where it is.

use std::fs;
use std::path::{Path, PathBuf};

/// A file of the repository, by its path from the root, with `/` between the parts.
pub(crate) struct SourceFile {
    pub(crate) path: String,
    pub(crate) text: String,
}

/// The root of the repository.
pub(crate) fn root() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Every text file of the repository with one of these extensions, in the order of paths.
pub(crate) fn files(extensions: &[&str]) -> Vec<SourceFile> {
    let mut found = Vec::new();
    walk(&root(), &root(), extensions, &mut found);
    found.sort_by(|left, right| left.path.cmp(&right.path));
    assert!(!found.is_empty(), "no file with {extensions:?} under {}", root().display());
    found
}

fn walk(top: &Path, folder: &Path, extensions: &[&str], found: &mut Vec<SourceFile>) {
    const SKIPPED: [&str; 7] = ["target", ".git", "node_modules", "corpus", "artifacts", "results", "__pycache__"];
    for entry in fs::read_dir(folder).expect("a readable folder").map(|entry| entry.expect("a readable entry")) {
        let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
        if path.is_dir() {
            // A corpus of test data is a part of the repository; that of the fuzzer is not.
            if !SKIPPED.contains(&name.as_str()) || path.starts_with(top.join("tests")) {
                walk(top, &path, extensions, found);
            }
            continue;
        }
        let extension = path.extension().map(|extension| extension.to_string_lossy().into_owned()).unwrap_or_default();
        if extensions.contains(&extension.as_str()) {
            let relative = path.strip_prefix(top).expect("a path under the root").to_string_lossy().replace('\\', "/");
            let text = fs::read(&path).expect("a readable file");
            found.push(SourceFile { path: relative, text: String::from_utf8_lossy(&text).into_owned() });
        }
    }
}

/// What a Rust text is made of.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Piece {
    Code,
    Comment,
    Literal,
}

/// A Rust text without its comments and literals. Every line break stays.
pub(crate) fn code(text: &str) -> String {
    scrub(text, &[Piece::Comment, Piece::Literal])
}

/// A Rust text in which these pieces are blank.
pub(crate) fn scrub(text: &str, blanked: &[Piece]) -> String {
    let characters: Vec<char> = text.chars().collect();
    let mut scrubbed = String::with_capacity(text.len());
    let mut position = 0;
    while position < characters.len() {
        let (kind, length) = piece(&characters, position);
        let piece = &characters[position..characters.len().min(position + length)];
        let blank = blanked.contains(&kind);
        scrubbed.extend(piece.iter().map(|&character| if blank && character != '\n' { ' ' } else { character }));
        position += length;
    }
    scrubbed
}

/// The kind and the length of what starts here.
fn piece(characters: &[char], start: usize) -> (Piece, usize) {
    let rest = &characters[start..];
    let follows_name = start > 0 && is_name(characters[start - 1]);
    match rest {
        ['/', '/', ..] => (Piece::Comment, rest.iter().take_while(|&&character| character != '\n').count()),
        ['/', '*', ..] => (Piece::Comment, block_comment(rest)),
        ['"', ..] => (Piece::Literal, quoted(rest, 0)),
        ['b' | 'c', '"', ..] if !follows_name => (Piece::Literal, quoted(rest, 1)),
        ['b', '\'', ..] if !follows_name => (Piece::Literal, 1 + character(&rest[1..]).unwrap_or(1)),
        ['r' | 'b' | 'c', ..] if !follows_name => raw(rest).map_or((Piece::Code, 1), |length| (Piece::Literal, length)),
        ['\'', ..] => character(rest).map_or((Piece::Code, 1), |length| (Piece::Literal, length)),
        _ => (Piece::Code, 1),
    }
}

fn is_name(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn block_comment(rest: &[char]) -> usize {
    let (mut depth, mut position) = (0_usize, 0);
    while position < rest.len() {
        match rest[position..] {
            ['/', '*', ..] => (depth, position) = (depth + 1, position + 2),
            ['*', '/', ..] => {
                (depth, position) = (depth - 1, position + 2);
                if depth == 0 {
                    break;
                }
            }
            _ => position += 1,
        }
    }
    position
}

/// The length of a string whose opening quote is at `open`.
fn quoted(rest: &[char], open: usize) -> usize {
    let mut position = open + 1;
    while position < rest.len() {
        match rest[position] {
            '\\' => position += 2,
            '"' => return position + 1,
            _ => position += 1,
        }
    }
    rest.len()
}

/// The length of a character literal, or nothing if this is a lifetime.
fn character(rest: &[char]) -> Option<usize> {
    match rest {
        ['\'', '\\', _, tail @ ..] => Some(4 + tail.iter().position(|&character| character == '\'')?),
        ['\'', _, '\'', ..] => Some(3),
        _ => None,
    }
}

/// The length of a raw string, or nothing if this is a name (or a raw identifier).
fn raw(rest: &[char]) -> Option<usize> {
    let prefix = rest.iter().take_while(|&&character| matches!(character, 'r' | 'b' | 'c')).count();
    let fences = rest[prefix..].iter().take_while(|&&character| character == '#').count();
    if rest[prefix - 1] != 'r' || rest.get(prefix + fences) != Some(&'"') {
        return None;
    }
    let mut position = prefix + fences + 1;
    while position < rest.len() {
        let closes = rest[position] == '"' && rest[position + 1..].iter().take(fences).all(|&fence| fence == '#');
        if closes && rest.len() - position > fences {
            return Some(position + 1 + fences);
        }
        position += 1;
    }
    Some(rest.len())
}

/// The code without what is behind `#[cfg(test)]`: a module or an item, with its braces or up to its semicolon.
pub(crate) fn without_tests(code: &str) -> String {
    const MARK: &str = "#[cfg(test)]";
    let mut kept = String::with_capacity(code.len());
    let mut rest = code;
    while let Some(start) = rest.find(MARK) {
        kept.push_str(&rest[..start]);
        let item = &rest[start..];
        let end = item[MARK.len()..].find(['{', ';']).map_or(item.len(), |offset| {
            let open = MARK.len() + offset;
            if item[open..].starts_with('{') { open + block_length(&item[open..]) } else { open + 1 }
        });
        kept.extend(item[..end].chars().map(|character| if character == '\n' { '\n' } else { ' ' }));
        rest = &item[end..];
    }
    kept + rest
}

/// The length of the block that `code` starts with, its braces included.
pub(crate) fn block_length(code: &str) -> usize {
    let mut depth = 0_usize;
    for (position, character) in code.char_indices() {
        match character {
            '{' => depth += 1,
            '}' => {
                depth -= 1;
                if depth == 0 {
                    return position + 1;
                }
            }
            _ => {}
        }
    }
    code.len()
}

/// The names and single other characters of a code, each with its line, counted from 1.
pub(crate) fn tokens(code: &str) -> Vec<(usize, &str)> {
    let mut found = Vec::new();
    for (number, line) in code.lines().enumerate() {
        let mut rest = line.trim_start();
        while let Some(first) = rest.chars().next() {
            let length = if is_name(first) {
                rest.find(|character| !is_name(character)).unwrap_or(rest.len())
            } else {
                first.len_utf8()
            };
            found.push((number + 1, &rest[..length]));
            rest = rest[length..].trim_start();
        }
    }
    found
}
