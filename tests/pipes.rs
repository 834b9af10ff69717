//! Pipes in the place of files: each file that a command reads can be one.

use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    thread,
};

use mock_orb::{Account, MockOrb, Settings};

use crate::support::{Setup, artifacts, setup::run};

const STATE: &str = "[]";

/// Files of a read of customers, in the folder of its setup.
fn files(setup: &Setup) -> [PathBuf; 4] {
    let component = setup.file("orb.wasm", fs::read(artifacts::orb()).unwrap());
    let state = setup.file("state.json", STATE);
    [component, setup.config_file(), setup.catalog_file(&["customers"]), state]
}

fn orb() -> MockOrb {
    MockOrb::start(Account::generate(&Settings { customers: 3, ..Settings::empty() }))
}

#[test]
fn every_file_of_a_read_can_be_the_output_of_a_command() {
    let orb = orb();
    let setup = Setup::new(&orb);
    files(&setup);
    let script = r#"exec "$0" run <(cat orb.wasm) read --config <(cat config.json) \
        --catalog <(cat catalog.json) --state <(cat state.json)"#;
    let mut bash = Command::new("bash");
    bash.args(["-c", script]).arg(artifacts::host()).current_dir(setup.folder());
    bash.env("XDG_CACHE_HOME", env!("CARGO_TARGET_TMPDIR"));
    let output = run(bash);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("customers").len(), 3);
}

#[test]
fn a_config_can_come_from_stdin() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let config = setup.config_file();
    let mut command = setup.command(&[&"check", &"--config", &"/dev/stdin"]);
    let mut cat = Command::new("cat").arg(config).stdout(Stdio::piped()).spawn().unwrap();
    command.stdin(cat.stdout.take().unwrap());
    let output = run(command);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert!(cat.wait().unwrap().success());
}

/// Makes a pipe with a name, beside the file whose content it is to have.
fn fifo(file: &Path) -> PathBuf {
    let pipe = file.with_extension("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    pipe
}

#[test]
fn every_file_of_a_read_can_be_a_pipe_that_is_written_to_later() {
    let orb = orb();
    let setup = Setup::new(&orb);
    let files = files(&setup);
    let pipes = files.each_ref().map(|file| fifo(file));
    let write = |(file, pipe): (PathBuf, PathBuf)| {
        // Opening waits for the host, which is started last.
        thread::spawn(move || {
            let mut pipe = OpenOptions::new().write(true).open(pipe).unwrap();
            pipe.write_all(&fs::read(file).unwrap()).unwrap();
        })
    };
    let writers: Vec<_> = files.into_iter().zip(pipes.clone()).map(write).collect();
    let [component, config, catalog, state] = pipes;
    let setup = setup.component(component);
    let read = setup.command(&[&"read", &"--config", &config, &"--catalog", &catalog, &"--state", &state]);
    let output = run(read);
    assert_eq!(output.code, Some(0), "{}", output.stderr);
    assert_eq!(output.records("customers").len(), 3);
    writers.into_iter().for_each(|writer| writer.join().unwrap());
}
