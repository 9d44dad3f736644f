//! Asking once when several ask for the same at the same time.

use std::collections::HashMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use futures_util::FutureExt;
use futures_util::future::{Shared, WeakShared};

/// Questions that are being asked at this moment, by key.
///
/// No task runs them: those who wait drive the question together, and it goes on when the one who
/// began it goes away. It ends unanswered only when nobody waits any more. Answered or abandoned,
/// it is forgotten at once, so that nobody who asks later gets an old answer.
///
/// Clones share the questions.
#[derive(Clone)]
pub(super) struct Flights<T: Clone>(Arc<Mutex<InFlight<T>>>);

/// As many questions are being asked as may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Full;

type Flight<T> = Pin<Box<dyn Future<Output = T> + Send>>;

struct InFlight<T: Clone> {
    by_key: HashMap<String, (u64, WeakShared<Flight<T>>)>,
    next_id: u64,
    limit: usize,
}

impl<T: Clone + Send + Sync + 'static> Flights<T> {
    /// No more than `limit` questions at the same time.
    pub(super) fn new(limit: usize) -> Self {
        Self(Arc::new(Mutex::new(InFlight {
            by_key: HashMap::new(),
            next_id: 0,
            limit,
        })))
    }

    /// The answer to the question `key`: of the one that is being asked, or else of `ask`, which
    /// is not begun if there are as many as may be.
    pub(super) async fn join(&self, key: &str, ask: impl FnOnce() -> Flight<T>) -> Result<T, Full> {
        let flight = self.board(key, ask)?;
        Ok(flight.await)
    }

    fn board(&self, key: &str, ask: impl FnOnce() -> Flight<T>) -> Result<Shared<Flight<T>>, Full> {
        let mut in_flight = lock(&self.0);
        let flying = in_flight.by_key.get(key);
        if let Some(flight) = flying.and_then(|(_, flight)| flight.upgrade()) {
            return Ok(flight);
        }
        if in_flight.by_key.len() >= in_flight.limit {
            return Err(Full);
        }
        let id = in_flight.next_id;
        in_flight.next_id += 1;
        let entry = Entry {
            in_flight: Arc::clone(&self.0),
            key: key.to_owned(),
            id,
        };
        let question = ask();
        let flight: Flight<T> = Box::pin(async move {
            let answer = question.await;
            drop(entry);
            answer
        });
        let flight = flight.shared();
        if let Some(handle) = flight.downgrade() {
            in_flight.by_key.insert(key.to_owned(), (id, handle));
        }
        Ok(flight)
    }
}

fn lock<T: Clone>(in_flight: &Mutex<InFlight<T>>) -> MutexGuard<'_, InFlight<T>> {
    in_flight.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The entry of a flight: taken out when the flight has its answer, or when it is dropped without.
struct Entry<T: Clone> {
    in_flight: Arc<Mutex<InFlight<T>>>,
    key: String,
    id: u64,
}

impl<T: Clone> Drop for Entry<T> {
    fn drop(&mut self) {
        let mut in_flight = lock(&self.in_flight);
        if in_flight.by_key.get(&self.key).map(|(id, _)| *id) == Some(self.id) {
            in_flight.by_key.remove(&self.key);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use futures_util::future::{join, pending};

    use super::*;

    /// Answers how often it was asked before, at the second look.
    fn counting(asked: &AtomicU32) -> Flight<u32> {
        let nth = asked.fetch_add(1, Ordering::Relaxed);
        Box::pin(async move {
            tokio::task::yield_now().await;
            nth
        })
    }

    #[tokio::test]
    async fn those_who_ask_together_get_one_answer_and_later_ones_another() {
        let (flights, asked) = (Flights::new(8), AtomicU32::new(0));
        let ask = || counting(&asked);
        let together = join(flights.join("a", ask), flights.join("a", ask)).await;
        assert_eq!(together, (Ok(0), Ok(0)));
        assert_eq!(flights.join("a", ask).await, Ok(1));
        let apart = join(flights.join("a", ask), flights.join("b", ask)).await;
        assert_eq!(apart, (Ok(2), Ok(3)));
        assert!(lock(&flights.0).by_key.is_empty());
    }

    #[tokio::test]
    async fn a_question_outlives_the_one_who_began_it() {
        let flights = Flights::new(8);
        let (send, receive) = tokio::sync::oneshot::channel::<u32>();
        let mut first = Box::pin(flights.join("a", || {
            Box::pin(async { receive.await.unwrap_or_default() })
        }));
        assert_eq!((&mut first).now_or_never(), None);
        let mut second = Box::pin(flights.join("a", || panic!("asked twice")));
        assert_eq!((&mut second).now_or_never(), None);
        drop(first);
        send.send(7).unwrap();
        assert_eq!(second.await, Ok(7));
    }

    #[tokio::test]
    async fn one_who_never_comes_for_the_answer_does_not_keep_it_alive() {
        let (flights, asked) = (Flights::new(8), AtomicU32::new(0));
        let mut absent = Box::pin(flights.join("a", || counting(&asked)));
        assert_eq!((&mut absent).now_or_never(), None);
        assert_eq!(flights.join("a", || counting(&asked)).await, Ok(0));
        assert_eq!(flights.join("a", || counting(&asked)).await, Ok(1));
        assert_eq!(absent.await, Ok(0));
    }

    #[tokio::test]
    async fn abandoned_questions_are_dropped_and_asked_again() {
        let flights = Flights::new(8);
        let alive = Arc::new(());
        for _ in 0..3 {
            let alive = Arc::clone(&alive);
            let mut abandoned = Box::pin(flights.join("a", || {
                Box::pin(async move {
                    let () = pending().await;
                    drop(alive);
                })
            }));
            assert_eq!((&mut abandoned).now_or_never(), None);
        }
        assert_eq!(Arc::strong_count(&alive), 1);
        assert!(lock(&flights.0).by_key.is_empty());
        flights.join("a", || Box::pin(async {})).await.unwrap();
    }

    #[tokio::test]
    async fn one_question_too_many_is_not_asked_but_may_be_joined_and_asked_later() {
        let (flights, asked) = (Flights::new(2), AtomicU32::new(0));
        let ask = || counting(&asked);
        let mut first = Box::pin(flights.join("a", ask));
        assert_eq!((&mut first).now_or_never(), None);
        let mut second = Box::pin(flights.join("b", ask));
        assert_eq!((&mut second).now_or_never(), None);
        assert_eq!(flights.join("c", ask).await, Err(Full));
        assert_eq!(asked.load(Ordering::Relaxed), 2);
        assert_eq!(flights.join("a", ask).await, Ok(0));
        assert_eq!(
            flights.join("c", ask).await,
            Ok(2),
            "the first has its answer"
        );
        drop(second);
        let apart = join(flights.join("d", ask), flights.join("e", ask)).await;
        assert_eq!(apart, (Ok(3), Ok(4)), "the second was abandoned");
    }
}
