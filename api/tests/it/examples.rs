//! The examples that people copy: the script of the main job, and what the README prints.

use std::{path::Path, process::Stdio};

use serde_json::{Value, json};
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    process::Command,
};

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

#[tokio::test]
async fn what_the_readme_says_to_watch_comes() {
    let app = TestApp::start().await;
    eventsphere::demo::fill(&app.app, 1)
        .await
        .expect("demo data");
    let readme = include_str!("../../../README.md");
    let (_, rest) = readme.split_once("## Watch it").expect("a section");
    let (_, rest) = rest.split_once("```sh\n").expect("a program");
    let (program, _) = rest.split_once("```").expect("its end");
    // The shell becomes what watches, and ends with this test.
    let program = program
        .replace("http://127.0.0.1:8080", &app.url)
        .replace("\ncurl -s -N", "\nexec curl -s -N");
    assert!(program.contains("\nexec curl"), "{program}");
    let mut running = Command::new("sh")
        .args(["-c", &program])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .kill_on_drop(true)
        .spawn()
        .expect("a shell");
    let mut lines = BufReader::new(running.stdout.take().expect("its words")).lines();
    let first = loop {
        let line = lines.next_line().await.expect("a line").expect("more");
        if let Some(data) = line.strip_prefix("data: ") {
            break serde_json::from_str::<Value>(data).expect("JSON");
        }
    };
    let types = &first["data"]["availabilityChanged"]["event"]["ticketTypes"]["nodes"];
    assert_eq!(types[0]["name"], "Community", "{first:#}");
    assert!(types[0]["available"].is_number(), "{first:#}");
}
