//! Counts a source's output by kind of message.

use std::io::{self, BufRead, BufReader, Read};

use serde_json::{Value, json};

/// Bytes per read from a pipe: the capacity of one.
const PART: usize = 64 * 1024;

/// Counts of the output so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Messages {
    pub(crate) records: u64,
    /// All bytes.
    pub(crate) bytes: u64,
    /// The size of the largest `STATE` message.
    pub(crate) state_bytes: u64,
    /// The last state, as a file for `--state`.
    pub(crate) state: Option<String>,
    /// Whether a stream was reported as complete.
    pub(crate) is_complete: bool,
}

impl Messages {
    /// Counts messages.
    ///
    /// # Errors
    ///
    /// If the pipe breaks, or a line is no message.
    pub(crate) fn read(output: impl Read) -> io::Result<Self> {
        let (mut messages, mut line) = (Self::default(), Vec::new());
        let mut output = BufReader::with_capacity(PART, output);
        while output.read_until(b'\n', &mut line)? > 0 {
            messages.bytes += line.len() as u64;
            if is_record(&line) {
                messages.records += 1;
            } else {
                messages.observe(&serde_json::from_slice(&line)?, line.len() as u64);
            }
            line.clear();
        }
        Ok(messages)
    }

    /// Counts bytes without parsing them.
    ///
    /// # Errors
    ///
    /// If the pipe breaks.
    pub(crate) fn count(mut output: impl Read) -> io::Result<Self> {
        let bytes = io::copy(&mut output, &mut io::sink())?;
        Ok(Self { bytes, is_complete: true, ..Self::default() })
    }

    fn observe(&mut self, message: &Value, length: u64) {
        if message["type"] == "STATE" {
            self.state_bytes = self.state_bytes.max(length);
            self.state = Some(json!([message["state"]]).to_string());
        }
        self.is_complete |= message["trace"]["stream_status"]["status"] == "COMPLETE";
    }
}

/// Does not parse records: there are many. Some sources write a space after the colon.
fn is_record(line: &[u8]) -> bool {
    line.starts_with(br#"{"type":"RECORD""#) || line.starts_with(br#"{"type": "RECORD""#)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_are_counted_whoever_writes_them() {
        let lines = concat!(
            "{\"type\":\"RECORD\",\"record\":{}}\n",
            "{\"type\": \"RECORD\", \"record\": {}}\n",
            "{\"type\":\"STATE\",\"state\":{\"type\":\"STREAM\"}}\n",
            "{\"type\":\"TRACE\",\"trace\":{\"stream_status\":{\"status\":\"COMPLETE\"}}}\n",
        );
        let messages = Messages::read(lines.as_bytes()).unwrap();
        assert_eq!((messages.records, messages.bytes), (2, lines.len() as u64));
        assert_eq!(messages.state.as_deref(), Some(r#"[{"type":"STREAM"}]"#));
        assert!(messages.is_complete);
        assert!(Messages::read(b"Traceback\n".as_slice()).is_err());
    }
}
