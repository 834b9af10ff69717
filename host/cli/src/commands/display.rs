//! Shows the progress of a read on the terminal.

use std::collections::HashMap;
use std::io::{self, IsTerminal as _, Write as _};
use std::sync::Arc;
use std::time::{Duration, Instant, UNIX_EPOCH};

use elt_airbyte::{Message, Observer, StreamDescriptor, StreamStatus};
use elt_host::events::Level;
use indicatif::{HumanCount, HumanDuration, MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::terminal::visible;

/// How often lines are drawn at most, per second.
const DRAWN: u8 = 10;
/// How often a line moves while nothing arrives.
const TICK: Duration = Duration::from_millis(200);
/// One line: a spinner, the name of the stream, its progress.
const LINE: &str = "{spinner} {prefix:24} {msg}";

/// A line for each stream, and a summary, which is written when this is dropped.
#[derive(Debug)]
pub(crate) struct Display {
    lines: MultiProgress,
    streams: HashMap<Arc<StreamDescriptor>, Line>,
    started: Instant,
}

#[derive(Debug)]
struct Line {
    bar: ProgressBar,
    started: Instant,
    records: u64,
    slices: Option<(u64, Option<u64>)>,
    /// Until when the API refuses requests, in milliseconds since 1970.
    refused_until: Option<i64>,
}

impl Display {
    /// A display on stderr, if that is a terminal which can show it, and messages do not scroll
    /// there.
    pub(crate) fn of_terminal(messages_elsewhere: bool) -> Option<Self> {
        let scrolls = !messages_elsewhere && io::stdout().is_terminal();
        let able = io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        (able && !scrolls).then(|| Self::on(ProgressDrawTarget::stderr_with_hz(DRAWN)))
    }

    fn on(target: ProgressDrawTarget) -> Self {
        let lines = MultiProgress::with_draw_target(target);
        Self { lines, streams: HashMap::new(), started: Instant::now() }
    }

    fn line(&mut self, stream: &Arc<StreamDescriptor>) -> &mut Line {
        self.streams.entry(stream.clone()).or_insert_with(|| {
            let bar = self.lines.add(ProgressBar::new_spinner());
            // The template is valid; otherwise the default is shown.
            if let Ok(style) = ProgressStyle::with_template(LINE) {
                bar.set_style(style);
            }
            bar.set_prefix(visible(&stream.name));
            bar.enable_steady_tick(TICK);
            Line { bar, started: Instant::now(), records: 0, slices: None, refused_until: None }
        })
    }

    /// The summary of all streams.
    fn summary(&self) -> Option<String> {
        if self.streams.is_empty() {
            return None;
        }
        let records = self.streams.values().map(|line| line.records).sum();
        let (streams, time) = (self.streams.len(), HumanDuration(self.started.elapsed()));
        Some(format!(
            "{streams} {}, {} records in {time:#}",
            if streams == 1 { "stream" } else { "streams" },
            HumanCount(records)
        ))
    }
}

impl Line {
    fn show(&self) {
        self.bar.set_message(self.text());
    }

    fn text(&self) -> String {
        let mut text = format!("{} records", HumanCount(self.records));
        let seconds = self.started.elapsed().as_secs();
        if let Some(rate) = self.records.checked_div(seconds) {
            text += &format!(", {}/s", HumanCount(rate));
        }
        match self.slices {
            Some((done, Some(total))) => {
                text += &format!(", {} of {} slices", HumanCount(done), HumanCount(total));
            }
            Some((done, None)) => text += &format!(", {} slices", HumanCount(done)),
            None => {}
        }
        if let Some(until) = self.refused_until.and_then(|until| u64::try_from(until).ok()) {
            let until = UNIX_EPOCH + Duration::from_millis(until);
            text += &format!(", rate limited until {}", humantime::format_rfc3339_seconds(until));
        }
        text
    }

    fn end(&self, how: &str) {
        let time = HumanDuration(self.started.elapsed());
        self.bar.finish_with_message(format!("{} records in {time:#}, {how}", HumanCount(self.records)));
    }
}

impl Observer for Display {
    fn written(&mut self, message: &Message) {
        match message {
            Message::Records { stream, records, .. } => {
                let line = self.line(stream);
                line.records += records.len() as u64;
                line.refused_until = None;
                line.show();
            }
            Message::Slices { stream, done, total } => {
                let line = self.line(stream);
                line.slices = Some((*done, *total));
                line.show();
            }
            Message::StreamStatus { stream, status, .. } => {
                let line = self.line(stream);
                match status {
                    StreamStatus::Started | StreamStatus::Running => line.show(),
                    StreamStatus::RateLimited { quota_reset } => {
                        line.refused_until = Some(*quota_reset);
                        line.show();
                    }
                    StreamStatus::Complete => line.end("complete"),
                    StreamStatus::Incomplete => line.end("incomplete"),
                }
            }
            Message::Log { level, message } if *level >= Level::Warn => {
                // If the terminal is gone, nobody can read this.
                let _ = self.lines.println(format!("warning: {}", visible(message)));
            }
            _ => {}
        }
    }
}

impl Drop for Display {
    fn drop(&mut self) {
        for line in self.streams.values() {
            if !line.bar.is_finished() {
                line.bar.abandon();
            }
        }
        if let Some(summary) = self.summary() {
            let _ = writeln!(io::stderr(), "{summary}");
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use indicatif::TermLike;

    use super::*;

    /// A terminal that keeps what is drawn on it.
    #[derive(Clone, Debug, Default)]
    struct Paper(Arc<Mutex<String>>);

    impl TermLike for Paper {
        fn width(&self) -> u16 {
            100
        }
        fn move_cursor_up(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_down(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_right(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn move_cursor_left(&self, _: usize) -> io::Result<()> {
            Ok(())
        }
        fn write_line(&self, line: &str) -> io::Result<()> {
            self.write_str(&format!("{line}\n"))
        }
        fn write_str(&self, text: &str) -> io::Result<()> {
            self.0.lock().unwrap().push_str(text);
            Ok(())
        }
        fn clear_line(&self) -> io::Result<()> {
            Ok(())
        }
        fn flush(&self) -> io::Result<()> {
            Ok(())
        }
    }

    fn stream() -> Arc<StreamDescriptor> {
        Arc::new(StreamDescriptor { name: "customers\u{1b}[2J".to_owned(), namespace: None })
    }

    fn status(status: StreamStatus) -> Message {
        Message::StreamStatus { stream: stream(), status, emitted_at: 0 }
    }

    #[test]
    fn a_line_says_how_far_a_stream_has_come_and_what_it_waits_for() {
        let mut display = Display::on(ProgressDrawTarget::hidden());
        display.written(&status(StreamStatus::Started));
        display.written(&Message::Slices { stream: stream(), done: 3, total: Some(1_200) });
        display.written(&status(StreamStatus::RateLimited { quota_reset: 5_000 }));
        let text = display.line(&stream()).text();
        assert_eq!(text, "0 records, 3 of 1,200 slices, rate limited until 1970-01-01T00:00:05Z");
        display.written(&Message::Records { stream: stream(), emitted_at: 0, records: vec![] });
        assert_eq!(display.line(&stream()).text(), "0 records, 3 of 1,200 slices");
        assert!(display.summary().unwrap().starts_with("1 stream, 0 records in "));
    }

    #[test]
    fn warnings_and_ends_are_seen_and_nothing_moves_the_cursor() {
        let paper = Paper::default();
        let mut display = Display::on(ProgressDrawTarget::term_like(Box::new(paper.clone())));
        display.written(&status(StreamStatus::Started));
        display.written(&Message::Log { level: Level::Warn, message: "beware\u{1b}[2J".to_owned() });
        display.written(&Message::Log { level: Level::Info, message: "never mind".to_owned() });
        display.written(&status(StreamStatus::Incomplete));
        drop(display);
        let drawn = paper.0.lock().unwrap().clone();
        assert!(drawn.contains(r"warning: beware\u001b[2J") && drawn.contains(", incomplete"), "{drawn:?}");
        assert!(drawn.contains(r"customers\u001b[2J") && !drawn.contains("never mind"), "{drawn:?}");
    }
}
