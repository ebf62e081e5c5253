//! The spool's door for those who look after it: a socket beside the file, for the commands of the same user. Belongs
//! here: the questions and their answers, asking them with and without a running gateway. Not here: the command line
//! (`upkeep`), what is done (`writer`).
//!
//! A running gateway holds the file's lock, so nobody else can read it. One line of JSON each way; whoever may open the
//! socket may read the file as well.

use super::file::{SetAside, SpoolFile};
use super::spool::{Spool, SpoolError};
use serde::{Deserialize, Serialize};
use std::io::{self, BufRead, BufReader, Read, Write};
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, AsyncReadExt, AsyncWriteExt};
use tokio::net::UnixListener;
use tokio::task::JoinHandle;
use tokio::time::timeout;

/// Most entries in one answer.
const LISTED: u32 = 1_000;
const LONGEST_QUESTION: u64 = 64 << 10;
const PATIENCE: Duration = Duration::from_secs(5);

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Question {
    /// The first thousand tickets set aside.
    SetAside,
    /// Deliver these once more, by their numbers.
    Retry(Vec<i64>),
}

#[derive(Clone, Debug, Serialize, Deserialize)]
pub enum Answer {
    SetAside(Vec<SetAside>),
    PutBack(u64),
    Failed(String),
}

/// Where the socket of this spool is.
pub fn path(spool: &Path) -> PathBuf {
    let mut path = spool.as_os_str().to_owned();
    path.push(".sock");
    path.into()
}

/// Answers until the task is aborted. The spool's lock is held: a socket that is there already is nobody's.
pub(super) fn open(spool: Spool, file: &Path) -> io::Result<JoinHandle<()>> {
    let path = path(file);
    match std::fs::remove_file(&path) {
        Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
        _ => {}
    }
    let listener = UnixListener::bind(&path)?;
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600))?;
    Ok(tokio::spawn(async move {
        loop {
            // One at a time: they are people.
            match listener.accept().await {
                Ok((stream, _)) => drop(timeout(PATIENCE, attend(stream, &spool)).await),
                Err(_) => tokio::time::sleep(Duration::from_millis(100)).await,
            }
        }
    }))
}

async fn attend(mut stream: tokio::net::UnixStream, spool: &Spool) -> io::Result<()> {
    let (from, mut to) = stream.split();
    let mut line = String::new();
    tokio::io::BufReader::new(from.take(LONGEST_QUESTION)).read_line(&mut line).await?;
    let answer = match serde_json::from_str(&line) {
        Ok(Question::SetAside) => spool.set_aside(LISTED).await.map(Answer::SetAside),
        Ok(Question::Retry(seqs)) => spool.put_back(seqs).await.map(Answer::PutBack),
        Err(e) => Err(format!("not understood: {e}")),
    };
    let mut text = serde_json::to_string(&answer.unwrap_or_else(Answer::Failed))?;
    text.push('\n');
    to.write_all(text.as_bytes()).await
}

/// Asks the gateway that has this spool, or the file if there is none running.
pub fn ask(file: &Path, question: &Question) -> Result<Answer, String> {
    if !file.is_file() {
        return Err(format!("there is no spool {}", file.display()));
    }
    let path = path(file);
    match UnixStream::connect(&path) {
        Ok(stream) => {
            exchange(stream, question).map_err(|e| format!("{}: the gateway does not answer: {e}", path.display()))
        }
        Err(e) if matches!(e.kind(), io::ErrorKind::NotFound | io::ErrorKind::ConnectionRefused) => {
            alone(file, question)
        }
        Err(e) => Err(format!("{}: {e}; run this as the gateway's user", path.display())),
    }
}

fn exchange(mut stream: UnixStream, question: &Question) -> io::Result<Answer> {
    stream.set_read_timeout(Some(PATIENCE))?;
    stream.write_all((serde_json::to_string(question)? + "\n").as_bytes())?;
    let mut line = String::new();
    BufReader::new(stream.take(1 << 30)).read_line(&mut line)?;
    Ok(serde_json::from_str(&line)?)
}

fn alone(file: &Path, question: &Question) -> Result<Answer, String> {
    let work = async {
        let (mut spool, _) = SpoolFile::open(file, 1 << 40, 1).await?;
        let answer = match question {
            Question::SetAside => spool.set_aside(LISTED).await.map(Answer::SetAside),
            Question::Retry(seqs) => spool.put_back(seqs).await.map(Answer::PutBack),
        };
        spool.close().await;
        answer
    };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(|e| e.to_string())?;
    runtime.block_on(work).map_err(|source| SpoolError { path: file.to_owned(), source }.to_string())
}
