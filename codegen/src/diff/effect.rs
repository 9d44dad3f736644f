//! Which of two sets of allowed values has what the other lacks, and who minds.

use super::Impact;
use crate::model::DefKind;
use serde::Serialize;
use std::collections::BTreeSet;

/// Which half of the law of evolution a difference breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// What the old lexicon allowed, the new one refuses.
    Backward,
    /// What the new lexicon allows, the old one refuses.
    Forward,
}

/// Whose data a place in a lexicon describes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Side {
    /// Records, and types that others refer to: written and read by anybody, and stored for long.
    Shared,
    /// Parameters and inputs: written by callers, read by servers.
    Call,
    /// Outputs and messages: written by servers, read by callers.
    Answer,
    /// Permission sets: asked for by apps, agreed to by people.
    Grant,
}

impl Side {
    /// Whose data a definition as a whole describes.
    pub(super) const fn of(kind: &DefKind) -> Self {
        match kind {
            DefKind::Query(_) | DefKind::Procedure(_) | DefKind::Subscription(_) => Self::Call,
            DefKind::PermissionSet(_) => Self::Grant,
            DefKind::Record(_) | DefKind::Token | DefKind::Type(_) => Self::Shared,
        }
    }

    /// Servers are updated before their callers: what they cannot have in common then breaks. What an
    /// app may do more than before breaks nothing.
    pub(super) const fn impact(self, direction: Direction) -> Impact {
        match (self, direction) {
            (Self::Shared, _)
            | (Self::Call | Self::Grant, Direction::Backward)
            | (Self::Answer, Direction::Forward) => Impact::Breaking,
            (Self::Call | Self::Grant, Direction::Forward)
            | (Self::Answer, Direction::Backward) => Impact::Notice,
        }
    }

    /// Who finds the other's data refused, or a permission gone or gained.
    pub const fn whom(self, direction: Direction) -> &'static str {
        match (self, direction) {
            (Self::Shared, Direction::Backward) => "readers of existing data",
            (Self::Shared, Direction::Forward) => "readers that know the old version",
            (Self::Call, Direction::Backward) => "callers that know the old version",
            (Self::Call, Direction::Forward) => "callers of servers that know the old version",
            (Self::Answer, Direction::Backward) => "clients of servers that know the old version",
            (Self::Answer, Direction::Forward) => "clients that know the old version",
            (Self::Grant, Direction::Backward) => "apps that ask for it",
            (Self::Grant, Direction::Forward) => "people who agreed to it",
        }
    }
}

/// What a difference does to the values that are allowed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Effect {
    /// Some that were allowed are not any more.
    pub narrows: bool,
    /// Some are allowed that were not before.
    pub widens: bool,
}

impl Effect {
    pub(super) const NARROWS: Self = Self {
        narrows: true,
        widens: false,
    };
    pub(super) const WIDENS: Self = Self {
        narrows: false,
        widens: true,
    };
    pub(super) const BOTH: Self = Self {
        narrows: true,
        widens: true,
    };

    pub(super) fn directions(self) -> impl Iterator<Item = Direction> {
        let backward = self.narrows.then_some(Direction::Backward);
        backward
            .into_iter()
            .chain(self.widens.then_some(Direction::Forward))
    }

    pub(super) const fn and(self, other: Self) -> Self {
        Self {
            narrows: self.narrows || other.narrows,
            widens: self.widens || other.widens,
        }
    }

    /// A lower bound moved.
    pub(super) fn of_least<T: PartialOrd + Copy>(old: Option<T>, new: Option<T>) -> Self {
        // No bound is below every bound, which is how `Option` compares.
        Self {
            narrows: new > old,
            widens: new < old,
        }
    }

    /// An upper bound moved.
    pub(super) fn of_most<T: PartialOrd + Copy>(old: Option<T>, new: Option<T>) -> Self {
        match (old, new) {
            (Some(old), Some(new)) => Self {
                narrows: new < old,
                widens: new > old,
            },
            (None, Some(_)) => Self::NARROWS,
            (Some(_), None) => Self::WIDENS,
            (None, None) => Self::default(),
        }
    }

    /// A restriction to one value, or a few: with none, everything is allowed.
    pub(super) fn of_values<T: Ord>(old: Option<&[T]>, new: Option<&[T]>) -> Self {
        match (old, new) {
            (Some(old), Some(new)) => Self::of_sets(old, new),
            (None, Some(_)) => Self::NARROWS,
            (Some(_), None) => Self::WIDENS,
            (None, None) => Self::default(),
        }
    }

    /// A set of what is allowed.
    pub(super) fn of_sets<T: Ord>(old: &[T], new: &[T]) -> Self {
        let old: BTreeSet<&T> = old.iter().collect();
        let new: BTreeSet<&T> = new.iter().collect();
        Self {
            narrows: !old.is_subset(&new),
            widens: !new.is_subset(&old),
        }
    }

    /// MIME patterns, of which `type/*` covers `type/subtype`, and `*/*` covers all.
    pub(super) fn of_mime_patterns(old: &[String], new: &[String]) -> Self {
        let covered = |by: &[String], what: &[String]| {
            let by: BTreeSet<&str> = by.iter().map(String::as_str).collect();
            by.contains("*/*")
                || what.iter().all(|pattern| {
                    let family = pattern.split('/').next().unwrap_or_default();
                    by.contains(pattern.as_str()) || by.contains(format!("{family}/*").as_str())
                })
        };
        Self {
            narrows: !covered(new, old),
            widens: !covered(old, new),
        }
    }

    /// Something that holds or does not, and restricts where it holds.
    pub(super) const fn of_restriction(old: bool, new: bool) -> Self {
        Self {
            narrows: new && !old,
            widens: old && !new,
        }
    }
}
