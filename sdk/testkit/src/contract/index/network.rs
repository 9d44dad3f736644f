//! What is learnt from the network: the same statements, with the same results, wherever the index is.

use std::time::Duration;

use huddle_core::Interval;
use huddle_core::index::audit::Deed;
use huddle_core::index::offers::{self, Content, Kind};
use huddle_core::index::people::{self, Names};
use huddle_core::index::repos::{self, Hosting, Repo};
use huddle_core::index::requests::{self, State};
use huddle_core::index::services::{self, Service};
use huddle_core::index::{
    Index, Paging, Revision, Statement, audit, bookings, cursors, departures, hosts, unsigned,
};
use huddle_core::sql::Value;
use huddle_core::user_connector::connector::Provider;
use huddle_ports::Timestamp;
use huddle_syntax::{AtUri, Did};

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
    who_serves(index).await?;
    searches(index).await?;
    handles_that_move(index).await?;
    parties(index).await?;
    open_offers(index).await?;
    unsigned(index).await?;
    asking(index).await?;
    leaving(index).await?;
    bounds(index).await?;
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

async fn listed(index: &dyn Index, now: i64) -> Result<Vec<offers::Offer>, Broken> {
    let page = offers::list(index, &did(HOST)?, at(now), first(10)).await;
    Ok(read("offers", page)?.items)
}

async fn offered(index: &dyn Index, now: i64) -> Result<Vec<(String, Timestamp)>, Broken> {
    let offers = listed(index, now).await?.into_iter();
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
    let offers = listed(index, 0).await?;
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
    let mut statements = people::name(&host, &names, at(30)).to_vec();
    statements.extend(hosts::refresh(HOST));
    batch(index, statements).await?;
    let before = read("who has no name", people::unnamed(index, at(30), 10).await)?;
    expect("the host was named", before, vec![])?;
    let service = did(OTHER)?;
    let found = async |query, service: &Did, now| {
        let page = hosts::search(index, query, service, at(now), first(1)).await;
        read("hosts", page)
    };
    let none = found(None, &service, 0).await?;
    expect("who has named nobody is not found", none.items, vec![])?;
    let record = Service {
        cid: "cid".to_owned(),
        appview: service.clone(),
    };
    let put = services::put(revision(HOST, "p"), Some(&record));
    batch(index, vec![put]).await?;
    for query in [None, Some("ada")] {
        let none = found(query, &host, 0).await?;
        expect("nor by a service that is not theirs", none.items, vec![])?;
    }
    for (query, is_found) in [
        (None, true),
        (Some("ada"), true),
        (Some("ADA.contract"), true),
        (Some("love"), true),
        (Some("lo"), true),
        (Some("l"), false),
        (Some("review lunch"), false),
        (Some("review ada"), true),
        (Some("ovelace"), false),
        (Some("\"*( NEAR"), false),
        (Some("--"), false),
    ] {
        let page = found(query, &service, 0).await?;
        expect(&format!("{query:?}"), !page.items.is_empty(), is_found)?;
        expect("there are no more", page.cursor, None)?;
        for item in page.items {
            expect("who it is", &item.did, &host)?;
            expect("what they are called", item.names, names.clone())?;
            expect("who may book", item.policies, vec!["anyone".to_owned()])?;
            expect("how", item.modes, vec!["auto".to_owned()])?;
        }
    }
    let later = found(None, &service, 1000).await?;
    expect("nothing is on offer any more", later.items, vec![])?;
    for (revision, listed, is_found) in [
        (2, false, false),
        (1, true, false),
        (2, true, false),
        (3, true, true),
        (2, false, true),
    ] {
        batch(index, vec![people::list(&host, listed, revision, at(30))]).await?;
        for query in [None, Some("ada")] {
            let page = found(query, &service, 0).await?;
            let what = format!("after word of revision {revision}");
            expect(&what, !page.items.is_empty(), is_found)?;
        }
    }
    batch(index, vec![services::put(revision(HOST, "q"), None)]).await?;
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

/// What one question sees of a host's offers: those that are open at its time, for whom the host has named.
async fn open_offers(index: &dyn Index) -> Result<(), Broken> {
    const OPEN: &str = "did:web:open.contract.example";
    let (host, service, elsewhere) = (did(OPEN)?, did(HOST)?, did(OTHER)?);
    let address = |rkey: &str| uri(OPEN, rkey);
    let window = |rkey: &str, starts, ends| offers::Entry {
        uri: address(rkey),
        content: Some(Content {
            starts: at(starts),
            ends: at(ends),
            ..content(rkey, "")
        }),
    };
    let entries = [
        window("c", 300, 400),
        window("a", 100, 200),
        window("b", 200, 300),
        window("w", 0, 1000),
    ];
    let mut statements = read("offers", offers::put(revision(OPEN, "a"), &entries, at(1)))?;
    let named = Service {
        cid: "cid".to_owned(),
        appview: service.clone(),
    };
    statements.push(repos::follow(OPEN));
    statements.push(services::put(revision(OPEN, "a"), Some(&named)));
    batch(index, statements).await?;
    let only: AtUri = address("b")
        .parse()
        .map_err(|error| broken("an address", error))?;
    for (what, service, (from, until), only, limit, found) in [
        ("all of the time", &service, (0, 1000), None, 10, "w a b c"),
        ("some of it", &service, (200, 300), None, 10, "w b"),
        ("an end", &service, (199, 200), None, 10, "w a"),
        ("those that open first", &service, (0, 1000), None, 2, "w a"),
        ("one of them", &service, (0, 1000), Some(&only), 1, "b"),
        ("one, elsewhen", &service, (0, 200), Some(&only), 1, ""),
        (
            "whom they have not named",
            &elsewhere,
            (0, 1000),
            None,
            10,
            "",
        ),
    ] {
        let within = Interval::new(at(from), at(until));
        let open = offers::Open {
            host: &host,
            service,
            within: within.ok_or_else(|| Broken("time passes".into()))?,
            only,
            limit,
        };
        let open = read("open offers", open.read(index).await)?;
        let cids: Vec<_> = open.into_iter().map(|offer| offer.cid).collect();
        expect(what, cids.join(" "), found.to_owned())?;
    }
    gone(index, OPEN).await
}

/// Of two accounts the one has a handle that was verified last.
async fn handles_that_move(index: &dyn Index) -> Result<(), Broken> {
    let (host, other) = (did(HOST)?, did(OTHER)?);
    let names = Names {
        handle: "moved.contract.example".parse().ok(),
        display_name: None,
    };
    for (who, other) in [(&other, &host), (&host, &other), (&other, &host)] {
        batch(index, people::name(who, &names, at(31)).to_vec()).await?;
        let known = read("names", people::names(index, &[who, other]).await)?;
        let handle = |did| known.get(did).and_then(|names| names.handle.clone());
        expect("who has it", handle(who), names.handle.clone())?;
        expect("who had it", handle(other), None)?;
    }
    let unnamed = read("who has no name", people::unnamed(index, at(30), 10).await)?;
    expect("who had it is named anew", unnamed, vec![host])
}

/// Parties of bookings are named, before others, for as long as they are.
async fn parties(index: &dyn Index) -> Result<(), Broken> {
    const ONE: &str = "did:web:one.contract.example";
    const TWO: &str = "did:web:two.contract.example";
    const SEEN: &str = "did:web:seen.contract.example";
    let (host, one, two) = (did(HOST)?, did(ONE)?, did(TWO)?);
    let unnamed = async |limit| {
        let unnamed = people::unnamed(index, at(30), limit).await;
        read("who has no name", unnamed)
    };
    for until in [50, 40] {
        let meet = people::meet([&one, &two], at(until), at(20));
        batch(index, vec![people::seen(SEEN, at(1)), meet]).await?;
    }
    let all = vec![one.clone(), two.clone(), host.clone()];
    expect("they are named first", unnamed(10).await?, all)?;
    expect("so many", unnamed(1).await?, vec![one.clone()])?;
    let first_seen = read("a moment", people::first_seen(index, &one).await)?;
    expect("they came up then", first_seen, Some(at(20)))?;
    batch(
        index,
        people::name(&one, &Names::default(), at(30)).to_vec(),
    )
    .await?;
    for (now, left) in [
        (50, vec![two.clone(), host.clone()]),
        (51, vec![host.clone()]),
    ] {
        batch(index, vec![people::part(at(now))]).await?;
        expect("who has none is named", unnamed(10).await?, left)?;
    }
    for person in [ONE, TWO, SEEN] {
        gone(index, person).await?;
    }
    batch(index, vec![people::meet([&one, &two], at(60), at(55))]).await?;
    expect("who is gone is nobody", unnamed(10).await?, vec![host])
}

/// What nobody has signed goes after a while, and nothing that somebody has signed.
async fn unsigned(index: &dyn Index) -> Result<(), Broken> {
    const MET: &str = "did:web:met.contract.example";
    let met = did(MET)?;
    let told = Service {
        cid: "cid".to_owned(),
        appview: did(OTHER)?,
    };
    let held = async || {
        let held = read("what is held", repos::held(index, &met).await)?;
        let followed = read("a repository", repos::of(index, MET).await)?;
        Ok::<_, Broken>((held.len(), followed.is_some()))
    };
    for (rev, kept) in [("", (0, false)), ("a", (2, true))] {
        let entry = offers::Entry {
            uri: uri(MET, "a"),
            content: Some(content("a", "Coffee")),
        };
        let mut statements = vec![people::seen(MET, at(10)), repos::follow(MET)];
        let put = offers::put(revision(MET, rev), &[entry], at(10));
        statements.extend(read("offers", put)?);
        statements.push(services::put(revision(MET, rev), Some(&told)));
        statements.extend(hosts::refresh(MET));
        batch(index, statements).await?;
        let found = async || {
            let page = hosts::search(index, Some("coffee"), &told.appview, at(0), first(10)).await;
            Ok::<_, Broken>(read("hosts", page)?.items.len())
        };
        batch(index, unsigned::forget(at(10)).to_vec()).await?;
        expect("it is kept for a while", held().await?, (2, true))?;
        expect("it is found", found().await?, 1)?;
        batch(index, unsigned::forget(at(11)).to_vec()).await?;
        expect(&format!("and later, at {rev:?}"), held().await?, kept)?;
        expect("it is found while it is held", found().await?, kept.0 / 2)?;
    }
    gone(index, MET).await?;
    met_long_after_being_seen(index, &told).await
}

/// Of somebody whose repository could not be fetched, though commits of theirs have come.
async fn met_long_after_being_seen(index: &dyn Index, told: &Service) -> Result<(), Broken> {
    const LATE: &str = "did:web:late.contract.example";
    let late = did(LATE)?;
    let entry = offers::Entry {
        uri: uri(LATE, "a"),
        content: Some(content("a", "Coffee")),
    };
    let mut statements = vec![people::seen(LATE, at(1)), repos::follow(LATE)];
    let put = offers::put(revision(LATE, ""), &[entry], at(10));
    statements.extend(read("offers", put)?);
    statements.push(services::put(revision(LATE, ""), Some(told)));
    statements.push(repos::advance(LATE, &repo("b", None)));
    batch(index, statements).await?;
    let held = async || {
        let served = read("who serves", services::of(index, &late).await)?;
        let followed = read("a repository", repos::of(index, LATE).await)?;
        Ok::<_, Broken>((served.is_some(), followed.is_some()))
    };
    batch(index, unsigned::forget(at(10)).to_vec()).await?;
    expect("it was met just now", held().await?, (true, true))?;
    batch(index, unsigned::forget(at(11)).to_vec()).await?;
    expect("it can be met anew", held().await?, (false, false))?;
    gone(index, LATE).await
}

/// Leaves nothing of an account to the checks that follow.
async fn gone(index: &dyn Index, did: &str) -> Result<(), Broken> {
    let mut statements = people::purge(did).to_vec();
    statements.push(repos::host(did, &hosted(Hosting::Deleted)));
    batch(index, statements).await
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
    let open = read("requests", requests::open(index, None, at(100), 10).await)?;
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
    let requests = read("requests", requests::open(index, None, at(100), 10).await)?;
    let one = requests
        .first()
        .ok_or_else(|| Broken("it is there".into()))?;
    begin(index, one, true).await?;
    let after = read(
        "requests",
        requests::open(index, Some(one), at(100), 10).await,
    )?;
    expect("after it there is none", after, vec![])?;
    batch(index, vec![requests::settle(one, State::Asked)]).await?;
    expect("it is asked once", open(index).await?, vec![])?;
    batch(index, vec![requests::settle(one, State::Ignored)]).await?;
    ask(index, "b", Some("one"), 11).await?;
    expect("it comes twice", open(index).await?, vec![])?;
    ask(index, "d", Some("two"), 12).await?;
    let both = vec![named("one", State::Withdrawing), named("two", State::New)];
    expect("another version", open(index).await?, both.clone())?;
    begin(index, one, false).await?;
    ask(index, "c", Some("late"), 13).await?;
    expect("an older version comes late", open(index).await?, both)?;
    let requests = read("requests", requests::open(index, None, at(100), 10).await)?;
    let two = requests
        .last()
        .ok_or_else(|| Broken("it is there".into()))?;
    begin(index, two, true).await?;
    let since = requests::others_since(index, one, at(9)).await;
    expect("what was tried is counted", read("a count", since)?, 1)?;
    ask(index, "e", None, 14).await?;
    let all = ["one", "two"].map(|version| named(version, State::Withdrawing));
    expect("the record is gone", open(index).await?, all.to_vec())?;
    ask(index, "f", Some("two"), 15).await?;
    let (_, state) = &open(index).await?[1];
    expect(
        "it is back, and called off first",
        *state,
        State::Withdrawing,
    )?;
    coming_back(index).await?;
    batch(index, vec![repos::host(OTHER, &hosted(Hosting::Inactive))]).await?;
    expect("who is hidden asks nothing", open(index).await?.len(), 1)?;
    batch(index, vec![requests::prune(revision(OTHER, "g"))]).await?;
    expect("what is older goes", open(index).await?.len(), 2)?;
    bounds_of_requests(index).await
}

/// A request that its guest has come back to is asked in another round, once what came of it before is called off.
async fn coming_back(index: &dyn Index) -> Result<(), Broken> {
    let find = async || {
        let open = read("requests", requests::open(index, None, at(100), 10).await)?;
        let two = open.into_iter().find(|it| it.version == "two");
        two.ok_or_else(|| Broken("it is there".into()))
    };
    let before = find().await?;
    batch(index, vec![requests::settle(&before, State::Withdrawn)]).await?;
    let after = find().await?;
    expect("it is new", (after.state, after.round), (State::New, 1))?;
    batch(index, vec![requests::settle(&before, State::Withdrawn)]).await?;
    expect(
        "what is said of the round before",
        find().await?,
        after.clone(),
    )?;
    let others = requests::others_since(index, &after, at(9)).await;
    expect("rounds are counted", read("a count", others)?, 2)?;
    let open = read("requests", requests::open(index, None, at(100), 10).await)?;
    let tries = open
        .iter()
        .find(|it| it.version == "two")
        .map(|it| it.tries);
    expect("it was never tried in this round", tries, Some(0))?;
    begin(index, &before, false).await?;
    begin(index, &after, true).await?;
    let open = read("requests", requests::open(index, None, at(99), 10).await)?;
    let is_open = open.iter().any(|it| it.version == "two");
    expect("it is tried again later", is_open, false)
}

/// Tries a request, and again at 100.
async fn begin(index: &dyn Index, request: &requests::Request, may: bool) -> Result<(), Broken> {
    let begun = requests::begin(index, request, at(100)).await;
    expect("a request is tried", read("a request", begun)?, may)
}

/// Of requests only so many are kept: of what is over the newest, and beyond all of them nothing new.
async fn bounds_of_requests(index: &dyn Index) -> Result<(), Broken> {
    let count = async |sql| {
        let bindings = vec![Value::Text(OTHER.to_owned())];
        let rows = read("rows", index.query(Statement { sql, bindings }).await)?;
        let count = rows.first().and_then(|row| row.get::<u32>(0).ok());
        count.ok_or_else(|| Broken("there is a count".into()))
    };
    let rows = "SELECT count(*) FROM requests WHERE guest_did = ?1";
    let most = requests::MOST_OF_A_GUEST;
    for (rev, version, kept) in [("h", None, most), ("i", Some("many"), most)] {
        let entries: Vec<_> = (0..most + 5)
            .map(|number| request(&format!("{rev}{number:05}"), version))
            .collect();
        let put = requests::put(revision(OTHER, rev), &entries, at(30));
        batch(index, read("requests", put)?).await?;
        expect("so many are kept", count(rows).await?, kept)?;
    }
    let over = "SELECT count(*) FROM requests WHERE guest_did = ?1 AND state = 'withdrawn'";
    expect("of those that are over", count(over).await?, 200)?;
    let lines = read("the audit", audit::of(index, &did(OTHER)?, 10).await)?;
    let is_noted = lines.iter().any(|line| line.kind == "requestsFull");
    expect("what is not taken is noted", is_noted, true)?;
    batch(index, vec![requests::forget(at(31))]).await?;
    expect("what is over goes with time", count(over).await?, 0)?;
    batch(index, vec![requests::purge(OTHER)]).await
}

async fn leaving(index: &dyn Index) -> Result<(), Broken> {
    let bookings = async |departure: &departures::Departure| {
        let bookings = departures::bookings(index, departure, at(0), 10).await;
        read("bookings", bookings)
    };
    let begin = [(OTHER, 20), (OTHER, 25), (HOST, 21)];
    let begin = begin.map(|(did, now)| departures::begin(did, at(now)));
    batch(index, begin.to_vec()).await?;
    let [other] = departed(index, 20).await?;
    expect(
        "who left",
        (&other.did, other.since),
        (&did(OTHER)?, at(20)),
    )?;
    expect("they have no bookings", bookings(&other).await?, vec![])?;
    batch(index, vec![booked(BOOKED)]).await?;
    let booking = read("an id", BOOKED.parse())?;
    let booked = vec![booking];
    expect("they have one", bookings(&other).await?, booked.clone())?;
    batch(
        index,
        vec![departures::go_on(&other, booked.first(), at(30))],
    )
    .await?;
    let [host, other] = departed(index, 30).await?;
    let order = (&host.did, &other.did);
    expect("the other comes first", order, (&did(HOST)?, &did(OTHER)?))?;
    expect("it is called off", bookings(&other).await?, vec![])?;
    batch(index, vec![departures::go_on(&other, None, at(31))]).await?;
    let [host, other] = departed(index, 31).await?;
    expect("it still is", bookings(&other).await?, vec![])?;
    batch(index, vec![departures::pass_again(&other, at(50))]).await?;
    batch(index, vec![departures::end(&host)]).await?;
    let [] = departed(index, 49).await?;
    let [other] = departed(index, 50).await?;
    let moments = (other.since, other.pass);
    expect("it is looked at again", moments, (at(20), at(50)))?;
    expect("from the first on", bookings(&other).await?, booked)?;
    batch(index, vec![departures::end(&other)]).await?;
    let [] = departed(index, 60).await?;
    Ok(())
}

const BOOKED: &str = "3hq7n2k5x4d6m7p2r5t7";

/// A booking of the two.
fn booked(id: &str) -> Statement {
    Statement {
        sql: "INSERT INTO bookings \
              (id, revision, host_did, guest_did, status, created, updated, document) \
              VALUES (?1, 1, ?2, ?3, 'held', 0, 0, '{}')",
        bindings: [id, HOST, OTHER]
            .map(|it| Value::Text(it.to_owned()))
            .to_vec(),
    }
}

/// Whose accounts were deleted and are to be looked at by a moment: so many.
async fn departed<const COUNT: usize>(
    index: &dyn Index,
    now: i64,
) -> Result<[departures::Departure; COUNT], Broken> {
    let left = read("who left", departures::open(index, at(now), 10).await)?;
    let wrong = |left: Vec<_>| Broken(format!("{COUNT} have left, and not {left:?}"));
    left.try_into().map_err(wrong)
}

/// Of offers and of what is gone only so much is kept, the newest.
async fn bounds(index: &dyn Index) -> Result<(), Broken> {
    let most = usize::try_from(offers::MOST_OF_A_HOST).unwrap_or(usize::MAX);
    let many = |is_there: bool| -> Vec<offers::Entry> {
        let number = |number| {
            let there = is_there.then(|| content("m", "Many"));
            entry(&format!("{number:04}"), there)
        };
        (0..most + 3).map(number).collect()
    };
    for (rev, is_there, held) in [("w", true, most), ("x", false, 0)] {
        let put = offers::put(revision(OTHER, rev), &many(is_there), at(60));
        batch(index, read("offers", put)?).await?;
        let kept = read("what is held", repos::held(index, &did(OTHER)?).await)?;
        expect("so many are held", kept.len(), held)?;
    }
    let lines = read("the audit", audit::of(index, &did(OTHER)?, 10).await)?;
    let is_noted = lines.iter().any(|line| line.kind == "offersLeftOut");
    expect("what is left out is noted", is_noted, true)?;
    let rows = Statement {
        sql: "SELECT count(*) FROM offers WHERE host_did = ?1",
        bindings: vec![Value::Text(OTHER.to_owned())],
    };
    let rows = read("rows", index.query(rows).await)?;
    let rows = rows.first().and_then(|row| row.get::<u32>(0).ok());
    expect(
        "of what is gone so much is kept",
        rows,
        Some(offers::MOST_OF_A_HOST),
    )?;
    let notes = (0..audit::MOST_OF_ONE + 5).map(|number| {
        let kind = if number % 2 == 0 { "even" } else { "odd" };
        audit::note(OTHER, at(70), kind, "")
    });
    batch(index, notes.chain([audit::forget(at(0))]).collect()).await?;
    let lines = audit::of(index, &did(OTHER)?, audit::MOST_OF_ONE * 2).await;
    let most = usize::try_from(audit::MOST_OF_ONE).unwrap_or(usize::MAX);
    expect(
        "so many lines are kept",
        read("the audit", lines)?.len(),
        most,
    )?;
    batch(index, vec![audit::forget(at(71))]).await?;
    let lines = read("the audit", audit::of(index, &did(OTHER)?, 10).await)?;
    expect("and for so long", lines, vec![])?;
    deeds(index).await
}

/// What somebody does is noted as they did it first and last within a day, whenever word of it comes, and however often.
async fn deeds(index: &dyn Index) -> Result<(), Broken> {
    let moment = |hours: u64| at(0) + Duration::from_hours(hours);
    let (feed, account) = (Provider::Ics, Provider::CalDav);
    for (hours, deed) in [
        (6, Deed::PreferencesPut),
        (30, Deed::PreferencesPut),
        (30, Deed::PreferencesPut),
        (30, Deed::CalendarRemoved(feed)),
        (40, Deed::PreferencesPut),
        (53, Deed::PreferencesPut),
        (53, Deed::CalendarRemoved(account)),
        (40, Deed::PreferencesPut),
        (40, Deed::CalendarRemoved(feed)),
    ] {
        let lines = audit::record(&did(OTHER)?, moment(hours), deed);
        batch(index, lines.to_vec()).await?;
    }
    let lines = read("the audit", audit::of(index, &did(OTHER)?, 10).await)?;
    let expected = [
        (40, "calendarRemoved", "ics"),
        (53, "calendarRemoved", "caldav"),
        (53, "preferencesPut", ""),
        (30, "calendarRemoved", "ics"),
        (30, "preferencesPut", ""),
        (6, "preferencesPut", ""),
    ];
    let expected = expected.map(|(hours, kind, detail)| audit::Line {
        at: moment(hours),
        kind: kind.to_owned(),
        detail: detail.to_owned(),
    });
    expect("deeds are noted", lines, expected.to_vec())?;
    batch(index, vec![audit::purge(OTHER)]).await?;
    let lines = read("the audit", audit::of(index, &did(OTHER)?, 10).await)?;
    expect("they can be forgotten", lines, vec![])
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
    expect("it was noted", kinds, vec!["accountDeleted".to_owned()])?;
    let late = audit::record(&did(HOST)?, at(50), Deed::WebhookSet);
    batch(index, late.to_vec()).await?;
    batch(index, vec![people::list(&did(HOST)?, true, 9, at(50))]).await?;
    let lines = read("the audit", audit::of(index, &did(HOST)?, 10).await)?;
    expect("what comes late is not", lines.len(), 1)?;
    let rows = Statement {
        sql: "SELECT id FROM people WHERE did = ?1",
        bindings: vec![Value::Text(HOST.to_owned())],
    };
    let rows = read("people", index.query(rows).await)?;
    expect("and nobody is known by it", rows.len(), 0)
}

async fn lists_of_bookings(index: &dyn Index) -> Result<(), Broken> {
    let filter = bookings::Filter::default();
    let nobody = did("did:web:nobody.contract.example")?;
    let page = read(
        "bookings",
        bookings::list(index, &nobody, &filter, first(10)).await,
    )?;
    expect("nobody has bookings", page.items.len(), 0)?;
    for (person, first) in [(nobody, None), (did("did:web:b.example")?, Some(at(0)))] {
        let asked = read("a booking", bookings::first_asked(index, &person).await)?;
        expect("the first was asked for then", asked, first)?;
    }
    Ok(())
}
