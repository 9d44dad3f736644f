use super::*;

fn parsed(responses: &str) -> Result<Multistatus, CalendarError> {
    let body = format!(r#"<multistatus xmlns="DAV:">{responses}</multistatus>"#);
    let base = Url::parse("https://dav.example.com/ana/work/").unwrap();
    Multistatus::parse(&Bytes::from(body), &base)
}

#[test]
fn only_properties_with_status_200_are_found() {
    let answer = parsed(
        "<response><href>/ana/work/</href>\
         <propstat><prop><getetag>\"1\"</getetag></prop><status>HTTP/1.1 200 OK</status></propstat>\
         <propstat><prop><displayname>No</displayname></prop><status>HTTP/1.1 404 Not Found</status></propstat>\
         <propstat><prop><owner>x</owner></prop><status>HTTP/2 200</status></propstat>\
         </response>",
    )
    .unwrap();
    let [resource] = answer.resources.as_slice() else {
        panic!("{answer:?}")
    };
    assert_eq!(resource.text(Namespace::Dav, "getetag"), Some("\"1\""));
    assert_eq!(resource.text(Namespace::Dav, "owner"), Some("x"));
    assert_eq!(resource.text(Namespace::Dav, "displayname"), None);
    assert_eq!(resource.status, None);
}

#[test]
fn resources_are_where_their_hrefs_lead_from_the_place_that_answered() {
    for (href, url, name) in [
        (
            "/ana/work/1.ics",
            "https://dav.example.com/ana/work/1.ics",
            Some("1.ics"),
        ),
        (
            "1.ics",
            "https://dav.example.com/ana/work/1.ics",
            Some("1.ics"),
        ),
        ("/ana/work/", "https://dav.example.com/ana/work/", None),
        (
            "\n  /a%20b/c%2Fd.ics\n",
            "https://dav.example.com/a%20b/c%2Fd.ics",
            Some("c%2Fd.ics"),
        ),
        (
            "https://p42.example.com/x",
            "https://p42.example.com/x",
            Some("x"),
        ),
        (
            "//other.example.org/x",
            "https://other.example.org/x",
            Some("x"),
        ),
    ] {
        let response = format!(
            "<response><href>{href}</href><status>HTTP/1.1 404 Not Found</status></response>"
        );
        let answer = parsed(&response).unwrap();
        assert_eq!(answer.resources[0].url.as_str(), url);
        assert_eq!(answer.resources[0].name(), name);
        assert_eq!(answer.resources[0].status, Some(404));
    }
}

#[test]
fn several_resources_may_share_one_status() {
    let answer = parsed(
        "<response><href>/1</href><href>/2</href><status>HTTP/1.1 404 Not Found</status></response>\
         <sync-token> http://example.com/sync/7 </sync-token>",
    )
    .unwrap();
    assert_eq!(answer.resources.len(), 2);
    assert_eq!(
        answer.sync_token.as_deref(),
        Some("http://example.com/sync/7")
    );
}

#[test]
fn nothing_at_all_is_an_answer_and_so_is_what_nobody_knows() {
    for responses in [
        "",
        "<responsedescription>None</responsedescription><x xmlns='urn:x'/>",
    ] {
        let answer = parsed(responses).unwrap();
        assert!(answer.resources.is_empty() && answer.sync_token.is_none());
    }
}

#[test]
fn a_response_that_leaves_out_what_matters_is_broken() {
    for responses in [
        "<response/>",
        "<response xmlns=''><href>/1</href><status>HTTP/1.1 200 OK</status></response>",
        "<response><href>/1</href></response>",
        "<response><status>HTTP/1.1 200 OK</status></response>",
        "<response><href>http://[</href><status>HTTP/1.1 200 OK</status></response>",
        "<response><href>/1</href><status>OK</status></response>",
        "<response><href>/1</href><status>HTTP/1.1 OK</status></response>",
        "<response><href>/1</href><propstat><prop><a/></prop></propstat></response>",
        "<response><href>/1</href><href>/2</href><propstat><prop><a/></prop>\
         <status>HTTP/1.1 200 OK</status></propstat></response>",
    ] {
        let answer = parsed(responses);
        assert!(
            matches!(answer, Err(CalendarError::Broken(_))),
            "{responses}"
        );
    }
    let base = Url::parse("https://dav.example.com/").unwrap();
    for body in ["<multistatus/>", r#"<error xmlns="DAV:"/>"#, "<html/>"] {
        let answer = Multistatus::parse(&Bytes::from(body), &base);
        assert!(matches!(answer, Err(CalendarError::Broken(_))), "{body}");
    }
}
