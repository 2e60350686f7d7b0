//! Parameters of the path.

use std::fmt;

use callboard_core::Status;
use serde_core::de::value::StrDeserializer;
use serde_core::de::{
    self, DeserializeOwned, DeserializeSeed, Deserializer, IntoDeserializer, MapAccess, SeqAccess, Visitor,
};

use super::FromRequestParts;
use super::rejection::rejection;
use super::value::{Value, ValueError};
use crate::RequestParts;

/// The parameters of the path, decoded: one value, a tuple in the order of the route, or a struct by names.
///
/// A value that does not parse is answered by 400; a type that does not suit the route by 500.
///
/// ```
/// use callboard_web::{App, Path, get};
///
/// async fn user(Path(id): Path<u64>) -> String { format!("user {id}") }
/// async fn file(Path((user, name)): Path<(u64, String)>) -> String { format!("{name} of {user}") }
///
/// let app = App::new().route("/users/{id}", get(user)).route("/users/{id}/files/{*name}", get(file));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Path<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts for Path<T> {
    type Rejection = PathRejection;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, PathRejection> {
        T::deserialize(Params { parts, next: 0 }).map(Self).map_err(PathRejection)
    }
}

/// Why the parameters are not what the handler wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PathRejection(PathError);

#[derive(Clone, Debug, PartialEq, Eq)]
enum PathError {
    /// The peer's fault.
    Value(ValueError),
    /// The type asks for another number of parameters than the route has.
    Count { wanted: usize, given: usize },
    /// The type cannot be made of parameters.
    Shape,
}

impl PathRejection {
    /// The status that is answered: 400, or 500 where the handler's type cannot come from its route.
    pub fn status(&self) -> Status {
        match self.0 {
            PathError::Value(_) => Status::BAD_REQUEST,
            PathError::Count { .. } | PathError::Shape => Status::INTERNAL_SERVER_ERROR,
        }
    }
}

impl fmt::Display for PathRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

rejection!(PathRejection);

impl de::Error for PathError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self::Value(ValueError(message.to_string()))
    }
}

impl fmt::Display for PathError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Value(error) => error.fmt(f),
            Self::Count { wanted, given } => {
                write!(f, "the handler wants {wanted} path parameters, the route has {given}")
            }
            Self::Shape => f.write_str("the handler's type cannot be made of path parameters"),
        }
    }
}

impl std::error::Error for PathError {}

/// All parameters as one value.
#[derive(Clone, Copy)]
struct Params<'de> {
    parts: &'de RequestParts,
    /// For a sequence or map: which parameter comes next.
    next: usize,
}

impl<'de> Params<'de> {
    fn get(self, index: usize) -> Option<(&'de str, Value<'de>)> {
        let (name, value) = self.parts.param_at(index)?;
        Some((name, Value(value)))
    }

    /// The one parameter, for a type that is one value.
    fn only(self) -> Result<(&'de str, Value<'de>), PathError> {
        match (self.get(0), self.parts.params.len()) {
            (Some(only), 1) => Ok(only),
            (_, given) => Err(PathError::Count { wanted: 1, given }),
        }
    }
}

macro_rules! only {
    ($($method:ident)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
                let (name, value) = self.only()?;
                value.$method(visitor).map_err(|error| PathError::Value(error.at(KIND, name)))
            }
        )+
    };
}

/// How a parameter is called in texts.
const KIND: &str = "path parameter";

impl<'de> Deserializer<'de> for Params<'de> {
    type Error = PathError;

    only! {
        deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_identifier
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        self.deserialize_map(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_some(self)
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_unit()
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_unit()
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_seq(self)
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, wanted: usize, visitor: V) -> Result<V::Value, PathError> {
        match self.parts.params.len() {
            given if given != wanted => Err(PathError::Count { wanted, given }),
            _ => visitor.visit_seq(self),
        }
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        wanted: usize,
        visitor: V,
    ) -> Result<V::Value, PathError> {
        self.deserialize_tuple(wanted, visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_map(self)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        fields: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PathError> {
        // A field that the route does not have is the program's mistake, not the peer's.
        let has = |field: &&&str| self.parts.params().any(|(name, _)| name == **field);
        match fields.iter().filter(has).count() {
            0 if !fields.is_empty() => Err(PathError::Shape),
            _ => visitor.visit_map(self),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        enum_name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, PathError> {
        let (name, value) = self.only()?;
        let result = value.deserialize_enum(enum_name, variants, visitor);
        result.map_err(|error| PathError::Value(error.at(KIND, name)))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, PathError> {
        visitor.visit_unit()
    }
}

impl<'de> SeqAccess<'de> for Params<'de> {
    type Error = PathError;

    fn next_element_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, PathError> {
        let Some((name, value)) = self.get(self.next) else { return Ok(None) };
        self.next += 1;
        seed.deserialize(value).map(Some).map_err(|error| PathError::Value(error.at(KIND, name)))
    }
}

impl<'de> MapAccess<'de> for Params<'de> {
    type Error = PathError;

    fn next_key_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<Option<S::Value>, PathError> {
        let Some((name, _)) = self.get(self.next) else { return Ok(None) };
        let name: StrDeserializer<'de, PathError> = name.into_deserializer();
        seed.deserialize(name).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, PathError> {
        let Some((name, value)) = self.get(self.next) else { return Err(PathError::Shape) };
        self.next += 1;
        seed.deserialize(value).map_err(|error| PathError::Value(error.at(KIND, name)))
    }
}
