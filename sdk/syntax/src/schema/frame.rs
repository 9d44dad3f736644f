//! Frames of an event stream: a header and a body, each canonical DAG-CBOR, one after the other.

use super::{Data, Invalid};
use crate::data::{self, DataError, Map, Value};
use std::fmt;

/// The union of what an event stream carries.
pub trait Message: Sized + Send + 'static {
    /// The header's `t`, e.g. `#commit`.
    fn frame_type(&self) -> &str;

    /// Checks the message and writes its body.
    fn to_body(&self) -> Result<Vec<u8>, Invalid>;

    /// Reads and checks a body; `None` if the lexicon does not name the type.
    fn from_body(frame_type: &str, body: &[u8]) -> Option<Result<Self, Invalid>>;
}

/// A frame as it comes in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Frame<M> {
    /// A message that the lexicon names.
    Message(M),
    /// The error that ends the stream.
    Error {
        /// Its name.
        error: String,
        /// What it says to a person.
        message: Option<String>,
    },
    /// A frame of an operation or type that the lexicon does not name: to be skipped.
    Unknown,
}

/// Bytes that are no frame, or a message that breaks its schema.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum FrameError {
    /// The header or the body is not canonical DAG-CBOR, or the header lacks its fields.
    Malformed(String),
    /// The message breaks its schema.
    Invalid(Invalid),
}

impl fmt::Display for FrameError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Malformed(problem) => write!(f, "malformed frame: {problem}"),
            Self::Invalid(invalid) => write!(f, "invalid message: {invalid}"),
        }
    }
}

impl std::error::Error for FrameError {}

impl From<DataError> for FrameError {
    fn from(error: DataError) -> Self {
        Self::Malformed(error.to_string())
    }
}

impl<M: Message> Frame<M> {
    /// Reads a frame.
    pub fn decode(frame: &[u8]) -> Result<Self, FrameError> {
        let (header, body) = frame.split_at(data::item_len(frame)?);
        let header: Map = data::from_cbor(header)?;
        match (header.get("op"), header.get("t")) {
            (Some(Value::Integer(1)), Some(Value::String(frame_type))) => {
                match M::from_body(frame_type, body) {
                    Some(message) => message.map(Self::Message).map_err(FrameError::Invalid),
                    // A message of a later lexicon still has to be one well-formed item.
                    None => Ok(data::from_cbor(body).map(|_: Map| Self::Unknown)?),
                }
            }
            (Some(Value::Integer(1)), _) => Err(FrameError::Malformed("no type".to_owned())),
            (Some(Value::Integer(-1)), _) => Self::error(&data::from_cbor(body)?),
            (Some(Value::Integer(_)), _) => Ok(Self::Unknown),
            _ => Err(FrameError::Malformed("no operation".to_owned())),
        }
    }

    fn error(body: &Map) -> Result<Self, FrameError> {
        let Some(Value::String(error)) = body.get("error") else {
            return Err(FrameError::Malformed("an error without a name".to_owned()));
        };
        let message = match body.get("message") {
            Some(Value::String(message)) => Some(message.clone()),
            _ => None,
        };
        Ok(Self::Error {
            error: error.clone(),
            message,
        })
    }

    /// Writes a frame; nothing for [`Frame::Unknown`].
    pub fn encode(&self) -> Result<Vec<u8>, Invalid> {
        let (header, body) = match self {
            Self::Message(message) => (
                Map::from([
                    ("op", Value::Integer(1)),
                    ("t", message.frame_type().into()),
                ]),
                message.to_body()?,
            ),
            Self::Error { error, message } => {
                let mut body = Map::from([("error", Value::from(error.as_str()))]);
                if let Some(message) = message {
                    body.insert("message", message.as_str().into());
                }
                (Map::from([("op", Value::Integer(-1))]), body.to_cbor()?)
            }
            Self::Unknown => return Ok(Vec::new()),
        };
        let mut frame = header.to_cbor()?;
        frame.extend(body);
        Ok(frame)
    }
}

/// Implements [`Message`] for a union: the header's `t` for each variant.
#[macro_export]
macro_rules! message {
    ($type:ident { $($variant:ident = $frame_type:literal),* $(,)? } $(..$unknown:ident)?) => {
        impl $crate::schema::Message for $type {
            fn frame_type(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $frame_type,)*
                    $(Self::$unknown(value) => value.type_name(),)?
                }
            }

            fn to_body(&self) -> ::core::result::Result<::std::vec::Vec<u8>, $crate::schema::Invalid> {
                match self {
                    $(Self::$variant(value) => $crate::schema::Data::to_cbor(&**value),)*
                    $(Self::$unknown(value) => $crate::schema::Data::to_cbor(value.fields()),)?
                }
            }

            fn from_body(
                frame_type: &str,
                body: &[u8],
            ) -> ::core::option::Option<::core::result::Result<Self, $crate::schema::Invalid>> {
                match frame_type {
                    $($frame_type => ::core::option::Option::Some(
                        $crate::schema::Data::from_cbor(body)
                            .map(|value| Self::$variant(::std::boxed::Box::new(value))),
                    ),)*
                    _ => ::core::option::Option::None,
                }
            }
        }
    };
}
