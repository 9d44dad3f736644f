//! One lexicon construct a case, and the checked-in code that the generator makes of it.
//!
//! `lexicons/<case>` is what goes in, `src/<case>` is what comes out; that it compiles without a warning
//! is half of the test. The tests beside it are the other half: that the output is fresh, and that the
//! types do what their lexicons say.

#![deny(warnings)]

#[rustfmt::skip]
pub mod aliases;
#[rustfmt::skip]
pub mod arrays;
#[rustfmt::skip]
pub mod blobs;
#[rustfmt::skip]
pub mod bodies;
#[rustfmt::skip]
pub mod bytes;
#[rustfmt::skip]
pub mod case_collisions;
#[rustfmt::skip]
pub mod closed_enum;
#[rustfmt::skip]
pub mod constants;
#[rustfmt::skip]
pub mod defaults;
#[rustfmt::skip]
pub mod deprecated;
#[rustfmt::skip]
pub mod descriptions;
#[rustfmt::skip]
pub mod empty;
#[rustfmt::skip]
pub mod external_types;
#[rustfmt::skip]
pub mod externals;
#[rustfmt::skip]
pub mod formats;
pub mod handlers;
#[rustfmt::skip]
pub mod import_names;
#[rustfmt::skip]
pub mod inline_objects;
#[rustfmt::skip]
pub mod integers;
#[rustfmt::skip]
pub mod keywords;
#[rustfmt::skip]
pub mod known_values;
#[rustfmt::skip]
pub mod letters;
#[rustfmt::skip]
pub mod main_types;
#[rustfmt::skip]
pub mod many_fields;
#[rustfmt::skip]
pub mod modules;
#[rustfmt::skip]
pub mod nested_arrays;
#[rustfmt::skip]
pub mod nullable;
#[rustfmt::skip]
pub mod odd_names;
#[rustfmt::skip]
pub mod own_names;
#[rustfmt::skip]
pub mod permission_set;
#[rustfmt::skip]
pub mod prefixes;
#[rustfmt::skip]
pub mod procedure;
#[rustfmt::skip]
pub mod query;
#[rustfmt::skip]
pub mod record;
#[rustfmt::skip]
pub mod record_keys;
#[rustfmt::skip]
pub mod recursion;
#[rustfmt::skip]
pub mod role_names;
#[rustfmt::skip]
pub mod std_names;
#[rustfmt::skip]
pub mod strings;
#[rustfmt::skip]
pub mod subscription;
#[rustfmt::skip]
pub mod union_members;
#[rustfmt::skip]
pub mod unions;
#[rustfmt::skip]
pub mod unknown_fields;
