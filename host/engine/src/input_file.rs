//! Opens files that a command line names, which can be pipes.
//!
//! `<(command)` and `/dev/stdin` are pipes on purpose. So is one that somebody makes with `mkfifo`
//! and writes to soon after. One that nobody ever writes to is a mistake, or was put there by
//! somebody else, and opening it the usual way would take for ever.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::Duration;

/// How long somebody may take to open a pipe for writing. After that, it may take any time until
/// everything is written.
const WRITER: Duration = Duration::from_secs(30);

/// Opens the file at `path` for reading.
///
/// # Errors
///
/// Those of the operating system, and [`io::ErrorKind::TimedOut`] for a pipe that nobody opens for
/// writing within 30 s.
pub fn open(path: &Path) -> io::Result<impl Read + use<>> {
    open_within(path, WRITER)
}

/// Reads the file at `path`, as [`open`] opens it.
///
/// # Errors
///
/// Those of [`open`] and of reading.
pub fn read(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    open(path)?.read_to_end(&mut bytes)?;
    Ok(bytes)
}

/// Reads the file at `path` as text, as [`open`] opens it.
///
/// # Errors
///
/// Those of [`open`] and of reading, and if it is not UTF-8.
pub fn read_to_string(path: &Path) -> io::Result<String> {
    let mut text = String::new();
    open(path)?.read_to_string(&mut text)?;
    Ok(text)
}

#[cfg(unix)]
fn open_within(path: &Path, wait: Duration) -> io::Result<impl Read + use<>> {
    use std::fs::OpenOptions;
    use std::os::unix::fs::{FileTypeExt as _, OpenOptionsExt as _};

    use rustix::event::{PollFd, PollFlags, Timespec, poll};
    use rustix::fs::{OFlags, fcntl_getfl, fcntl_setfl};
    use rustix::io::retry_on_intr;

    // Neither waits for a writer nor takes over a terminal.
    let flags = OFlags::NONBLOCK | OFlags::NOCTTY;
    let mut file = OpenOptions::new().read(true).custom_flags(flags.bits().cast_signed()).open(path)?;
    let mut first = Vec::new();
    if file.metadata()?.file_type().is_fifo() && is_named(&file) {
        let wait = Timespec::try_from(wait).map_err(io::Error::other)?;
        // Ends with the first byte, or when all who have opened it for writing have closed it.
        let ready = retry_on_intr(|| poll(&mut [PollFd::new(&file, PollFlags::IN)], Some(&wait)))?;
        let mut byte = [0];
        match file.read(&mut byte) {
            Ok(0) if ready == 0 => return Err(io::Error::new(io::ErrorKind::TimedOut, NobodyWrites)),
            Ok(count) => first.extend_from_slice(&byte[..count]),
            // Somebody has it open, and has written nothing yet.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
            Err(error) => return Err(error),
        }
    }
    fcntl_setfl(&file, fcntl_getfl(&file)? - OFlags::NONBLOCK)?;
    Ok(io::Cursor::new(first).chain(file))
}

#[cfg(not(unix))]
fn open_within(path: &Path, _: Duration) -> io::Result<impl Read + use<>> {
    File::open(path)
}

/// Whether a pipe has a name in a folder, so that it need not have been opened for writing. Those
/// without a name always have been, and all may be written by now.
#[cfg(target_os = "linux")]
fn is_named(pipe: &File) -> bool {
    /// The file system of pipes without a name (Linux, `linux/magic.h`).
    const PIPEFS: u64 = 0x5049_5045;
    !rustix::fs::fstatfs(pipe).is_ok_and(|system| u64::try_from(system.f_type) == Ok(PIPEFS))
}

#[cfg(all(unix, not(target_os = "linux")))]
fn is_named(_: &File) -> bool {
    true
}

/// Why a pipe cannot be read.
#[derive(Debug)]
struct NobodyWrites;

impl std::fmt::Display for NobodyWrites {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("it is a pipe that nobody writes to")
    }
}

impl std::error::Error for NobodyWrites {}

#[cfg(all(test, unix))]
mod tests {
    use std::fs::{self, OpenOptions};
    use std::io::{Write as _, pipe};
    use std::os::fd::AsRawFd as _;
    use std::path::PathBuf;
    use std::process::Command;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    /// Far longer than anything here takes on a busy machine.
    const LONG: Duration = Duration::from_secs(60);

    fn fifo(folder: &Path) -> PathBuf {
        let path = folder.join("fifo");
        let made = Command::new("mkfifo").arg(&path).status();
        assert!(made.is_ok_and(|status| status.success()));
        path
    }

    fn text(path: &Path, wait: Duration) -> io::Result<String> {
        let mut text = String::new();
        open_within(path, wait)?.read_to_string(&mut text)?;
        Ok(text)
    }

    #[test]
    fn a_pipe_that_nobody_writes_to_is_not_waited_for() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        // Reading could take for ever, so that another thread does it.
        let (done, ended) = channel();
        thread::spawn(move || done.send(text(&path, Duration::ZERO)));
        let error = ended.recv_timeout(LONG).expect("an end").unwrap_err();
        assert_eq!(error.kind(), io::ErrorKind::TimedOut);
        assert_eq!(error.to_string(), "it is a pipe that nobody writes to");
    }

    #[test]
    fn a_pipe_that_is_opened_for_writing_later_is_read_to_its_end() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        for content in ["", "some text"] {
            let later = path.clone();
            let writer = thread::spawn(move || {
                // This waits for the reader.
                OpenOptions::new().write(true).open(later).unwrap().write_all(content.as_bytes()).unwrap();
            });
            assert_eq!(text(&path, LONG).unwrap(), content);
            writer.join().unwrap();
        }
    }

    #[test]
    fn whoever_has_opened_a_pipe_may_take_any_time_to_write() {
        let folder = tempfile::tempdir().unwrap();
        let path = fifo(folder.path());
        // On Linux, a pipe that is opened for both waits for nobody.
        let mut writer = OpenOptions::new().read(true).write(true).open(&path).unwrap();
        let mut opened = open_within(&path, Duration::ZERO).unwrap();
        let (told, tell) = (channel(), b"late");
        let reader = thread::spawn(move || {
            let mut text = [0; 4];
            let read = opened.read_exact(&mut text).map(|()| text);
            told.0.send(()).unwrap();
            read.unwrap()
        });
        writer.write_all(tell).unwrap();
        told.1.recv_timeout(LONG).unwrap();
        assert_eq!(&reader.join().unwrap(), tell);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn a_pipe_without_a_name_is_read_whatever_became_of_its_writer() {
        for content in ["", "some text"] {
            let (reader, mut writer) = pipe().unwrap();
            writer.write_all(content.as_bytes()).unwrap();
            drop(writer);
            let path = PathBuf::from(format!("/dev/fd/{}", reader.as_raw_fd()));
            assert_eq!(text(&path, Duration::ZERO).unwrap(), content);
        }
    }

    #[test]
    fn what_is_no_pipe_is_read_as_ever() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "some text").unwrap();
        assert_eq!(read(&path).unwrap(), b"some text");
        assert_eq!(text(Path::new("/dev/null"), Duration::ZERO).unwrap(), "");
        assert!(read(folder.path()).is_err());
        assert_eq!(read(&path.join("none")).unwrap_err().kind(), io::ErrorKind::NotADirectory);
    }
}
