//! What follows a scheme: nothing, a token68, or parameters (RFC 9110 §11.2).
//!
//! Values are bytes, since a realm may be in any charset and hashes are taken of what was sent. Whether a value stands
//! in quotes is kept, because schemes differ in what they want.

use alloc::boxed::Box;
use alloc::vec::Vec;
use core::fmt;

use super::AuthenticationError;
use super::scan::Scanner;
use crate::quoted::append_quoted;
use crate::syntax::{is_field_value, is_token};

/// Parameters of one scheme that are looked at.
const MOST: usize = 64;

/// What follows the scheme.
#[derive(Clone, PartialEq, Eq, Default)]
pub enum Content {
    /// Nothing.
    #[default]
    Nothing,
    /// One text of letters, digits, `-._~+/` and `=` at its end: Base64, mostly.
    Token68(Box<str>),
    /// Parameters.
    Parameters(Parameters),
}

/// Parameters in order: names without case, each once; values as bytes.
///
/// ```
/// use callboard_core::authentication::Parameters;
///
/// let parameters = Parameters::parse(br#"realm="a \"b\", c", stale=true"#)?;
/// assert_eq!(parameters.text("Realm"), Some("a \"b\", c"));
/// assert_eq!(parameters.to_field(), br#"realm="a \"b\", c", stale=true"#);
/// # Ok::<(), callboard_core::authentication::AuthenticationError>(())
/// ```
#[derive(Clone, Default)]
pub struct Parameters(Vec<Parameter>);

#[derive(Clone)]
struct Parameter {
    name: Box<str>,
    value: Vec<u8>,
    is_quoted: bool,
}

impl Parameters {
    /// None.
    pub const fn new() -> Self {
        Self(Vec::new())
    }

    /// Reads a field that is a list of parameters: `Authentication-Info` and `Proxy-Authentication-Info` (RFC 9110
    /// §11.6.3).
    pub fn parse(value: &[u8]) -> Result<Self, AuthenticationError> {
        let mut scanner = Scanner::new(value);
        let mut parameters = Self::new();
        loop {
            scanner.skip_borders();
            if scanner.is_at_end() {
                return Ok(parameters);
            }
            let name = scanner.token()?;
            if !scanner.take_equals() {
                return Err(AuthenticationError::TokenExpected);
            }
            parameters.read_value(name, &mut scanner)?;
        }
    }

    /// Reads the value of `name` up to the comma.
    pub(super) fn read_value(&mut self, name: &str, scanner: &mut Scanner<'_>) -> Result<(), AuthenticationError> {
        let (value, is_quoted) = scanner.value()?;
        if !scanner.is_at_border() {
            return Err(AuthenticationError::CommaExpected);
        }
        self.push(name, value, is_quoted)
    }

    fn push(&mut self, name: &str, value: Vec<u8>, is_quoted: bool) -> Result<(), AuthenticationError> {
        if self.get(name).is_some() {
            return Err(AuthenticationError::ParameterRepeated);
        }
        if self.0.len() >= MOST {
            return Err(AuthenticationError::TooMany);
        }
        self.0.push(Parameter { name: name.into(), value, is_quoted });
        Ok(())
    }

    /// Adds a parameter whose value is written in quotes.
    pub fn append(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), AuthenticationError> {
        self.check_and_push(name, value.as_ref(), true)
    }

    /// Adds a parameter whose value is written as it is if it is a token, else in quotes.
    pub fn append_token(&mut self, name: &str, value: impl AsRef<[u8]>) -> Result<(), AuthenticationError> {
        let value = value.as_ref();
        self.check_and_push(name, value, !is_token(value))
    }

    fn check_and_push(&mut self, name: &str, value: &[u8], is_quoted: bool) -> Result<(), AuthenticationError> {
        if !is_token(name.as_bytes()) {
            return Err(AuthenticationError::NotAToken);
        }
        if !is_field_value(value) {
            return Err(AuthenticationError::ControlByte);
        }
        self.push(name, value.to_vec(), is_quoted)
    }

    /// The value of a parameter, without quotes and escapes.
    pub fn get(&self, name: &str) -> Option<&[u8]> {
        let parameter = self.0.iter().find(|parameter| parameter.name.eq_ignore_ascii_case(name))?;
        Some(&parameter.value)
    }

    /// The same, if it is UTF-8.
    pub fn text(&self, name: &str) -> Option<&str> {
        core::str::from_utf8(self.get(name)?).ok()
    }

    /// Names, as spelled, and values, in order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[u8])> {
        self.0.iter().map(|parameter| (&*parameter.name, &*parameter.value))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// As a field holds them.
    pub fn to_field(&self) -> Vec<u8> {
        let mut field = Vec::new();
        self.write(&mut field);
        field
    }

    pub(super) fn write(&self, field: &mut Vec<u8>) {
        for (place, parameter) in self.0.iter().enumerate() {
            if place > 0 {
                field.extend_from_slice(b", ");
            }
            field.extend_from_slice(parameter.name.as_bytes());
            field.push(b'=');
            // What came without quotes and is no token is written as the grammar has it.
            if parameter.is_quoted || !is_token(&parameter.value) {
                append_quoted(field, &parameter.value);
            } else {
                field.extend_from_slice(&parameter.value);
            }
        }
    }
}

/// Equal if names and values are, in the same order; quotes aside.
impl PartialEq for Parameters {
    fn eq(&self, other: &Self) -> bool {
        self.len() == other.len()
            && self.iter().zip(other.iter()).all(|((name, value), (other_name, other_value))| {
                name.eq_ignore_ascii_case(other_name) && value == other_value
            })
    }
}

impl Eq for Parameters {}

/// Without values, which may be secrets.
impl fmt::Debug for Parameters {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|parameter| &parameter.name)).finish()
    }
}

/// Without values, which may be secrets.
impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Nothing => f.write_str("Nothing"),
            Self::Token68(_) => f.write_str("Token68"),
            Self::Parameters(parameters) => parameters.fmt(f),
        }
    }
}
