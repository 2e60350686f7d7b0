//! Names under which what a peer sends can be saved, on any system.

use alloc::borrow::ToOwned;
use alloc::string::String;

/// Bytes of a safe name: what common file systems allow.
const NAME_LENGTH: usize = 255;

/// The last part of a path that a peer gave, fit to be a file's name on any system; nothing if no name is left.
///
/// Separators of both kinds end a folder; control characters, and those that turn the direction of writing, go; what
/// some system forbids becomes `_`, and so does a dot in front; dots and spaces at the end go; names of devices get a
/// `_` in front; at most 255 bytes are left, with the extension. Two names can become one: do not overwrite.
///
/// ```
/// use callboard_core::disposition::safe_filename;
///
/// assert_eq!(safe_filename("../../etc/passwd").as_deref(), Some("passwd"));
/// assert_eq!(safe_filename("C:\\temp\\con.txt").as_deref(), Some("_con.txt"));
/// assert_eq!(safe_filename("a/.."), None);
/// ```
pub fn safe_filename(name: &str) -> Option<String> {
    let last = name.rsplit(['/', '\\']).next().unwrap_or_default();
    let is_hidden = |character: char| character.is_control() || is_invisible(character);
    let forbidden = |character: char| if "<>:\"|?*".contains(character) { '_' } else { character };
    let clean: String = last.chars().filter(|&character| !is_hidden(character)).map(forbidden).collect();
    let mut clean = clean.trim_start().trim_end_matches(|end: char| end == '.' || end.is_whitespace()).to_owned();
    if clean.is_empty() {
        return None;
    }
    if clean.starts_with('.') {
        clean.replace_range(..1, "_");
    }
    if is_device(&clean) {
        clean.insert(0, '_');
    }
    Some(shortened(clean))
}

/// Characters that turn the direction of writing, end lines or mark the order of bytes: what is shown is another name.
pub(crate) const fn is_invisible(character: char) -> bool {
    matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'
    )
}

/// Names that Windows keeps for devices, whatever the extension.
pub(crate) fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().trim_end();
    if ["con", "prn", "aux", "nul", "conin$", "conout$"].iter().any(|device| device.eq_ignore_ascii_case(stem)) {
        return true;
    }
    let Some((port, number)) = stem.split_at_checked(3) else { return false };
    let is_port = port.eq_ignore_ascii_case("com") || port.eq_ignore_ascii_case("lpt");
    let mut characters = number.chars();
    is_port
        && matches!(characters.next(), Some('0'..='9' | '\u{b9}' | '\u{b2}' | '\u{b3}'))
        && characters.next().is_none()
}

fn shortened(name: String) -> String {
    if name.len() <= NAME_LENGTH {
        return name;
    }
    // A short extension says what the file is; a long one is none.
    let extension = name.rfind('.').map_or("", |dot| &name[dot..]);
    let extension = if extension.len() <= 16 { extension } else { "" };
    let mut end = NAME_LENGTH - extension.len();
    while !name.is_char_boundary(end) {
        end -= 1;
    }
    let stem = name[..end].trim_end_matches(|end: char| end == '.' || end.is_whitespace());
    let mut short = stem.to_owned();
    short.push_str(extension);
    short
}
