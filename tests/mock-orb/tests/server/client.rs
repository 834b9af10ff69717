//! A minimal HTTP client over a plain socket.

use std::collections::HashMap;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use mock_orb::{DEFAULT_API_KEY, MockOrb};
use serde_json::value::RawValue;

/// Far longer than any answer takes; a test that hangs is worse than one that fails.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);

/// A keep-alive connection.
pub(crate) struct Client {
    stream: BufReader<TcpStream>,
}

pub(crate) struct Answer {
    pub(crate) status: u16,
    headers: HashMap<String, String>,
    pub(crate) body: Vec<u8>,
}

impl Client {
    pub(crate) fn new(orb: &MockOrb) -> Client {
        Client::connect(orb.address()).expect("a server")
    }

    pub(crate) fn connect(address: SocketAddr) -> io::Result<Client> {
        let stream = TcpStream::connect(address)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        stream.set_nodelay(true)?;
        Ok(Client { stream: BufReader::new(stream) })
    }

    /// Sends a request with the default key and reads the whole answer.
    pub(crate) fn get(&mut self, target: &str) -> io::Result<Answer> {
        self.request("GET", target, &format!("Authorization: Bearer {DEFAULT_API_KEY}\r\n"))
    }

    pub(crate) fn request(&mut self, method: &str, target: &str, headers: &str) -> io::Result<Answer> {
        self.send(method, target, headers)?;
        self.receive()
    }

    /// Posts JSON with the default key and reads the whole answer.
    pub(crate) fn post(&mut self, target: &str, body: &str) -> io::Result<Answer> {
        let key = format!("Authorization: Bearer {DEFAULT_API_KEY}\r\n");
        let content = format!("Content-Type: application/json\r\nContent-Length: {}\r\n", body.len());
        self.send("POST", target, &(key + &content))?;
        self.stream.get_mut().write_all(body.as_bytes())?;
        self.receive()
    }

    pub(crate) fn send(&mut self, method: &str, target: &str, headers: &str) -> io::Result<()> {
        let head =
            format!("{method} {target} HTTP/1.1\r\nHost: orb\r\nUser-Agent: socket/1\r\n{headers}\r\n");
        self.stream.get_mut().write_all(head.as_bytes())
    }

    pub(crate) fn receive(&mut self) -> io::Result<Answer> {
        let status = self.line()?.split(' ').nth(1).and_then(|status| status.parse().ok());
        let status = status.ok_or(io::ErrorKind::UnexpectedEof)?;
        let mut headers = HashMap::new();
        loop {
            let line = self.line()?;
            let Some((name, value)) = line.split_once(':') else { break };
            headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
        }
        let length = headers.get("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
        let mut body = vec![0; length];
        self.stream.read_exact(&mut body)?;
        Ok(Answer { status, headers, body })
    }

    fn line(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.stream.read_line(&mut line)? == 0 {
            return Err(io::ErrorKind::UnexpectedEof.into());
        }
        Ok(line.trim_end().to_owned())
    }

    /// Reads a list to its end, starting from a target that already has a query.
    pub(crate) fn read_all(&mut self, target: &str) -> Vec<String> {
        let mut records = Vec::new();
        let mut page = target.to_owned();
        loop {
            let answer = self.get(&page).expect("a page");
            records.extend(answer.records());
            let Some(token) = answer.page_token() else { return records };
            page = format!("{target}&cursor={}", encoded(&token));
        }
    }
}

impl Answer {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }

    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).expect("a text")
    }

    /// The records of a page, exactly as sent.
    pub(crate) fn records(&self) -> Vec<String> {
        let data: Vec<&RawValue> = serde_json::from_str(self.field("data").get()).expect("a list");
        data.into_iter().map(|record| record.get().to_owned()).collect()
    }

    pub(crate) fn page_token(&self) -> Option<String> {
        let metadata = self.field("pagination_metadata").get();
        let metadata: serde_json::Value = serde_json::from_str(metadata).expect("JSON");
        let token = metadata["next_cursor"].as_str().map(str::to_owned);
        assert_eq!(metadata["has_more"], token.is_some());
        token
    }

    /// The fragment of an error's type, such as `404-url-not-found`.
    pub(crate) fn problem(&self) -> String {
        let body: serde_json::Value = serde_json::from_str(self.text()).expect("JSON");
        let kind = body["type"].as_str().expect("a type");
        kind.strip_prefix("https://docs.withorb.com/reference/error-responses#")
            .expect("Orb's type")
            .to_owned()
    }

    fn field(&self, name: &str) -> &RawValue {
        let body: HashMap<String, &RawValue> = serde_json::from_str(self.text()).expect("an object");
        body[name]
    }
}

/// Percent-encodes the characters of page tokens and dates that a query must not contain.
pub(crate) fn encoded(value: &str) -> String {
    value.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

/// The `id` of a record's text.
pub(crate) fn id_of(record: &str) -> String {
    let record: serde_json::Value = serde_json::from_str(record).expect("JSON");
    record["id"].as_str().expect("an id").to_owned()
}
