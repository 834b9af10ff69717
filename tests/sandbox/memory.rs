//! Connectors that make the host hold memory for them. Each is stopped by a limit that its error
//! names, and the host's own memory stays within what the limits add up to.

use std::fs::{self, File};
use std::path::Path;
use std::process::{self, Command};
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};

use super::{assert_limited, told};
use crate::support::{Answer, Output, Server, Setup, guests};

pub(super) const MIB: u64 = 1 << 20;
/// What the host takes with a small connector, the compiler included.
pub(super) const ALONE: u64 = 200 * MIB;

/// Reads streams to their end. Returns also how many bytes of memory that took at most.
pub(super) fn measure(setup: &Setup, streams: &[&str]) -> (Output, u64) {
    let (config, catalog) = (setup.config_file(), setup.catalog_file(streams));
    let command = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    let (output, peak) = measure_any(command, setup.folder());
    (Output::of(output), peak)
}

/// Runs a command to its end, and keeps what it says in a folder. Returns also how many bytes of
/// memory it had at most.
pub(super) fn measure_any(mut command: Command, folder: &Path) -> (process::Output, u64) {
    let [stdout, stderr] = ["stdout", "stderr"].map(|name| folder.join(name));
    let file = |path| File::create(path).unwrap();
    let mut child = command.stdout(file(&stdout)).stderr(file(&stderr)).spawn().unwrap();
    let peak = peak(child.id());
    let status = child.wait().unwrap();
    let [stdout, stderr] = [stdout, stderr].map(|path| fs::read(path).unwrap());
    (process::Output { status, stdout, stderr }, peak)
}

/// Watches the memory of a process until it ends. `wait4` cannot tell: its figure begins with that
/// of the process that started the other. Zero where there is no `/proc`.
fn peak(process: u32) -> u64 {
    let mut peak = 0;
    let highest = || {
        let status = fs::read_to_string(format!("/proc/{process}/status")).ok()?;
        let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
        line.trim().strip_suffix(" kB")?.parse::<u64>().ok()
    };
    while let Some(kilobytes) = highest() {
        peak = kilobytes * 1024;
        thread::sleep(Duration::from_millis(2));
    }
    peak
}

/// Hoards things of a kind, by default without an end.
fn hoard(config: &Value, flags: &[&str]) -> (Output, u64) {
    let mut whole = json!({ "kind": "", "api_url": "http://127.0.0.1:1", "bytes": 0, "count": 1_000_000 });
    whole.as_object_mut().unwrap().extend(config.as_object().unwrap().clone());
    measure(&Setup::guest(guests::HOARDER, whole).flags(flags), &["things"])
}

/// Checks that hoarding ends at a limit, with no more memory than the limit and what is always
/// there.
#[track_caller]
fn assert_bounded(config: &Value, flags: &[&str], limit: &str, most: u64) {
    let (output, peak) = hoard(config, flags);
    assert_limited(&output, limit);
    assert!(peak < ALONE + most, "{config}: {} MiB", peak / MIB);
}

#[test]
fn what_the_host_holds_for_requests_has_an_end() {
    for config in [
        json!({ "kind": "bodies", "bytes": 2 * MIB }),
        json!({ "kind": "large fields", "bytes": 100_000 }),
        json!({ "kind": "many fields", "bytes": 1_000 }),
        json!({ "kind": "clones", "bytes": 100_000 }),
        json!({ "kind": "authorities", "bytes": 60_000 }),
        json!({ "kind": "paths", "bytes": 60_000 }),
        json!({ "kind": "methods", "bytes": 100_000 }),
    ] {
        let flags = ["--max-memory", "8MiB", "--max-host-memory", "64MiB"];
        assert_bounded(&config, &flags, "--max-host-memory", 64 * MIB);
    }
}

#[test]
fn what_the_host_holds_has_an_end_without_a_flag() {
    let config = json!({ "kind": "bodies", "bytes": 2 * MIB });
    let flags = ["--max-memory", "8MiB", "--max-handles", "4003"];
    let (output, peak) = hoard(&config, &flags);
    assert!(output.error().message.contains("--max-"), "{}", output.error().message);
    assert!(peak < ALONE + 384 * MIB, "{} MiB", peak / MIB);
    let config = json!({ "kind": "large fields", "bytes": 100_000 });
    assert_bounded(&config, &["--max-memory", "8MiB"], "--max-host-memory", 384 * MIB);
}

#[test]
fn small_things_are_bounded_by_their_number() {
    for kind in ["schemes", "many fields"] {
        let flags = ["--max-memory", "64MiB", "--max-handles", "1000000"];
        let config = json!({ "kind": kind, "bytes": 1, "count": 10_000_000 });
        assert_bounded(&config, &flags, "--max-host-memory", 500 * MIB);
    }
}

#[test]
fn methods_authorities_and_paths_count_as_the_head() {
    for kind in ["authorities", "paths", "methods"] {
        let config = json!({ "kind": kind, "bytes": 60_000, "count": 1 });
        assert_bounded(&config, &["--max-headers", "32KiB"], "--max-headers", 64 * MIB);
    }
}

#[test]
fn bodies_that_are_sent_count_until_they_are_gone() {
    let server = Server::start(|_| Answer::silence());
    let config = json!({ "kind": "sent bodies", "api_url": server.url(), "bytes": MIB - 4096 });
    assert_bounded(&config, &["--max-host-memory", "32MiB"], "--max-host-memory", 64 * MIB);
}

/// A server that sends a head, and a body of which more always comes.
fn endless(headers: &'static str) -> Server {
    Server::start(move |_| {
        Answer::raw(move |peer| {
            use std::io::Write as _;
            write!(peer, "HTTP/1.1 200 OK\r\n{headers}content-length: 60000000\r\n\r\n")?;
            loop {
                peer.write_all(&[b'x'; 1 << 16])?;
            }
        })
    })
}

#[test]
fn answers_that_nobody_reads_have_an_end() {
    let server = endless("");
    let config = json!({ "kind": "unread answers", "api_url": server.url() });
    assert_bounded(&config, &["--max-requests", "32"], "--max-requests", 32 * MIB);
    assert!(server.connections() <= 33, "{} connections", server.connections());
    assert_bounded(&config, &["--max-host-memory", "8MiB"], "--max-host-memory", 16 * MIB);
}

#[test]
fn heads_of_answers_have_an_end() {
    let server = Server::start(|_| {
        let value = "y".repeat(100_000);
        Answer::with("200 OK", &[("x", &value)], "ok")
    });
    let config = json!({ "kind": "kept heads", "api_url": server.url() });
    assert_bounded(&config, &["--max-host-memory", "32MiB"], "--max-host-memory", 64 * MIB);
}

#[test]
fn what_decompresses_answers_has_an_end() {
    // A frame of zstd (RFC 8878, 3.1.1) with a window of 8 MiB and a block of 128 KiB, of which
    // more could follow: "x" as often as that.
    let frame = [&[0x28, 0xb5, 0x2f, 0xfd, 0, 13 << 3][..], &[0x02, 0x00, 0x10, b'x']].concat();
    let server = Server::start(move |_| {
        let frame = frame.clone();
        Answer::raw(move |peer| {
            use std::io::Write as _;
            peer.write_all(b"HTTP/1.1 200 OK\r\ncontent-encoding: zstd\r\nconnection: close\r\n\r\n")?;
            peer.write_all(&frame)?;
            peer.wait()
        })
    });
    let config = json!({ "kind": "begun answers", "api_url": server.url() });
    assert_bounded(&config, &["--max-host-memory", "64MiB"], "--max-host-memory", 64 * MIB);
    // Sixteen at once, each with the largest window, are nothing unusual.
    let few = json!({ "kind": "begun answers", "api_url": server.url(), "count": 16 });
    let (output, _) = hoard(&few, &[]);
    assert_eq!(told(&output), [json!({ "hoarded": 16 })]);
}

#[test]
fn streams_together_have_an_end() {
    let flags = ["--max-memory", "256MiB", "--max-total-memory", "64MiB"];
    let setup = Setup::guest(guests::MEMORY_HOG, json!({})).flags(&flags);
    let (output, peak) = measure(&setup, &["things"]);
    assert_limited(&output, "--max-total-memory");
    assert_eq!(
        output.error().message,
        "the connector was stopped because it took more than 64MiB of memory together with all others that run \
         (--max-total-memory allows more)"
    );
    assert!(peak < ALONE + 64 * MIB, "{} MiB", peak / MIB);
}

#[test]
fn what_a_stream_took_is_there_for_the_next() {
    let config = json!({ "kind": "large fields", "bytes": 100_000, "count": 100, "api_url": "" });
    let flags = ["--max-streams", "1", "--max-total-memory", "20MiB"];
    let setup = Setup::guest(guests::HOARDER, config).flags(&flags);
    // The same stream of the guest three times, distinguished by namespace.
    let mut catalog = crate::support::setup::catalog(&["things", "things", "things"]);
    for at in 1..3 {
        catalog["streams"][at]["stream"]["namespace"] = at.to_string().into();
    }
    let (config, catalog) = (setup.config_file(), setup.file("catalog.json", catalog.to_string()));
    let output = setup.run(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
}

#[test]
fn compiling_has_an_end_in_memory() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("large.wasm");
    fs::write(&component, large_function()).unwrap();
    let flags = ["--no-cache", "--max-compile-memory", "128MiB"];
    let setup = Setup::guest(guests::TRAP, json!({})).component(component).flags(&flags);
    let (output, peak) = measure(&setup, &["things"]);
    let message = &output.error().message;
    assert!(message.contains("(--max-compile-memory "), "{message}");
    assert!(peak < ALONE + 256 * MIB, "{} MiB", peak / MIB);
}

/// A component with a module of one function, of 5 MB: `if (0) {}`, a million times. Compiling it
/// takes more than a gigabyte.
fn large_function() -> Vec<u8> {
    let number = |mut number: usize| {
        let mut bytes = Vec::new();
        while number >= 0x80 {
            bytes.push(u8::try_from(number & 0x7f).unwrap() | 0x80);
            number >>= 7;
        }
        bytes.push(u8::try_from(number).unwrap());
        bytes
    };
    let section = |id: u8, content: Vec<u8>| [vec![id], number(content.len()), content].concat();
    let body = [vec![0], [0x41, 0, 0x04, 0x40, 0x0b].repeat(1_000_000), vec![0x0b]].concat();
    let code = [vec![1], number(body.len()), body].concat();
    let module = [
        b"\0asm\x01\0\0\0".to_vec(),
        section(1, vec![1, 0x60, 0, 0]),
        section(3, vec![1, 0]),
        section(10, code),
    ];
    [b"\0asm\x0d\0\x01\0".to_vec(), section(1, module.concat())].concat()
}

#[test]
fn a_poll_of_many_things_is_a_poll_or_a_limit() {
    // Each has a handle for the clock and one for the poll.
    let (output, _) = hoard(&json!({ "kind": "polled", "bytes": 49_000, "count": 1 }), &[]);
    assert_eq!(told(&output), [json!({ "hoarded": 1 })]);
    assert_bounded(&json!({ "kind": "polled", "bytes": 100_000 }), &[], "--max-handles", 200 * MIB);
    let flags = ["--max-handles", "1000000"];
    assert_bounded(&json!({ "kind": "polled", "bytes": 100_000 }), &flags, "--max-handles", 600 * MIB);
}

#[test]
fn states_that_are_kept_to_the_end_have_an_end() {
    const STREAMS: usize = 12;
    let setup = Setup::guest(guests::KEEPER, json!({ "streams": STREAMS, "bytes": 30 * MIB }));
    let names: Vec<_> = (0..STREAMS).map(|at| format!("s{at}")).collect();
    let names: Vec<_> = names.iter().map(String::as_str).collect();
    let flags = ["--state", "kept.json", "--save-state", "--output", "out.jsonl", "--max-streams", "1"];
    let setup = setup.flags(&flags);
    let (output, peak) = measure(&setup, &names);
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("the last states of all streams would be larger than 64 MiB"));
    assert!(peak < ALONE + 400 * MIB, "{} MiB", peak / MIB);
    // Those that fit are kept, and so are small ones of streams that come later.
    let kept = fs::metadata(setup.folder().join("kept.json")).unwrap().len();
    assert!((60 * MIB..65 * MIB).contains(&kept), "{kept}");
}
