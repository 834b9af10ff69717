//! Reads HTTP requests.

use std::io::{self, BufRead};

/// A request, with its head exactly as read.
#[derive(Clone, Debug)]
pub struct Request {
    /// The request line and the headers, without the final empty line.
    pub head: String,
    /// The body. It must have a `Content-Length`; chunked bodies are not supported.
    pub body: Vec<u8>,
}

impl Request {
    /// Reads the next request of a connection; `None` at its end.
    pub(crate) fn read(reader: &mut impl BufRead) -> io::Result<Option<Self>> {
        let mut head = String::new();
        loop {
            let mut line = String::new();
            if reader.read_line(&mut line)? == 0 {
                return Ok(None);
            }
            match line.trim_end() {
                "" => break,
                line => head += &format!("{line}\n"),
            }
        }
        let mut request = Self { head: head.trim_end().to_owned(), body: Vec::new() };
        let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        request.body.resize(length, 0);
        reader.read_exact(&mut request.body)?;
        Ok(Some(request))
    }

    /// The request target: a path and query, or whatever the client sent instead.
    pub fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The first header with this name, which must be in lower case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let mut fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// The lines of the head.
    pub fn lines(&self) -> Vec<String> {
        self.head.lines().map(str::to_owned).collect()
    }

    /// The head and the body.
    pub fn text(&self) -> String {
        format!("{}\n\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}
