//! Parameters in a query string: `application/x-www-form-urlencoded`, arrays by repeated names.

use super::{At, Invalid, Problem};
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
#[derive(Debug)]
pub struct QueryPairs<'a>(Vec<(Cow<'a, str>, Cow<'a, str>)>);

impl<'a> QueryPairs<'a> {
    /// Splits a query string, without its `?`.
    pub fn new(query: &'a str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).collect())
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
        let first = values.next().map(T::from_param).transpose().at(name)?;
        if values.next().is_some() {
            return Err(Invalid::malformed("may be there only once")).at(name);
        }
        Ok(first)
    }

    /// An array parameter that must have at least one value.
    pub fn required_list<T: FromParam>(&self, name: &str) -> Result<Vec<T>, Invalid> {
        self.optional_list(name)?
            .ok_or(Invalid::new(Problem::Missing))
            .at(name)
    }

    /// An array parameter; a query string cannot tell an empty array from none.
    pub fn optional_list<T: FromParam>(&self, name: &str) -> Result<Option<Vec<T>>, Invalid> {
        let items: Vec<T> = self
            .values(name)
            .enumerate()
            .map(|(index, text)| T::from_param(text).at(index))
            .collect::<Result<_, _>>()
            .at(name)?;
        Ok((!items.is_empty()).then_some(items))
    }

    fn values(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0
            .iter()
            .filter(move |(key, _)| key == name)
            .map(|(_, value)| &**value)
    }
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

    /// Adds an array parameter: each value under the same name.
    pub fn required_list(&mut self, name: &str, values: &[impl Display]) {
        for value in values {
            self.required(name, value);
        }
    }

    /// Adds an array parameter, if it is there.
    pub fn optional_list(&mut self, name: &str, values: &Option<Vec<impl Display>>) {
        self.required_list(name, values.as_deref().unwrap_or_default());
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
                $(query.$presence($name, &self.$field);)*
                ::core::result::Result::Ok(query.finish())
            }
        }
    };
}
