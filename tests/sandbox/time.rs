//! Signals and deadlines: they hold whatever a server sends without end, and whatever the host is
//! busy with.

use std::{
    fs::OpenOptions,
    io::{BufRead as _, BufReader, Read as _, Write as _},
    os::{
        fd::OwnedFd,
        unix::{net::UnixStream, process::ExitStatusExt as _},
    },
    process::{Child, Command, ExitStatus, Stdio},
    sync::mpsc::{Receiver, channel},
    thread,
    time::{Duration, Instant},
};

use mock_orb::{Account, MockOrb, Settings};
use scripted_server::{Answer, Server};
use serde_json::json;

use super::{assert_limited, told};
use crate::support::{Output, Setup, guests, setup::inspect};

/// Far longer than anything here takes on a busy machine.
const LONG: Duration = Duration::from_secs(10);
/// Requests that are answered by a flood at the same time.
const REQUESTS: usize = 16;

/// A server that answers each request without end, and a read of it.
struct Flood {
    setup: Setup,
    /// Says so when a request is answered.
    begun: Receiver<()>,
    /// Lives as long as the flood.
    _server: Server,
}

/// What can be sent without end, so that no limit but time ends it: answers that are not the last
/// in HTTP/1.1, frames that need no answer in HTTP/2, and compressed data with nothing in it.
const KINDS: [fn() -> Flood; 4] = [
    || informational("HTTP/1.1 100 \r\n\r\n"),
    || informational("HTTP/1.1 103 Early Hints\r\nlink: </style.css>; rel=preload\r\n\r\n"),
    frames,
    members,
];

impl Flood {
    fn new(server: impl FnOnce(Begin) -> Server) -> Self {
        let (begin, begun) = channel();
        let server = server(Box::new(move || {
            // Most tests do not wait for it.
            let _ = begin.send(());
        }));
        let config = json!({ "api_url": server.url(), "count": REQUESTS });
        let setup = Setup::guest(guests::REQUEST_FLOOD, config);
        let certificate = setup.file("ca.pem", server.certificate());
        let setup = match server.certificate() {
            "" => setup,
            _ => setup.flags(&["--ca-cert", certificate.to_str().unwrap()]),
        };
        Self { setup, begun, _server: server }
    }

    /// Reads the stream with these flags.
    #[track_caller]
    fn read(self, flags: &[&str]) -> Output {
        in_time(|| self.setup.flags(flags).read(&["things"]))
    }
}

/// Says that a request is answered.
type Begin = Box<dyn Fn() + Send + Sync>;

/// Writes `again` without end.
fn endless(first: &'static [u8], again: &[u8]) -> Answer {
    let again = again.repeat(64 * 1024 / again.len());
    Answer::raw(move |peer| {
        peer.write_all(first)?;
        loop {
            peer.write_all(&again)?;
        }
    })
}

fn informational(answer: &'static str) -> Flood {
    Flood::new(|begin| {
        Server::start(move |_| {
            begin();
            endless(b"", answer.as_bytes())
        })
    })
}

/// `WINDOW_UPDATE`, `PRIORITY` and one of an unknown type.
const FRAMES: &[u8] = b"\0\0\x04\x08\0\0\0\0\0\0\0\0\x01\
    \0\0\x05\x02\0\0\0\0\x01\0\0\0\0\x10\
    \0\0\0\xbe\0\0\0\0\0";
/// Empty settings, with which a server begins.
const SETTINGS: &[u8] = b"\0\0\0\x04\0\0\0\0\0";

fn frames() -> Flood {
    Flood::new(|begin| {
        // The preface of a client of HTTP/2 looks like a request of HTTP/1.1.
        Server::tls("127.0.0.1", &["h2"], move |_| {
            begin();
            endless(SETTINGS, FRAMES)
        })
    })
}

/// A member of gzip without content.
const MEMBER: &[u8] = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";

fn members() -> Flood {
    let flood = Flood::new(|begin| {
        Server::start(move |_| {
            begin();
            Answer::endless("gzip", Vec::new(), MEMBER.repeat(4096))
        })
    });
    // Otherwise these end it.
    let setup = flood.setup.flags(&[
        "--max-response",
        "1000GiB",
        "--max-response-encoded",
        "1000GiB",
        "--max-compute",
        "1h",
    ]);
    Flood { setup, ..flood }
}

/// Does what has an end, and fails if that is late.
#[track_caller]
pub(super) fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let begun = Instant::now();
    let done = work();
    assert!(begun.elapsed() < LONG, "took {:?}", begun.elapsed());
    done
}

#[test]
fn a_flood_is_not_waited_for_longer_than_an_answer() {
    for flood in &KINDS[..3] {
        let output = flood().read(&["--response-timeout", "500ms", "--connect-timeout", "500ms"]);
        assert_eq!(told(&output), [json!({ "answered": 0 })]);
    }
}

#[test]
fn a_flood_holds_up_the_end_of_no_call() {
    for flood in KINDS {
        assert_limited(&flood().read(&["--max-call", "1s"]), "--max-call");
    }
}

#[test]
fn a_flood_holds_up_the_end_of_no_sync() {
    for flood in KINDS {
        let output = flood().read(&["--max-sync", "1s"]);
        assert!(output.error().message.contains("--max-sync"), "{}", output.stderr);
        assert_eq!(output.statuses("things"), ["STARTED", "RUNNING", "INCOMPLETE"]);
    }
}

#[test]
fn a_flood_holds_up_no_signal() {
    for flood in KINDS {
        let Flood { setup, begun, _server } = flood();
        let (config, catalog) = (setup.config_file(), setup.catalog_file(&["things"]));
        let child = start(setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]));
        begun.recv().unwrap();
        assert_terminated(child);
    }
}

/// Starts a command of which nobody sees what it says.
fn start(mut command: Command) -> Child {
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap()
}

/// Checks that a command ends soon after SIGTERM, and by it.
#[track_caller]
fn assert_terminated(mut child: Child) {
    let process = child.id();
    send("-TERM", process);
    let (done, ended) = channel();
    thread::spawn(move || done.send(child.wait().unwrap()));
    let status = ended.recv_timeout(LONG);
    if status.is_err() {
        send("-KILL", process);
    }
    assert_eq!(status.map(|status: ExitStatus| status.signal()), Ok(Some(15)));
}

/// Sends a signal to a process.
fn send(signal: &str, process: u32) {
    let process = process.to_string();
    assert!(Command::new("kill").args([signal, &process]).status().unwrap().success());
}

/// Every command that runs a component, ready to run.
fn commands(setup: &Setup) -> [Command; 5] {
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["things"]));
    [
        setup.command(&[&"spec"]),
        setup.command(&[&"check", &"--config", &config]),
        setup.command(&[&"discover", &"--config", &config]),
        setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]),
        inspect(setup.component_path()),
    ]
}

#[test]
fn a_host_that_is_stuck_holds_up_no_signal() {
    let pipe = tempfile::tempdir().unwrap();
    let pipe = pipe.path().join("component.wasm");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let setup = Setup::guest(guests::TRAP, json!({})).component(&pipe);
    for command in commands(&setup) {
        let child = start(command);
        // This waits until the host reads it. Nobody ever writes anything.
        let _held = OpenOptions::new().write(true).open(&pipe).unwrap();
        assert_terminated(child);
    }
}

#[test]
fn a_component_that_computes_before_it_reads_holds_up_no_signal() {
    // `inspect` says nothing before its end, and so not when the component computes either.
    let setup = Setup::guest(guests::ENDLESS_SPEC, json!({}));
    let [running @ .., _inspect] = commands(&setup);
    for mut command in running {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut stdout = BufReader::new(child.stdout.take().unwrap());
        let mut stderr = child.stderr.take().unwrap();
        // Once it says so, the signal is no longer one that ends any process.
        let mut line = String::new();
        while !line.contains("computes without an end") {
            line.clear();
            assert_ne!(stdout.read_line(&mut line).unwrap(), 0, "it computes");
        }
        assert_terminated(child);
        line.clear();
        stderr.read_to_string(&mut line).unwrap();
        assert!(line.contains("stopped by SIGTERM"), "{line}");
    }
}

#[test]
fn a_sync_has_an_end_while_its_component_is_compiled() {
    let setup = Setup::template(json!({})).flags(&["--max-sync", "1ms", "--no-cache"]);
    let output = in_time(|| setup.read(&["things"]));
    assert!(output.error().message.contains("--max-sync"), "{}", output.stderr);
}

#[test]
fn a_sync_has_an_end_although_the_host_is_stuck() {
    let setup = Setup::guest(guests::TRAP, json!({}));
    // Nobody ever writes to it, so that opening it takes for ever.
    let pipe = setup.folder().join("component.wasm");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    let output = in_time(|| setup.component(pipe).flags(&["--max-sync", "1s"]).read(&["things"]));
    assert!(output.error().message.contains("--max-sync"), "{}", output.stderr);
}

/// A stdout with room for nothing more, and its other end, which nobody reads or closes.
fn full() -> (UnixStream, Stdio) {
    let (unread, mut full) = UnixStream::pair().unwrap();
    full.set_nonblocking(true).unwrap();
    while full.write(&[b'\n'; 1 << 16]).is_ok() {}
    while full.write(b"\n").is_ok() {}
    full.set_nonblocking(false).unwrap();
    (unread, OwnedFd::from(full).into())
}

#[test]
fn a_sync_has_an_end_although_nobody_reads_its_output() {
    let orb = MockOrb::start(Account::generate(&Settings::default()));
    let setup = Setup::new(&orb).flags(&["--max-sync", "1s"]);
    let (config, catalog) = (setup.config_file(), setup.catalog_file(&["customers"]));
    let mut command = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog]);
    let (_unread, full) = full();
    let child = command.stdout(full).stderr(Stdio::piped()).spawn().unwrap();
    let output = in_time(|| Output::of(child.wait_with_output().unwrap()));
    assert_eq!(output.code, Some(1));
    assert!(output.stderr.contains("was not taken from stdout within 1s"), "{}", output.stderr);
}
