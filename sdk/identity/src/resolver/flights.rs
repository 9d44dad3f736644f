//! Asking once when several ask for the same at the same time.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Mutex, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

/// Questions that are being asked at this moment, by key.
///
/// No task runs them: those who wait drive the question together, and it goes on when the one who
/// began it goes away. It ends unanswered only when nobody waits any more.
pub(super) struct Flights<T: Clone> {
    in_flight: Mutex<InFlight<T>>,
}

type Flight<T> = Pin<Box<dyn Future<Output = T> + Send>>;

struct InFlight<T: Clone> {
    flights: HashMap<String, WeakShared<Flight<T>>>,
    /// When this many are known, the landed ones are cleared away.
    clear_at: usize,
}

const MIN_CLEAR_AT: usize = 64;

impl<T: Clone> Flights<T> {
    pub(super) fn new() -> Self {
        Self {
            in_flight: Mutex::new(InFlight {
                flights: HashMap::new(),
                clear_at: MIN_CLEAR_AT,
            }),
        }
    }

    /// The answer to the question `key`: of the one that is being asked, or else of `ask`.
    pub(super) async fn join(&self, key: &str, ask: impl FnOnce() -> Flight<T>) -> T {
        self.board(key, ask).await
    }

    fn board(&self, key: &str, ask: impl FnOnce() -> Flight<T>) -> Shared<Flight<T>> {
        let mut in_flight = self
            .in_flight
            .lock()
            .unwrap_or_else(PoisonError::into_inner);
        if let Some(flight) = in_flight.flights.get(key).and_then(WeakShared::upgrade) {
            return flight;
        }
        let flight = ask().shared();
        if in_flight.flights.len() >= in_flight.clear_at {
            in_flight
                .flights
                .retain(|_, flight| flight.upgrade().is_some());
            in_flight.clear_at = MIN_CLEAR_AT.max(2 * in_flight.flights.len());
        }
        if let Some(handle) = flight.downgrade() {
            in_flight.flights.insert(key.to_owned(), handle);
        }
        flight
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::{join, pending};

    use super::*;

    #[tokio::test]
    async fn those_who_ask_together_get_one_answer_and_later_ones_another() {
        let flights = Flights::new();
        let asked = AtomicU32::new(0);
        let ask = || -> Flight<u32> {
            let nth = asked.fetch_add(1, Ordering::Relaxed);
            Box::pin(async move {
                tokio::task::yield_now().await;
                nth
            })
        };
        assert_eq!(
            join(flights.join("a", ask), flights.join("a", ask)).await,
            (0, 0)
        );
        assert_eq!(flights.join("a", ask).await, 1);
        assert_eq!(
            join(flights.join("a", ask), flights.join("b", ask)).await,
            (2, 3)
        );
    }

    #[tokio::test]
    async fn a_question_outlives_the_one_who_began_it() {
        let flights = Flights::new();
        let (send, receive) = tokio::sync::oneshot::channel::<u32>();
        let mut first = Box::pin(flights.join("a", || {
            Box::pin(async { receive.await.unwrap_or_default() })
        }));
        assert_eq!((&mut first).now_or_never(), None);
        let mut second = Box::pin(flights.join("a", || panic!("asked twice")));
        assert_eq!((&mut second).now_or_never(), None);
        drop(first);
        send.send(7).unwrap();
        assert_eq!(second.await, 7);
    }

    #[tokio::test]
    async fn abandoned_questions_are_asked_again_and_do_not_pile_up() {
        let flights = Flights::new();
        let alive = Arc::new(());
        for n in 0..10_000 {
            let (key, alive) = (n.to_string(), Arc::clone(&alive));
            let mut abandoned = Box::pin(flights.join(&key, || {
                Box::pin(async move {
                    let () = pending().await;
                    drop(alive);
                })
            }));
            assert_eq!((&mut abandoned).now_or_never(), None);
        }
        assert_eq!(Arc::strong_count(&alive), 1);
        assert!(flights.in_flight.lock().unwrap().flights.len() <= MIN_CLEAR_AT);
        flights.join("0", || Box::pin(async {})).await;
    }
}
