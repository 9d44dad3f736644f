//! `com.huddle.listBookings`

use huddle_core::host_match::Role;
use huddle_core::index::bookings::{self, Filter};
use huddle_lexicon::com::huddle::list_bookings::{
    Error, ListBookings as Method, Output, Params, ParamsRole, ParamsStatusItem,
};
use huddle_ports::Timestamp;
use huddle_syntax::Datetime;
use huddle_xrpc::server::{OrFault as _, Reply, Request};

use super::{Huddle, list, view};
use crate::com::huddle::list_bookings::ListBookings;

impl ListBookings for Huddle {
    async fn list_bookings(&self, request: Request<Method>) -> Reply<Method> {
        let caller = request.caller()?.did.clone();
        let params = &request.params;
        let Some(filter) = filter(params) else {
            return Ok(Output::new(Vec::new()).into());
        };
        let paging = list::paging(params.cursor.as_ref(), params.limit_or_default());
        let page = bookings::list(&*self.index, &caller, &filter, paging).await;
        let page = list::page(page, Error::InvalidCursor)?;
        let names = self.called(&page.items).await?;
        let views = page.items.iter().map(|it| view::called(it, &names));
        let mut output = Output::new(views.collect::<Result<_, _>>().or_fault()?);
        output.cursor = page.cursor;
        Ok(output.into())
    }
}

/// Which bookings are asked for; `None` if there can be none.
fn filter(params: &Params) -> Option<Filter> {
    let moment = |datetime: &Datetime| Timestamp::from_millis(datetime.timestamp_millis());
    let role = match &params.role {
        None => None,
        Some(ParamsRole::Host) => Some(Role::Host),
        Some(ParamsRole::Guest) => Some(Role::Guest),
        Some(ParamsRole::Other(_)) => return None,
    };
    let words = |status: &ParamsStatusItem| status.as_str().to_owned();
    let statuses = params.status.iter().flatten().map(words).collect();
    Some(Filter {
        role,
        statuses,
        starts_after: params.starts_after.as_ref().map(moment),
        starts_before: params.starts_before.as_ref().map(moment),
    })
}
