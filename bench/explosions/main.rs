//! What it costs to refuse requests that were built to explode: processor time of a real server for each, from the
//! first byte to the answer, and what its memory grows to. `make bench-explosions` prints it; the last line is JSON.

use std::{
    env, fs,
    io::{BufRead, BufReader},
    process::{Child, Command, ExitCode, Stdio},
    time::Duration,
};

use serde_json::{Value, json};

/// Times that each request is sent.
const ROUNDS: usize = 100;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<ExitCode, Failure> {
    let program = env::args().nth(1).ok_or("name the program to measure")?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?;
    let mut server = Server::start(&program)?;
    let measured = runtime.block_on(measure(&server));
    server.end();
    let worst = measured?;
    println!("{worst}");
    Ok(ExitCode::SUCCESS)
}

/// The program with a private database, nobody else on it.
struct Server {
    child: Child,
    data: std::path::PathBuf,
    url: String,
}

impl Server {
    fn start(program: &str) -> Result<Self, Failure> {
        let data = env::temp_dir().join(format!("es-explosions-{}", std::process::id()));
        let mut child = Command::new(program)
            .args(["serve", "--bind", "127.0.0.1:0", "--data"])
            .arg(&data)
            // One address sends everything here.
            .envs([
                ("VISITOR_POINTS", "1000000000"),
                ("VISITOR_POINTS_PER_SECOND", "1000000000"),
                ("RUST_LOG", "info"),
            ])
            .stderr(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        let (told, said) = std::sync::mpsc::channel();
        let pipes: [Option<Box<dyn std::io::Read + Send>>; 2] = [
            child.stdout.take().map(|pipe| Box::new(pipe) as _),
            child.stderr.take().map(|pipe| Box::new(pipe) as _),
        ];
        for pipe in pipes.into_iter().flatten() {
            let told = told.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(pipe).lines().map_while(Result::ok) {
                    if let Some((_, url)) = line.split_once("ready at ") {
                        let _ =
                            told.send(url.split_whitespace().next().unwrap_or_default().to_owned());
                    }
                }
            });
        }
        let url = said.recv_timeout(Duration::from_secs(60))?;
        Ok(Self { child, data, url })
    }

    /// Nanoseconds that all its threads have computed.
    fn computed(&self) -> Result<u64, Failure> {
        let mut total = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            let text = fs::read_to_string(thread?.path().join("schedstat"))?;
            let first = text.split_whitespace().next().unwrap_or("0");
            total += first.parse::<u64>()?;
        }
        Ok(total)
    }

    /// The most memory it has had, KiB.
    fn peak(&self) -> Result<u64, Failure> {
        let status = fs::read_to_string(format!("/proc/{}/status", self.child.id()))?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
        let number = line.and_then(|line| line.split_whitespace().next());
        Ok(number.ok_or("no VmHWM")?.parse()?)
    }

    fn end(&mut self) {
        let pid = self.child.id().to_string();
        let _ = Command::new("kill").args(["-TERM", &pid]).status();
        let _ = self.child.wait();
        let _ = fs::remove_dir_all(&self.data);
    }
}

async fn measure(server: &Server) -> Result<Value, Failure> {
    let client = reqwest::Client::new();
    let url = format!("{}/graphql", server.url);
    // Warm: what a server has at rest is no cost of refusing.
    for body in [
        query("{ nothing }"),
        query("{ events { nodes { title } } }"),
    ] {
        for _ in 0..ROUNDS {
            client
                .post(&url)
                .header("content-type", "application/json")
                .body(body.clone())
                .send()
                .await?;
        }
    }
    let at_rest = server.peak()?;
    println!(
        "{:<34} {:>10} {:>8} {:>12} {:>10}",
        "request", "bytes", "status", "CPU us each", "peak MiB"
    );
    let mut worst = 0;
    for (name, body) in bodies() {
        let bytes = body.len();
        let before = server.computed()?;
        let mut status = "cut off".to_owned();
        for _ in 0..ROUNDS {
            let request = client.post(&url).header("content-type", "application/json");
            let request = request.header("accept", "application/graphql-response+json");
            // The server may close the connection on a body that is too large before all of it was sent.
            if let Ok(response) = request.body(body.clone()).send().await {
                status = response.status().as_u16().to_string();
                if response.status().is_success() || response.status().is_server_error() {
                    return Err(format!("{name} was answered with {status}").into());
                }
                response.bytes().await?;
            }
        }
        let each = (server.computed()? - before) / ROUNDS as u64 / 1_000;
        worst = worst.max(each);
        let peak = server.peak()? as f64 / 1024.0;
        println!("{name:<34} {bytes:>10} {status:>8} {each:>12} {peak:>10.1}");
    }
    let grown = (server.peak()? - at_rest) as f64 / 1024.0;
    Ok(json!({
        "bench": "explosions", "rounds": ROUNDS, "worst_cpu_us": worst,
        "at_rest_mib": at_rest as f64 / 1024.0, "grown_mib": grown,
    }))
}

fn query(text: &str) -> String {
    json!({ "query": text }).to_string()
}

fn with(text: &str, variables: Value) -> String {
    json!({ "query": text, "variables": variables }).to_string()
}

fn repeated(many: usize, each: impl Fn(usize) -> String) -> String {
    (0..many).map(each).collect::<Vec<_>>().join(" ")
}

/// Requests by what they abuse.
fn bodies() -> Vec<(&'static str, String)> {
    let mut all = documents();
    all.extend(others());
    all
}

/// Documents that grow when they are read.
fn documents() -> Vec<(&'static str, String)> {
    let doubling = repeated(60, |n| {
        format!("fragment f{n} on Query {{ ...f{} ...f{} }}", n + 1, n + 1)
    });
    let doubling = format!("{doubling} fragment f60 on Query {{ __typename }}");
    let wide = repeated(90, |n| {
        format!(
            "fragment w{n} on Query {{ ...w{} ...w{} ...w{} ...w{} }}",
            n + 1,
            n + 1,
            n + 1,
            n + 1
        )
    });
    vec![
        (
            "doubling fragments",
            query(&format!("{{ ...f0 }} {doubling}")),
        ),
        (
            "doubling fragments, unused",
            query(&format!("{{ __typename }} {doubling}")),
        ),
        (
            "fourfold fragments",
            query(&format!(
                "{{ ...w0 }} {wide} fragment w90 on Query {{ __typename }}"
            )),
        ),
        (
            "10,000 aliases",
            query(&format!(
                "{{ {} }}",
                repeated(10_000, |n| format!("a{n}: __typename"))
            )),
        ),
        (
            "600 aliases",
            query(&format!(
                "{{ {} }}",
                repeated(600, |n| format!("a{n}: __typename"))
            )),
        ),
        (
            "1,900 unknown fields",
            query(&format!(
                "{{ {} }}",
                repeated(1_900, |n| format!("field{n}"))
            )),
        ),
        (
            "20 root fields of 90 unknown ones",
            query(&format!(
                "{{ {} }}",
                repeated(19, |r| format!(
                    "r{r}: events {{ nodes {{ {} }} }}",
                    repeated(90, |n| format!("f{n}"))
                ))
            )),
        ),
        (
            "fields that never merge",
            query(&format!(
                "{{ {} }}",
                repeated(400, |n| format!("events(first: {n}) {{ totalCount }}"))
            )),
        ),
    ]
}

/// The rest: depth, length, and what is sent along.
fn others() -> Vec<(&'static str, String)> {
    let ids: Vec<String> = (0..8_000).map(|n| format!("id-number-{n}")).collect();
    let megabytes = "x".repeat(10 * 1024 * 1024);
    let introspection = "fields { type { ".repeat(8) + "name" + &"} } ".repeat(8);
    vec![
        ("2,000 levels", query(&"{a".repeat(2_000))),
        ("60,000 brackets", query(&"[".repeat(60_000))),
        (
            "600 directives",
            query(&format!(
                "{{ __typename {} }}",
                "@skip(if: false) ".repeat(330)
            )),
        ),
        (
            "introspection, 8 lists deep",
            query(&format!("{{ __schema {{ types {{ {introspection} }} }} }}")),
        ),
        (
            "a long string",
            query(&format!(
                "{{ __type(name: \"{}\") {{ name }} }}",
                "x".repeat(250_000)
            )),
        ),
        (
            "a long comment",
            query(&format!("{{ __typename # {}\n }}", "x".repeat(250_000))),
        ),
        (
            "8,000 ids along",
            with(
                "query($ids: [ID!]!) { nodes(ids: $ids) { id } }",
                json!({ "ids": ids }),
            ),
        ),
        (
            "8,000 values of `in` along",
            with(
                "query($f: EventFilter) { events(filter: $f) { totalCount } }",
                json!({ "f": { "title": { "in": ids } } }),
            ),
        ),
        (
            "1,990 values of `in`",
            query(&format!(
                "{{ events(filter: {{ title: {{ in: [{}] }} }}) {{ totalCount }} }}",
                repeated(1_975, |_| "\"a\"".to_owned())
            )),
        ),
        (
            "lists of lists of lists",
            query(
                "{ events(first: 100) { nodes { sessions(first: 100) { nodes { speakers(first: 100) { nodes { name } } } } } } }",
            ),
        ),
        (
            "100,000 arrays in each other",
            format!(
                "{{\"query\":\"{{ __typename }}\",\"variables\":{}{}}}",
                "[".repeat(100_000),
                "]".repeat(100_000)
            ),
        ),
        (
            "500 variables",
            query(&format!(
                "query({}) {{ __typename }}",
                repeated(500, |n| format!("$v{n}: Int"))
            )),
        ),
        (
            "10 MB of document",
            query(&format!("{{ __typename # {megabytes}\n }}")),
        ),
        (
            "10 MB of variables",
            with("{ __typename }", json!({ "a": megabytes })),
        ),
    ]
}
