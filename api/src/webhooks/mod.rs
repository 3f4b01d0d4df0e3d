//! Outbound webhooks: events of the outbox become deliveries, one for each endpoint that wants them; a delivery is
//! rendered once, signed as Standard Webhooks says, and posted until it arrives or is given up after some days.
//! Endpoints are lanes of a queue of their own, and one that fails rests: what is slow or dead delays no other.
//! What a member writes as an address is never trusted: see `guard` and `sender`.

mod create;
mod crowd;
mod delete;
mod deliver;
mod events;
mod fan_out;
mod given;
mod guard;
mod prune;
mod render;
mod replay;
mod replay_span;
mod resume;
mod retry;
mod rotate;
mod sender;
mod sign;
mod test_event;
mod update;
mod versions;

use std::{sync::Arc, time::Duration};

pub use sender::Sender;

use crate::{
    jobs::{Events, Queue, Registry},
    verbs::Verbs,
};

/// What this slice keeps. Cheap to clone.
#[derive(Clone)]
pub struct Webhooks {
    sender: Arc<Sender>,
    crowd: Arc<crowd::Crowd>,
}

impl Webhooks {
    /// That sends by this.
    pub fn new(sender: Sender) -> Self {
        Self {
            sender: Arc::new(sender),
            crowd: Arc::default(),
        }
    }
}

/// The queue of deliveries: no endpoint has more than two of its places at a time in one process. There are many, for those
/// who have them mostly wait for answers; `crowd` says who may wait long.
const QUEUE: Queue = Queue::new("webhooks", 256, 2).behind();

/// How long a job over many deliveries is kept after it was done, for those who watch it.
const KEPT: Duration = Duration::from_secs(24 * 3600);

/// The mutations of this slice.
pub fn verbs(registry: &mut Verbs) {
    registry
        .add::<create::CreateWebhookEndpoint>()
        .add::<update::UpdateWebhookEndpoint>()
        .add::<delete::DeleteWebhookEndpoint>()
        .add::<rotate::RotateWebhookSecret>()
        .add::<test_event::SendTestEvent>()
        .add::<replay::ReplayWebhookDeliveries>()
        .add::<replay_span::ReplayWebhookEndpoint>()
        .add::<retry::RetryWebhookDeliveries>();
}

/// The jobs of this slice.
pub fn jobs(registry: &mut Registry) {
    registry
        .queue(QUEUE)
        .add::<fan_out::FanOut>()
        .on::<fan_out::FanOut>(Events::All)
        .add::<deliver::Deliver>()
        .add::<replay_span::Replay>()
        .add::<resume::Resume>()
        .add::<retry::Hurry>()
        .add::<prune::Prune>()
        .at::<prune::Prune>("12,42 * * * *");
}
