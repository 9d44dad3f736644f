//! The conformance cases of slots that are shared with others, as the example runs them.

use huddle_testdata::shared_text;

#[path = "../examples/conformance/slots.rs"]
mod slots;
#[path = "../examples/conformance/verdict.rs"]
mod verdict;

#[test]
fn every_shared_slot_case_passes() {
    let Some(text) = shared_text("conformance/slot_cases.json") else {
        return;
    };
    let verdicts = slots::run(&text).expect("the cases can be read");
    assert!(verdicts.len() >= 22, "there are {} cases", verdicts.len());
    for verdict in verdicts {
        assert_eq!(verdict.wrong, None, "{}", verdict.case);
    }
}

/// Runs one case: `None` if it passes.
fn run(case: &str) -> Option<String> {
    let mut verdicts = slots::run(&format!("[{case}]")).expect("the file is JSON");
    verdicts.pop().expect("there is a case").wrong
}

#[test]
fn a_case_may_begin_on_a_date_that_its_zone_left_out() {
    for (zone, from, to, start) in [
        (
            "Pacific/Apia",
            "2011-12-30",
            "2011-12-31",
            "2011-12-30T19:00:00Z",
        ),
        (
            "Pacific/Kwajalein",
            "1993-08-21",
            "1993-08-22",
            "1993-08-21T21:00:00Z",
        ),
        (
            "Pacific/Kiritimati",
            "1994-12-31",
            "1995-01-01",
            "1994-12-31T19:00:00Z",
        ),
    ] {
        let case = format!(
            r#"{{"id": "{zone}", "tz": "{zone}", "from": "{from}", "to": "{to}", "duration": 60,
                "booking_window_days": 2, "expect": ["{start}"],
                "weekly": [{{"days": [0, 1, 2, 3, 4, 5, 6], "start": "09:00", "end": "10:00"}}]}}"#
        );
        assert_eq!(run(&case), None, "{zone}");
    }
}

#[test]
fn a_case_that_is_wrong_or_says_what_nobody_knows_fails() {
    let case = |more: &str| {
        format!(
            r#"{{"id": "x", "tz": "UTC", "from": "2026-06-01", "to": "2026-06-01", "duration": 60,
                "weekly": [{{"days": [1], "start": "9:00", "end": "11:00"}}]{more}}}"#
        )
    };
    let both = r#""expect": ["2026-06-01T09:00:00Z", "2026-06-01T10:00:00Z"]"#;
    let last = r#""expect": ["2026-06-01T10:00:00Z"]"#;
    assert_eq!(run(&case(&format!(", {both}"))), None);
    assert!(run(&case(&format!(", {last}"))).is_some());
    for (field, expect) in [
        (r#""closed": ["2026-06-01"]"#, r#""expect": []"#),
        (
            r#""overrides": [{"date": "2026-06-01", "start": "10:00", "end": "11:00"}]"#,
            last,
        ),
        (r#""now": "2026-06-01T08:00:00Z", "notice": 120"#, last),
        (
            r#""now": "2026-06-01T08:00:00.001Z", "notice": 120"#,
            r#""expect": []"#,
        ),
        (
            r#""max_per_day": 1, "bookings": [["2026-06-01T20:00:00Z", "2026-06-01T21:00:00Z"]]"#,
            r#""expect": []"#,
        ),
        (
            r#""max_per_day": 2, "bookings": [["2026-06-01T20:00:00Z", "2026-06-01T21:00:00Z"]]"#,
            both,
        ),
        (
            r#""guest_busy": [["2026-06-01T09:00:00Z", "2026-06-01T09:01:00Z"]]"#,
            last,
        ),
        (
            r#""now": "2026-06-01T08:00:00Z", "holds": [{"start": "2026-06-01T09:00:00Z", "end": "2026-06-01T10:00:00Z", "expires": "2026-06-01T08:00:00Z"}]"#,
            both,
        ),
    ] {
        assert_eq!(run(&case(&format!(", {field}, {expect}"))), None, "{field}");
    }
    for unknown in [
        r#""maximum": 3"#,
        r#""busy": [{"from": 1}]"#,
        r#""tz2": "UTC""#,
    ] {
        let wrong = run(&case(&format!(", {unknown}, {both}"))).expect("the case fails");
        assert!(wrong.contains("cannot be read"), "{wrong}");
    }
}
