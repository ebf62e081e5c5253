//! What is wrong with a configuration. Belongs here: the finding, its place, and how it is printed. Not here: finding it.

use std::fmt;
use std::path::PathBuf;

/// One fault, to be mended by whoever wrote `file`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Problem {
    pub file: PathBuf,
    /// From 1; 0 when the fault is the whole file's (missing, unreadable).
    pub line: usize,
    /// Names the setting and the bad value.
    pub what: String,
    /// What to do next.
    pub fix: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:", self.file.display())?;
        if self.line > 0 {
            write!(f, "{}:", self.line)?;
        }
        write!(f, " {}\n    {}", self.what, self.fix)
    }
}

/// All of them, as `check` prints them.
pub fn report(problems: &[Problem]) -> String {
    let lines = problems.iter().map(|p| format!("{p}\n"));
    let count = match problems.len() {
        1 => "1 problem".to_owned(),
        n => format!("{n} problems"),
    };
    lines.chain([format!("{count} found\n")]).collect()
}
