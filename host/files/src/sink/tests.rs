use elt_host::types::SyncMode;

use super::*;
use crate::options::Format;

const MINUTE: i64 = 60 * 1000;

/// A sink for the stream `a`, in a folder.
fn sink(folder: &Path) -> FileSink {
    let stream = Stream {
        name: "a".to_owned(),
        json_schema: JsonObject::parse("{}").unwrap(),
        supported_sync_modes: vec![SyncMode::Incremental],
        primary_key: Vec::new(),
        cursor_field: Vec::new(),
        resumable: true,
        group: None,
        selected_by_default: true,
        requests: None,
    };
    let host = Program { name: "host".to_owned(), version: "1".to_owned() };
    let mut sink = FileSink::open(folder, Options::new(Format::Jsonl), host).unwrap();
    sink.take(&Message::Catalog(vec![stream])).unwrap();
    sink
}

/// Takes a record that was read at a minute, and a state. Returns whether the state is true then.
fn read(sink: &mut FileSink, minute: i64) -> bool {
    let stream = Arc::new(StreamDescriptor::new("a", None));
    let records = vec![Record::parse(format!(r#"{{"minute":{minute}}}"#)).unwrap()];
    let emitted_at = 1_700_000_000_000 + minute * MINUTE;
    sink.take(&Message::Records { stream: stream.clone(), emitted_at, records }).unwrap();
    let state = JsonObject::parse(&format!(r#"{{"at":{minute}}}"#)).unwrap();
    sink.take(&Message::State { stream, state, record_count: 1 }).unwrap();
    !sink.take_settled().is_empty()
}

/// The lines of each file of the stream.
fn files(folder: &Path) -> Vec<usize> {
    let mut paths: Vec<_> =
        std::fs::read_dir(folder.join("a")).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
    paths.sort();
    paths.iter().map(|path| std::fs::read_to_string(path).unwrap().lines().count()).collect()
}

#[test]
fn a_file_of_a_slow_read_ends_with_a_state_every_five_minutes() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path());
    let settled: Vec<i64> = (0..14).filter(|minute| read(&mut sink, *minute)).collect();
    assert_eq!(settled, [5, 11]);
    assert_eq!(files(folder.path()), [6, 6]);
    sink.finish().unwrap();
    assert_eq!(files(folder.path()), [6, 6, 2]);
}

#[test]
fn a_clock_that_is_set_back_ends_no_file() {
    let folder = tempfile::tempdir().unwrap();
    let mut sink = sink(folder.path());
    assert!(!read(&mut sink, 60) && !read(&mut sink, 0) && !read(&mut sink, 64));
    assert!(read(&mut sink, 65));
}
