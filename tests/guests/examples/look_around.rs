//! Writes to stdout and stderr, and looks for the host's arguments, environment and terminal.

use std::io::IsTerminal;

use guests::{Hostile, Next, Value, json, once};

struct LookAround;

guests::hostile!(LookAround);

impl Hostile for LookAround {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "the host must not forward this output")]
    fn misbehave(_: &Value, turn: u64) -> Next {
        println!("written by the guest");
        eprintln!("written by the guest");
        let (arguments, variables) = (std::env::args().count(), std::env::vars().count());
        let terminal = std::io::stdout().is_terminal() || std::io::stdin().is_terminal();
        once(turn, || json!({ "arguments": arguments, "variables": variables, "terminal": terminal }))
    }
}
