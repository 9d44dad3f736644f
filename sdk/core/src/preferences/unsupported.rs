//! Wishes that the lexicon knows and nothing here fulfils: to keep one would be to promise what does not come about.

use huddle_lexicon::com::huddle::defs::{Consent, Preferences, PreferencesPublicTrace};

/// A wish that nothing here fulfils. Says what to do instead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Unsupported {
    /// That a record of each booking stands in the person's repository. It would have to follow what the other party does
    /// while the person is away, so only a service with a session of theirs could write it, and nobody can sign in here.
    #[error(
        "publicTrace: there is no session here that may write to your repo and keep a com.huddle.booking record as the \
         booking stands: leave this out, and write the record yourself, with com.atproto.repo.putRecord at your PDS"
    )]
    PublicTrace,
    /// That such records of others name the person.
    #[error("nameableBy: no public trace is written here that could name you: leave this out")]
    NameableBy,
    /// That calendar events of others carry the person's address.
    #[error(
        "attendeeFor: no event that is written here carries the other party's address: leave this out"
    )]
    AttendeeFor,
}

impl Unsupported {
    const ALL: [Self; 3] = [Self::PublicTrace, Self::NameableBy, Self::AttendeeFor];

    /// The name of its field in a `com.huddle.defs#preferences`.
    pub fn field(self) -> &'static str {
        match self {
            Self::PublicTrace => "publicTrace",
            Self::NameableBy => "nameableBy",
            Self::AttendeeFor => "attendeeFor",
        }
    }

    /// Those that somebody has. What means nothing or nobody, as an unknown value does, is none.
    pub fn of(preferences: &Preferences) -> Vec<Self> {
        let mut wishes = Self::ALL.to_vec();
        wishes.retain(|wish| match wish {
            Self::PublicTrace => leaves_trace(&preferences.public_trace_or_default()),
            Self::NameableBy => allows_somebody(&preferences.nameable_by_or_default()),
            Self::AttendeeFor => allows_somebody(&preferences.attendee_for_or_default()),
        });
        wishes
    }

    /// Takes those away that somebody has.
    pub fn take_from(preferences: &mut Preferences) -> Vec<Self> {
        let wishes = Self::of(preferences);
        for wish in &wishes {
            match wish {
                Self::PublicTrace => preferences.public_trace = None,
                Self::NameableBy => preferences.nameable_by = None,
                Self::AttendeeFor => preferences.attendee_for = None,
            }
        }
        wishes
    }
}

fn leaves_trace(trace: &PreferencesPublicTrace) -> bool {
    match trace {
        PreferencesPublicTrace::Masked | PreferencesPublicTrace::Exact => true,
        PreferencesPublicTrace::None | PreferencesPublicTrace::Other(_) => false,
    }
}

fn allows_somebody(consent: &Consent) -> bool {
    match consent {
        Consent::Mutual | Consent::Connected | Consent::Follower | Consent::Anyone => true,
        Consent::Nobody | Consent::Other(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use huddle_syntax::schema::Data as _;

    use super::*;

    #[track_caller]
    fn check(document: &str, expect: &[&str], left: &str) {
        let mut preferences = Preferences::from_json(document.as_bytes()).unwrap();
        let wishes = Unsupported::of(&preferences);
        let fields: Vec<_> = wishes.iter().map(|wish| wish.field()).collect();
        assert_eq!(fields, expect, "{document}");
        for wish in &wishes {
            let message = wish.to_string();
            assert!(message.starts_with(wish.field()), "{message}");
        }
        assert_eq!(Unsupported::take_from(&mut preferences), wishes);
        assert_eq!(preferences.to_json().unwrap(), left.as_bytes());
        assert_eq!(Unsupported::of(&preferences), []);
    }

    #[test]
    fn only_wishes_for_something_are_unsupported() {
        check("{}", &[], "{}");
        for trace in ["none", "later"] {
            let document = format!(r#"{{"publicTrace":"{trace}"}}"#);
            check(&document, &[], &document);
        }
        for trace in ["masked", "exact"] {
            let document = format!(r#"{{"publicTrace":"{trace}","tz":"UTC"}}"#);
            check(&document, &["publicTrace"], r#"{"tz":"UTC"}"#);
        }
        for consent in ["nameableBy", "attendeeFor"] {
            for nobody in ["nobody", "later"] {
                let document = format!(r#"{{"{consent}":"{nobody}"}}"#);
                check(&document, &[], &document);
            }
            for circle in ["mutual", "connected", "follower", "anyone"] {
                check(&format!(r#"{{"{consent}":"{circle}"}}"#), &[consent], "{}");
            }
        }
        let all = r#"{"publicTrace":"exact","nameableBy":"anyone","attendeeFor":"mutual"}"#;
        check(all, &["publicTrace", "nameableBy", "attendeeFor"], "{}");
    }
}
