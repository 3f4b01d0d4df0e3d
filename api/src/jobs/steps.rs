//! A long job of many small steps: one SQL function, called again and again, each time in a transaction of its own, while
//! members of the organization see how far it is.

use serde_json::{Value as Json, json};

use super::{Failed, Running};

/// Has `public.<function>(jsonb)` do the next `limit` of what the request is about until there are fewer. It is told
/// `limit`, `after` (what the last step answered with; null at first) and `count`, which asks for `total`, how many there
/// are at first. It answers `done`, how many this step did, and `after` where it needs to know; or `refused`, a reason why
/// it is over for good. A job that is cut off begins at the beginning, so steps may be repeated.
pub async fn in_steps(
    job: &Running,
    function: &'static str,
    mut request: Json,
    limit: u64,
) -> Result<(), Failed> {
    request["limit"] = json!(limit);
    request["count"] = json!(true);
    let (mut done, mut total) = (0, 0);
    loop {
        let mut answer = job.decide(function, &request).await?;
        if let Some(reason) = answer["refused"].as_str() {
            return Err(Failed::Never(reason.to_owned()));
        }
        let step = answer["done"].as_u64().unwrap_or(0);
        if step > 0 {
            job.app.jobs.wake();
        }
        done += step;
        let is_over = step < limit;
        // More may have come, or gone, since they were counted.
        total = match is_over {
            true => done,
            false => answer["total"].as_u64().unwrap_or(total).max(done),
        };
        job.progress(done, Some(total)).await?;
        if is_over {
            return Ok(());
        }
        if job.stopping() {
            return Err(Failed::GiveBack);
        }
        request["after"] = answer["after"].take();
        request["count"] = json!(false);
    }
}
