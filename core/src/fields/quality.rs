//! Quality values (RFC 9110 §12.4.2): exact thousandths, no floats.

use core::fmt;
use core::str::FromStr;

/// How much something is wanted: thousandths from 0 (not acceptable) to 1 (the default).
///
/// ```
/// use callboard_core::fields::Quality;
///
/// let quality: Quality = "0.85".parse()?;
/// assert_eq!(quality.thousandths(), 850);
/// assert_eq!(quality.to_string(), "0.85");
/// assert!(quality < Quality::ONE);
/// # Ok::<(), callboard_core::fields::InvalidQuality>(())
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Quality(u16);

impl Quality {
    /// Not acceptable.
    pub const ZERO: Self = Self(0);
    /// Wanted most. What has no `q` has this.
    pub const ONE: Self = Self(1000);

    /// That many thousandths; more than 1000 are 1000.
    pub const fn from_thousandths(thousandths: u16) -> Self {
        Self(if thousandths > 1000 { 1000 } else { thousandths })
    }

    /// 0 to 1000.
    pub const fn thousandths(self) -> u16 {
        self.0
    }

    /// Whether this is 0: not acceptable.
    pub const fn is_zero(self) -> bool {
        self.0 == 0
    }

    /// Reads `0.333`. Two forms beyond the grammar are taken because clients send them: a fraction without the 0
    /// before it (`.2`), and more than three digits, of which the rest is cut off; that never makes 0 of what is not.
    pub fn parse(text: &[u8]) -> Option<Self> {
        let (whole, fraction) = match text.iter().position(|&byte| byte == b'.') {
            Some(point) => (&text[..point], &text[point + 1..]),
            None => (text, &b""[..]),
        };
        if !fraction.iter().all(u8::is_ascii_digit) {
            return None;
        }
        let mut thousandths = match whole {
            b"1" => 1000,
            b"0" => 0,
            b"" if !fraction.is_empty() => 0,
            _ => return None,
        };
        let is_whole_zero = fraction.iter().all(|&digit| digit == b'0');
        for (&digit, weight) in fraction.iter().zip([100, 10, 1]) {
            thousandths += u16::from(digit - b'0') * weight;
        }
        match thousandths {
            0 if !is_whole_zero => Some(Self(1)),
            1000 if !is_whole_zero => None,
            0..=1000 => Some(Self(thousandths)),
            _ => None,
        }
    }
}

impl Default for Quality {
    fn default() -> Self {
        Self::ONE
    }
}

impl FromStr for Quality {
    type Err = InvalidQuality;

    fn from_str(text: &str) -> Result<Self, InvalidQuality> {
        Self::parse(text.as_bytes()).ok_or(InvalidQuality)
    }
}

/// At most three digits after the point, and no needless zero.
impl fmt::Display for Quality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            1000 => f.write_str("1"),
            0 => f.write_str("0"),
            number if number % 100 == 0 => write!(f, "0.{}", number / 100),
            number if number % 10 == 0 => write!(f, "0.{:02}", number / 10),
            number => write!(f, "0.{number:03}"),
        }
    }
}

/// The text is no number from 0 to 1.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct InvalidQuality;

impl fmt::Display for InvalidQuality {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a quality is a number from 0 to 1 (RFC 9110, 12.4.2)")
    }
}

impl core::error::Error for InvalidQuality {}
