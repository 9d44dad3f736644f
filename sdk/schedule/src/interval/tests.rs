use super::*;

/// The intervals of `9-12 13-14`, in milliseconds.
fn intervals(text: &str) -> Vec<Interval> {
    text.split_whitespace()
        .map(|word| {
            let (start, end) = word.split_once('-').expect("START-END");
            let at = |text: &str| Timestamp::from_millis(text.parse().expect("a number"));
            Interval::new(at(start), at(end)).expect("the end is after the start")
        })
        .collect()
}

fn set(text: &str) -> IntervalSet {
    intervals(text).into()
}

fn show(set: &IntervalSet) -> String {
    let words: Vec<String> = set
        .iter()
        .map(|interval| {
            format!(
                "{}-{}",
                interval.start.as_millis(),
                interval.end.as_millis()
            )
        })
        .collect();
    words.join(" ")
}

#[track_caller]
fn check(made: &IntervalSet, expect: &str) {
    assert_eq!(show(made), expect);
}

#[test]
fn intervals_in_any_order_become_sorted_and_disjoint() {
    check(&set(""), "");
    check(&set("5-6 1-2"), "1-2 5-6");
    check(&set("1-2 2-3"), "1-3");
    check(&set("1-9 2-3 4-5"), "1-9");
    check(&set("4-6 1-5 1-2 8-9"), "1-6 8-9");
}

#[test]
fn a_union_is_what_is_in_either() {
    check(&set("1-3 7-9").union(&set("3-5 8-12")), "1-5 7-12");
    check(&set("").union(&set("1-2")), "1-2");
    check(&set("1-10").union(&set("2-3 4-5 10-11")), "1-11");
}

#[test]
fn an_intersection_is_what_is_in_both() {
    check(&set("1-5 7-9").intersection(&set("3-8")), "3-5 7-8");
    check(&set("1-5").intersection(&set("5-8")), "");
    check(
        &set("1-9").intersection(&set("1-2 4-5 8-12")),
        "1-2 4-5 8-9",
    );
}

#[test]
fn a_difference_is_what_is_left() {
    check(&set("1-9").difference(&set("3-5")), "1-3 5-9");
    check(&set("1-9").difference(&set("0-2 4-5 8-12")), "2-4 5-8");
    check(&set("1-3 5-7 9-11").difference(&set("2-10")), "1-2 10-11");
    check(&set("1-3").difference(&set("3-4")), "1-3");
    check(&set("1-3").difference(&set("1-3")), "");
    check(&set("1-3 4-6").difference(&set("")), "1-3 4-6");
}

#[test]
fn what_lies_within_an_interval_is_cut_at_its_ends() {
    let interval = |text| intervals(text)[0];
    check(
        &set("1-3 5-7 9-11").within(interval("2-10")),
        "2-3 5-7 9-10",
    );
    check(&set("1-3 5-7").within(interval("3-5")), "");
    check(&set("1-9").within(interval("4-5")), "4-5");
}

#[test]
fn widening_joins_what_comes_to_touch() {
    let ms = Duration::from_millis;
    check(&set("10-11 14-15").widened(ms(1), ms(2)), "9-17");
    check(&set("10-11 15-16").widened(ms(1), ms(2)), "9-13 14-18");
    let always = IntervalSet::from(Interval::ALWAYS);
    assert_eq!(always.widened(ms(1), ms(1)), always);
}

#[test]
fn membership_is_half_open() {
    let set = set("1-3 5-7");
    let at = Timestamp::from_millis;
    let held = |moments: &[i64]| moments.iter().all(|ms| set.contains(at(*ms)));
    assert!(held(&[1, 2, 5, 6]));
    assert!([0, 3, 4, 7].iter().all(|ms| !set.contains(at(*ms))));
    let interval = |text| intervals(text)[0];
    assert!(set.covers(interval("5-7")));
    assert!(!set.covers(interval("2-6")));
    assert!(set.overlaps(interval("2-4")));
    assert!(!set.overlaps(interval("3-5")));
    assert!(!set.overlaps(interval("7-8")));
}

#[test]
fn json_is_pairs_of_milliseconds_and_empty_ones_are_refused() {
    let json = serde_json::to_string(&set("5-7 1-3")).unwrap();
    assert_eq!(json, "[[1,3],[5,7]]");
    let read: IntervalSet = serde_json::from_str("[[5,7],[1,6]]").unwrap();
    check(&read, "1-7");
    let error = serde_json::from_str::<IntervalSet>("[[7,7]]").unwrap_err();
    assert!(
        error.to_string().contains("ends after it starts"),
        "{error}"
    );
}
