//! How servers of connected accounts want to be told who asks, as this process, or on Workers this event,
//! has met them.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use huddle_core::user_connector::connector::{Connector, ConnectorId};

use crate::http::sign_in::SignIn;

/// Of how many accounts that is remembered. Of more than these all is forgotten, which costs each one request.
const MAX_REMEMBERED: usize = 4096;

/// What is remembered of accounts, each as often as it was connected. Clones remember together.
#[derive(Clone, Default)]
pub(super) struct SignIns(Arc<Mutex<HashMap<(ConnectorId, u32), SignIn>>>);

impl SignIns {
    /// How the server of an account is told; at first as it is stored.
    pub(super) fn of(&self, connector: &Connector, stored: &SignIn) -> SignIn {
        let account = (connector.id.clone(), connector.revision);
        let mut remembered = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(sign_in) = remembered.get(&account) {
            return sign_in.clone();
        }
        if remembered.len() >= MAX_REMEMBERED {
            remembered.clear();
        }
        stored.or_basic();
        remembered.insert(account, stored.clone());
        stored.clone()
    }
}
