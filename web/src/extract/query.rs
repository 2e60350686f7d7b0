//! Fields of the query.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fmt;

use callboard_core::{Status, form};
use serde_core::de::value::{MapDeserializer, SeqDeserializer};
use serde_core::de::{DeserializeOwned, Deserializer, IntoDeserializer, Visitor};
use serde_core::forward_to_deserialize_any;

use super::FromRequestParts;
use super::rejection::rejection;
use super::value::{Value, ValueError};
use crate::RequestParts;

/// The fields of the query, as a struct or map. What does not fit is answered by 400.
///
/// A repeated key fills a `Vec`; for any other type it is refused, not guessed. An `Option` is `None` where the key is
/// missing or its value is empty.
///
/// ```
/// use callboard_web::{App, Query, get};
/// use serde::Deserialize;
///
/// #[derive(Deserialize)]
/// struct Search { text: String, page: Option<u32>, #[serde(default)] tag: Vec<String> }
///
/// // /search?text=rust&tag=http&tag=async
/// let app = App::new().route("/search", get(async |Query(search): Query<Search>| search.text));
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Query<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts for Query<T> {
    type Rejection = QueryRejection;

    async fn from_request_parts(parts: &mut RequestParts) -> Result<Self, QueryRejection> {
        from_form(parts.target.query().unwrap_or_default().as_bytes()).map(Self).map_err(QueryRejection)
    }
}

/// Why the query is not what the handler wants: 400.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryRejection(ValueError);

impl QueryRejection {
    /// The status that is answered: 400.
    pub fn status(&self) -> Status {
        Status::BAD_REQUEST
    }
}

impl fmt::Display for QueryRejection {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "query: {}", self.0)
    }
}

rejection!(QueryRejection);

/// Reads `application/x-www-form-urlencoded` text.
pub(super) fn from_form<T: DeserializeOwned>(text: &[u8]) -> Result<T, ValueError> {
    let mut fields: Vec<Values<'_>> = Vec::new();
    let mut places: BTreeMap<Cow<'_, str>, usize> = BTreeMap::new();
    for (name, value) in form::pairs(text) {
        match places.entry(name) {
            Entry::Occupied(place) => fields[*place.get()].values.push(value),
            Entry::Vacant(place) => {
                fields.push(Values { name: place.key().clone(), values: vec![value] });
                place.insert(fields.len() - 1);
            }
        }
    }
    let fields = fields.into_iter().map(|values| (Name(values.name.clone()), values));
    T::deserialize(MapDeserializer::new(fields))
}

/// A key of the map.
struct Name<'de>(Cow<'de, str>);

impl<'de> IntoDeserializer<'de, ValueError> for Name<'de> {
    type Deserializer = Value<'de>;

    fn into_deserializer(self) -> Value<'de> {
        Value(self.0)
    }
}

/// All values of one key.
struct Values<'de> {
    name: Cow<'de, str>,
    values: Vec<Cow<'de, str>>,
}

impl<'de> Values<'de> {
    fn only(mut self) -> Result<(Cow<'de, str>, Value<'de>), ValueError> {
        match (self.values.pop(), self.values.len()) {
            (Some(value), 0) => Ok((self.name, Value(value))),
            (_, others) => {
                Err(ValueError(format!("given {} times where one value is wanted", others + 1)).at("key", &self.name))
            }
        }
    }
}

impl<'de> IntoDeserializer<'de, ValueError> for Values<'de> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

macro_rules! only {
    ($($method:ident)+) => {
        $(
            fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
                let (name, value) = self.only()?;
                value.$method(visitor).map_err(|error| error.at("key", &name))
            }
        )+
    };
}

impl<'de> Deserializer<'de> for Values<'de> {
    type Error = ValueError;

    only! {
        deserialize_any deserialize_bool deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
        deserialize_i128 deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64 deserialize_char deserialize_str deserialize_string
        deserialize_bytes deserialize_byte_buf deserialize_unit
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let is_empty = self.values.iter().all(|value| value.is_empty());
        if is_empty { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(self, _: &'static str, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        let name = self.name;
        let values = SeqDeserializer::new(self.values.into_iter().map(Value));
        visitor.visit_seq(values).map_err(|error: ValueError| error.at("key", &name))
    }

    fn deserialize_tuple<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, ValueError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        enum_name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, ValueError> {
        let (name, value) = self.only()?;
        value.deserialize_enum(enum_name, variants, visitor).map_err(|error| error.at("key", &name))
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, ValueError> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! { unit_struct tuple_struct map struct identifier }
}
