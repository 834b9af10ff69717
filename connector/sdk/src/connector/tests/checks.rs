//! What a check and the opening of a read say before anything is read.

use futures_util::future::LocalBoxFuture;
use time::Timestamp;

use super::*;
use crate::{clock::Clock, log::Level};

/// The toy, whose check also asks for something that not every server has.
#[derive(Debug)]
struct Probing;

impl Source for Probing {
    type Config = ();

    const STREAMS: &'static [&'static Stream<()>] = &[];

    const SCHEMAS: &'static [(&'static str, &'static str)] = Toy::SCHEMAS;

    fn specification() -> Specification {
        Toy::specification()
    }

    fn config(text: &str) -> Result<()> {
        Toy::config(text)
    }

    fn settings(config: &()) -> Settings {
        Toy::settings(config)
    }

    fn api(config: Rc<()>) -> Rc<dyn Api<()>> {
        Toy::api(config)
    }

    fn check(config: &()) -> Check {
        let probe = Probe {
            request: Request::get("http://h", "extras", &[]),
            finding: |body| match body {
                b"some" => Ok((Level::Info, "there are extras".into())),
                b"none" => Ok((Level::Warn, "there are no extras".into())),
                _ => Err(Problem::new("it is neither some nor none")),
            },
            otherwise: "the extras are not known",
        };
        Check { probe: Some(probe), ..Toy::check(config) }
    }
}

/// The clock of a machine that says that it is this instant.
struct At(Timestamp);

impl Clock for At {
    fn now(&self) -> Timestamp {
        self.0
    }

    fn sleep(&self, _: Duration) -> LocalBoxFuture<'static, ()> {
        panic!("it waits")
    }
}

/// Checks against a server that answers the probe like this. Returns the lines of the log.
fn probed(extras: Response) -> Vec<(Level, String)> {
    let world = World::new(move |request: &Request| {
        Ok(if path(&request.url) == "ping" { answer(200, "pong") } else { extras.clone() })
    });
    let connector = Connector::<Probing>::new(world.platform(), Rc::default());
    assert_eq!(world.run(connector.check("")), Ok(()));
    assert_eq!(*world.requests.borrow(), ["GET http://h/ping", "GET http://h/extras"]);
    world.lines.borrow().clone()
}

#[test]
fn a_probe_is_logged_and_cannot_fail_a_check() {
    for (extras, level, line) in [
        (answer(200, "some"), Level::Info, "there are extras"),
        (answer(200, "none"), Level::Warn, "there are no extras"),
        (answer(200, "?"), Level::Warn, "the extras are not known: it is neither some nor none"),
        (answer(404, ""), Level::Warn, "the extras are not known: gone"),
        (answer(403, ""), Level::Warn, "the extras are not known: forbidden"),
        (answer(400, ""), Level::Warn, "the extras are not known: wrong"),
    ] {
        assert_eq!(probed(extras), [(level, line.to_owned())]);
    }
}

#[test]
fn a_read_may_start_now_but_not_later() {
    let world = World::new(|_| panic!("a request"));
    let start = parse_instant(START).unwrap();
    let discover = |now| {
        let platform = Platform { clock: Rc::new(At(now)), ..world.platform() };
        Connector::<Toy>::new(platform, Rc::default()).discover("").map(|_| ())
    };
    assert_eq!(discover(start), Ok(()));
    let early = discover(start - SignedDuration::seconds(1)).unwrap_err();
    assert_eq!(early.message, "config: the start date lies in the future");
}

#[test]
fn a_cursor_in_the_future_is_pointed_out() {
    let opening = |cursor: &str| {
        let state = format!(r#"{{"created_at":{cursor:?}}}"#);
        read("items", Some(&state), |_| list(&[])).lines
    };
    assert_eq!(opening("2024-05-01T00:00:00Z"), Vec::<String>::new());
    assert_eq!(opening("2024-06-01T00:00:00Z"), Vec::<String>::new(), "that is now");
    let line = "items: its cursor 2024-06-01T00:00:01Z lies in the future; older records are not read";
    assert_eq!(opening("2024-06-01T00:00:01Z"), [line]);
}
