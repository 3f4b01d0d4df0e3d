//! The examples that people copy: the script of the main job, and what the README prints.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::process::Command;

use crate::harness::TestApp;

#[tokio::test]
async fn the_script_of_the_main_job_runs_twice_on_one_server() {
    let app = TestApp::start().await;
    for _ in 0..2 {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/main-job.sh");
        let run = Command::new(script)
            .arg(&app.url)
            .stdin(Stdio::null())
            .output()
            .await
            .expect("a shell");
        let said = String::from_utf8_lossy(&run.stdout).into_owned();
        let complaint = String::from_utf8_lossy(&run.stderr);
        assert!(run.status.success(), "{said}{complaint}");
        assert_eq!(complaint, "");
        assert!(
            said.lines().all(|line| line.starts_with("ok  ")) && said.lines().count() > 20,
            "{said}"
        );
    }
    assert_eq!(app.database.stock_faults().await, 0);
}

#[tokio::test]
async fn the_script_of_the_main_job_fails_where_nobody_answers() {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../examples/main-job.sh");
    let run = Command::new(script)
        .arg("http://127.0.0.1:1")
        .output()
        .await
        .expect("a shell");
    assert!(!run.status.success());
    assert!(String::from_utf8_lossy(&run.stderr).contains("FAILED: "));
}

#[tokio::test]
async fn the_query_of_the_readme_has_an_answer_on_demo_data() {
    let app = TestApp::start().await;
    eventsphere::demo::fill(&app.app, 1)
        .await
        .expect("demo data");
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("'query=").expect("a query");
    let (query, rest) = rest.split_once("' | jq").expect("its end");
    let (_, rest) = rest.split_once("```json").expect("an answer");
    let (answer, _) = rest.split_once("```").expect("its end");
    let printed: Value = serde_json::from_str(answer).expect("JSON");
    let data = app.visitor().ask(query, json!({})).await;
    for field in ["title", "timeZone", "venue", "sessions"] {
        assert_eq!(
            data["eventBySlug"][field], printed["data"]["eventBySlug"][field],
            "{field}"
        );
    }
}
