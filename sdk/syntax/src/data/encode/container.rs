//! What serde writes a list or a map with: each item or entry is handed to the encoder.

use super::{Encoder, Notation, Open};
use crate::data::DataError;
use serde::ser::{self, Serialize};

/// A list or map that is being written, and the map around it if it is the content of a variant.
pub(super) struct Container<'a, N> {
    pub(super) encoder: &'a mut Encoder<N>,
    pub(super) open: Open,
    pub(super) variant: Option<Open>,
}

impl<N: Notation> Container<'_, N> {
    fn item<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), DataError> {
        self.encoder.item(&mut self.open, item)
    }

    fn field<T: Serialize + ?Sized>(&mut self, key: &str, value: &T) -> Result<(), DataError> {
        self.encoder.key(&mut self.open, key)?;
        self.encoder.value(&mut self.open, value)
    }

    fn close(self) -> Result<(), DataError> {
        self.encoder.close(&self.open)?;
        if let Some(outer) = self.variant {
            self.encoder.end_entry();
            self.encoder.close(&outer)?;
        }
        Ok(())
    }
}

macro_rules! list {
    ($($trait:ident::$method:ident),+ $(,)?) => {$(
        impl<N: Notation> ser::$trait for Container<'_, N> {
            type Ok = ();
            type Error = DataError;

            fn $method<T: Serialize + ?Sized>(&mut self, item: &T) -> Result<(), DataError> {
                self.item(item)
            }

            fn end(self) -> Result<(), DataError> {
                self.close()
            }
        }
    )+};
}

list!(
    SerializeSeq::serialize_element,
    SerializeTuple::serialize_element,
    SerializeTupleStruct::serialize_field,
    SerializeTupleVariant::serialize_field,
);

macro_rules! structure {
    ($($trait:ident),+) => {$(
        impl<N: Notation> ser::$trait for Container<'_, N> {
            type Ok = ();
            type Error = DataError;

            fn serialize_field<T: Serialize + ?Sized>(
                &mut self,
                key: &'static str,
                value: &T,
            ) -> Result<(), DataError> {
                self.field(key, value)
            }

            fn end(self) -> Result<(), DataError> {
                self.close()
            }
        }
    )+};
}

structure!(SerializeStruct, SerializeStructVariant);

impl<N: Notation> ser::SerializeMap for Container<'_, N> {
    type Ok = ();
    type Error = DataError;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), DataError> {
        self.encoder.key(&mut self.open, key)
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), DataError> {
        self.encoder.value(&mut self.open, value)
    }

    fn end(self) -> Result<(), DataError> {
        self.close()
    }
}
