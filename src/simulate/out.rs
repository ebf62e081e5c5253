//! Stdout, which its reader may close at any time (`rexian simulate | head`): the files asked for are written all the
//! same. Not here: what is said (`table`, `export`).

use std::fmt::Arguments;
use std::io::{ErrorKind, Write};

pub fn line(line: Arguments<'_>) {
    told(writeln!(std::io::stdout(), "{line}"));
}

pub fn text(text: &str) {
    told(std::io::stdout().write_all(text.as_bytes()));
}

fn told(result: std::io::Result<()>) {
    match result {
        Err(e) if e.kind() != ErrorKind::BrokenPipe => {
            eprintln!("stdout cannot be written: {e}\n    write to a file with --json or --csv");
            std::process::exit(2);
        }
        _ => {}
    }
}
