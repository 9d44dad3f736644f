//! What is learnt from the network: the same statements, with the same results, wherever the index is.

use huddle_core::index::offers::{self, Content, Kind};
use huddle_core::index::people::{self, Names};
use huddle_core::index::repos::{self, Hosting, Repo};
use huddle_core::index::requests::{self, State};
use huddle_core::index::services::{self, Service};
use huddle_core::index::{Index, Paging, Revision, Statement, audit, bookings, cursors, hosts};
use huddle_ports::Timestamp;
use huddle_syntax::Did;

use super::{batch, read};
use crate::contract::{Broken, broken, expect};

const HOST: &str = "did:web:host.contract.example";
const OTHER: &str = "did:web:other.contract.example";

const fn at(millis: i64) -> Timestamp {
    Timestamp::from_millis(millis)
}

const fn first(limit: u32) -> Paging<'static> {
    Paging {
        cursor: None,
        limit,
    }
}

const fn revision<'a>(did: &'a str, rev: &'a str) -> Revision<'a> {
    Revision { did, rev }
}

fn did(text: &str) -> Result<Did, Broken> {
    text.parse().map_err(|error| broken("a DID", error))
}

pub(super) async fn check(index: &dyn Index) -> Result<(), Broken> {
    streams(index).await?;
    repositories(index).await?;
    the_newest_revision_wins(index).await?;
    pages(index).await?;
    searches(index).await?;
    who_serves(index).await?;
    asking(index).await?;
    deletion(index).await?;
    lists_of_bookings(index).await
}

async fn streams(index: &dyn Index) -> Result<(), Broken> {
    for seq in [7, 5] {
        batch(index, vec![cursors::keep("wss://a.example", Some(seq))]).await?;
        let kept = read("the cursors", cursors::all(index).await)?;
        expect(
            "the cursor is the last that was kept",
            kept.get("wss://a.example"),
            Some(&seq),
        )?;
    }
    batch(index, vec![cursors::keep("wss://a.example", None)]).await?;
    let kept = read("the cursors", cursors::all(index).await)?;
    expect("a cursor is forgotten", kept.len(), 0)
}

fn repo(rev: &str, data: Option<&str>) -> Repo {
    Repo {
        hosting: Hosting::Active,
        rev: rev.to_owned(),
        data: data.map(str::to_owned),
    }
}

/// What is told of an account beside its repository.
fn hosted(hosting: Hosting) -> Repo {
    let (rev, data) = (String::new(), None);
    Repo { hosting, rev, data }
}

async fn repositories(index: &dyn Index) -> Result<(), Broken> {
    let (host, other) = (did(HOST)?, did(OTHER)?);
    let known = |did| async move { read("a repository", repos::of(index, did).await) };
    expect("nobody is known", known(HOST).await?, None)?;
    batch(
        index,
        vec![people::seen(HOST, at(1)), people::seen(OTHER, at(1))],
    )
    .await?;
    batch(index, vec![repos::follow(HOST), repos::follow(OTHER)]).await?;
    expect(
        "an account is followed",
        known(HOST).await?,
        Some(repo("", None)),
    )?;
    let stale = |after| async move { read("what is stale", repos::stale(index, after, 10).await) };
    expect(
        "it is to be fetched",
        stale("").await?,
        vec![host.clone(), other.clone()],
    )?;
    expect(
        "after one, the next",
        stale(HOST).await?,
        vec![other.clone()],
    )?;
    let whole = repo("b", Some("data"));
    batch(index, vec![repos::fetched(HOST, &whole, at(5))]).await?;
    expect("it was fetched", stale("").await?, vec![other.clone()])?;
    for (rev, newest) in [("c", "c"), ("a", "c"), ("b", "c"), ("d", "d")] {
        batch(index, vec![repos::advance(HOST, &repo(rev, Some(rev)))]).await?;
        expect(
            "the newest state stays",
            known(HOST).await?,
            Some(repo(newest, Some(newest))),
        )?;
    }
    batch(index, vec![repos::distrust_all(), repos::distrust(HOST)]).await?;
    expect("all are to be fetched", stale("").await?.len(), 2)?;
    let newer = repo("d", Some("d"));
    batch(index, vec![repos::fetched(HOST, &newer, at(6))]).await?;
    let unchecked = repos::unchecked(index, at(7), 10).await;
    let expected = vec![other.clone(), host.clone()];
    expect(
        "the longest unchecked comes first",
        read("them", unchecked)?,
        expected,
    )?;
    batch(
        index,
        vec![repos::compared(OTHER, at(7)), repos::follow(OTHER)],
    )
    .await?;
    let unchecked = repos::unchecked(index, at(7), 10).await;
    expect(
        "one was checked",
        read("them", unchecked)?,
        vec![host.clone()],
    )?;
    let followed = repos::followed(index, "", 10).await;
    expect(
        "all are followed",
        read("them", followed)?,
        vec![host, other],
    )
}

fn content(cid: &str, note: &str) -> Content {
    Content {
        cid: cid.to_owned(),
        kind: Kind::SlotOffer,
        starts: at(0),
        ends: at(1000),
        policy: "anyone".to_owned(),
        mode: "auto".to_owned(),
        note: Some(note.to_owned()),
        record: r#"{"a":"\u0000 'b' é"}"#.to_owned(),
    }
}

fn uri(did: &str, rkey: &str) -> String {
    format!("at://{did}/com.huddle.slotOffer/{rkey}")
}

fn entry(rkey: &str, content: Option<Content>) -> offers::Entry {
    let uri = uri(HOST, rkey);
    offers::Entry { uri, content }
}

/// Puts something at an address, and brings the search up to it.
fn put(rev: &str, entry: offers::Entry, now: i64) -> Result<Vec<Statement>, Broken> {
    let mut statements = read(
        "offers",
        offers::put(revision(HOST, rev), &[entry], at(now)),
    )?;
    statements.extend(hosts::refresh(HOST));
    Ok(statements)
}

async fn offered(index: &dyn Index, now: i64) -> Result<Vec<(String, Timestamp)>, Broken> {
    let offers = offers::of_host(index, &did(HOST)?, at(now)).await;
    let offers = read("offers", offers)?.into_iter();
    Ok(offers.map(|offer| (offer.cid, offer.indexed)).collect())
}

async fn the_newest_revision_wins(index: &dyn Index) -> Result<(), Broken> {
    // The repository was fetched at "d".
    for (rev, cid, now, expected) in [
        ("c", Some("old"), 10, None),
        ("d", Some("same"), 10, Some(("same", 10))),
        ("f", Some("two"), 11, Some(("two", 11))),
        ("e", Some("one"), 12, Some(("two", 11))),
        ("f", Some("two"), 12, Some(("two", 11))),
        ("g", Some("two"), 13, Some(("two", 11))),
        ("i", None, 14, None),
        ("h", Some("back"), 15, None),
        ("j", Some("new"), 16, Some(("new", 16))),
    ] {
        let entry = entry("a", cid.map(|cid| content(cid, "Lunch")));
        batch(index, put(rev, entry, now)?).await?;
        let expected = expected.map(|(cid, indexed)| (cid.to_owned(), at(indexed)));
        let came = offered(index, 0).await?;
        expect(&format!("at {rev}"), came, expected.into_iter().collect())?;
    }
    let offers = read("offers", offers::of_host(index, &did(HOST)?, at(0)).await)?;
    let record = offers.first().map(|offer| offer.record.clone());
    expect("a record comes back", record, Some(content("", "").record))?;
    expect("it passes", offered(index, 1000).await?, vec![])?;
    batch(index, vec![repos::host(HOST, &hosted(Hosting::Inactive))]).await?;
    expect("it is hidden", offered(index, 0).await?, vec![])?;
    batch(index, vec![repos::host(HOST, &hosted(Hosting::Active))]).await?;
    expect("it is shown", offered(index, 0).await?.len(), 1)?;
    batch(index, vec![offers::prune(revision(HOST, "j"))]).await?;
    expect("what is as new stays", offered(index, 0).await?.len(), 1)?;
    batch(index, vec![offers::prune(revision(HOST, "k"))]).await?;
    expect("what is older goes", offered(index, 0).await?, vec![])
}

async fn pages(index: &dyn Index) -> Result<(), Broken> {
    for rkey in ["a", "b", "c"] {
        let entry = entry(rkey, Some(content(rkey, "Portfolio reviews")));
        batch(index, put("k", entry, 20)?).await?;
    }
    let (mut cids, mut cursor) = (Vec::new(), None);
    loop {
        let paging = Paging {
            cursor: cursor.as_deref(),
            limit: 2,
        };
        let page = read(
            "a page",
            offers::list(index, &did(HOST)?, at(0), paging).await,
        )?;
        cids.extend(page.items.into_iter().map(|offer| offer.cid));
        cursor = page.cursor;
        if cursor.is_none() {
            break;
        }
    }
    let expected = ["c", "b", "a"].map(str::to_owned).to_vec();
    expect("each comes once, the latest first", cids, expected)?;
    let held = read("what is held", repos::held(index, &did(HOST)?).await)?;
    expect("what is held can be compared", held.len(), 3)
}

async fn searches(index: &dyn Index) -> Result<(), Broken> {
    let host = did(HOST)?;
    let names = Names {
        handle: "ada.contract.example".parse().ok(),
        display_name: Some("Ada Lovelace".to_owned()),
    };
    let before = read("who has no name", people::unnamed(index, at(30), 10).await)?;
    expect("a host has no name", before, vec![host.clone()])?;
    let mut statements = vec![people::name(&host, &names, at(30))];
    statements.extend(hosts::refresh(HOST));
    batch(index, statements).await?;
    let before = read("who has no name", people::unnamed(index, at(30), 10).await)?;
    expect("the host was named", before, vec![])?;
    for (query, found) in [
        (None, true),
        (Some("ada"), true),
        (Some("ADA.contract"), true),
        (Some("love"), true),
        (Some("review lunch"), false),
        (Some("review ada"), true),
        (Some("ovelace"), false),
        (Some("\"*( NEAR"), false),
        (Some("--"), false),
    ] {
        let page = read("hosts", hosts::search(index, query, at(0), first(1)).await)?;
        expect(&format!("{query:?}"), !page.items.is_empty(), found)?;
        expect("there are no more", page.cursor, None)?;
        for item in page.items {
            expect("who it is", &item.did, &host)?;
            expect("what they are called", item.names, names.clone())?;
            expect("who may book", item.policies, vec!["anyone".to_owned()])?;
            expect("how", item.modes, vec!["auto".to_owned()])?;
        }
    }
    let later = read(
        "hosts",
        hosts::search(index, None, at(1000), first(1)).await,
    )?;
    expect("nothing is on offer any more", later.items, vec![])?;
    for (claimed, handle) in [
        (None, &names.handle),
        (Some("ada.contract.example"), &names.handle),
        (Some("eve.contract.example"), &None),
    ] {
        batch(index, vec![people::doubt_name(HOST, claimed)]).await?;
        let known = read("names", people::names(index, &[&host]).await)?;
        let known = known.get(&host).map(|names| &names.handle);
        expect("a handle that is not theirs goes", known, Some(handle))?;
    }
    Ok(())
}

async fn who_serves(index: &dyn Index) -> Result<(), Broken> {
    let host = did(HOST)?;
    let service = |cid: &str| -> Result<Service, Broken> {
        Ok(Service {
            cid: cid.to_owned(),
            appview: did(OTHER)?,
        })
    };
    for (rev, put, named) in [
        ("c", true, false),
        ("m", true, true),
        ("l", false, true),
        ("n", false, false),
        ("m", true, false),
        ("o", true, true),
    ] {
        let service = service(rev)?;
        let service = put.then_some(&service);
        batch(index, vec![services::put(revision(HOST, rev), service)]).await?;
        let of = read("who serves", services::of(index, &host).await)?;
        expect(&format!("at {rev}"), of.is_some(), named)?;
    }
    batch(index, vec![services::prune(revision(HOST, "o"))]).await?;
    let of = read("who serves", services::of(index, &host).await)?;
    expect("what is as new stays", of, Some(did(OTHER)?))?;
    batch(index, vec![services::prune(revision(HOST, "p"))]).await?;
    let of = read("who serves", services::of(index, &host).await)?;
    expect("what is older goes", of, None)
}

fn request(rkey: &str, version: Option<&str>) -> requests::Entry {
    requests::Entry {
        uri: format!("at://{OTHER}/com.huddle.bookingRequest/{rkey}"),
        content: version.map(|version| requests::Content {
            version: version.to_owned(),
            host: HOST.to_owned(),
            record: "{}".to_owned(),
        }),
    }
}

/// What is to be done, by version.
async fn open(index: &dyn Index) -> Result<Vec<(String, State)>, Broken> {
    let open = read("requests", requests::open(index, None, 10).await)?;
    let open = open.into_iter();
    Ok(open.map(|it| (it.version, it.state)).collect())
}

async fn ask(index: &dyn Index, rev: &str, version: Option<&str>, now: i64) -> Result<(), Broken> {
    let entries = [request("a", version)];
    let put = requests::put(revision(OTHER, rev), &entries, at(now));
    batch(index, read("a request", put)?).await
}

async fn asking(index: &dyn Index) -> Result<(), Broken> {
    let named = |version: &str, state| (version.to_owned(), state);
    ask(index, "b", Some("one"), 10).await?;
    expect(
        "a request is new",
        open(index).await?,
        vec![named("one", State::New)],
    )?;
    let requests = read("requests", requests::open(index, None, 10).await)?;
    let one = requests
        .first()
        .ok_or_else(|| Broken("it is there".into()))?;
    let after = read("requests", requests::open(index, Some(one), 10).await)?;
    expect("after it there is none", after, vec![])?;
    batch(index, vec![requests::settle(one, State::Asked)]).await?;
    expect("it is asked once", open(index).await?, vec![])?;
    batch(index, vec![requests::settle(one, State::Ignored)]).await?;
    ask(index, "b", Some("one"), 11).await?;
    expect("it comes twice", open(index).await?, vec![])?;
    ask(index, "d", Some("two"), 12).await?;
    let both = vec![named("one", State::Withdrawing), named("two", State::New)];
    expect("another version", open(index).await?, both.clone())?;
    ask(index, "c", Some("late"), 13).await?;
    let late = [both, vec![named("late", State::Withdrawing)]].concat();
    expect("an older version comes late", open(index).await?, late)?;
    let since = requests::others_since(index, one, at(9)).await;
    expect("they are counted", read("a count", since)?, 1)?;
    ask(index, "e", None, 14).await?;
    let all = ["one", "two", "late"].map(|version| named(version, State::Withdrawing));
    expect("the record is gone", open(index).await?, all.to_vec())?;
    ask(index, "f", Some("two"), 15).await?;
    let (_, state) = &open(index).await?[1];
    expect("it is back", *state, State::New)?;
    batch(index, vec![repos::host(OTHER, &hosted(Hosting::Inactive))]).await?;
    expect("who is hidden asks nothing", open(index).await?.len(), 2)?;
    batch(index, vec![requests::prune(revision(OTHER, "g"))]).await?;
    expect("what is older goes", open(index).await?.len(), 3)?;
    batch(index, vec![requests::purge(OTHER)]).await
}

async fn deletion(index: &dyn Index) -> Result<(), Broken> {
    let mut statements = people::purge(HOST).to_vec();
    statements.push(repos::host(HOST, &hosted(Hosting::Deleted)));
    statements.push(audit::note(HOST, at(40), "accountDeleted", ""));
    batch(index, statements).await?;
    let names = read("names", people::names(index, &[&did(HOST)?]).await)?;
    expect("nobody is called that", names.len(), 0)?;
    let entry = entry("z", Some(content("z", "Lunch")));
    batch(index, put("d", entry, 50)?).await?;
    let held = read("what is held", repos::held(index, &did(HOST)?).await)?;
    expect("what is old does not come back", held, vec![])?;
    let followed = read("who is followed", repos::followed(index, "", 10).await)?;
    expect("it is followed no more", followed, vec![did(OTHER)?])?;
    let lines = read("the audit", audit::of(index, &did(HOST)?, 10).await)?;
    let kinds: Vec<_> = lines.into_iter().map(|line| line.kind).collect();
    expect("it was noted", kinds, vec!["accountDeleted".to_owned()])
}

async fn lists_of_bookings(index: &dyn Index) -> Result<(), Broken> {
    let filter = bookings::Filter::default();
    let nobody = did("did:web:nobody.contract.example")?;
    let page = read(
        "bookings",
        bookings::list(index, &nobody, &filter, first(10)).await,
    )?;
    expect("nobody has bookings", page.items.len(), 0)
}
