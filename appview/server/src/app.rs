//! Puts the parts of the AppView together.

use std::fmt;
use std::sync::Arc;

use async_trait::async_trait;
use huddle_appview_router::{
    AppView, Backend, MeasuredHolds, MeasuredMail, MeasuredStarts, MemoryAllowances, Operations,
    Served,
};
use huddle_appview_web::{MailPages, Web};
use huddle_core::Limits;
use huddle_core::availability::Availability;
use huddle_core::booking::BookingIds;
use huddle_core::directory::Directory;
use huddle_core::effects::{Effects, Post};
use huddle_core::flows::Flows;
use huddle_core::index::Index;
use huddle_core::matching::Slots;
use huddle_core::outbox::Task;
use huddle_core::tasks::Tasks;
use huddle_identity::{ServiceRef, SigningKeys};
use huddle_native::{ActorStore, OsRandom, Pump, TaskFailed, TaskRunner, TimerPause, Trouble};
use huddle_ports::{Clock, Metrics, metrics};
use huddle_xrpc::server::Fault;
use tracing::{error, info, warn};

use crate::calendars::Connecting;

/// What an AppView is made of.
#[derive(Clone)]
pub struct Parts {
    /// The actors.
    pub actors: Arc<ActorStore>,
    /// What lists read.
    pub index: Arc<dyn Index>,
    /// Offers and calendars.
    pub availability: Arc<dyn Availability>,
    /// Slots to choose from.
    pub slots: Arc<dyn Slots>,
    /// Whose signature a caller's token must have.
    pub keys: Arc<dyn SigningKeys>,
    /// Who accounts are.
    pub directory: Arc<dyn Directory>,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// What bookings are named with.
    pub ids: BookingIds,
    /// The limits of the installation.
    pub limits: Limits,
    /// What tokens have to be made out to.
    pub service: ServiceRef,
    /// What whoever runs it says and hears; requests are logged in any case.
    pub operations: Operations,
    /// The calendars that people connect; nobody can connect one without it.
    pub connecting: Option<Connecting>,
    /// The way to people's mailboxes; nobody gets mail without it.
    pub post: Option<Post>,
}

/// An AppView, to be run.
pub struct App {
    /// What answers requests.
    pub router: axum::Router,
    /// What works off the outbox; run it beside the router.
    pub pump: Pump,
    /// What people ask for.
    pub flows: Flows,
}

impl fmt::Debug for Parts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = f.debug_struct("Parts");
        parts
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App").finish_non_exhaustive()
    }
}

impl Parts {
    /// Puts them together.
    pub fn assemble(self) -> App {
        let metrics = self.operations.metrics.clone();
        let actors = MeasuredStarts::new(self.actors.clone(), metrics.clone());
        let backend = Backend {
            actors: Arc::new(MeasuredHolds::new(Arc::new(actors), metrics.clone())),
            index: self.index,
            availability: self.availability,
            slots: self.slots,
            clock: self.clock.clone(),
            limits: Arc::new(self.limits),
        };
        let mut effects = Effects::new(
            backend.actors.clone(),
            backend.index.clone(),
            backend.clock.clone(),
        )
        .with_directory(self.directory.clone());
        if let Some(connecting) = &self.connecting {
            effects = effects
                .with_calendars(Arc::new(connecting.calendars.clone()))
                .with_webhooks(connecting.webhooks());
        }
        if let Some(post) = &self.post {
            let clock = backend.clock.clone();
            let mail = MeasuredMail::new(post.mail.clone(), clock, metrics.clone());
            effects = effects.with_mail(Post {
                mail: Arc::new(mail),
                ..post.clone()
            });
        }
        let tasks = Arc::new(Runner {
            tasks: backend
                .tasks()
                .with_effects(effects)
                .measured(metrics.clone()),
            clock: self.clock.clone(),
            metrics,
        });
        let flows = backend.flows();
        let pages = self.connecting.as_ref().map(|connecting| {
            huddle_appview_web::routes(Web {
                calendars: connecting.calendars.clone(),
                index: backend.index.clone(),
                actors: backend.actors.clone(),
                webhooks: connecting.pages.webhooks(),
                keys: connecting.pages.keys.clone(),
                random: connecting.pages.random.clone(),
                clock: backend.clock.clone(),
                is_https: connecting.is_https(),
            })
        });
        let is_https = self.connecting.as_ref().is_some_and(Connecting::is_https);
        let mail_pages = self.post.as_ref().and_then(|post| {
            let pages = MailPages {
                addresses: post.addresses.clone(),
                links: post.links.clone()?,
                actors: backend.actors.clone(),
                flows: flows.clone(),
                clock: backend.clock.clone(),
                is_https,
            };
            Some(huddle_appview_web::mail_routes(pages))
        });
        let pause = Arc::new(TimerPause::new(self.clock.clone()));
        let appview = AppView {
            backend,
            keys: self.keys,
            directory: self.directory,
            allowances: Arc::new(MemoryAllowances::new(self.clock)),
            ids: self.ids,
            service: self.service,
            on_fault: report,
            operations: Operations {
                on_served: log,
                ..self.operations
            },
            pages: self.connecting.map(|connecting| connecting.pages),
            addresses: self.post.map(|post| post.addresses),
            pause,
        };
        App {
            router: appview
                .router()
                .merge(pages.unwrap_or_default())
                .merge(mail_pages.unwrap_or_default()),
            pump: Pump::new(self.actors, tasks, Arc::new(OsRandom)),
            flows,
        }
    }
}

fn report(fault: &Fault) {
    error!(method = fault.nsid, %fault, "a method failed");
}

fn log(served: &Served) {
    info!(
        nsid = served.nsid,
        status = served.status.as_u16(),
        outcome = served.outcome,
        millis = served.time.as_millis(),
        "served"
    );
}

struct Runner {
    tasks: Tasks,
    clock: Arc<dyn Clock>,
    metrics: Arc<dyn Metrics>,
}

#[async_trait]
impl TaskRunner for Runner {
    async fn run(&self, task: &Task) -> Result<(), TaskFailed> {
        let began = self.clock.now();
        let done = self.tasks.run(task).await;
        let took = self.clock.now().since(began).as_secs_f64();
        let outcome = if done.is_ok() { "ok" } else { "failed" };
        self.metrics
            .record(&metrics::TASK_SECONDS, &[task.kind(), outcome], took);
        done.map_err(TaskFailed::from)
    }

    fn report(&self, trouble: &Trouble<'_>) {
        warn!(%trouble, "the outbox");
    }
}
