//! What an operator sees of the program: figures on a port of their own, and what the log says of a Redis that is away.

use crate::harness::*;

#[test]
fn figures_have_a_port_of_their_own_and_a_missing_redis_is_told_once() {
    let scratch = Scratch::new();
    let mut command = serve(&scratch.data());
    command
        .env("METRICS_BIND", "127.0.0.1:0")
        .env("REDIS_URL", "unix:///nonexistent/redis.sock");
    let mut server = Server::spawn(command);
    let figures: Vec<u16> = server
        .said
        .iter()
        .filter_map(|line| line.split_once("metrics at http://127.0.0.1:"))
        .filter_map(|(_, rest)| rest.strip_suffix("/metrics")?.parse().ok())
        .collect();
    assert_eq!(figures.len(), 1, "{:#?}", server.said);
    assert_eq!(server.get("/metrics"), 404);
    for _ in 0..20 {
        assert_eq!(
            server.get("/graphql?query=%7Bevents%7BtotalCount%7D%7D"),
            200
        );
    }
    let page = Server::fetch(figures[0], "/metrics");
    for line in [
        "eventsphere_limiter_shared 0",
        "eventsphere_redis_losses_total 1",
        "eventsphere_graphql_requests_total{outcome=\"executed\"} 20",
    ] {
        assert!(page.lines().any(|found| found == line), "{line}\n{page}");
    }
    signal("TERM", server.pid());
    assert!(server.ended().success());
    let away = |line: &&String| line.contains("Redis does not answer");
    assert_eq!(
        server.all().iter().filter(away).count(),
        1,
        "{:#?}",
        server.said
    );
}

#[test]
fn a_port_of_figures_that_is_taken_is_told_with_its_variable() {
    let scratch = Scratch::new();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = taken.local_addr().expect("an address").to_string();
    let mut command = serve(&scratch.data());
    command.env("METRICS_BIND", &address);
    let (code, stderr, _) = refused(command);
    let line = message(&stderr);
    assert_eq!(code, 1, "{stderr}");
    assert!(
        line.contains("METRICS_BIND") && line.contains("already in use"),
        "{line}"
    );
}
