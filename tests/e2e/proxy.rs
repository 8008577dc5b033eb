//! Behind a proxy: what the environment says of proxies holds for whatever is asked of AWS.

use crate::harness::{Environment, Lake, Simulation, Tap, scan};

const SMALL: [&str; 4] = ["--accounts", "8", "--users-per-account", "1"];

/// Nobody can look up this name, so that whoever is answered was answered through the proxy.
const ELSEWHERE: &str = "aws.example.invalid";

/// Nothing listens on port 1.
const NO_PROXY_AT_ALL: &str = "http://127.0.0.1:1";

/// The simulation's variables, with another endpoint.
fn with_endpoint(simulation: &Simulation, endpoint: &str) -> Environment {
    let mut environment = simulation.environment.clone();
    environment.retain(|(name, _)| name != "AWS_ENDPOINT_URL");
    environment.push(("AWS_ENDPOINT_URL".to_owned(), endpoint.to_owned()));
    environment
}

#[test]
fn requests_go_through_the_proxy_that_is_named_over_connections_that_are_kept() {
    let simulation = Simulation::start(&SMALL);
    let proxy = Tap::on(simulation.endpoint());
    let environment = with_endpoint(&simulation, &format!("http://{ELSEWHERE}"));
    let lake = Lake::empty();
    scan(&environment, &lake.path()).env("HTTP_PROXY", &proxy.endpoint()).run().expect_one_of(&[0, 3]);
    let requests = proxy.count(&format!(" http://{ELSEWHERE}/"));
    assert!(requests > 60, "{requests} requests");
    assert!(proxy.connections() * 2 < requests, "{} connections for {requests} requests", proxy.connections());
}

#[test]
fn https_is_tunnelled_through_the_proxy_that_is_named() {
    let simulation = Simulation::start(&SMALL);
    let proxy = Tap::on(simulation.endpoint());
    let environment = with_endpoint(&simulation, &format!("https://{ELSEWHERE}"));
    // The simulation is no proxy: it is enough to be asked.
    let quick = ["--set", "sweep.attempts=1"];
    let scanned = scan(&environment, &Lake::empty().path()).args(quick).env("HTTPS_PROXY", &proxy.endpoint()).run();
    scanned.expect_code(1);
    assert!(proxy.count(&format!("CONNECT {ELSEWHERE}:443 ")) > 0);
}

#[test]
fn what_needs_no_proxy_is_reached_without() {
    let simulation = Simulation::start(&SMALL);
    let quick = ["--set", "sweep.attempts=1"];
    let lake = Lake::empty();
    let behind = || scan(&simulation.environment, &lake.path()).args(quick).env("HTTP_PROXY", NO_PROXY_AT_ALL);
    behind().run().expect_code(1);
    behind().env("NO_PROXY", "localhost,127.0.0.1").run().expect_one_of(&[0, 3]);
}
