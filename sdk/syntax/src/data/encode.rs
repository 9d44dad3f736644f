//! Encodes what serde can serialise as canonical DAG-CBOR or as JSON, within the data model.
//!
//! One serializer for both, since both take the same values; only the notation differs. That of
//! `serde_ipld_dagcbor` would let floats, doubled keys and integers beyond 64 signed bits through,
//! drops the text of an error inside a map, and allocates for every field.

mod cbor;
mod container;
mod json;

pub(super) use self::cbor::Cbor;
use self::container::Container;
pub(super) use self::json::Json;

use super::{DataError, DataProblem, MAX_DEPTH, link};
use ::cid::serde::CID_SERDE_PRIVATE_IDENTIFIER;
use serde::ser::{self, Serialize};
use std::marker::PhantomData;

/// Encodes a value in the given notation.
pub(super) fn document<N: Notation, T: Serialize + ?Sized>(
    value: &T,
) -> Result<Vec<u8>, DataError> {
    let mut encoder = Encoder::<N> {
        out: Vec::with_capacity(TYPICAL_SIZE),
        depth: 0,
        entries: Vec::new(),
        sorted: Vec::new(),
        link: false,
        notation: PhantomData,
    };
    value.serialize(&mut encoder)?;
    Ok(encoder.out)
}

/// Room for most records, in bytes.
const TYPICAL_SIZE: usize = 512;

/// How a format writes the values of the data model.
pub(super) trait Notation {
    /// Whether a map's entries have to stand in canonical order.
    const CANONICAL: bool;
    /// The key `$type` as it is written.
    const TYPE: &[u8];
    /// The value `blob` as it is written.
    const BLOB: &[u8];
    /// The keys `$link` and `$bytes` as they are written.
    const RESERVED: [&[u8]; 2];

    fn null(out: &mut Vec<u8>);
    fn bool(out: &mut Vec<u8>, value: bool);
    fn integer(out: &mut Vec<u8>, value: i64);
    fn text(out: &mut Vec<u8>, value: &str);
    fn bytes(out: &mut Vec<u8>, value: &[u8]);
    /// Writes a link, given the binary form of its CID.
    fn link(out: &mut Vec<u8>, cid: &[u8]);

    /// Opens a list or a map that will have about `length` items.
    fn open(out: &mut Vec<u8>, kind: Kind, length: usize);
    /// Writes what stands in front of an item or entry that is not the first.
    fn separate(out: &mut Vec<u8>);
    /// Writes what stands between a key and its value.
    fn assign(out: &mut Vec<u8>);
    /// Closes what was opened at `start` for `expected` items, and has `length` of them.
    fn close(out: &mut Vec<u8>, kind: Kind, start: usize, expected: usize, length: usize);

    /// Whether a value that has been written is a string.
    fn is_text(written: &[u8]) -> bool;
    /// Whether a string that has been written is the empty one.
    fn is_empty_text(written: &[u8]) -> bool;
    /// Whether a map that has been written, and that calls itself a blob, is a whole one.
    fn is_blob(written: &[u8]) -> bool;
}

/// The two kinds of containers.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    List,
    Map,
}

struct Encoder<N> {
    out: Vec<u8>,
    /// How many containers are open.
    depth: usize,
    /// The entries of all maps that are open, the innermost map's last.
    entries: Vec<Entry>,
    /// A map's entries on their way into canonical order.
    sorted: Vec<u8>,
    /// Whether the next byte string is the content of a link.
    link: bool,
    notation: PhantomData<N>,
}

/// Where an entry of a map stands in the output.
#[derive(Clone, Copy)]
struct Entry {
    start: usize,
    key_end: usize,
    /// The same as `key_end` as long as the value is not written.
    end: usize,
}

/// A container that has been opened.
struct Open {
    kind: Kind,
    start: usize,
    expected: usize,
    length: usize,
    /// Where its entries start in those of the encoder.
    entries: usize,
    /// Whether it calls itself a blob.
    is_blob: bool,
}

impl<N: Notation> Encoder<N> {
    fn open(&mut self, kind: Kind, expected: usize) -> Result<Open, DataError> {
        if self.depth == MAX_DEPTH {
            return Err(DataError::Unencodable(DataProblem::TooDeep));
        }
        self.depth += 1;
        let start = self.out.len();
        N::open(&mut self.out, kind, expected);
        Ok(Open {
            kind,
            start,
            expected,
            length: 0,
            entries: self.entries.len(),
            is_blob: false,
        })
    }

    fn item<T: Serialize + ?Sized>(&mut self, list: &mut Open, item: &T) -> Result<(), DataError> {
        if list.length > 0 {
            N::separate(&mut self.out);
        }
        list.length += 1;
        item.serialize(self)
    }

    fn key<T: Serialize + ?Sized>(&mut self, map: &mut Open, key: &T) -> Result<(), DataError> {
        self.in_turn(map, false)?;
        if map.length > 0 {
            N::separate(&mut self.out);
        }
        map.length += 1;
        let start = self.out.len();
        key.serialize(&mut *self)?;
        let written = &self.out[start..];
        if !N::is_text(written) {
            return Err(DataError::Unencodable(DataProblem::Key));
        }
        if N::RESERVED.contains(&written) {
            return Err(DataError::Unencodable(DataProblem::ReservedKey));
        }
        let end = self.out.len();
        self.entries.push(Entry {
            start,
            key_end: end,
            end,
        });
        N::assign(&mut self.out);
        Ok(())
    }

    fn value<T: Serialize + ?Sized>(&mut self, map: &mut Open, value: &T) -> Result<(), DataError> {
        self.in_turn(map, true)?;
        let start = self.out.len();
        value.serialize(&mut *self)?;
        let entry = self.end_entry();
        if &self.out[entry.start..entry.key_end] == N::TYPE {
            let written = &self.out[start..];
            if !N::is_text(written) || N::is_empty_text(written) {
                return Err(DataError::Unencodable(DataProblem::Type));
            }
            map.is_blob = written == N::BLOB;
        }
        Ok(())
    }

    fn end_entry(&mut self) -> Entry {
        let entry = self.entries.last_mut().expect("a value has a key");
        entry.end = self.out.len();
        *entry
    }

    /// Refuses a type that writes two keys, or two values, one after the other.
    fn in_turn(&self, map: &Open, has_key: bool) -> Result<(), DataError> {
        let last = self.entries[map.entries..].last();
        if last.is_some_and(|entry| entry.end == entry.key_end) == has_key {
            return Ok(());
        }
        Err(DataError::Refused(
            "keys and values of a map must take turns".to_owned(),
        ))
    }

    fn close(&mut self, container: &Open) -> Result<(), DataError> {
        if container.kind == Kind::Map {
            self.in_turn(container, false)?;
            self.sort(container.entries)?;
            self.entries.truncate(container.entries);
        }
        let Open {
            kind,
            start,
            expected,
            length,
            ..
        } = *container;
        N::close(&mut self.out, kind, start, expected, length);
        self.depth -= 1;
        if container.is_blob && !N::is_blob(&self.out[start..]) {
            return Err(DataError::Unencodable(DataProblem::Blob));
        }
        Ok(())
    }

    /// Refuses a key that is there twice; brings a map's entries into canonical order.
    fn sort(&mut self, first: usize) -> Result<(), DataError> {
        let out = &self.out;
        let entries = &mut self.entries[first..];
        // In DAG-CBOR this orders keys as written the same as the keys; JSON asks for no order.
        let key = |entry: &Entry| {
            let key = &out[entry.start..entry.key_end];
            (key.len(), key)
        };
        if entries.is_sorted_by(|a, b| key(a) < key(b)) {
            return Ok(());
        }
        let start = entries[0].start;
        entries.sort_unstable_by(|a, b| key(a).cmp(&key(b)));
        if entries
            .windows(2)
            .any(|pair| key(&pair[0]) == key(&pair[1]))
        {
            return Err(DataError::Unencodable(DataProblem::DuplicateKey));
        }
        if N::CANONICAL {
            self.sorted.clear();
            for entry in entries {
                self.sorted.extend_from_slice(&out[entry.start..entry.end]);
            }
            self.out.truncate(start);
            self.out.extend_from_slice(&self.sorted);
        }
        Ok(())
    }

    fn integer<T: TryInto<i64>>(&mut self, value: T) -> Result<(), DataError> {
        let value = value
            .try_into()
            .map_err(|_| DataError::Unencodable(DataProblem::IntegerRange))?;
        N::integer(&mut self.out, value);
        Ok(())
    }
}

impl<'a, N: Notation> ser::Serializer for &'a mut Encoder<N> {
    type Ok = ();
    type Error = DataError;
    type SerializeSeq = Container<'a, N>;
    type SerializeTuple = Container<'a, N>;
    type SerializeTupleStruct = Container<'a, N>;
    type SerializeTupleVariant = Container<'a, N>;
    type SerializeMap = Container<'a, N>;
    type SerializeStruct = Container<'a, N>;
    type SerializeStructVariant = Container<'a, N>;

    fn is_human_readable(&self) -> bool {
        false
    }

    fn serialize_bool(self, value: bool) -> Result<(), DataError> {
        N::bool(&mut self.out, value);
        Ok(())
    }

    fn serialize_i8(self, value: i8) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_i16(self, value: i16) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_i32(self, value: i32) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_i64(self, value: i64) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_i128(self, value: i128) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_u8(self, value: u8) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_u16(self, value: u16) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_u32(self, value: u32) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_u64(self, value: u64) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_u128(self, value: u128) -> Result<(), DataError> {
        self.integer(value)
    }

    fn serialize_f32(self, _value: f32) -> Result<(), DataError> {
        Err(DataError::Unencodable(DataProblem::Float))
    }

    fn serialize_f64(self, _value: f64) -> Result<(), DataError> {
        Err(DataError::Unencodable(DataProblem::Float))
    }

    fn serialize_char(self, value: char) -> Result<(), DataError> {
        self.serialize_str(value.encode_utf8(&mut [0; 4]))
    }

    fn serialize_str(self, value: &str) -> Result<(), DataError> {
        N::text(&mut self.out, value);
        Ok(())
    }

    fn serialize_bytes(self, value: &[u8]) -> Result<(), DataError> {
        if !std::mem::take(&mut self.link) {
            N::bytes(&mut self.out, value);
        } else if link::is_binary(value) {
            N::link(&mut self.out, value);
        } else {
            return Err(DataError::Unencodable(DataProblem::Link));
        }
        Ok(())
    }

    fn serialize_none(self) -> Result<(), DataError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), DataError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), DataError> {
        N::null(&mut self.out);
        Ok(())
    }

    fn serialize_unit_struct(self, _name: &'static str) -> Result<(), DataError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
    ) -> Result<(), DataError> {
        self.serialize_str(variant)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        name: &'static str,
        value: &T,
    ) -> Result<(), DataError> {
        if name != CID_SERDE_PRIVATE_IDENTIFIER {
            return value.serialize(self);
        }
        // How the `cid` crate marks the bytes of a CID.
        self.link = true;
        value.serialize(&mut *self)?;
        if std::mem::take(&mut self.link) {
            return Err(DataError::Unencodable(DataProblem::Link));
        }
        Ok(())
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), DataError> {
        let mut map = self.open(Kind::Map, 1)?;
        self.key(&mut map, variant)?;
        self.value(&mut map, value)?;
        self.close(&map)
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<Container<'a, N>, DataError> {
        let open = self.open(Kind::List, length.unwrap_or_default())?;
        Ok(Container {
            encoder: self,
            open,
            variant: None,
        })
    }

    fn serialize_tuple(self, length: usize) -> Result<Container<'a, N>, DataError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Container<'a, N>, DataError> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Container<'a, N>, DataError> {
        let mut outer = self.open(Kind::Map, 1)?;
        self.key(&mut outer, variant)?;
        let open = self.open(Kind::List, length)?;
        Ok(Container {
            encoder: self,
            open,
            variant: Some(outer),
        })
    }

    fn serialize_map(self, length: Option<usize>) -> Result<Container<'a, N>, DataError> {
        let open = self.open(Kind::Map, length.unwrap_or_default())?;
        Ok(Container {
            encoder: self,
            open,
            variant: None,
        })
    }

    fn serialize_struct(
        self,
        _name: &'static str,
        length: usize,
    ) -> Result<Container<'a, N>, DataError> {
        self.serialize_map(Some(length))
    }

    fn serialize_struct_variant(
        self,
        _name: &'static str,
        _index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Container<'a, N>, DataError> {
        let mut outer = self.open(Kind::Map, 1)?;
        self.key(&mut outer, variant)?;
        let open = self.open(Kind::Map, length)?;
        Ok(Container {
            encoder: self,
            open,
            variant: Some(outer),
        })
    }
}
