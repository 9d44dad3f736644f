//! What an answer says of itself to the layers around the router.

/// What was called and what came of it: an extension of each response of the router, for layers that count and log.
/// Its texts are those of the program, whatever the request held.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Answered {
    /// The method, if there is one of that name.
    pub nsid: Option<&'static str>,
    /// The name of the error that was answered with, if any.
    pub error: Option<&'static str>,
}
