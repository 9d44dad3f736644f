//! `com.huddle.listOffers`

use huddle_core::index::offers::{self, Offer};
use huddle_lexicon::com::huddle::defs::OfferView;
use huddle_lexicon::com::huddle::list_offers::{Error, ListOffers as Method, Output};
use huddle_syntax::data;
use huddle_xrpc::Generic;
use huddle_xrpc::server::{BoxError, OrFault as _, Reply, Request};

use super::{Huddle, list, view};
use crate::com::huddle::list_offers::ListOffers;

impl ListOffers for Huddle {
    async fn list_offers(&self, request: Request<Method>) -> Reply<Method> {
        let params = &request.params;
        let host = self.directory.find(&params.host).await;
        // It says nothing about the host, and asking again may help.
        let host = host.map_err(|_| Generic::NotEnoughResources)?;
        let host = host.ok_or(Error::HostNotFound)?;
        let paging = list::paging(params.cursor.as_ref(), params.limit_or_default());
        let page = offers::list(&*self.index, &host, self.clock.now(), paging).await;
        let page = list::page(page, Error::InvalidCursor)?;
        let views = page.items.into_iter().map(offer);
        let mut output = Output::new(views.collect::<Result<_, BoxError>>().or_fault()?);
        output.cursor = page.cursor;
        Ok(output.into())
    }
}

fn offer(offer: Offer) -> Result<OfferView, BoxError> {
    Ok(OfferView::new(
        offer.uri,
        offer.cid.parse()?,
        offer.host,
        data::from_json(offer.record.as_bytes())?,
        view::datetime(offer.indexed)?,
    ))
}
