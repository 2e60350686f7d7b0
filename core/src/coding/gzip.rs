//! Gzip (RFC 1952): members one after the other, each a header, deflated data, and its CRC-32 and length.
//!
//! Zeros after a member are padding, as gzip itself has it; anything else there that is no further member is an
//! error. Fields of the header are checked, counted and skipped, never kept.

use flate2::{Crc, Decompress};

use super::deflate::inflate;
use super::{DecodeError, DecodeLimits, Flow};

/// Bytes of a header: room for the longest extra field, and as much again for name and comment.
const HEADER: u32 = 128 * 1024;

const MAGIC: [u8; 2] = [0x1f, 0x8b];
/// The only compression method: deflate.
const METHOD: u8 = 8;

/// The low 32 bits.
const LOW: u64 = 0xffff_ffff;

const HAS_CHECKSUM: u8 = 0b0000_0010;
const HAS_EXTRA: u8 = 0b0000_0100;
const HAS_NAME: u8 = 0b0000_1000;
const HAS_COMMENT: u8 = 0b0001_0000;
const RESERVED: u8 = 0b1110_0000;

pub(super) struct GzipDecoder {
    state: State,
    data: Decompress,
    checksum: Crc,
    members: u32,
    most_members: u32,
}

enum State {
    /// Before the first member, or after one.
    Between,
    Header(Header),
    Data,
    Trailer([u8; 8], usize),
    Padding,
}

/// Where in a header, and what is known of it.
struct Header {
    field: Field,
    /// Bytes of the field so far.
    position: u32,
    flags: u8,
    extra: u32,
    checksum: Crc,
    stated: u8,
    length: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Field {
    Fixed,
    ExtraLength,
    Extra,
    Name,
    Comment,
    Checksum,
    End,
}

impl GzipDecoder {
    pub(super) fn new(limits: &DecodeLimits) -> Self {
        Self {
            state: State::Between,
            data: Decompress::new(false),
            checksum: Crc::new(),
            members: 0,
            most_members: limits.members,
        }
    }

    pub(super) fn is_complete(&self) -> bool {
        matches!(self.state, State::Between | State::Padding) && self.members > 0
    }

    pub(super) fn state(&self) -> &'static str {
        match &self.state {
            State::Between if self.members == 0 => "start",
            State::Between => "between members",
            State::Header(header) => match header.field {
                Field::Fixed => "header",
                Field::ExtraLength => "extra length",
                Field::Extra => "extra field",
                Field::Name => "name",
                Field::Comment => "comment",
                Field::Checksum => "header checksum",
                Field::End => "header end",
            },
            State::Data => "data",
            State::Trailer(..) => "trailer",
            State::Padding => "padding",
        }
    }

    pub(super) fn step(&mut self, flow: &mut Flow<'_>) -> Result<(), DecodeError> {
        loop {
            match &mut self.state {
                State::Between => {
                    let Some(&byte) = flow.input.get(flow.read) else { return Ok(()) };
                    self.begin(byte)?;
                }
                State::Header(header) => {
                    let Some(byte) = flow.take_byte() else { return Ok(()) };
                    header.take(byte)?;
                    if header.field == Field::End {
                        self.data.reset(false);
                        self.checksum.reset();
                        self.state = State::Data;
                    }
                }
                State::Data => {
                    let before = flow.written;
                    let has_ended = inflate(&mut self.data, flow);
                    self.checksum.update(&flow.output[before..flow.written]);
                    if !has_ended? {
                        return Ok(());
                    }
                    self.state = State::Trailer([0; 8], 0);
                }
                State::Trailer(bytes, count) => {
                    if *count < bytes.len() {
                        let Some(byte) = flow.take_byte() else { return Ok(()) };
                        bytes[*count] = byte;
                        *count += 1;
                        continue;
                    }
                    // CRC32, then ISIZE: the length modulo 2^32.
                    let stated = u64::from_le_bytes(*bytes);
                    if stated & LOW != u64::from(self.checksum.sum()) {
                        return Err(DecodeError::ChecksumMismatch);
                    }
                    if stated >> 32 != self.data.total_out() & LOW {
                        return Err(DecodeError::LengthMismatch);
                    }
                    self.state = State::Between;
                }
                State::Padding => match flow.take_byte() {
                    None => return Ok(()),
                    Some(0) => {}
                    Some(_) => return Err(DecodeError::TrailingData),
                },
            }
        }
    }

    /// What a first byte, not taken yet, is the beginning of.
    fn begin(&mut self, byte: u8) -> Result<(), DecodeError> {
        self.state = match byte {
            byte if byte == MAGIC[0] && self.members == self.most_members => return Err(DecodeError::TooManyMembers),
            byte if byte == MAGIC[0] => State::Header(Header::new()),
            _ if self.members == 0 => return Err(DecodeError::HeaderInvalid),
            0 => State::Padding,
            _ => return Err(DecodeError::TrailingData),
        };
        if matches!(self.state, State::Header(_)) {
            self.members += 1;
        }
        Ok(())
    }
}

impl Header {
    fn new() -> Self {
        Self { field: Field::Fixed, position: 0, flags: 0, extra: 0, checksum: Crc::new(), stated: 0, length: 0 }
    }

    /// RFC 1952 §2.3 and §2.3.1.
    fn take(&mut self, byte: u8) -> Result<(), DecodeError> {
        self.length += 1;
        if self.length > HEADER {
            return Err(DecodeError::HeaderTooLong);
        }
        let position = self.position;
        self.position += 1;
        if self.field != Field::Checksum {
            self.checksum.update(&[byte]);
        }
        let has_ended = match self.field {
            Field::Fixed => return self.take_fixed(position, byte),
            Field::ExtraLength => {
                self.extra |= u32::from(byte) << (8 * position);
                position == 1
            }
            Field::Extra => position + 1 == self.extra,
            Field::Name | Field::Comment => byte == 0,
            Field::Checksum if position == 0 => {
                self.stated = byte;
                false
            }
            Field::Checksum => {
                let [low, high, ..] = self.checksum.sum().to_le_bytes();
                if [self.stated, byte] != [low, high] {
                    return Err(DecodeError::ChecksumMismatch);
                }
                true
            }
            Field::End => true,
        };
        if has_ended {
            self.next();
        }
        Ok(())
    }

    fn take_fixed(&mut self, position: u32, byte: u8) -> Result<(), DecodeError> {
        let is_valid = match position {
            0 => byte == MAGIC[0],
            1 => byte == MAGIC[1],
            2 => byte == METHOD,
            3 => {
                self.flags = byte;
                byte & RESERVED == 0
            }
            // Time, extra flags and system say nothing about the data.
            9 => {
                self.next();
                true
            }
            _ => true,
        };
        if is_valid { Ok(()) } else { Err(DecodeError::HeaderInvalid) }
    }

    /// Goes to the next field that there is.
    fn next(&mut self) {
        loop {
            let (field, flag) = match self.field {
                Field::Fixed => (Field::ExtraLength, HAS_EXTRA),
                Field::ExtraLength => (Field::Extra, HAS_EXTRA),
                Field::Extra => (Field::Name, HAS_NAME),
                Field::Name => (Field::Comment, HAS_COMMENT),
                Field::Comment => (Field::Checksum, HAS_CHECKSUM),
                Field::Checksum | Field::End => (Field::End, 0),
            };
            self.field = field;
            self.position = 0;
            let is_empty = field == Field::Extra && self.extra == 0;
            if field == Field::End || self.flags & flag != 0 && !is_empty {
                return;
            }
        }
    }
}
