//! The style guide as a test: what a machine can judge of it.
//!
//! Each rule is a function from a file to findings, and each has a sample that it must find, so that a rule which has
//! gone blind fails too. The budgets are a ratchet: what the guide asks for is less (400 lines a file, 70 a function).

mod source;

use source::{Piece, SourceFile, block_length, code, files, scrub, tokens, without_tests};

/// Lines of a source file, tests apart.
const FILE_LINES: usize = 500;
/// Lines of a function, tests apart.
const FUNCTION_LINES: usize = 80;
/// Characters of a line.
const COLUMNS: usize = 120;

/// Files that may hold `unsafe`, or folders of such: each is audited, and says why at its top.
const UNSAFE: [&str; 3] = ["runtime-smol/src/receive.rs", "core/no-std-proof/", "benches/peers/"];

/// Names that are not spoken words. They are banned as the project's own names; a foreign `.conn()` or `x::buf` passes.
const ABBREVIATIONS: [&str; 60] = [
    "cx", "ctx", "ctxt", "buf", "bufs", "req", "reqs", "resp", "resps", "rsp", "res", "conn", "conns", "cfg", "conf",
    "msg", "msgs", "addr", "addrs", "hdr", "hdrs", "idx", "tmp", "ptr", "cnt", "num", "srv", "cli", "sess", "val",
    "vals", "err", "errs", "rx", "tx", "ev", "evt", "evs", "opt", "opts", "cb", "sock", "dur", "fut", "futs",
    "fmt_str", "elem", "elems", "cur", "dst", "src_buf", "init", "mgr", "proto", "pkt", "stmt", "usr", "func", "ret",
    "retval",
];

/// One line per finding: where, and what.
type Findings = Vec<String>;

fn file(path: &str, text: &str) -> SourceFile {
    SourceFile { path: path.to_owned(), text: text.to_owned() }
}

/// Library code: what users link. Examples are read by users and keep the same names, but not the same budgets.
fn is_library(path: &str) -> bool {
    path.starts_with("src/") || path.contains("/src/") && !path.starts_with("benches/") && !path.starts_with("fuzz/")
}

fn is_example(path: &str) -> bool {
    path.starts_with("examples/")
}

fn report(rule: fn(&SourceFile) -> Findings, extensions: &[&str]) {
    let findings: Findings = files(extensions).iter().flat_map(rule).collect();
    assert!(findings.is_empty(), "{} findings:\n{}", findings.len(), findings.join("\n"));
}

fn finds(rule: fn(&SourceFile) -> Findings, path: &str, text: &str) -> bool {
    !rule(&file(path, text)).is_empty()
}

fn header(file: &SourceFile) -> Findings {
    let lines = file.text.lines().take_while(|line| line.starts_with("//!")).count();
    match lines {
        0 => vec![format!("{}:1: no `//!` header that says what the file is and its rules", file.path)],
        _ => Vec::new(),
    }
}

#[test]
fn every_file_begins_with_its_rules() {
    report(header, &["rs"]);
    assert!(finds(header, "src/a.rs", "use a;\n//! late\n"));
    assert!(!finds(header, "src/a.rs", "//! What it is.\n"));
}

fn file_length(file: &SourceFile) -> Findings {
    let lines = without_tests(&code(&file.text));
    let last =
        lines.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()).map(|(number, _)| number + 1).last();
    let lines = if file.text.contains("#[cfg(test)]") { last.unwrap_or(0) } else { file.text.lines().count() };
    if is_library(&file.path) && lines > FILE_LINES {
        return vec![format!("{}: {lines} lines, over {FILE_LINES}: is it still one room?", file.path)];
    }
    Vec::new()
}

#[test]
fn files_are_short() {
    report(file_length, &["rs"]);
    assert!(finds(file_length, "web/src/a.rs", &"//! x\n".repeat(FILE_LINES + 1)));
    assert!(!finds(file_length, "web/src/a.rs", &"//! x\n".repeat(FILE_LINES)));
    assert!(!finds(file_length, "tests/a.rs", &"//! x\n".repeat(FILE_LINES + 1)));
}

fn function_length(file: &SourceFile) -> Findings {
    if !is_library(&file.path) && !is_example(&file.path) {
        return Vec::new();
    }
    let code = without_tests(&code(&file.text));
    functions(&code)
        .into_iter()
        .filter(|&(_, _, lines)| lines > FUNCTION_LINES)
        .map(|(line, name, lines)| format!("{}:{line}: fn {name}: {lines} lines, over {FUNCTION_LINES}", file.path))
        .collect()
}

/// The functions of a code that have a body: line, name, lines.
fn functions(code: &str) -> Vec<(usize, String, usize)> {
    let mut found = Vec::new();
    for (start, _) in code.match_indices("fn ") {
        let is_word =
            start == 0 || !code.as_bytes()[start - 1].is_ascii_alphanumeric() && code.as_bytes()[start - 1] != b'_';
        let name: String = code[start + 3..]
            .chars()
            .take_while(|character| character.is_alphanumeric() || *character == '_')
            .collect();
        // `fn(u8) -> u8` is a type; a `;` before the brace ends a declaration (`[u8; 4]` is inside brackets).
        let Some(open) = body(&code[start..]).filter(|_| is_word && !name.is_empty()) else { continue };
        let length = block_length(&code[start + open..]);
        let line = code[..start].matches('\n').count() + 1;
        found.push((line, name, code[start..start + open + length].matches('\n').count() + 1));
    }
    found
}

fn body(signature: &str) -> Option<usize> {
    let mut depth = 0_i32;
    for (position, character) in signature.char_indices() {
        match character {
            '(' | '[' => depth += 1,
            ')' | ']' => depth -= 1,
            '{' if depth == 0 => return Some(position),
            ';' if depth == 0 => return None,
            _ => {}
        }
    }
    None
}

#[test]
fn functions_are_short() {
    report(function_length, &["rs"]);
    let long = format!("fn long(a: [u8; 4]) {{\n{}}}\n", "    step();\n".repeat(FUNCTION_LINES));
    assert!(finds(function_length, "core/src/a.rs", &long));
    assert!(!finds(function_length, "core/src/a.rs", &format!("#[cfg(test)]\nmod tests {{\n{long}}}\n")));
    assert_eq!(functions("trait T { fn none(&self);\n fn some(&self) {\n}\n}"), [(2, "some".to_owned(), 2)]);
    assert_eq!(functions("const fn one() -> fn(u8) -> u8 {\n\n}"), [(1, "one".to_owned(), 3)]);
}

fn columns(file: &SourceFile) -> Findings {
    let long = file.text.lines().enumerate().filter(|(_, line)| line.chars().count() > COLUMNS);
    long.map(|(number, _)| format!("{}:{}: over {COLUMNS} columns", file.path, number + 1)).collect()
}

#[test]
fn lines_fit_the_width() {
    report(columns, &["rs", "py", "sh", "mjs"]);
    assert!(finds(columns, "src/a.rs", &"x".repeat(COLUMNS + 1)));
    assert!(!finds(columns, "src/a.rs", &"x".repeat(COLUMNS)));
}

fn names(file: &SourceFile) -> Findings {
    if !is_library(&file.path) && !is_example(&file.path) {
        return Vec::new();
    }
    let code = code(&file.text);
    let tokens = tokens(&code);
    let mut findings = Findings::new();
    for (position, &(line, token)) in tokens.iter().enumerate() {
        let before = position.checked_sub(1).map_or("", |position| tokens[position].1);
        let after = |offset: usize| tokens.get(position + offset).map_or("", |token| token.1);
        let foreign = matches!(before, "." | "#" | "[") && before != "[" || before == ":" && is_path(&tokens, position);
        let attribute = token == "cfg" && (matches!(before, "[" | "(") || after(1) == "!");
        let leads_a_path = after(1) == ":" && after(2) == ":";
        if ABBREVIATIONS.contains(&token) && !foreign && !attribute && !leads_a_path {
            findings.push(format!("{}:{line}: `{token}`: names are spoken words", file.path));
        }
    }
    findings
}

/// Does `::` stand before this token?
fn is_path(tokens: &[(usize, &str)], position: usize) -> bool {
    position >= 2 && tokens[position - 1].1 == ":" && tokens[position - 2].1 == ":"
}

#[test]
fn names_are_spoken_words() {
    report(names, &["rs"]);
    for bad in
        ["let cx = 1;", "fn f(buf: &[u8]) {}", "struct A { req: u8 }", "|msg| 1", "fn conn() {}", "let a: u8 = tmp;"]
    {
        assert!(finds(names, "core/src/a.rs", bad), "{bad}");
    }
    for good in ["// let cx", "a.conn()", "use bytes::buf::Take;", "#[cfg(test)] use a;", "\"buf\"", "let buffer = 1;"]
    {
        assert!(!finds(names, "core/src/a.rs", good), "{good}");
    }
}

fn unfinished(file: &SourceFile) -> Findings {
    // Written in two parts, so that this file does not find itself.
    let banned = [
        concat!("TO", "DO"),
        concat!("FIX", "ME"),
        concat!("#[ign", "ore"),
        concat!("unimple", "mented!"),
        concat!("to", "do!("),
        concat!("allow(dead", "_code"),
        concat!("allow(unu", "sed"),
        concat!("dbg", "!("),
    ];
    let mut findings = Findings::new();
    for (number, line) in file.text.lines().enumerate() {
        for word in banned.iter().filter(|word| line.contains(*word)) {
            findings.push(format!("{}:{}: `{word}`", file.path, number + 1));
        }
    }
    findings
}

#[test]
fn nothing_is_left_unfinished_or_silenced() {
    report(unfinished, &["rs", "toml", "py", "sh", "mjs"]);
    assert!(finds(unfinished, "src/a.rs", concat!("// TO", "DO: later")));
    assert!(finds(unfinished, "src/a.rs", concat!("#[allow(dead", "_code)]")));
}

fn exceptions(file: &SourceFile) -> Findings {
    let mut findings = Findings::new();
    let code = code(&file.text);
    for attribute in ["#[allow(", "#[expect(", "#![allow(", "#![expect("] {
        for (start, _) in code.match_indices(attribute) {
            let end = code[start..].find(")]").map_or(code.len(), |length| start + length);
            if !code[start..end].contains("reason =") {
                let line = code[..start].matches('\n').count() + 1;
                findings.push(format!("{}:{line}: {attribute}...)] without a reason", file.path));
            }
        }
    }
    findings
}

#[test]
fn every_exception_has_its_reason() {
    report(exceptions, &["rs"]);
    assert!(finds(exceptions, "src/a.rs", "#[allow(clippy::cast_lossless)]\nfn a() {}"));
    assert!(!finds(
        exceptions,
        "src/a.rs",
        "#[expect(\n    clippy::cast_lossless,\n    reason = \"why\"\n)]\nfn a() {}"
    ));
}

fn unsafe_code(file: &SourceFile) -> Findings {
    if UNSAFE.iter().any(|allowed| file.path == *allowed || allowed.ends_with('/') && file.path.starts_with(allowed)) {
        return Vec::new();
    }
    let code = code(&file.text);
    let found = tokens(&code).into_iter().filter(|&(_, token)| token == "unsafe");
    found.map(|(line, _)| format!("{}:{line}: `unsafe` outside {UNSAFE:?}", file.path)).collect()
}

#[test]
fn unsafe_code_is_in_one_named_file() {
    report(unsafe_code, &["rs"]);
    assert!(finds(unsafe_code, "core/src/a.rs", "fn a() { unsafe { b() } }"));
    assert!(!finds(unsafe_code, "core/src/a.rs", "//! unsafe\n#![forbid(unsafe_code)]\n"));
}

fn letters(file: &SourceFile) -> Findings {
    let mut findings = Findings::new();
    let code = scrub(&file.text, &[Piece::Comment]);
    for (number, (line, code)) in file.text.lines().zip(code.lines()).enumerate() {
        // Signs are welcome in comments (a paragraph sign, an arrow); letters that look like others are not.
        let is_letter = |character: char| character.is_alphabetic() && character != '\u{b5}' || character.is_control();
        let bad = line.chars().find(|&character| !character.is_ascii() && is_letter(character));
        if let Some(character) = code.chars().find(|character| !character.is_ascii()).or(bad) {
            findings.push(format!("{}:{}: U+{:04X}", file.path, number + 1, u32::from(character)));
        }
    }
    findings
}

#[test]
fn source_is_plain_ascii() {
    report(letters, &["rs"]);
    assert!(finds(letters, "src/a.rs", "let s = \"\u{e9}\";"));
    assert!(finds(letters, "src/a.rs", "// \u{430}"));
    assert!(!finds(letters, "src/a.rs", "// RFC 9112 \u{a7}6\nlet s = \"\\u{e9}\";"));
}

fn places(file: &SourceFile) -> Findings {
    let banned = [
        concat!("/ho", "me/"),
        concat!("/ro", "ot/"),
        concat!("/Us", "ers/"),
        concat!("/t", "mp/"),
        concat!("/wo", "rk/"),
    ];
    let mut findings = Findings::new();
    for (number, line) in file.text.lines().enumerate() {
        for place in banned {
            // A path of a machine starts the path; `/a/root/b` and `https://host/home/` do not.
            let starts = line.match_indices(place).any(|(start, _)| {
                let before = line[..start].chars().next_back();
                before.is_none_or(|before| {
                    !before.is_alphanumeric() && !matches!(before, '.' | '_' | '-' | '}' | '$' | ')')
                })
            });
            if starts {
                findings.push(format!("{}:{}: `{place}` is a place on one machine", file.path, number + 1));
            }
        }
    }
    findings
}

#[test]
fn no_file_names_a_place_on_one_machine() {
    report(places, &["rs", "toml", "md", "py", "sh", "mjs", "yml"]);
    assert!(finds(places, "README.md", concat!("see /ho", "me/someone/x")));
    assert!(!finds(places, "README.md", "see ../home/x and target/tmp"));
}
