use proptest::prelude::*;

use super::*;

fn parsed(text: &str) -> Result<Element, CalendarError> {
    parse(&Bytes::copy_from_slice(text.as_bytes()))
}

#[track_caller]
fn check_refused(text: &str) {
    let refused = parsed(text);
    assert!(
        matches!(refused, Err(CalendarError::Broken(_))),
        "{text}: {refused:?}"
    );
}

#[test]
fn names_are_those_of_their_namespaces_whatever_the_prefixes() {
    for text in [
        r#"<D:a xmlns:D="DAV:" xmlns:C="urn:ietf:params:xml:ns:caldav"><C:b> x </C:b></D:a>"#,
        r#"<a xmlns="DAV:"><b xmlns="urn:ietf:params:xml:ns:caldav"> x </b></a>"#,
        r#"<?xml version="1.0" encoding="UTF-8"?><!-- c --><q:a xmlns:q="DAV:"><p:b
            xmlns:p="urn:ietf:params:xml:ns:caldav"> x </p:b></q:a>"#,
        "\u{feff}<C:a xmlns:C='DAV:'><C:b xmlns:C='urn:ietf:params:xml:ns:caldav'> x </C:b></C:a>",
    ] {
        let root = parsed(text).unwrap();
        assert!(root.is(Namespace::Dav, "a"), "{text}");
        let child = root.child(Namespace::CalDav, "b").expect(text);
        assert_eq!((child.text(), child.raw_text()), ("x", " x "), "{text}");
        assert!(root.child(Namespace::Dav, "b").is_none(), "{text}");
    }
}

#[test]
fn a_name_without_a_namespace_is_not_one_of_webdav() {
    let root = parsed(r#"<multistatus><x xmlns="DAVE:"/></multistatus>"#).unwrap();
    assert!(!root.is(Namespace::Dav, "multistatus"));
    assert!(root.is(Namespace::Other, "multistatus"));
    assert_eq!(root.children(Namespace::Other, "x").count(), 1);
}

#[test]
fn text_is_what_its_escapes_and_sections_stand_for() {
    let text = "<a>1 &lt;2&gt; &amp;amp; &quot;3&apos; &#228;&#x1F600;<![CDATA[<&lt;]]><!-- no -->\r\nend</a>";
    let root = parsed(text).unwrap();
    assert_eq!(root.raw_text(), "1 <2> &amp; \"3' ä😀<&lt;\nend");
    assert_eq!(
        parsed(&format!("<a>{}</a>", escape("<&\"'>")))
            .unwrap()
            .raw_text(),
        "<&\"'>"
    );
}

#[test]
fn entities_and_document_types_are_refused_before_they_expand() {
    check_refused(
        r#"<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]><a xmlns="DAV:">&c;</a>"#,
    );
    check_refused(r#"<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>"#);
    check_refused("<a>&nbsp;</a>");
    check_refused("<a>&#xD800;</a>");
    check_refused("<a>&#0;</a>");
}

#[test]
fn what_is_not_a_whole_document_is_refused() {
    for text in [
        "",
        "   ",
        "OK",
        "<a>",
        "<a><b></a>",
        "<a></a></b>",
        "</a>",
        "<a/><b/>",
        "<a/>trailing",
        "<a",
        "<a><![CDATA[x</a>",
        "<a>&amp</a>",
        "<p:a/>",
        "<html><body>Sign in<br></body></html>",
        r#"<?xml version="1.0" encoding="ISO-8859-1"?><a/>"#,
    ] {
        check_refused(text);
    }
    let refused = parse(&Bytes::from_static(b"<a>\xe4</a>"));
    assert!(matches!(refused, Err(CalendarError::Broken(_))));
}

#[test]
fn depth_and_number_of_elements_are_bounded() {
    let deep = |levels: usize| "<a>".repeat(levels) + &"</a>".repeat(levels);
    assert!(parsed(&deep(MAX_DEPTH)).is_ok());
    check_refused(&deep(MAX_DEPTH + 1));
    check_refused(&"<a>".repeat(1_000_000));

    let wide = |elements: usize| format!("<a>{}</a>", "<b/>".repeat(elements));
    assert!(parsed(&wide(MAX_ELEMENTS - 1)).is_ok());
    assert_eq!(parsed(&wide(MAX_ELEMENTS)), Err(CalendarError::TooLarge));
}

#[test]
fn many_attributes_and_namespaces_of_one_element_take_no_time() {
    let attributes: String = (0..50_000).fold(String::new(), |all, n| all + &format!(" a{n}='1'"));
    assert!(parsed(&format!("<a{attributes}/>")).is_ok());
    let namespaces: String =
        (0..50_000).fold(String::new(), |all, n| all + &format!(" xmlns:a{n}='u'"));
    check_refused(&format!("<a{namespaces}/>"));
}

#[test]
fn the_component_that_an_element_names_is_kept() {
    let root = parsed(r#"<set><comp name="VEVENT"/><comp/><b name="VTODO"/></set>"#).unwrap();
    let names: Vec<Option<&str>> = root.children.iter().map(Element::component).collect();
    assert_eq!(names, [Some("VEVENT"), None, None]);
}

/// What XML is made of, and what it is not.
const PIECES: [&str; 22] = [
    "<",
    ">",
    "/",
    "</a>",
    "<a",
    "&",
    ";",
    "#x",
    "1",
    "\"",
    "'",
    "=",
    " ",
    "<!",
    "[CDATA[",
    "]]>",
    "--",
    "?",
    "xmlns",
    ":",
    "<!DOCTYPE",
    "ä",
];

proptest! {
    #[test]
    fn no_text_makes_it_panic(
        pieces in prop::collection::vec(prop::sample::select(&PIECES[..]), 0..40),
    ) {
        let _ = parsed(&pieces.concat());
        let _ = parsed(&format!("<a>{}</a>", pieces.concat()));
    }

    #[test]
    fn text_survives_being_written(
        characters in prop::collection::vec(any::<char>(), 0..40),
    ) {
        let kept = |c: &char| !c.is_control() || matches!(c, '\t' | '\n');
        let text: String = characters.into_iter().filter(kept).collect();
        let root = parsed(&format!("<a>{}</a>", escape(&text))).unwrap();
        prop_assert_eq!(root.raw_text(), text);
    }
}
