//! `com.huddle.searchHosts`

use huddle_core::index::hosts::{self, Host};
use huddle_lexicon::com::huddle::defs::HostView;
use huddle_lexicon::com::huddle::search_hosts::{Error, Output, SearchHosts as Method};
use huddle_syntax::schema::TextEnum;
use huddle_xrpc::server::{Reply, Request};

use super::{Huddle, list};
use crate::com::huddle::search_hosts::SearchHosts;

impl SearchHosts for Huddle {
    async fn search_hosts(&self, request: Request<Method>) -> Reply<Method> {
        let params = &request.params;
        let paging = list::paging(params.cursor.as_ref(), params.limit_or_default());
        let (query, now) = (params.q.as_deref(), self.clock.now());
        let page = hosts::search(&*self.index, query, &self.service, now, paging).await;
        let page = list::page(page, Error::InvalidCursor)?;
        let mut output = Output::new(page.items.into_iter().map(host).collect());
        output.cursor = page.cursor;
        Ok(output.into())
    }
}

/// The most words of a kind that a view holds; see the lexicon.
const MOST_WORDS: usize = 16;

fn host(host: Host) -> HostView {
    let mut view = HostView::new(host.did, words(&host.policies), words(&host.modes));
    view.handle = host.names.handle;
    view.display_name = host.names.display_name;
    view
}

/// The values of an open set, in one order whatever the order of the offers.
fn words<T: TextEnum>(words: &[String]) -> Vec<T> {
    let mut words: Vec<_> = words.iter().map(String::as_str).collect();
    words.sort_unstable();
    let known = words.into_iter().filter_map(T::from_text);
    known.take(MOST_WORDS).collect()
}
