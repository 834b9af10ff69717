//! Looks for what of the host can be seen: its arguments, its environment, its terminal.

use std::io::IsTerminal;

use guests::{Hostile, Next, Value, json, once};

struct LookAround;

guests::hostile!(LookAround);

impl Hostile for LookAround {
    #[expect(clippy::print_stdout, clippy::print_stderr, reason = "this is what must not be seen")]
    fn misbehave(_: &Value, turn: u64) -> Next {
        println!("written by the guest");
        eprintln!("written by the guest");
        let (arguments, variables) = (std::env::args().count(), std::env::vars().count());
        let terminal = std::io::stdout().is_terminal() || std::io::stdin().is_terminal();
        once(turn, || json!({ "arguments": arguments, "variables": variables, "terminal": terminal }))
    }
}
