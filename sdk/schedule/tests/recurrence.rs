//! Recurrence rules: the conformance cases, hard ones by hand, and properties.

#[path = "../examples/conformance/rrule.rs"]
mod conformance;

use chrono::{Datelike, Days, NaiveDate, NaiveDateTime, TimeDelta};
use huddle_schedule::recurrence::{Exhausted, Frequency, Rule, RuleError};
use proptest::prelude::*;

fn time(text: &str) -> NaiveDateTime {
    NaiveDateTime::parse_from_str(text, "%Y%m%dT%H%M%S").expect("a time")
}

fn rule(text: &str) -> Rule {
    text.parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn expand(text: &str, start: &str, most: usize) -> Vec<String> {
    let found: Result<Vec<_>, _> = rule(text).occurrences(time(start)).take(most).collect();
    let found = found.unwrap_or_else(|error| panic!("{text}: {error}"));
    found
        .iter()
        .map(|time| time.format("%Y%m%dT%H%M%S").to_string())
        .collect()
}

#[track_caller]
fn check(text: &str, start: &str, expected: &[&str]) {
    let most = expected.len() + usize::from(rule(text).is_finite());
    assert_eq!(expand(text, start, most), expected, "{text}");
}

#[test]
fn all_conformance_cases_pass() {
    let Some(file) = huddle_testdata::shared("conformance/rrule_cases.json") else {
        return;
    };
    let outcomes = conformance::compare(&file).expect("the cases can be read");
    let failed: Vec<_> = outcomes
        .iter()
        .filter(|(_, result)| result.is_err())
        .collect();
    assert!(failed.is_empty() && outcomes.len() >= 171, "{failed:#?}");
}

/// RFC 5545 §3.8.5.3, those of its examples whose answers are easy to get wrong.
#[test]
fn examples_of_the_rfc_come_out_as_it_says() {
    let start = "19970902T090000";
    check(
        "FREQ=MONTHLY;BYDAY=FR;BYMONTHDAY=13",
        start,
        &[
            "19980213T090000",
            "19980313T090000",
            "19981113T090000",
            "19990813T090000",
            "20001013T090000",
        ],
    );
    check(
        "FREQ=YEARLY;INTERVAL=4;BYMONTH=11;BYDAY=TU;BYMONTHDAY=2,3,4,5,6,7,8",
        "19961105T090000",
        &["19961105T090000", "20001107T090000", "20041102T090000"],
    );
    check(
        "FREQ=MONTHLY;COUNT=3;BYDAY=TU,WE,TH;BYSETPOS=3",
        "19970904T090000",
        &["19970904T090000", "19971007T090000", "19971106T090000"],
    );
    check(
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-2",
        "19970929T090000",
        &["19970929T090000", "19971030T090000", "19971127T090000"],
    );
    check(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=MO",
        "19970805T090000",
        &[
            "19970805T090000",
            "19970810T090000",
            "19970819T090000",
            "19970824T090000",
        ],
    );
    check(
        "FREQ=WEEKLY;INTERVAL=2;COUNT=4;BYDAY=TU,SU;WKST=SU",
        "19970805T090000",
        &[
            "19970805T090000",
            "19970817T090000",
            "19970819T090000",
            "19970831T090000",
        ],
    );
    check(
        "FREQ=MONTHLY;BYMONTHDAY=15,30;COUNT=5",
        "20070115T090000",
        &[
            "20070115T090000",
            "20070130T090000",
            "20070215T090000",
            "20070315T090000",
            "20070330T090000",
        ],
    );
}

#[test]
fn days_that_a_month_or_year_lacks_are_left_out() {
    check(
        "FREQ=MONTHLY",
        "20260131T090000",
        &["20260131T090000", "20260331T090000", "20260531T090000"],
    );
    check(
        "FREQ=YEARLY",
        "20240229T090000",
        &["20240229T090000", "20280229T090000"],
    );
    check(
        "FREQ=YEARLY;INTERVAL=100",
        "20000229T090000",
        &["20000229T090000", "24000229T090000"],
    );
    check(
        "FREQ=YEARLY;BYYEARDAY=-366",
        "20250101T000000",
        &["20280101T000000", "20320101T000000"],
    );
}

#[test]
fn ordinals_and_plain_weekdays_together_name_both() {
    check(
        "FREQ=MONTHLY;BYDAY=MO,1SU;COUNT=6",
        "20260301T090000",
        &[
            "20260301T090000",
            "20260302T090000",
            "20260309T090000",
            "20260316T090000",
            "20260323T090000",
            "20260330T090000",
        ],
    );
}

#[test]
fn large_intervals_keep_their_step() {
    check(
        "FREQ=SECONDLY;INTERVAL=90061;COUNT=3",
        "19970902T090000",
        &["19970902T090000", "19970903T100101", "19970904T110202"],
    );
    check(
        "FREQ=HOURLY;INTERVAL=4294967295;COUNT=2",
        "20260101T000000",
        &["20260101T000000"],
    );
    check(
        "FREQ=MINUTELY;INTERVAL=1441;BYHOUR=0",
        "20260101T000000",
        &["20260101T000000", "20260102T000100", "20260103T000200"],
    );
}

#[test]
fn the_end_counts_itself_and_may_come_before_the_start() {
    check(
        "FREQ=DAILY;UNTIL=20260301T090000",
        "20260301T090000",
        &["20260301T090000"],
    );
    check("FREQ=DAILY;UNTIL=20260228T090000", "20260301T090000", &[]);
    check(
        "FREQ=DAILY;UNTIL=20260302",
        "20260301T090000",
        &["20260301T090000", "20260302T090000"],
    );
    check(
        "FREQ=DAILY;UNTIL=20260301T090000Z",
        "20260301T090000",
        &["20260301T090000"],
    );
    check(
        "FREQ=DAILY;UNTIL=20270101;COUNT=2",
        "20260301T090000",
        &["20260301T090000", "20260302T090000"],
    );
}

#[test]
fn nothing_comes_after_the_year_9999() {
    check(
        "FREQ=YEARLY;COUNT=5",
        "99980301T090000",
        &["99980301T090000", "99990301T090000"],
    );
    assert_eq!(expand("FREQ=DAILY", "99991230T090000", 9).len(), 2);
    assert_eq!(expand("FREQ=SECONDLY", "99991231T235958", 9).len(), 2);
}

#[test]
fn rules_that_never_come_true_end() {
    for never in [
        "FREQ=YEARLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=DAILY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=HOURLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=SECONDLY;BYMONTH=2;BYMONTHDAY=30",
        "FREQ=YEARLY;BYWEEKNO=20;BYMONTH=1",
        "FREQ=MONTHLY;BYMONTHDAY=1;BYSETPOS=2",
        "FREQ=DAILY;INTERVAL=2;BYMONTH=4;BYMONTHDAY=31;COUNT=10000",
    ] {
        check(never, "19970902T090000", &[]);
    }
}

#[test]
fn an_expansion_takes_no_more_steps_than_it_may() {
    let rule = rule("FREQ=SECONDLY;BYSETPOS=2");
    let mut occurrences = rule.occurrences(time("20260101T000000")).steps(1000);
    assert_eq!(occurrences.next(), Some(Err(Exhausted)));
    assert_eq!(occurrences.next(), None);
}

#[test]
fn a_window_decades_later_is_reached_in_one_step() {
    for (text, most) in [
        ("FREQ=SECONDLY", 5),
        ("FREQ=HOURLY;INTERVAL=5", 5),
        ("FREQ=DAILY;INTERVAL=3", 10),
        ("FREQ=WEEKLY;BYDAY=MO,TH", 40),
        ("FREQ=MONTHLY;BYDAY=-1FR", 120),
        ("FREQ=YEARLY;BYMONTH=3;BYDAY=2SU", 80),
    ] {
        let rule = rule(text);
        let start = time("19700101T000000");
        let mut occurrences = rule
            .occurrences(start)
            .from(time("20260301T000000"))
            .steps(most);
        let found = occurrences.next().expect("it goes on for ever");
        assert!(found.is_ok(), "{text}: more than {most} steps");
    }
}

#[track_caller]
fn refused(text: &str, expected: &RuleError) {
    assert_eq!(&text.parse::<Rule>().expect_err(text), expected);
}

#[test]
fn texts_that_are_no_rules_say_why() {
    let value = |part: &str, value: &str| RuleError::Value {
        part: part.to_owned(),
        value: value.to_owned(),
    };
    refused("", &RuleError::NoFrequency);
    refused("COUNT=3", &RuleError::NoFrequency);
    refused("FREQ=DAILY;COUNT", &RuleError::NotAPart("COUNT".to_owned()));
    refused(
        "FREQ=DAILY;BYEASTER=1",
        &RuleError::Unknown("BYEASTER".to_owned()),
    );
    refused(
        "FREQ=DAILY;COUNT=1;COUNT=2",
        &RuleError::Repeated("COUNT".to_owned()),
    );
    for (text, part, bad) in [
        ("FREQ=FORTNIGHTLY", "FREQ", "FORTNIGHTLY"),
        ("FREQ=DAILY;INTERVAL=0", "INTERVAL", "0"),
        ("FREQ=DAILY;COUNT=many", "COUNT", "many"),
        ("FREQ=DAILY;COUNT=99999999999", "COUNT", "99999999999"),
        ("FREQ=DAILY;UNTIL=tomorrow", "UNTIL", "tomorrow"),
        ("FREQ=DAILY;BYHOUR=1,24", "BYHOUR", "24"),
        ("FREQ=DAILY;BYMONTH=13", "BYMONTH", "13"),
        ("FREQ=DAILY;BYMONTHDAY=0", "BYMONTHDAY", "0"),
        ("FREQ=DAILY;BYYEARDAY=-367", "BYYEARDAY", "-367"),
        ("FREQ=MONTHLY;BYDAY=XX", "BYDAY", "XX"),
        ("FREQ=MONTHLY;BYDAY=0MO", "BYDAY", "0MO"),
        ("FREQ=MONTHLY;BYDAY=é", "BYDAY", "é"),
        ("FREQ=MONTHLY;BYSETPOS=", "BYSETPOS", ""),
        ("FREQ=MONTHLY;RSCALE=CHINESE", "RSCALE", "CHINESE"),
    ] {
        refused(text, &value(part, bad));
    }
}

#[test]
fn bent_grammar_with_one_meaning_is_read() {
    for (bent, straight) in [
        (
            "FREQ=YEARLY;BYMONTH=11;BYDAY=1SU;",
            "FREQ=YEARLY;BYDAY=1SU;BYMONTH=11",
        ),
        ("freq=weekly; byday = mo , we", "FREQ=WEEKLY;BYDAY=MO,WE"),
        (
            "FREQ=WEEKLY;UNTIL=20240331;COUNT=-1",
            "FREQ=WEEKLY;UNTIL=20240331",
        ),
        ("FREQ=WEEKLY;BYDAY=1MO,+2TU", "FREQ=WEEKLY;BYDAY=MO,TU"),
        (
            "RSCALE=GREGORIAN;FREQ=DAILY;BYSECOND=60",
            "FREQ=DAILY;BYSECOND=59",
        ),
        (
            "FREQ=DAILY;BYHOUR=9,8,9;WKST=MO;INTERVAL=1",
            "FREQ=DAILY;BYHOUR=8,9",
        ),
    ] {
        assert_eq!(rule(bent).to_string(), straight);
    }
}

/// A rule that a calendar may well have, and the frequency that it is in.
fn rules() -> impl Strategy<Value = Rule> {
    let list = |name: &'static str, values: Vec<i16>| {
        prop::collection::vec(prop::sample::select(values), 0..4).prop_map(move |values| {
            let values: Vec<String> = values.iter().map(ToString::to_string).collect();
            if values.is_empty() {
                String::new()
            } else {
                format!(";{name}={}", values.join(","))
            }
        })
    };
    let signed = |most: i16| (-most..=most).filter(|n| *n != 0).collect::<Vec<_>>();
    let days = prop::collection::vec((-5_i16..=5, 0..7_usize), 0..4).prop_map(|days| {
        let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let name = |(n, day): (i16, usize)| match n {
            0 => names[day].to_owned(),
            n => format!("{n}{}", names[day]),
        };
        let days: Vec<String> = days.into_iter().map(name).collect();
        if days.is_empty() {
            String::new()
        } else {
            format!(";BYDAY={}", days.join(","))
        }
    });
    let frequency = prop::sample::select(vec!["YEARLY", "MONTHLY", "WEEKLY", "DAILY", "HOURLY"]);
    let end = prop_oneof![
        Just(String::new()),
        (1_u32..200).prop_map(|count| format!(";COUNT={count}")),
        (0_u64..3000).prop_map(|days| {
            let day = NaiveDate::from_ymd_opt(2001, 1, 1).expect("a date") + Days::new(days);
            format!(";UNTIL={}", day.format("%Y%m%d"))
        }),
    ];
    let parts = (
        list("BYMONTH", (1..=12).collect()),
        list("BYMONTHDAY", signed(31)),
        list("BYYEARDAY", signed(366)),
        list("BYHOUR", (0..24).collect()),
        list("BYSETPOS", signed(9)),
    );
    (frequency, 1_u32..40, end, days, parts).prop_map(|(frequency, interval, end, days, parts)| {
        let (months, month_days, year_days, hours, positions) = parts;
        rule(&format!(
            "FREQ={frequency};INTERVAL={interval}{end}{days}{months}{month_days}{year_days}{hours}{positions}"
        ))
    })
}

fn all(occurrences: huddle_schedule::recurrence::Occurrences<'_>) -> Vec<NaiveDateTime> {
    occurrences
        .collect::<Result<_, _>>()
        .expect("few enough steps")
}

proptest! {
    #[test]
    fn a_rule_prints_as_an_equal_rule(rule in rules()) {
        prop_assert_eq!(rule.to_string().parse::<Rule>(), Ok(rule));
    }

    #[test]
    fn a_window_has_what_the_whole_has_there(rule in rules(), day in 0_i64..3650, length in 0_i64..400) {
        let start = time("20010131T093000");
        let from = start + TimeDelta::days(day);
        let to = from + TimeDelta::days(length);
        let whole = all(rule.occurrences(start).to(to));
        let window = all(rule.occurrences(start).from(from).to(to));
        let expected: Vec<_> = whole.into_iter().filter(|at| *at >= from).collect();
        prop_assert_eq!(window, expected, "{}", rule);
    }

    #[test]
    fn occurrences_ascend_from_the_start_and_keep_to_the_end(rule in rules()) {
        let start = time("20010131T093000");
        let found = all(rule.occurrences(start).to(time("20070101T000000")));
        prop_assert!(found.is_sorted_by(|a, b| a < b), "{}", rule);
        prop_assert!(found.iter().all(|at| *at >= start));
        let last = rule.until().map(huddle_schedule::recurrence::Until::last);
        prop_assert!(found.iter().all(|at| last.is_none_or(|last| *at <= last)));
        prop_assert!(rule.count().is_none_or(|count| found.len() <= count as usize));
    }

    /// By another way: every day is looked at by itself.
    #[test]
    fn weekly_rules_are_every_so_many_weeks_on_their_days(
        interval in 1_i64..9,
        days in prop::collection::btree_set(0_u32..7, 1..7),
        offset in 0_i64..14,
    ) {
        let names = ["MO", "TU", "WE", "TH", "FR", "SA", "SU"];
        let list: Vec<&str> = days.iter().map(|day| names[*day as usize]).collect();
        let rule = rule(&format!("FREQ=WEEKLY;INTERVAL={interval};BYDAY={}", list.join(",")));
        let start = time("20260105T120000") + TimeDelta::days(offset);
        prop_assert_eq!(rule.frequency(), Frequency::Weekly);
        let monday = start.date() - Days::new(start.weekday().num_days_from_monday().into());
        let expected: Vec<NaiveDateTime> = (0..400)
            .map(|day| start + TimeDelta::days(day))
            .filter(|at| days.contains(&at.weekday().num_days_from_monday()))
            .filter(|at| (at.date() - monday).num_days() / 7 % interval == 0)
            .collect();
        prop_assert_eq!(all(rule.occurrences(start).to(start + TimeDelta::days(400))), expected);
    }
}
