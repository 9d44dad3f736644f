//! Each fault in each request of each operation, and what has to come of it.

use huddle_calendars::{Access, Calendar, CalendarError, Snapshot, discover};
use huddle_ports::{Fetch, FetchError};

use crate::block_on;
use crate::script::{Answer, Fault, Script};
use crate::server::{
    HOST, NOW, caldav, calendar, feed, given, hold, hours, key, serve, the_day, works,
};

/// What has to come of each fault in each operation that reads, from whichever request on it begins; `a/b` where that
/// makes a difference.
///
/// `ok` is what a server that works gives, `none` that there is nothing: no event, or no such sync token.
const READING: &str = "
fault           | feed      feed-again discover  busy      busy-again busy-changed told-busy changes   event
401             | auth      auth       auth      auth      auth       auth         auth      auth      auth
401-digest      | auth      auth       auth      auth      auth       auth         auth      auth      auth
401-stale       | auth      auth       auth      auth      auth       auth         auth      auth      auth
401-odd-digest  | schemes   schemes    schemes   schemes   schemes    schemes      schemes   schemes   schemes
401-negotiate   | schemes   schemes    schemes   schemes   schemes    schemes      schemes   schemes   schemes
403             | forbidden forbidden  forbidden forbidden forbidden  forbidden    forbidden none      forbidden
404             | gone      gone       gone      gone      gone       gone         gone      gone      none
405             | nothing   nothing    nothing   nothing   nothing    nothing      nothing   none      nothing
409             | broken    broken     broken    broken    broken     broken       broken    none      broken
410             | gone      gone       gone      gone      gone       gone         gone      none      none
412             | broken    broken     broken    broken    broken     broken       broken    none      broken
423             | locked    locked     locked    locked    locked     locked       locked    locked    locked
429             | wait      wait       wait      wait      wait       wait         wait      wait      wait
429-after-120   | wait:120  wait:120   wait:120  wait:120  wait:120   wait:120     wait:120  wait:120  wait:120
503-after-date  | wait:60   wait:60    wait:60   wait:60   wait:60    wait:60      wait:60   wait:60   wait:60
500             | broken    broken     broken    broken    broken     broken       broken    broken    broken
502             | broken    broken     broken    broken    broken     broken       broken    broken    broken
503             | broken    broken     broken    broken    broken     broken       broken    broken    broken
507             | broken    broken     broken    broken    broken     broken       broken    broken    broken
too-many        | forbidden forbidden  forbidden forbidden/large forbidden forbidden/large large   none      forbidden
hang            | offline   offline    offline   offline   offline    offline      offline   offline   offline
trickle         | offline   offline    offline   offline   offline    offline      offline   offline   offline
drop            | offline   offline    offline   offline   offline    offline      offline   offline   offline
refused         | offline   offline    offline   offline   offline    offline      offline   offline   offline
unknown-host    | offline   offline    offline   offline   offline    offline      offline   offline   offline
certificate     | offline   offline    offline   offline   offline    offline      offline   offline   offline
private-address | blocked   blocked    blocked   blocked   blocked    blocked      blocked   blocked   blocked
to-private      | blocked   blocked    blocked   blocked   blocked    blocked      blocked   blocked   blocked
to-http         | blocked   blocked    blocked   blocked   blocked    blocked      blocked   blocked   blocked
to-stranger     | auth      auth       elsewhere elsewhere elsewhere  elsewhere    elsewhere elsewhere elsewhere
to-itself       | broken    broken     broken    broken    broken     broken       broken    broken    broken
20-MB           | large     large      large     large     large      large        large     large     large
truncated       | broken    broken     broken    broken    broken     broken       broken    broken    broken
empty           | nothing   nothing    nothing   nothing   nothing    nothing      nothing   nothing   broken
204             | nothing   nothing    nothing   nothing   nothing    nothing      nothing   nothing   nothing
304             | nothing   ok         broken    broken    broken     broken       broken    broken    broken
html            | nothing   nothing    nothing   nothing   nothing    nothing      nothing   nothing   broken
html-207        | nothing   nothing    broken    broken    broken     broken       nothing   broken    nothing
other-text      | nothing   nothing    broken    broken    broken     broken       nothing   broken    nothing
bomb            | nothing   nothing    broken    broken    broken     broken       nothing   broken    nothing
";

/// As [`READING`], of each operation that changes something.
const WRITING: &str = "
fault           | create    create-untold    create-again       update    remove    remove-unread
401             | auth      auth             auth               auth      auth      auth
401-digest      | auth      auth             auth               auth      auth      auth
401-stale       | auth      auth             auth               auth      auth      auth
401-odd-digest  | schemes   schemes          schemes            schemes   schemes   schemes
401-negotiate   | schemes   schemes          schemes            schemes   schemes   schemes
403             | forbidden forbidden        forbidden          forbidden forbidden forbidden
404             | gone      gone/conflict    gone/conflict      gone      ok        ok
405             | readonly  readonly/nothing readonly/nothing   readonly  readonly  nothing/readonly
409             | conflict  conflict/broken  conflict/broken    conflict  conflict  broken/conflict
410             | gone      gone/conflict    gone/conflict      gone      ok        ok
412             | broken    broken           broken             broken    broken    broken
423             | locked    locked           locked             locked    locked    locked
429             | wait      wait             wait               wait      wait      wait
429-after-120   | wait:120  wait:120         wait:120           wait:120  wait:120  wait:120
503-after-date  | wait:60   wait:60          wait:60            wait:60   wait:60   wait:60
500             | broken    broken           broken             broken    broken    broken
502             | broken    broken           broken             broken    broken    broken
503             | broken    broken           broken             broken    broken    broken
507             | broken    broken           broken             broken    broken    broken
uid-elsewhere   | conflict  conflict/forbidden conflict/forbidden conflict conflict forbidden/conflict
hang            | offline   offline          offline            offline   offline   offline
trickle         | offline   offline          offline            offline   offline   offline
drop            | offline   offline          offline            offline   offline   offline
refused         | offline   offline          offline            offline   offline   offline
unknown-host    | offline   offline          offline            offline   offline   offline
certificate     | offline   offline          offline            offline   offline   offline
private-address | blocked   blocked          blocked            blocked   blocked   blocked
to-private      | broken    broken/blocked   broken/blocked     broken    broken    blocked/broken
to-http         | broken    broken/blocked   broken/blocked     broken    broken    blocked/broken
to-stranger     | broken    broken/elsewhere broken/elsewhere   broken    broken    elsewhere/broken
to-itself       | broken    broken           broken             broken    broken    broken
20-MB           | large     large            large              large     large     large
truncated       | ok        broken           broken             ok        ok        broken/ok
empty           | broken    broken           broken             broken    ok        broken/ok
204             | nothing   nothing          nothing            nothing   ok        nothing/ok
304             | broken    broken           broken             broken    broken    broken
html            | broken    broken           broken             broken    ok        broken/ok
html-207        | broken    broken/nothing   broken/nothing     broken    broken    nothing/broken
other-text      | ok        nothing          nothing            ok        ok        nothing/ok
";

pub(crate) fn fault(name: &str) -> Fault {
    let status = |status| Fault::Answers(Answer::new(status, ""));
    let redirect = |to: &str| Fault::Answers(Answer::new(302, "").with("location", to));
    let challenge =
        |asked: &str| Fault::Answers(Answer::new(401, "").with("www-authenticate", asked));
    match name {
        "401-digest" => challenge("Digest realm=\"Ana, Basic\", nonce=\"1\", qop=\"auth\""),
        "401-stale" => challenge("Digest realm=\"Ana\", nonce=\"1\", qop=\"auth\", stale=true"),
        "401-odd-digest" => challenge("Digest realm=\"Ana\", nonce=\"1\", algorithm=MD5-sess"),
        "401-negotiate" => challenge("Negotiate"),
        "429-after-120" => Fault::Answers(Answer::new(429, "").with("retry-after", "120")),
        "503-after-date" => {
            let minute_later = "Sat, 21 Nov 2026 00:01:00 GMT";
            Fault::Answers(Answer::new(503, "").with("retry-after", minute_later))
        }
        "hang" => Fault::Hangs,
        "trickle" => Fault::Trickles,
        "drop" => Fault::Drops,
        "refused" => Fault::Fails(FetchError::Connect("refused".to_owned())),
        "unknown-host" => Fault::Fails(FetchError::UnknownHost),
        "certificate" => Fault::Fails(FetchError::Certificate("expired".to_owned())),
        "private-address" => Fault::ResolvesTo("10.0.0.1"),
        "to-private" => redirect("https://10.0.0.1/"),
        "to-http" => redirect("http://dav.example.com/"),
        "to-stranger" => redirect("https://stranger.example.org/"),
        "to-itself" => redirect(""),
        "20-MB" => Fault::Endless,
        "truncated" => Fault::Truncated,
        "empty" => status(200),
        "html" => Fault::Answers(Answer::new(200, "<html>Sign in</html>")),
        "html-207" => Fault::Answers(Answer::new(207, "<html>Sign in</html>")),
        "other-text" => Fault::Says("BEGIN:VCARD\r\nFN:Ana\r\nEND:VCARD\r\n"),
        "too-many" => Fault::Answers(Answer::new(403, TOO_MANY)),
        "uid-elsewhere" => Fault::Answers(Answer::new(403, UID_ELSEWHERE)),
        "bomb" => Fault::Answers(Answer::new(207, BOMB)),
        number => status(number.parse().unwrap()),
    }
}

const TOO_MANY: &str = r#"<D:error xmlns:D="DAV:"><D:number-of-matches-within-limits/></D:error>"#;

const UID_ELSEWHERE: &str = r#"<error xmlns="DAV:"><no-uid-conflict xmlns="urn:ietf:params:xml:ns:caldav"><href xmlns="DAV:">/ana/calendars/work/2.ics</href></no-uid-conflict></error>"#;

const BOMB: &str = r#"<!DOCTYPE a [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;&b;">]><D:multistatus xmlns:D="DAV:">&c;</D:multistatus>"#;

/// One word for what has come of an operation.
fn outcome(error: &CalendarError) -> String {
    match error {
        CalendarError::Unauthorized => "auth",
        CalendarError::UnknownAuthentication { .. } => "schemes",
        CalendarError::Forbidden => "forbidden",
        CalendarError::Gone => "gone",
        CalendarError::Conflict => "conflict",
        CalendarError::Locked => "locked",
        CalendarError::Throttled { retry_after: None } => "wait",
        CalendarError::Throttled {
            retry_after: Some(wait),
        } => return format!("wait:{}", wait.as_secs()),
        CalendarError::Broken(_) => "broken",
        CalendarError::Unreachable(_) => "offline",
        CalendarError::Blocked(_) => "blocked",
        CalendarError::NotACalendar => "nothing",
        CalendarError::Elsewhere { .. } => "elsewhere",
        CalendarError::TooLarge => "large",
        CalendarError::ReadOnly => "readonly",
    }
    .to_owned()
}

/// The server that an operation is tried with.
fn server(operation: &str) -> Script {
    match operation {
        // It does not say what it has made of the event.
        "create-untold" => Script::new(|sent| match sent.method.as_str() {
            "PUT" => Answer::new(201, ""),
            _ => serve(sent),
        }),
        // It has the event already, since the answer to an earlier request was lost.
        "create-again" => Script::new(|sent| match sent.method.as_str() {
            "PUT" => Answer::new(412, ""),
            _ => serve(sent),
        }),
        _ => works(),
    }
}

/// What is known of a calendar before an operation.
struct Before {
    /// Of an older version than there is now.
    feed: Snapshot,
    /// As above.
    caldav: Snapshot,
    /// Of the version that there is now.
    caldav_now: Snapshot,
}

fn before() -> Before {
    let older = Script::new(|sent| {
        let mut answer = serve(sent);
        answer.body = answer.body.replace(">s1<", ">s0<");
        answer.headers.retain(|(name, _)| *name != "etag");
        answer.with("etag", "\"f0\"")
    });
    let (old, now) = (older.fetch(), works().fetch());
    let read = async |calendar: Calendar, fetch: &dyn Fetch| {
        let read = calendar.busy(fetch, NOW, &the_day(), None).await;
        read.unwrap()
    };
    block_on(async {
        Before {
            feed: read(feed(), &old).await,
            caldav: read(calendar(), &old).await,
            caldav_now: read(calendar(), &now).await,
        }
    })
}

async fn perform(operation: &str, fetch: &dyn Fetch, before: &Before) -> String {
    let (calendar, told) = match operation {
        "feed" | "feed-again" => (feed(), false),
        "told-busy" => (Calendar::CalDav(caldav(Access::FreeBusy)), true),
        _ => (calendar(), operation.starts_with("busy")),
    };
    let known = match operation {
        "feed-again" => Some(&before.feed),
        "busy-again" => Some(&before.caldav_now),
        "busy-changed" => Some(&before.caldav),
        "feed" => None,
        _ if told => None,
        _ => return perform_other(operation, fetch).await,
    };
    match calendar.busy(fetch, NOW, &the_day(), known).await {
        Ok(snapshot) => {
            // Whatever went wrong: what is said to be free is free.
            assert_eq!(snapshot.busy.as_slice(), [hours(9, 10)], "{operation}");
            "ok".to_owned()
        }
        Err(error) => outcome(&error),
    }
}

async fn perform_other(operation: &str, fetch: &dyn Fetch) -> String {
    let some = |something: bool| if something { "ok" } else { "none" }.to_owned();
    let (calendar, key, hold) = (calendar(), key(), hold());
    let etag = Some("\"e0\"");
    let done = match operation {
        "discover" => {
            let found = discover(fetch, NOW, HOST, &given()).await;
            found.map(|found| some(found.len() == 1))
        }
        "changes" => {
            let changes = caldav(Access::Write).changes(fetch, NOW, Some("s1")).await;
            changes.map(|changes| some(changes.is_some()))
        }
        "event" => {
            let event = calendar.event(fetch, NOW, &key).await;
            event.map(|event| some(event.is_some()))
        }
        "create" | "create-untold" | "create-again" => {
            let put = calendar.put_event(fetch, NOW, &key, &hold, None).await;
            put.map(|_| some(true))
        }
        "update" => {
            let put = calendar.put_event(fetch, NOW, &key, &hold, etag).await;
            put.map(|_| some(true))
        }
        "remove" => {
            let removed = calendar.remove_event(fetch, NOW, &key, etag).await;
            removed.map(|()| some(true))
        }
        "remove-unread" => {
            let removed = calendar.remove_event(fetch, NOW, &key, None).await;
            removed.map(|()| some(true))
        }
        other => panic!("{other} is no operation"),
    };
    done.unwrap_or_else(|error| outcome(&error))
}

/// How many requests an operation makes where all goes well.
fn requests(operation: &str, before: &Before) -> usize {
    let script = server(operation);
    let done = block_on(perform(operation, &script.fetch(), before));
    assert_eq!(done, "ok", "{operation}");
    script.take_sent().len()
}

#[track_caller]
fn check(table: &str) {
    let before = before();
    let mut rows = table.trim().lines().map(|row| {
        let (name, cells) = row.split_once('|').unwrap();
        (name.trim(), cells.split_whitespace().collect::<Vec<_>>())
    });
    let (_, operations) = rows.next().unwrap();
    let requests: Vec<usize> = operations
        .iter()
        .map(|operation| requests(operation, &before))
        .collect();
    let mut wrong = Vec::new();
    for (name, cells) in rows {
        assert_eq!(cells.len(), operations.len(), "{name}");
        for ((operation, requests), cell) in operations.iter().zip(&requests).zip(cells) {
            let wanted: Vec<&str> = cell.split('/').collect();
            for first in 0..*requests {
                let wanted = wanted[first.min(wanted.len() - 1)];
                let script = server(operation).failing(first, fault(name));
                let done = block_on(perform(operation, &script.fetch(), &before));
                if done != wanted {
                    wrong.push(format!(
                        "{name} from request {first} of {operation}: {done}, wanted {wanted}"
                    ));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn each_fault_in_what_is_read_comes_to_what_is_wanted() {
    check(READING);
}

#[test]
fn each_fault_in_what_is_written_comes_to_what_is_wanted() {
    check(WRITING);
}

#[test]
fn a_server_that_works_is_asked_no_more_than_it_takes() {
    let before = before();
    for (operation, most) in [
        ("feed", 1),
        ("feed-again", 1),
        ("discover", 4),
        ("busy", 2),
        ("busy-again", 1),
        ("busy-changed", 2),
        ("told-busy", 1),
        ("create", 1),
        ("create-untold", 2),
        ("update", 1),
        ("remove", 1),
        ("remove-unread", 2),
    ] {
        assert_eq!(requests(operation, &before), most, "{operation}");
    }
}
