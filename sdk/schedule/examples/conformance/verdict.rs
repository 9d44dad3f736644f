//! What came of a case.

/// What came of one case.
#[derive(Debug)]
pub(crate) struct Verdict {
    /// The name of the case.
    pub(crate) case: String,
    /// What is wrong, if anything.
    pub(crate) wrong: Option<String>,
}
