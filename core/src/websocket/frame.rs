//! The head of a frame, read and written (RFC 6455 §5.2). Knows no role and no state.

use super::ReceiveError;

/// Bytes of the longest head.
pub const HEAD_LIMIT: usize = 14;
/// Bytes of payload in a control frame.
pub const CONTROL_LIMIT: usize = 125;

/// What a frame is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Opcode {
    /// The next fragment of a message.
    Continuation = 0,
    /// The first frame of a text message.
    Text = 1,
    /// The first frame of a binary message.
    Binary = 2,
    /// Closes.
    Close = 8,
    /// Asks for a pong.
    Ping = 9,
    /// Answers a ping, or is sent unasked.
    Pong = 10,
}

impl Opcode {
    /// Whether the frame is a control frame, which may stand inside a fragmented message.
    #[inline]
    pub const fn is_control(self) -> bool {
        self as u8 >= 8
    }
}

/// The head of a frame.
///
/// ```
/// use callboard_core::websocket::{FrameHead, Opcode};
///
/// let (head, size) = FrameHead::read(b"\x81\x85\x01\x02\x03\x04").unwrap().unwrap();
/// assert_eq!((head.opcode, head.length, head.mask, size), (Opcode::Text, 5, Some([1, 2, 3, 4]), 6));
/// assert_eq!(FrameHead::read(b"\x81\x85\x01"), Ok(None));
/// let mut buffer = [0; 14];
/// assert_eq!(head.write(&mut buffer), 6);
/// assert_eq!(&buffer[..6], b"\x81\x85\x01\x02\x03\x04");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct FrameHead {
    /// Whether the message ends with this frame.
    pub is_final: bool,
    /// RSV1: the message is compressed (RFC 7692 §6). On the first frame of a message only.
    pub is_compressed: bool,
    /// What it is.
    pub opcode: Opcode,
    /// The key that masks the payload.
    pub mask: Option<[u8; 4]>,
    /// Bytes of payload.
    pub length: u64,
}

impl FrameHead {
    /// Reads a head from the front of `bytes`, with its size; `None` if more bytes are needed. What is wrong is found
    /// at the first byte that shows it.
    #[inline]
    pub fn read(bytes: &[u8]) -> Result<Option<(Self, usize)>, ReceiveError> {
        let [first, second, rest @ ..] = bytes else {
            return bytes.first().map_or(Ok(None), |first| Self::opcode(*first).map(|_| None));
        };
        let opcode = Self::opcode(*first)?;
        let is_final = first & 0x80 != 0;
        if opcode.is_control() && second & 0x7f > 125 {
            return Err(ReceiveError::ControlTooLong);
        }
        let (length, after) = match second & 0x7f {
            126 => match rest.split_first_chunk() {
                None => return Ok(None),
                Some((length, _)) if u16::from_be_bytes(*length) < 126 => return Err(ReceiveError::LengthInvalid),
                Some((length, after)) => (u64::from(u16::from_be_bytes(*length)), after),
            },
            127 => match rest.split_first_chunk() {
                None => return Ok(None),
                Some((length, after)) => match u64::from_be_bytes(*length) {
                    length @ 0x1_0000..0x8000_0000_0000_0000 => (length, after),
                    _ => return Err(ReceiveError::LengthInvalid),
                },
            },
            length => (u64::from(length), rest),
        };
        let (mask, after) = if second & 0x80 == 0 {
            (None, after)
        } else {
            let Some((key, after)) = after.split_first_chunk() else { return Ok(None) };
            (Some(*key), after)
        };
        let is_compressed = first & 0x40 != 0;
        Ok(Some((Self { is_final, is_compressed, opcode, mask, length }, bytes.len() - after.len())))
    }

    /// Writes the head to the front of `target` in its shortest form; gives its size.
    #[inline]
    pub fn write(&self, target: &mut [u8; HEAD_LIMIT]) -> usize {
        let flags = (u8::from(self.is_final) << 7) | (u8::from(self.is_compressed) << 6);
        target[0] = flags | self.opcode as u8;
        let length = self.length.to_be_bytes();
        let mut size = match self.length {
            0..126 => {
                target[1] = length[7];
                2
            }
            126..0x1_0000 => {
                target[1] = 126;
                target[2..4].copy_from_slice(&length[6..]);
                4
            }
            _ => {
                target[1] = 127;
                target[2..10].copy_from_slice(&length);
                10
            }
        };
        if let Some(key) = self.mask {
            target[1] |= 0x80;
            target[size..size + 4].copy_from_slice(&key);
            size += 4;
        }
        size
    }

    /// The opcode in the first byte. RSV2 and RSV3 have no meaning in any extension that is spoken here, and RSV1 has
    /// one on the first frame of a message only (RFC 7692 §6). A control frame is whole (RFC 6455 §5.5).
    #[inline]
    pub(super) fn opcode(first: u8) -> Result<Opcode, ReceiveError> {
        let is_first = matches!(first & 0x0f, 1 | 2);
        if first & 0x30 != 0 || (first & 0x40 != 0 && !is_first) {
            return Err(ReceiveError::ReservedBitSet);
        }
        let opcode = match first & 0x0f {
            0 => Opcode::Continuation,
            1 => Opcode::Text,
            2 => Opcode::Binary,
            8 => Opcode::Close,
            9 => Opcode::Ping,
            10 => Opcode::Pong,
            _ => return Err(ReceiveError::OpcodeUnknown),
        };
        if opcode.is_control() && first & 0x80 == 0 {
            return Err(ReceiveError::ControlFragmented);
        }
        Ok(opcode)
    }
}
