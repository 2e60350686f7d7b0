//! Content-Transfer-Encoding: base64 and quoted-printable, a piece at a time (RFC 2045 §6).
//!
//! A decoder holds less than one unit: three characters of base64, or one escape and a run of white space. What is not
//! of the encoding is an error rather than left out: two readers would see two contents.

use alloc::vec::Vec;

use super::MultipartError;
use crate::base64;
use crate::syntax::hexadecimal;

/// White space before a line end is no content; no more than this is held until the line end decides.
const LONGEST_SPACE: usize = 998;
/// Bytes that one line of base64 stands for: 76 characters (RFC 2045 §6.8).
const BASE64_LINE: usize = 57;
/// Characters of a line of quoted-printable, before the `=` that continues it (RFC 2045 §6.7, rule 5).
const QUOTED_LINE: usize = 75;

/// How the data of a part is written.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[non_exhaustive]
pub enum TransferEncoding {
    /// As it is: `7bit`, `8bit` or `binary`, or no field.
    #[default]
    Identity,
    /// `base64` (RFC 2045 §6.8).
    Base64,
    /// `quoted-printable` (RFC 2045 §6.7).
    QuotedPrintable,
}

impl TransferEncoding {
    pub(super) fn of(value: &[u8]) -> Option<Self> {
        let is = |names: &[&str]| names.iter().any(|name| name.as_bytes().eq_ignore_ascii_case(value));
        if is(&["binary", "8bit", "7bit"]) {
            Some(Self::Identity)
        } else if is(&["base64"]) {
            Some(Self::Base64)
        } else if is(&["quoted-printable"]) {
            Some(Self::QuotedPrintable)
        } else {
            None
        }
    }

    /// As the field spells it. `binary` for what is as it is.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Identity => "binary",
            Self::Base64 => "base64",
            Self::QuotedPrintable => "quoted-printable",
        }
    }

    /// `data` in this encoding, in lines of at most 76 characters.
    pub(super) fn encode(self, data: &[u8]) -> Vec<u8> {
        match self {
            Self::Identity => data.to_vec(),
            Self::Base64 => encode_base64(data),
            Self::QuotedPrintable => encode_quoted(data),
        }
    }

    pub(super) fn decoder(self) -> Option<Decoder> {
        match self {
            Self::Identity => None,
            Self::Base64 => Some(Decoder::Base64(Base64::default())),
            Self::QuotedPrintable => Some(Decoder::Quoted(Quoted::default())),
        }
    }
}

/// Decodes the data of one part.
#[derive(Debug)]
pub(super) enum Decoder {
    Base64(Base64),
    Quoted(Quoted),
}

impl Decoder {
    /// Adds what `input` stands for to `output`. On an error, what came before it has been added.
    pub(super) fn decode(&mut self, input: &[u8], output: &mut Vec<u8>) -> Result<(), MultipartError> {
        match self {
            Self::Base64(decoder) => input.iter().try_for_each(|&byte| decoder.take(byte, output)),
            Self::Quoted(decoder) => input.iter().try_for_each(|&byte| decoder.take(byte, output)),
        }
    }

    /// The data is over.
    pub(super) fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), MultipartError> {
        match self {
            Self::Base64(decoder) => decoder.finish(),
            Self::Quoted(decoder) => decoder.finish(output),
        }
    }
}

#[derive(Debug, Default)]
pub(super) struct Base64 {
    /// The bits of the quartet that is coming.
    bits: u32,
    /// Its characters, padding included.
    count: u8,
    padding: u8,
    /// A padded quartet is the last.
    is_over: bool,
}

impl Base64 {
    fn take(&mut self, byte: u8, output: &mut Vec<u8>) -> Result<(), MultipartError> {
        let value = match byte {
            b'\r' | b'\n' | b' ' | b'\t' => return Ok(()),
            b'=' if self.count >= 2 => {
                self.padding += 1;
                0
            }
            _ => base64::value(byte).ok_or(MultipartError::Base64Invalid)?,
        };
        if self.is_over || self.padding > 0 && byte != b'=' {
            return Err(MultipartError::Base64Invalid);
        }
        self.bits = self.bits << 6 | u32::from(value);
        self.count += 1;
        if self.count == 4 {
            let [_, bytes @ ..] = self.bits.to_be_bytes();
            output.extend_from_slice(&bytes[..3 - usize::from(self.padding)]);
            *self = Self { is_over: self.padding > 0, ..Self::default() };
        }
        Ok(())
    }

    fn finish(&self) -> Result<(), MultipartError> {
        if self.count == 0 { Ok(()) } else { Err(MultipartError::Base64Invalid) }
    }
}

#[derive(Debug, Default)]
pub(super) struct Quoted {
    state: QuotedState,
    /// White space that is content if something else follows on the line.
    space: Vec<u8>,
}

#[derive(Clone, Copy, Debug, Default)]
enum QuotedState {
    #[default]
    Text,
    /// After a CR: it is content unless an LF follows, and then both are.
    Return,
    /// After an `=`.
    Escape,
    /// After an `=` and one digit.
    Digit(u8),
    /// After an `=` and white space or a CR: the line goes on in the next one.
    Soft,
}

impl Quoted {
    fn take(&mut self, byte: u8, output: &mut Vec<u8>) -> Result<(), MultipartError> {
        let wrong = MultipartError::QuotedPrintableInvalid;
        self.state = match (self.state, byte) {
            (QuotedState::Return, b'\n') => {
                self.space.clear();
                output.extend_from_slice(b"\r\n");
                QuotedState::Text
            }
            (QuotedState::Return, _) => {
                // The CR stood alone.
                output.append(&mut self.space);
                output.push(b'\r');
                self.state = QuotedState::Text;
                return self.take(byte, output);
            }
            (QuotedState::Text, b' ' | b'\t') => {
                if self.space.len() == LONGEST_SPACE {
                    return Err(wrong);
                }
                self.space.push(byte);
                QuotedState::Text
            }
            (QuotedState::Text, b'\r') => QuotedState::Return,
            (QuotedState::Text, _) => {
                if byte == b'\n' {
                    self.space.clear();
                }
                output.append(&mut self.space);
                if byte == b'=' {
                    QuotedState::Escape
                } else {
                    output.push(byte);
                    QuotedState::Text
                }
            }
            (QuotedState::Escape | QuotedState::Soft, b'\n') => QuotedState::Text,
            (QuotedState::Escape | QuotedState::Soft, b'\r' | b' ' | b'\t') => QuotedState::Soft,
            (QuotedState::Escape, _) => QuotedState::Digit(hexadecimal(byte).ok_or(wrong)?),
            (QuotedState::Digit(high), _) => {
                output.push(high << 4 | hexadecimal(byte).ok_or(wrong)?);
                QuotedState::Text
            }
            (QuotedState::Soft, _) => return Err(wrong),
        };
        Ok(())
    }

    fn finish(&mut self, output: &mut Vec<u8>) -> Result<(), MultipartError> {
        match self.state {
            QuotedState::Text | QuotedState::Escape | QuotedState::Soft => Ok(()),
            QuotedState::Return => {
                output.append(&mut self.space);
                output.push(b'\r');
                Ok(())
            }
            QuotedState::Digit(_) => Err(MultipartError::QuotedPrintableInvalid),
        }
    }
}

fn encode_base64(data: &[u8]) -> Vec<u8> {
    let mut output = Vec::with_capacity(data.len() / 3 * 4 + data.len() / BASE64_LINE * 2 + 8);
    for (number, line) in data.chunks(BASE64_LINE).enumerate() {
        if number > 0 {
            output.extend_from_slice(b"\r\n");
        }
        output.extend(base64::characters(line));
    }
    output
}

/// Line ends of the data are kept as such; everything else that is not printable is escaped.
fn encode_quoted(data: &[u8]) -> Vec<u8> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let mut output = Vec::with_capacity(data.len() + data.len() / 4);
    let mut column = 0;
    let mut rest = data;
    while let [byte, after @ ..] = rest {
        if let [b'\r', b'\n', after @ ..] = rest {
            output.extend_from_slice(b"\r\n");
            (rest, column) = (after, 0);
            continue;
        }
        rest = after;
        // White space before a line end would be lost.
        let is_space = matches!(byte, b' ' | b'\t') && !matches!(after, [] | [b'\r', ..]);
        let is_literal = byte.is_ascii_graphic() && *byte != b'=' || is_space;
        let width = if is_literal { 1 } else { 3 };
        if column + width > QUOTED_LINE {
            output.extend_from_slice(b"=\r\n");
            column = 0;
        }
        if is_literal {
            output.push(*byte);
        } else {
            output.extend_from_slice(&[b'=', DIGITS[usize::from(byte >> 4)], DIGITS[usize::from(byte & 15)]]);
        }
        column += width;
    }
    output
}
