//! Frames of an event stream: a header and a body, each canonical DAG-CBOR, one after the other.

use super::union::{known, without_main};
use super::{Invalid, Object, Unknown};
use crate::data::{self, DataError, Map, Value};
use std::fmt;

/// The union of what an event stream carries.
pub trait Message: Sized + Send + 'static {
    /// The header's `t`: `#commit` for what is of the stream's own lexicon, else with the NSID in front.
    fn frame_type(&self) -> &str;

    /// Checks the message and writes its body.
    fn to_body(&self) -> Result<Vec<u8>, Invalid>;

    /// Reads and checks a body; `None` if the lexicon does not name the type. A type of the stream's
    /// own lexicon may have the NSID in front.
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
    /// A frame of an operation or type that the lexicon does not name: to be skipped, or passed on.
    Unknown(UnknownFrame),
}

/// A frame of a later lexicon or protocol, kept as it came.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct UnknownFrame {
    header: Map,
    body: Map,
}

impl UnknownFrame {
    /// The header's `t`, if there is one.
    pub fn frame_type(&self) -> Option<&str> {
        match self.header.get("t") {
            Some(Value::String(frame_type)) => Some(frame_type),
            _ => None,
        }
    }

    /// The whole header.
    pub const fn header(&self) -> &Map {
        &self.header
    }

    /// The body.
    pub const fn body(&self) -> &Map {
        &self.body
    }
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
                    None => Self::unknown(header, body),
                }
            }
            (Some(Value::Integer(1)), _) => Err(FrameError::Malformed("no type".to_owned())),
            (Some(Value::Integer(-1)), _) => Self::error(&data::from_cbor(body)?),
            (Some(Value::Integer(_)), _) => Self::unknown(header, body),
            _ => Err(FrameError::Malformed("no operation".to_owned())),
        }
    }

    fn unknown(header: Map, body: &[u8]) -> Result<Self, FrameError> {
        let body = data::from_cbor(body)?;
        Ok(Self::Unknown(UnknownFrame { header, body }))
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

    /// Writes a frame.
    pub fn encode(&self) -> Result<Vec<u8>, Invalid> {
        let (header, body) = match self {
            Self::Message(message) => (
                &Map::from([
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
                (&Map::from([("op", Value::Integer(-1))]), to_cbor(&body)?)
            }
            Self::Unknown(frame) => (&frame.header, to_cbor(&frame.body)?),
        };
        let mut frame = to_cbor(header)?;
        frame.extend(body);
        Ok(frame)
    }
}

/// A member of a message union that the lexicon names: its `$type`, and the header's `t` for it.
#[derive(Clone, Copy, Debug)]
#[doc(hidden)]
pub struct Member {
    /// Empty for an object without a name of its own.
    type_name: &'static str,
    frame_type: &'static str,
}

impl Member {
    /// The member that a variant of the union holds.
    pub const fn of<T: Object, M>(_variant: fn(Box<T>) -> M, frame_type: &'static str) -> Self {
        Self {
            type_name: T::TYPE,
            frame_type,
        }
    }

    /// The header's `t`.
    pub const fn frame_type(&self) -> &'static str {
        self.frame_type
    }

    /// Whether a header's `t` names it, in the short form or with the NSID in front.
    pub fn is_named(&self, frame_type: &str) -> bool {
        frame_type == self.frame_type
            || (!self.type_name.is_empty() && without_main(frame_type) == self.type_name)
    }

    /// The stream's own NSID, if the member is of its lexicon.
    fn stream(&self) -> Option<&'static str> {
        self.type_name
            .strip_suffix(self.frame_type)
            .filter(|_| self.frame_type.starts_with('#'))
    }
}

/// The header's `t` for a member that the lexicon does not name: short if it is of the stream's lexicon.
#[doc(hidden)]
pub fn unknown_frame_type<'a>(value: &'a Unknown, members: &[Member]) -> &'a str {
    let name = value.type_name();
    members
        .iter()
        .find_map(Member::stream)
        .and_then(|stream| name.strip_prefix(stream))
        .filter(|short| short.starts_with('#'))
        .unwrap_or(name)
}

/// The body of a member that the lexicon does not name: without its `$type`, which the header says.
#[doc(hidden)]
pub fn unknown_body(value: &Unknown, members: &[Member]) -> Result<Vec<u8>, Invalid> {
    let name = value.type_name();
    if members.iter().any(|member| member.is_named(name)) {
        return Err(known(name));
    }
    let mut body = value.fields().clone();
    body.remove("$type");
    to_cbor(&body)
}

fn to_cbor(map: &Map) -> Result<Vec<u8>, Invalid> {
    data::to_cbor(map).map_err(Invalid::malformed)
}

/// Implements [`Message`] for a union: the header's `t` for each variant.
///
/// The variant for members that the lexicon does not name is only written. What comes in of such a type
/// is [`Frame::Unknown`](crate::schema::Frame::Unknown), which keeps it as it came.
#[macro_export]
macro_rules! message {
    ($type:ident { $($variant:ident = $frame_type:literal),* $(,)? } $(..$unknown:ident)?) => {
        impl $type {
            const FRAMES: &'static [$crate::schema::macros::Member] = &[
                $($crate::schema::macros::Member::of(Self::$variant, $frame_type)),*
            ];
        }

        impl $crate::schema::Message for $type {
            fn frame_type(&self) -> &str {
                match self {
                    $(Self::$variant(_) => $frame_type,)*
                    $(Self::$unknown(value) => {
                        $crate::schema::macros::unknown_frame_type(value, Self::FRAMES)
                    })?
                }
            }

            fn to_body(&self) -> ::core::result::Result<::std::vec::Vec<u8>, $crate::schema::Invalid> {
                match self {
                    $(Self::$variant(value) => $crate::schema::Data::to_cbor(&**value),)*
                    $(Self::$unknown(value) => {
                        $crate::schema::macros::unknown_body(value, Self::FRAMES)
                    })?
                }
            }

            fn from_body(
                frame_type: &str,
                body: &[u8],
            ) -> ::core::option::Option<::core::result::Result<Self, $crate::schema::Invalid>> {
                let _ = body;
                let member = Self::FRAMES.iter().find(|member| member.is_named(frame_type))?;
                match member.frame_type() {
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
