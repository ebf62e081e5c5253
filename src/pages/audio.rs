//! Whose page has which seat's audio. Belongs here: offers on their way to the media plane, the newest window of several, a
//! page that left and may be back. Not here: the audio itself (`media::webrtc`), who sits where (`gateway`).
//!
//! Law: a seat's audio is that of the page that offered last, and ends when its agent sits there no longer. A page whose
//! socket has closed keeps it for a while: it reloads, or its network changes. Whichever page of the same agent comes next
//! takes it over.

use crate::ids::{AgentNo, SeatNo};
use crate::media::webrtc::{BrowserDoor, Refusal};
use std::collections::BTreeMap;
use std::fmt;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;
use tokio::sync::{Notify, oneshot};

/// A page that is not back by then is closed; it reloads in a second or two.
const GRACE: Duration = Duration::from_secs(15);
/// The media plane answers within milliseconds.
const PATIENCE: Duration = Duration::from_secs(5);

pub struct Audio {
    door: Option<BrowserDoor>,
    held: Mutex<BTreeMap<SeatNo, Held>>,
    pages: AtomicU64,
}

struct Held {
    agent: AgentNo,
    by: By,
}

enum By {
    Page {
        id: u64,
        replaced: Arc<Notify>,
    },
    /// The page with this id, which has left.
    Nobody {
        was: u64,
    },
}

/// One page's part in it, for as long as its socket is open.
pub struct Page {
    audio: Arc<Audio>,
    agent: AgentNo,
    id: u64,
    replaced: Arc<Notify>,
}

/// Why an offer is not taken.
#[derive(Debug)]
pub enum NoAudio {
    /// There is no `[media] browser_port`.
    NotServed,
    Refused(Refusal),
    /// The media plane does not answer.
    NoAnswer,
}

impl NoAudio {
    /// Stable word, for pages to translate.
    pub fn as_str(&self) -> &'static str {
        match self {
            NoAudio::NotServed => "no_browser_audio",
            NoAudio::Refused(Refusal::NoSession) => "no_session",
            NoAudio::Refused(Refusal::Full | Refusal::Busy) => "audio_overload",
            NoAudio::Refused(_) => "bad_offer",
            NoAudio::NoAnswer => "no_answer",
        }
    }
}

impl fmt::Display for NoAudio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            NoAudio::NotServed => f.write_str("there is no browser_port in [media]: seats here have phones only"),
            NoAudio::Refused(why) => why.fmt(f),
            NoAudio::NoAnswer => f.write_str("the media plane does not answer"),
        }
    }
}

impl Audio {
    pub fn new(door: Option<BrowserDoor>) -> Arc<Audio> {
        Arc::new(Audio { door, held: Mutex::default(), pages: AtomicU64::new(0) })
    }

    /// A page's socket has opened.
    pub fn page(self: &Arc<Audio>, agent: &AgentNo) -> Page {
        let (id, replaced) = (self.pages.fetch_add(1, Ordering::Relaxed), Arc::new(Notify::new()));
        for held in self.held().values_mut().filter(|held| held.agent == *agent) {
            if let By::Nobody { .. } = held.by {
                held.by = By::Page { id, replaced: replaced.clone() };
            }
        }
        Page { audio: self.clone(), agent: agent.clone(), id, replaced }
    }

    fn held(&self) -> MutexGuard<'_, BTreeMap<SeatNo, Held>> {
        self.held.lock().unwrap_or_else(|e| e.into_inner())
    }

    fn close(&self, seats: impl IntoIterator<Item = SeatNo>) {
        for seat in seats {
            self.held().remove(&seat);
            if let Some(door) = &self.door {
                door.close(seat);
            }
        }
    }
}

impl Page {
    /// The first offer of a page, for the seat its agent sits at.
    pub async fn offer(&self, seat: SeatNo, sdp: &str) -> Result<String, NoAudio> {
        self.negotiate(seat, |door, seat, reply| door.accept(seat, sdp, reply)).await
    }

    /// A later one of the same connection.
    pub async fn reoffer(&self, seat: SeatNo, sdp: &str) -> Result<String, NoAudio> {
        self.negotiate(seat, |door, seat, reply| door.reoffer(seat, sdp, reply)).await
    }

    async fn negotiate(
        &self,
        seat: SeatNo,
        ask: impl FnOnce(&BrowserDoor, SeatNo, Box<dyn FnOnce(Result<String, Refusal>) + Send>),
    ) -> Result<String, NoAudio> {
        let door = self.audio.door.as_ref().ok_or(NoAudio::NotServed)?;
        let (tell, told) = oneshot::channel();
        ask(door, seat.clone(), Box::new(move |outcome| drop(tell.send(outcome))));
        match tokio::time::timeout(PATIENCE, told).await {
            Ok(Ok(Ok(answer))) => {
                self.takes(seat);
                Ok(answer)
            }
            Ok(Ok(Err(refusal))) => Err(NoAudio::Refused(refusal)),
            Ok(Err(_)) | Err(_) => Err(NoAudio::NoAnswer),
        }
    }

    /// The newest wins; the one before is told.
    fn takes(&self, seat: SeatNo) {
        let by = By::Page { id: self.id, replaced: self.replaced.clone() };
        let before = self.audio.held().insert(seat, Held { agent: self.agent.clone(), by });
        if let Some(Held { by: By::Page { id, replaced }, .. }) = before
            && id != self.id
        {
            replaced.notify_one();
        }
    }

    /// Comes when another window has taken this one's audio.
    pub async fn replaced(&self) {
        self.replaced.notified().await;
    }

    pub fn close(&self) {
        self.sits_at(None);
    }

    /// Of any other seat the audio is closed.
    pub fn sits_at(&self, seat: Option<&SeatNo>) {
        let own = |held: &Held| matches!(held.by, By::Page { id, .. } if id == self.id);
        let left = |(at, held): (&SeatNo, &Held)| (own(held) && Some(at) != seat).then(|| at.clone());
        let seats: Vec<SeatNo> = self.audio.held().iter().filter_map(left).collect();
        self.audio.close(seats);
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let mut kept = false;
        for held in self.audio.held().values_mut() {
            if matches!(held.by, By::Page { id, .. } if id == self.id) {
                (held.by, kept) = (By::Nobody { was: self.id }, true);
            }
        }
        if kept {
            let (audio, id) = (self.audio.clone(), self.id);
            tokio::spawn(async move {
                tokio::time::sleep(GRACE).await;
                let gone = |(seat, held): (&SeatNo, &Held)| {
                    matches!(held.by, By::Nobody { was } if was == id).then(|| seat.clone())
                };
                let seats: Vec<SeatNo> = audio.held().iter().filter_map(gone).collect();
                audio.close(seats);
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::future::Future;
    use std::pin::pin;
    use std::task::{Context, Poll, Waker};

    fn is_told(page: &Page) -> bool {
        pin!(page.replaced()).poll(&mut Context::from_waker(Waker::noop())) == Poll::Ready(())
    }

    fn seats(audio: &Audio) -> Vec<(String, bool)> {
        let held = audio.held();
        held.iter().map(|(seat, held)| (seat.to_string(), matches!(held.by, By::Page { .. }))).collect()
    }

    #[tokio::test]
    async fn the_newest_window_has_the_audio_and_the_one_before_is_told() {
        let audio = Audio::new(None);
        let (one, two) = (audio.page(&"6601".into()), audio.page(&"6601".into()));
        one.takes("8001".into());
        one.takes("8001".into());
        assert!(!is_told(&one), "its own second offer");
        two.takes("8001".into());
        assert!(is_told(&one) && !is_told(&two));
        one.close();
        drop(one);
        assert_eq!(seats(&audio), [("8001".to_owned(), true)], "it is not the first one's to close");
        two.sits_at(Some(&"8001".into()));
        assert_eq!(seats(&audio).len(), 1);
        two.sits_at(Some(&"8002".into()));
        assert_eq!(seats(&audio), [], "signed out there");
    }

    #[tokio::test]
    async fn a_page_that_leaves_keeps_its_audio_for_the_next_of_its_agent() {
        let audio = Audio::new(None);
        let page = audio.page(&"6601".into());
        page.takes("8001".into());
        drop(page);
        assert_eq!(seats(&audio), [("8001".to_owned(), false)]);
        let other = audio.page(&"6602".into());
        assert_eq!(seats(&audio), [("8001".to_owned(), false)], "not for somebody else");
        drop(other);
        let again = audio.page(&"6601".into());
        assert_eq!(seats(&audio), [("8001".to_owned(), true)]);
        again.sits_at(None);
        assert_eq!(seats(&audio), []);
    }
}
