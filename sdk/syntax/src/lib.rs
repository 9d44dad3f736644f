//! AT Protocol identifiers, data model and the runtime of generated lexicon types.
