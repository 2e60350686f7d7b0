//! Schemes with what follows each: the grammar that challenges and credentials share (RFC 9110 §11.3 and §11.4).
//!
//! One field lists several challenges; commas part both challenges and the parameters of one. What tells them apart: a
//! parameter has a `=` behind its name, a scheme has not.

use alloc::boxed::Box;
use alloc::vec::Vec;

use super::AuthenticationError;
use super::parameters::{Content, Parameters};
use super::scan::{Scanner, is_token68};
use crate::syntax::is_token;

/// Schemes that are looked at.
pub(super) const MOST: usize = 32;

pub(super) fn check(scheme: &str, content: &Content) -> Result<(), AuthenticationError> {
    match content {
        _ if !is_token(scheme.as_bytes()) => Err(AuthenticationError::NotAToken),
        Content::Token68(text) if !is_token68(text.as_bytes()) => Err(AuthenticationError::NotAToken),
        _ => Ok(()),
    }
}

pub(super) fn write(scheme: &str, content: &Content) -> Vec<u8> {
    let mut field = scheme.as_bytes().to_vec();
    match content {
        Content::Nothing => {}
        Content::Parameters(parameters) if parameters.is_empty() => {}
        Content::Token68(text) => {
            field.push(b' ');
            field.extend_from_slice(text.as_bytes());
        }
        Content::Parameters(parameters) => {
            field.push(b' ');
            parameters.write(&mut field);
        }
    }
    field
}

/// The schemes of one field, in order. At most 32 with 64 parameters each.
pub(super) fn read(field: &[u8]) -> Result<Vec<(Box<str>, Content)>, AuthenticationError> {
    let mut scanner = Scanner::new(field);
    let mut schemes: Vec<(Box<str>, Content)> = Vec::new();
    // Behind a scheme, spaces and no token68, a parameter has to come.
    let mut needs_parameter = false;
    loop {
        scanner.skip_borders();
        if scanner.is_at_end() {
            return Ok(schemes);
        }
        let token = scanner.token()?;
        if scanner.take_equals() {
            let Some((_, content)) = schemes.last_mut() else { return Err(AuthenticationError::SchemeMissing) };
            take_parameters(content)?.read_value(token, &mut scanner)?;
            needs_parameter = false;
            continue;
        }
        if needs_parameter {
            return Err(AuthenticationError::CommaExpected);
        }
        if schemes.len() >= MOST {
            return Err(AuthenticationError::TooMany);
        }
        let has_spaces = scanner.skip_spaces();
        let mut content = Content::Nothing;
        if !scanner.is_at_border() {
            if !has_spaces {
                return Err(AuthenticationError::TokenExpected);
            }
            match scanner.token68() {
                Some(text) => content = Content::Token68(text.into()),
                None => needs_parameter = true,
            }
        }
        schemes.push((token.into(), content));
    }
}

/// The parameters to add one to. What was taken for a token68 is a first parameter without value if others follow:
/// `Digest realm=, nonce="n"`.
fn take_parameters(content: &mut Content) -> Result<&mut Parameters, AuthenticationError> {
    match content {
        Content::Parameters(_) => {}
        Content::Nothing => *content = Content::Parameters(Parameters::new()),
        Content::Token68(text) => match text.strip_suffix('=') {
            Some(name) if is_token(name.as_bytes()) && !name.ends_with('=') => {
                let mut parameters = Parameters::new();
                parameters.append(name, "")?;
                *content = Content::Parameters(parameters);
            }
            _ => return Err(AuthenticationError::Token68AndParameters),
        },
    }
    match content {
        Content::Parameters(parameters) => Ok(parameters),
        _ => Err(AuthenticationError::Token68AndParameters),
    }
}
