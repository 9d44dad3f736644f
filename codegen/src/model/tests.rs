use super::{DefId, Docs, NsidPattern};
use huddle_syntax::Nsid;

#[test]
fn a_pattern_selects_a_lexicon_a_prefix_or_all() {
    #[track_caller]
    fn check(pattern: &str, nsid: &str, expect: bool) {
        let pattern: NsidPattern = pattern.parse().unwrap();
        assert_eq!(pattern.matches(&nsid.parse::<Nsid>().unwrap()), expect);
    }
    check("*", "com.example.thing", true);
    check("com.example.thing", "com.example.thing", true);
    check("com.example.thing", "com.example.things", false);
    check("com.example.*", "com.example.thing", true);
    check("com.example.*", "com.example.deep.thing", true);
    check("com.example.*", "com.examples.thing", false);
    check("com.*", "com.example.thing", true);
}

#[test]
fn a_pattern_ends_where_a_segment_ends() {
    for pattern in [
        "",
        "com",
        "com.example",
        "com.exa*",
        ".*",
        "com..*",
        "*.thing",
        "com.*.thing",
        "**",
    ] {
        assert!(
            pattern.parse::<NsidPattern>().is_err(),
            "{pattern} is taken"
        );
    }
}

#[test]
fn a_definition_is_named_by_its_nsid_alone_if_it_is_main() {
    #[track_caller]
    fn check(text: &str, name: &str, expect: &str) {
        let id: DefId = text.parse().unwrap();
        assert_eq!((id.name(), id.to_string().as_str()), (name, expect));
    }
    check("com.example.thing", "main", "com.example.thing");
    check("com.example.thing#main", "main", "com.example.thing");
    check("com.example.thing#view", "view", "com.example.thing#view");
    assert!("#view".parse::<DefId>().is_err());
}

#[test]
fn what_is_deprecated_says_so_first_or_with_a_key() {
    #[track_caller]
    fn check(description: &str, deprecated: Option<&str>, expect: Option<&str>) {
        let docs = Docs {
            description: Some(description.to_owned()),
            deprecated: deprecated.map(str::to_owned),
        };
        assert_eq!(docs.deprecation(), expect);
    }
    check("A note.", None, None);
    check("A note.", Some("use text"), Some("use text"));
    check("A note.", Some(""), Some(""));
    check(
        "DEPRECATED: use 'q' instead.",
        None,
        Some("use 'q' instead."),
    );
    check("Deprecated -- unused", None, Some("unused"));
    check("deprecated", None, Some(""));
    check("Deprecatedly old.", None, None);
    check("Is it deprecated?", None, None);
    check("Überholt", None, None);
    check("", None, None);
}
