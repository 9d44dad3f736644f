//! How days and dates are written in JSON, and lists of what others wrote read, for `#[serde(with)]`.
#![expect(
    clippy::ref_option,
    clippy::trivially_copy_pass_by_ref,
    reason = "serde's signature for a field"
)]

use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

/// What can be read of a list, in its order; the rest is left out.
pub(crate) fn readable<'de, T: Deserialize<'de>, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<Vec<T>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Entry<T> {
        Readable(T),
        Unreadable(IgnoredAny),
    }

    let entries = Vec::<Entry<T>>::deserialize(deserializer)?;
    let readable = entries.into_iter().filter_map(|entry| match entry {
        Entry::Readable(entry) => Some(entry),
        Entry::Unreadable(IgnoredAny) => None,
    });
    Ok(readable.collect())
}

/// Days of the week, as RFC 5545 §3.3.10 names them: `["MO", "TU"]`.
pub(crate) mod weekdays {
    use chrono::{Weekday, WeekdaySet};
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Clone, Copy, Serialize, Deserialize)]
    #[serde(remote = "Weekday")]
    enum Name {
        #[serde(rename = "MO")]
        Mon,
        #[serde(rename = "TU")]
        Tue,
        #[serde(rename = "WE")]
        Wed,
        #[serde(rename = "TH")]
        Thu,
        #[serde(rename = "FR")]
        Fri,
        #[serde(rename = "SA")]
        Sat,
        #[serde(rename = "SU")]
        Sun,
    }

    #[derive(Serialize, Deserialize)]
    #[serde(transparent)]
    struct Day(#[serde(with = "Name")] Weekday);

    pub(crate) fn serialize<S: Serializer>(
        days: &WeekdaySet,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(days.iter(Weekday::Mon).map(Day))
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<WeekdaySet, D::Error> {
        let days = Vec::<Day>::deserialize(deserializer)?;
        Ok(days.into_iter().map(|day| day.0).collect())
    }
}

/// A date of the years 0000 to 9999, as RFC 3339 writes it: `2026-12-24`.
pub(crate) mod date {
    use chrono::NaiveDate;
    use serde::de::Error;
    use serde::{Deserialize, Deserializer, Serializer};
    use std::borrow::Cow;

    pub(super) fn parse(text: &str) -> Option<NaiveDate> {
        let digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        let mut parts = text.split('-');
        let well_formed = text.len() == 10
            && [4, 2, 2].iter().all(|length| {
                parts
                    .next()
                    .is_some_and(|part| part.len() == *length && digits(part))
            });
        well_formed.then(|| text.parse().ok())?
    }

    pub(crate) fn serialize<S: Serializer>(
        date: &NaiveDate,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        serializer.collect_str(date)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<NaiveDate, D::Error> {
        let text = Cow::<'_, str>::deserialize(deserializer)?;
        parse(&text).ok_or_else(|| D::Error::custom("a date is written YYYY-MM-DD"))
    }
}

/// As [`date`], or nothing.
pub(crate) mod optional_date {
    use chrono::NaiveDate;
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    #[derive(Serialize, Deserialize)]
    struct Date(#[serde(with = "super::date")] NaiveDate);

    pub(crate) fn serialize<S: Serializer>(
        date: &Option<NaiveDate>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        date.map(Date).serialize(serializer)
    }

    pub(crate) fn deserialize<'de, D: Deserializer<'de>>(
        deserializer: D,
    ) -> Result<Option<NaiveDate>, D::Error> {
        let date = Option::<Date>::deserialize(deserializer)?;
        Ok(date.map(|date| date.0))
    }
}
