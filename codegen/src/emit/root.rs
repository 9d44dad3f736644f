//! What stands around the files of lexicons: the modules that lead to them, and the crate.

use super::ident::token;
use super::plan::{Node, Plan};
use super::source::{Source, file_path};
use super::{GeneratedFile, HEADER};
use std::path::PathBuf;

/// Allowed in all generated code, which cannot choose its names and sizes.
const ALLOWED: &str = r#"#![allow(
    deprecated,
    clippy::doc_markdown,
    clippy::enum_variant_names,
    clippy::module_inception,
    clippy::option_option,
    clippy::similar_names,
    clippy::struct_excessive_bools,
    clippy::struct_field_names,
    clippy::too_many_arguments,
    clippy::too_many_lines,
    clippy::wrong_self_convention,
    reason = "names, sizes and descriptions are those of the lexicons"
)]"#;
