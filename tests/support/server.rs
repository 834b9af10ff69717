//! Servers for guests: one that answers as a test says and remembers what it was asked, and one that must not be reached.

use std::{
    io::{self, BufRead, BufReader, ErrorKind, Read, Write},
    net::{SocketAddr, TcpListener, TcpStream},
    sync::{
        Arc, Mutex,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

/// A server on a port of its own.
pub(crate) struct Server {
    address: SocketAddr,
    seen: Arc<Seen>,
}

#[derive(Default)]
struct Seen {
    connections: AtomicUsize,
    requests: Mutex<Vec<Received>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    /// The request line and the headers, without the empty line that ends them.
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
}

impl Received {
    /// The path and query, or whatever stands in their place.
    pub(crate) fn target(&self) -> &str {
        self.head.split(' ').nth(1).unwrap_or_default()
    }

    /// The first header of this name, in lower case, if there is one.
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let fields = self.head.lines().skip(1).filter_map(|line| line.split_once(": "));
        fields.into_iter().find(|(field, _)| field.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }

    /// All of it.
    pub(crate) fn text(&self) -> String {
        format!("{}\n\n{}", self.head, String::from_utf8_lossy(&self.body))
    }
}

/// What is done with a connection.
type Act = Box<dyn FnOnce(&mut Peer) -> io::Result<()>>;

/// What a server does with a request.
pub(crate) enum Answer {
    /// Answers, and takes the next request on the same connection.
    Whole(String),
    /// Does this with the connection, which is closed afterwards.
    Raw(Act),
}

impl Answer {
    /// 200 with this body.
    pub(crate) fn ok(body: &str) -> Self {
        Self::with("200 OK", &[], body)
    }

    /// A status, headers and a body of known length.
    pub(crate) fn with(status: &str, headers: &[(&str, &str)], body: &str) -> Self {
        let headers: String = headers.iter().map(|(name, value)| format!("{name}: {value}\r\n")).collect();
        Self::Whole(format!("HTTP/1.1 {status}\r\n{headers}content-length: {}\r\n\r\n{body}", body.len()))
    }

    /// Whatever is written here, as it is.
    pub(crate) fn raw(act: impl FnOnce(&mut Peer) -> io::Result<()> + 'static) -> Self {
        Self::Raw(Box::new(act))
    }

    /// Nothing, until the client has gone.
    pub(crate) fn silence() -> Self {
        Self::raw(Peer::wait)
    }

    /// A body of this encoding that goes on for as long as the client takes it: `first`, and then `again` for ever.
    pub(crate) fn endless(encoding: &'static str, first: Vec<u8>, again: Vec<u8>) -> Self {
        Self::raw(move |peer| {
            write!(peer, "HTTP/1.1 200 OK\r\ncontent-encoding: {encoding}\r\nconnection: close\r\n\r\n")?;
            peer.write_all(&first)?;
            loop {
                peer.write_all(&again)?;
            }
        })
    }
}

/// The other end of a connection.
pub(crate) struct Peer(TcpStream);

impl Peer {
    /// Waits until the client has gone.
    pub(crate) fn wait(&mut self) -> io::Result<()> {
        io::copy(&mut self.0, &mut io::sink()).map(drop)
    }

    /// Waits a moment, or until the client has gone, which is an error.
    pub(crate) fn pause(&mut self, moment: Duration) -> io::Result<()> {
        self.0.set_read_timeout(Some(moment))?;
        match self.0.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.flush()
    }
}

impl Server {
    /// Answers every request as `answer` says.
    pub(crate) fn start(answer: impl Fn(&Received) -> Answer + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let server = Self { address: listener.local_addr().unwrap(), seen: Arc::default() };
        let (seen, answer) = (server.seen.clone(), Arc::new(answer));
        thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                seen.connections.fetch_add(1, Ordering::SeqCst);
                let (seen, answer) = (seen.clone(), answer.clone());
                // A client that goes away in the middle is what many a test is about.
                thread::spawn(move || serve(stream, &seen, &*answer));
            }
        });
        server
    }

    /// Answers every request with `ok`.
    pub(crate) fn ok() -> Self {
        Self::start(|_| Answer::ok("ok"))
    }

    /// Its URL, with an address in it.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }

    /// How many connections were made to it.
    pub(crate) fn connections(&self) -> usize {
        self.seen.connections.load(Ordering::SeqCst)
    }

    /// The requests so far, in the order in which they were read.
    pub(crate) fn requests(&self) -> Vec<Received> {
        self.seen.requests.lock().unwrap().clone()
    }
}

fn serve(stream: TcpStream, seen: &Seen, answer: &dyn Fn(&Received) -> Answer) -> io::Result<()> {
    stream.set_nodelay(true)?;
    let mut peer = Peer(stream.try_clone()?);
    let mut reader = BufReader::new(stream);
    while let Some(request) = receive(&mut reader)? {
        seen.requests.lock().unwrap().push(request.clone());
        match answer(&request) {
            Answer::Whole(text) => peer.write_all(text.as_bytes())?,
            Answer::Raw(act) => return act(&mut peer),
        }
    }
    Ok(())
}

/// The next request of a connection; none at its end. A body must say its length.
fn receive(reader: &mut impl BufRead) -> io::Result<Option<Received>> {
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
    let mut request = Received { head: head.trim_end().to_owned(), body: Vec::new() };
    let length = request.header("content-length").and_then(|length| length.parse().ok()).unwrap_or(0);
    request.body.resize(length, 0);
    reader.read_exact(&mut request.body)?;
    Ok(Some(request))
}

/// A server that must not be reached: it tells whether anybody came as far as a connection.
pub(crate) struct Canary(TcpListener);

impl Canary {
    pub(crate) fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn port(&self) -> u16 {
        self.0.local_addr().unwrap().port()
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port())
    }

    /// Fails if somebody came. The system keeps connections for it, so none is missed.
    #[track_caller]
    pub(crate) fn assert_unreached(&self) {
        let error = self.0.accept().expect_err("the host was reached");
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
    }
}
