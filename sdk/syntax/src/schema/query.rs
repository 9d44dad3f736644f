//! Parameters in a query string: `application/x-www-form-urlencoded`, arrays by repeated names.

use super::{At, Invalid, Problem, Unit};
use std::borrow::Cow;
use std::fmt::Display;
use std::str::FromStr;

/// A value that can stand in a query string: boolean, integer or string.
pub trait FromParam: Sized + Display {
    /// Reads the value of one parameter.
    fn from_param(text: &str) -> Result<Self, Invalid>;
}

impl FromParam for bool {
    fn from_param(text: &str) -> Result<Self, Invalid> {
        match text {
            "true" => Ok(true),
            "false" => Ok(false),
            _ => Err(Invalid::malformed("must be true or false")),
        }
    }
}

impl FromParam for i64 {
    fn from_param(text: &str) -> Result<Self, Invalid> {
        // `from_str` would take a plus sign, which no encoder writes.
        let digits = text.strip_prefix('-').unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Invalid::malformed("must be an integer"));
        }
        text.parse()
            .map_err(|_| Invalid::malformed("must be an integer of 64 bits"))
    }
}

impl FromParam for String {
    fn from_param(text: &str) -> Result<Self, Invalid> {
        Ok(text.to_owned())
    }
}

macro_rules! by_syntax {
    ($($type:ty),+ $(,)?) => {$(
        impl FromParam for $type {
            fn from_param(text: &str) -> Result<Self, Invalid> {
                <$type>::from_str(text).map_err(Invalid::malformed)
            }
        }
    )+};
}

by_syntax!(
    crate::AtIdentifier,
    crate::AtUri,
    crate::Cid,
    crate::Datetime,
    crate::Did,
    crate::Handle,
    crate::Language,
    crate::Nsid,
    crate::RecordKey,
    crate::Tid,
    crate::Uri,
);

/// The pairs of a query string, for the generated readers of parameters.
///
/// A query string cannot tell an empty array from none: an array parameter that must be there has at
/// least one value, here and in [`QueryWriter`], and one that may be absent is never read as empty.
#[derive(Debug)]
pub struct QueryPairs<'a>(Vec<(Cow<'a, str>, &'a str)>);

impl<'a> QueryPairs<'a> {
    /// Splits a query string, without its `?`.
    pub fn new(query: &'a str) -> Self {
        let pairs = query.split('&').filter_map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            // What is not UTF-8 is the name of no parameter.
            Some((decoded(name)?, value))
        });
        Self(pairs.collect())
    }

    /// A parameter that must be there, once.
    pub fn required<T: FromParam>(&self, name: &str) -> Result<T, Invalid> {
        self.optional(name)?
            .ok_or(Invalid::new(Problem::Missing))
            .at(name)
    }

    /// A parameter that may be there, once.
    pub fn optional<T: FromParam>(&self, name: &str) -> Result<Option<T>, Invalid> {
        let mut values = self.values(name);
        let first = values.next().transpose().at(name)?;
        if values.next().is_some() {
            return Err(Invalid::malformed("may be there only once")).at(name);
        }
        Ok(first)
    }

    /// An array parameter that must be there.
    pub fn required_list<T: FromParam>(&self, name: &str) -> Result<Vec<T>, Invalid> {
        self.optional_list(name)?
            .ok_or(Invalid::new(Problem::Missing))
            .at(name)
    }

    /// An array parameter that may be there.
    pub fn optional_list<T: FromParam>(&self, name: &str) -> Result<Option<Vec<T>>, Invalid> {
        let items: Vec<T> = self
            .values(name)
            .enumerate()
            .map(|(index, item)| item.at(index))
            .collect::<Result<_, _>>()
            .at(name)?;
        Ok((!items.is_empty()).then_some(items))
    }

    fn values<T: FromParam>(&self, name: &str) -> impl Iterator<Item = Result<T, Invalid>> {
        let values = self.0.iter().filter(move |(key, _)| key == name);
        values.map(|(_, value)| match decoded(value) {
            Some(text) => T::from_param(&text),
            None => Err(Invalid::malformed("must be UTF-8")),
        })
    }
}

/// The text of a name or value; `None` if it is not UTF-8.
///
/// `form_urlencoded` would put replacement characters there, so that another text than was sent is believed.
fn decoded(text: &str) -> Option<Cow<'_, str>> {
    if !text.contains(['%', '+']) {
        return Some(Cow::Borrowed(text));
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let byte;
        (byte, rest) = match (first, after) {
            (b'+', _) => (b' ', after),
            (b'%', [high, low, after @ ..]) if let Some(byte) = from_hex(*high, *low) => {
                (byte, after)
            }
            // A lone percent sign stands for itself (WHATWG URL, percent-decode).
            _ => (*first, after),
        };
        bytes.push(byte);
    }
    String::from_utf8(bytes).ok().map(Cow::Owned)
}

fn from_hex(high: u8, low: u8) -> Option<u8> {
    let digit = |byte| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? << 4 | digit(low)?).ok()
}

/// Writes a query string, for the generated writers of parameters.
#[derive(Debug, Default)]
pub struct QueryWriter(String);

impl QueryWriter {
    /// Adds a parameter that must be there.
    pub fn required(&mut self, name: &str, value: &impl Display) {
        if !self.0.is_empty() {
            self.0.push('&');
        }
        self.0
            .extend(form_urlencoded::byte_serialize(name.as_bytes()));
        self.0.push('=');
        self.0.extend(form_urlencoded::byte_serialize(
            value.to_string().as_bytes(),
        ));
    }

    /// Adds a parameter, if it is there.
    pub fn optional(&mut self, name: &str, value: &Option<impl Display>) {
        if let Some(value) = value {
            self.required(name, value);
        }
    }

    /// Adds an array parameter that must be there: each value under the same name. An empty one would
    /// not be there, and is refused.
    pub fn required_list(&mut self, name: &str, values: &[impl Display]) -> Result<(), Invalid> {
        if values.is_empty() {
            let problem = Problem::TooShort {
                unit: Unit::Items,
                minimum: 1,
                actual: 0,
            };
            return Err(Invalid::new(problem)).at(name);
        }
        self.list(name, values);
        Ok(())
    }

    /// Adds an array parameter, if it is there; an empty one is not.
    pub fn optional_list(&mut self, name: &str, values: &Option<Vec<impl Display>>) {
        self.list(name, values.as_deref().unwrap_or_default());
    }

    fn list(&mut self, name: &str, values: &[impl Display]) {
        for value in values {
            self.required(name, value);
        }
    }

    /// The query string, without a `?`.
    pub fn finish(self) -> String {
        self.0
    }
}

/// Implements [`Params`](crate::schema::Params) for a generated struct:
/// `params!(Params { host: required "host", uris: optional_list "uris" })`.
#[macro_export]
macro_rules! params {
    ($type:ident { $($field:ident: $presence:ident $name:literal),* $(,)? }) => {
        impl $crate::schema::Params for $type {
            fn from_query(
                query: &str,
            ) -> ::core::result::Result<Self, $crate::schema::Invalid> {
                let pairs = $crate::schema::QueryPairs::new(query);
                $crate::schema::Params::valid(Self {
                    $($field: pairs.$presence($name)?,)*
                })
            }

            fn to_query(
                &self,
            ) -> ::core::result::Result<::std::string::String, $crate::schema::Invalid> {
                $crate::schema::Constraints::check_fields(self)?;
                let mut query = $crate::schema::QueryWriter::default();
                $($crate::params!(@write query, $presence, $name, &self.$field);)*
                ::core::result::Result::Ok(query.finish())
            }
        }
    };

    (@write $query:ident, required_list, $name:literal, $values:expr) => {
        $query.required_list($name, $values)?
    };
    (@write $query:ident, $presence:ident, $name:literal, $value:expr) => {
        $query.$presence($name, $value)
    };
}
