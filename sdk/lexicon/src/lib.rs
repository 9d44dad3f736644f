//! Typed com.huddle.* records and methods, generated from lexicons/.
