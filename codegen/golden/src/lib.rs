//! One lexicon construct a case, and the checked-in code that the generator makes of it.
