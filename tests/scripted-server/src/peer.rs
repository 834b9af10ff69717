//! A connection to a client, with or without TLS.

use std::collections::VecDeque;
use std::io::{self, ErrorKind, Read, Write};
use std::net::TcpStream;
use std::sync::Arc;
use std::time::Duration;

use rustls::{HandshakeKind, ServerConfig, ServerConnection, StreamOwned};

/// A connection to a client, with or without TLS.
#[derive(Debug)]
pub struct Peer {
    stream: Stream,
    /// What was read ahead of whoever reads on.
    ahead: VecDeque<u8>,
}

#[derive(Debug)]
enum Stream {
    Plain(TcpStream),
    Tls(Box<StreamOwned<ServerConnection, TcpStream>>),
}

impl Peer {
    pub(crate) fn plain(socket: TcpStream) -> Self {
        Self { stream: Stream::Plain(socket), ahead: VecDeque::new() }
    }

    /// Makes these bytes the next that are read.
    pub(crate) fn give_back(&mut self, bytes: &[u8]) {
        self.ahead.extend(bytes);
    }

    /// Performs the handshake.
    pub(crate) fn tls(
        mut socket: TcpStream,
        config: &Arc<ServerConfig>,
    ) -> io::Result<(Self, HandshakeKind)> {
        let mut connection = ServerConnection::new(config.clone()).unwrap();
        while connection.is_handshaking() {
            connection.complete_io(&mut socket)?;
        }
        let kind = connection.handshake_kind().unwrap();
        let stream = Stream::Tls(Box::new(StreamOwned::new(connection, socket)));
        Ok((Self { stream, ahead: VecDeque::new() }, kind))
    }

    /// The connection below TLS, or the connection itself.
    pub(crate) fn socket(&self) -> &TcpStream {
        match &self.stream {
            Stream::Plain(socket) => socket,
            Stream::Tls(stream) => stream.get_ref(),
        }
    }

    /// Waits until the client disconnects.
    pub fn wait(&mut self) -> io::Result<()> {
        io::copy(self, &mut io::sink()).map(drop)
    }

    /// Waits for a while; fails if the client disconnects first.
    pub fn pause(&mut self, moment: Duration) -> io::Result<()> {
        self.socket().set_read_timeout(Some(moment))?;
        match self.read(&mut [0]) {
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Err(ErrorKind::ConnectionAborted.into()),
        }
    }
}

impl Read for Peer {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        if !self.ahead.is_empty() {
            return self.ahead.read(bytes);
        }
        match &mut self.stream {
            Stream::Plain(socket) => socket.read(bytes),
            Stream::Tls(stream) => stream.read(bytes),
        }
    }
}

impl Write for Peer {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.write(bytes),
            Stream::Tls(stream) => stream.write(bytes),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(socket) => socket.flush(),
            Stream::Tls(stream) => stream.flush(),
        }
    }
}
