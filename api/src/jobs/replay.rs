//! replayJobs: what failed for good runs again.

use async_trait::async_trait;
use eventsphere_graphql::{InputType, PayloadType, Scalar, Verb, engine::Outcome};
use serde::Deserialize;
use serde_json::json;
use uuid::Uuid;

use crate::{
    fault::Fault,
    outcome::{self, Refusals},
    verbs::{Call, Done, Handle},
};

/// The verb.
pub(super) struct ReplayJobs;

/// What it takes.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Input {
    job_ids: Vec<Uuid>,
}

const REFUSALS: Refusals = &[
    (
        "not_found",
        "JOB_NOT_FOUND",
        "there is no such job",
        &["jobIds"],
    ),
    (
        "not_dead",
        "NOT_DEAD",
        "one of the jobs waits, runs or is done",
        &["jobIds"],
    ),
    (
        "invalid",
        "INVALID",
        "between 1 and 100 jobs are needed",
        &["jobIds"],
    ),
];

#[async_trait]
impl Handle for ReplayJobs {
    type Input = Input;

    fn describe() -> Verb {
        Verb::new(
            "replayJobs",
            "Lets jobs that failed for good run again, with all their attempts before them. All of them or none.",
        )
        .scope("jobs:write")
        .takes(
            "jobIds",
            InputType::List(Scalar::Id("Job".to_owned())),
            "Which ones, 1 to 100; all of them `DEAD`.",
        )
        .gives(
            "jobs",
            PayloadType::Entities("Job".to_owned()),
            "The jobs, as they were named. Those done since are missing.",
        )
        .fails("JOB_NOT_FOUND", "One of the jobs does not exist.")
        .fails("NOT_DEAD", "One of the jobs waits, runs or is done.")
        .fails("INVALID", "A value cannot be accepted.")
    }

    async fn run(call: Call<'_>, input: Input) -> Result<Done, Fault> {
        let request = json!({ "ids": input.job_ids });
        let answer = outcome::decide_own(call, "replay_jobs", &request).await?;
        Ok(match outcome::word(&answer) {
            "replayed" => {
                call.app.jobs.wake();
                Outcome::new().entities("jobs", input.job_ids)
            }
            _ => outcome::refusal(&answer, REFUSALS)?,
        }
        .into())
    }
}
