//! Tests of the program, started as a user or a script would.

use std::io::{BufRead, BufReader, Write};
use std::process::{Command, Stdio};

use crate::client::Client;

#[test]
fn the_program_prints_its_url_serves_and_ends_with_stdin() {
    let file = std::env::temp_dir().join(format!("mock-orb-test-{}.url", std::process::id()));
    let mut program = Command::new(env!("CARGO_BIN_EXE_mock-orb"))
        .args(["--customers", "3", "--api-key", "secret", "--exit-with-stdin", "--port-file"])
        .arg(&file)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    assert_eq!(std::fs::read_to_string(&file).unwrap(), format!("{url}\n"));
    std::fs::remove_file(&file).unwrap();

    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/v1")).unwrap();
    let mut client = Client::connect(address.parse().unwrap()).unwrap();
    let page = client.request("GET", "/v1/customers", "Authorization: Bearer secret\r\n").unwrap();
    assert_eq!(page.records().len(), 3);

    let mut stdin = program.stdin.take().unwrap();
    stdin.write_all(b"\n").unwrap();
    let counts: serde_json::Value = serde_json::from_str(&lines.next().unwrap().unwrap()).unwrap();
    assert_eq!((&counts["requests"], &counts["connections"]), (&1.into(), &1.into()));
    assert!(counts["processor_seconds"].as_f64() > Some(0.0));

    drop(stdin);
    assert!(program.wait().unwrap().success());
    assert!(lines.next().is_none(), "unexpected output");
}

#[test]
fn the_program_limits_as_documented_for_a_kind_of_account() {
    let mut program = Command::new(env!("CARGO_BIN_EXE_mock-orb"))
        .args(["--rate-classes", "trial", "--ledger-event-ids", "--exit-with-stdin"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let url = BufReader::new(program.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/v1")).unwrap();
    let mut client = Client::connect(address.parse().unwrap()).unwrap();
    let mut search = || client.post("/v1/events/search", r#"{"event_ids":["x"]}"#).unwrap().status;
    let statuses: Vec<u16> = (0..10).map(|_| search()).collect();
    assert_eq!(statuses[0], 200);
    assert!(statuses.contains(&429), "one a second is allowed: {statuses:?}");
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
}

#[test]
fn the_program_can_lack_resources() {
    let start = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_mock-orb"))
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut program = start(&["--without", "items,alerts", "--not-enabled", "licenses", "--exit-with-stdin"]);
    let url = BufReader::new(program.stdout.take().unwrap()).lines().next().unwrap().unwrap();
    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/v1")).unwrap();
    let mut client = Client::connect(address.parse().unwrap()).unwrap();
    let mut problem = |target: &str| client.get(target).unwrap().problem();
    assert_eq!(problem("/v1/items"), "404-url-not-found");
    assert_eq!(problem("/v1/alerts?customer_id=x"), "404-url-not-found");
    assert_eq!(problem("/v1/licenses?subscription_id=x"), "404-feature-not-available");
    assert_eq!(client.get("/v1/coupons").unwrap().status, 200);
    drop(program.stdin.take());
    assert!(program.wait().unwrap().success());
    let output = start(&["--without", "nothing"]).wait_with_output().unwrap();
    let message = String::from_utf8(output.stderr).unwrap();
    assert!(!output.status.success() && message.contains("credit_block_invoices"), "{message}");
}

#[test]
fn the_program_mutates_by_a_script_and_on_demand() {
    let script = std::env::temp_dir().join(format!("mock-orb-test-{}.mutations", std::process::id()));
    std::fs::write(&script, "# A customer in the midst.\nbefore 2 /v1/customers: create_customer\n").unwrap();
    let start = |mutations: &str| {
        Command::new(env!("CARGO_BIN_EXE_mock-orb"))
            .args(["--customers", "3", "--exit-with-stdin", "--payload-style", "standard"])
            .args(["--mutation-clock", "wall", "--mutations", mutations])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap()
    };
    let mut program = start(script.to_str().unwrap());
    let mut lines = BufReader::new(program.stdout.take().unwrap()).lines();
    let url = lines.next().unwrap().unwrap();
    let address = url.strip_prefix("http://").and_then(|url| url.strip_suffix("/v1")).unwrap();
    let mut client = Client::connect(address.parse().unwrap()).unwrap();
    let mut customers = || client.get("/v1/customers").unwrap().records().len();
    assert_eq!([customers(), customers()], [3, 4]);
    let mut stdin = program.stdin.take().unwrap();
    let mut answer = |line: &str| {
        stdin.write_all(line.as_bytes()).unwrap();
        serde_json::from_str::<serde_json::Value>(&lines.next().unwrap().unwrap()).unwrap()
    };
    assert_eq!(answer("\n").get("applied"), None);
    assert_eq!(answer("mutate create_customer\n")["applied"].as_array().unwrap().len(), 1);
    assert_eq!(answer("mutate pay_invoice none\n")["refused_mutations"].as_array().unwrap().len(), 1);
    assert_eq!(answer("mutations\n")["applied"].as_array().unwrap().len(), 2);
    assert_eq!(customers(), 5);
    drop(stdin);
    assert!(program.wait().unwrap().success());
    std::fs::remove_file(&script).unwrap();
    let output = start("no such file").wait_with_output().unwrap();
    assert!(!output.status.success() && !output.stderr.is_empty());
}

#[test]
fn the_program_lists_the_actions_of_mutations() {
    let output = Command::new(env!("CARGO_BIN_EXE_mock-orb")).arg("--actions").output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text.lines().count(), mock_orb::Action::ALL.len());
    assert!(text.contains("pay_invoice") && text.contains("invoice.payment_succeeded"), "{text}");
}
