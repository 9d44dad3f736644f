//! Who may book: the ladder of circles, and blocks above all.

use std::str::FromStr;

/// A circle around a host, from the closest out. Each lies within the next.
///
/// As the policy of an offer it admits itself and every closer circle; of a guest it says how close they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Circle {
    /// Both follow each other.
    Mutual,
    /// The host follows the guest.
    Connected,
    /// The guest follows the host.
    Follower,
    /// Everybody.
    Anyone,
}

impl Circle {
    /// The closest circle that somebody belongs to.
    pub fn of(host_follows_guest: bool, guest_follows_host: bool) -> Self {
        match (host_follows_guest, guest_follows_host) {
            (true, true) => Self::Mutual,
            (true, false) => Self::Connected,
            (false, true) => Self::Follower,
            (false, false) => Self::Anyone,
        }
    }

    /// Whether the host has done nothing to know them: everybody can follow.
    pub fn is_stranger(self) -> bool {
        self >= Self::Follower
    }

    /// Its name in a lexicon.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Mutual => "mutual",
            Self::Connected => "connected",
            Self::Follower => "follower",
            Self::Anyone => "anyone",
        }
    }
}

/// A policy that this version does not know: it admits nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the policy is unknown, and so admits nobody")]
pub struct UnknownPolicy;

impl FromStr for Circle {
    type Err = UnknownPolicy;

    fn from_str(name: &str) -> Result<Self, UnknownPolicy> {
        [Self::Mutual, Self::Connected, Self::Follower, Self::Anyone]
            .into_iter()
            .find(|circle| circle.as_str() == name)
            .ok_or(UnknownPolicy)
    }
}

/// How guest and host stand to each other.
///
/// ```
/// use huddle_schedule::{Circle, Relationship};
///
/// let follower = Relationship { circle: Circle::of(false, true), blocked: false };
/// assert!(follower.admitted_by(Some(Circle::Anyone)));
/// assert!(!follower.admitted_by(Some(Circle::Connected)));
/// assert!(!follower.admitted_by("vip".parse().ok()), "an unknown policy admits nobody");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Relationship {
    /// The closest circle that the guest belongs to.
    pub circle: Circle,
    /// Whether either blocks the other, by themselves, by a list, or on the host's private list.
    pub blocked: bool,
}

impl Relationship {
    /// Whether an offer with this policy is for the guest; `None` is a policy that is unknown.
    pub fn admitted_by(self, policy: Option<Circle>) -> bool {
        !self.blocked && policy.is_some_and(|policy| self.circle <= policy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_policy_admits_its_circle_and_the_closer_ones() {
        let ladder = [
            Circle::Mutual,
            Circle::Connected,
            Circle::Follower,
            Circle::Anyone,
        ];
        for (step, policy) in ladder.into_iter().enumerate() {
            for (closeness, circle) in ladder.into_iter().enumerate() {
                let guest = |blocked| Relationship { circle, blocked };
                assert_eq!(guest(false).admitted_by(Some(policy)), closeness <= step);
                assert!(!guest(true).admitted_by(Some(policy)), "a block wins");
                assert!(
                    !guest(false).admitted_by(None),
                    "an unknown policy admits nobody"
                );
            }
        }
    }

    #[test]
    fn follows_make_the_circle() {
        for (host, guest, circle, stranger) in [
            (true, true, "mutual", false),
            (true, false, "connected", false),
            (false, true, "follower", true),
            (false, false, "anyone", true),
        ] {
            let made = Circle::of(host, guest);
            assert_eq!(made.as_str().parse(), circle.parse::<Circle>());
            assert_eq!(made.as_str(), circle);
            assert_eq!(made.is_stranger(), stranger);
        }
        assert_eq!("Mutual".parse::<Circle>(), Err(UnknownPolicy));
    }
}
