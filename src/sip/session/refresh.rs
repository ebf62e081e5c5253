//! Keeping an agreed session alive, and finding out that the far end is gone (RFC 4028 s7.4, s10).
//! Not here: what was agreed (`timer`).

use super::super::body;
use super::super::dialog::Side;
use super::super::endpoint::ClientTx;
use super::super::message::{Message, Method, Name};
use super::timer::{By, Duty, Kept, Refresh, Timer};
use super::{Context, SUPPORTED_CALLING, Session, State};
use crate::leg::LegEnd;
use crate::sdp::offer_answer;
use std::time::Duration;

/// A refresh that would overlap a re-INVITE of theirs waits so long.
const AFTER_THEIRS: Duration = Duration::from_secs(2);
/// One the far end could not take is tried again after half the time left, but not sooner.
const SOONEST: Duration = Duration::from_secs(1);
/// RFC 3326 with Q.850's "recovery on timer expiry".
const VANISHED: &[u8] = b"Q.850;cause=102;text=\"Session timer expired\"";

impl Session {
    pub(super) fn session_timeout(&mut self, cx: &mut Context<'_>) {
        let State::Confirmed { reinvite, .. } = &self.state else { return };
        let theirs_is_open = reinvite.is_some();
        match &mut self.timer {
            Timer::Running { over, .. } if cx.now >= *over => self.vanished(cx, LegEnd::Unreachable),
            Timer::Running { duty: Duty::Ours { refresh: Refresh::At(at), .. }, .. } if cx.now >= *at => {
                if theirs_is_open {
                    *at = cx.now + AFTER_THEIRS;
                } else {
                    self.ask(cx);
                }
            }
            _ => {}
        }
    }

    pub(super) fn ask(&mut self, cx: &mut Context<'_>) {
        let (branch, flow, by) = (cx.tokens.branch(), self.request_flow(), self.refresh_by);
        let method = match by {
            By::Update => Method::Update,
            By::ReInvite => Method::Invite,
        };
        let request = self
            .dialog
            .request(method, &flow, &branch)
            .header(Name::Contact, self.contact(&flow).as_bytes())
            .header(Name::Allow, self.peer.allowed())
            .header(Name::Supported, SUPPORTED_CALLING);
        let request = self.timer.ask(request);
        let request = match by {
            By::Update => request.finish(),
            // s7.4: a description with the version of the last says that nothing changes.
            By::ReInvite => request.body("application/sdp", &self.described),
        };
        let tx = self.send(cx, flow, &branch, request);
        self.set_refresh(Refresh::Asked { tx, by });
    }

    /// An answer to our refresh.
    pub(super) fn refresh_answered(&mut self, cx: &mut Context<'_>, by: By, status: u16, msg: &Message<'_>) {
        match status {
            ..200 => {}
            200..300 => {
                self.dialog.refresh_target(msg);
                self.timer = self.timer.clone().answered(cx.now, msg);
                if by == By::ReInvite {
                    self.send_ack(cx, msg.cseq().seq);
                    // An answer that cannot be read leaves the media as they are: they work.
                    if let Ok(media) = offer_answer::accept(&self.local, body::sdp(msg)) {
                        self.settled(cx, media);
                    }
                }
            }
            481 => self.vanished(cx, LegEnd::Fault),
            408 => self.vanished(cx, LegEnd::Unreachable),
            491 => {
                let at = cx.now + self.glare_wait(cx);
                self.set_refresh(Refresh::At(at));
            }
            // It allows UPDATE, and does not know it.
            405 | 501 if by == By::Update => {
                self.refresh_by = By::ReInvite;
                self.set_refresh(Refresh::At(cx.now));
                self.session_timeout(cx);
            }
            _ => self.refresh_refused(cx, msg),
        }
    }

    /// The far end is there, but took no refresh.
    fn refresh_refused(&mut self, cx: &mut Context<'_>, msg: &Message<'_>) {
        let lengthened = self.timer.lengthened(msg);
        let Timer::Running { seconds, over, duty: Duty::Ours { kept, .. } } = &mut self.timer else { return };
        if let Some(longer) = lengthened.filter(|_| msg.status() == Some(422)) {
            *seconds = longer;
            self.set_refresh(Refresh::At(cx.now + SOONEST));
        } else if *kept == Kept::ByUsAlone {
            self.timer = Timer::ours(cx.now, *seconds, Kept::ByUsAlone);
        } else {
            let at = cx.now + (over.since(cx.now) / 2).max(SOONEST);
            self.set_refresh(Refresh::At(at));
        }
    }

    /// No answer to our refresh at all. True if `tx` was that.
    pub(super) fn refresh_failed(&mut self, cx: &mut Context<'_>, tx: ClientTx) -> bool {
        let ours = self.timer.asked().is_some_and(|(asked, _)| asked == tx);
        let confirmed = matches!(self.state, State::Confirmed { .. });
        if ours && confirmed {
            self.vanished(cx, LegEnd::Unreachable);
        }
        ours
    }

    fn vanished(&mut self, cx: &mut Context<'_>, end: LegEnd) {
        self.leave_saying(cx, Some(VANISHED), end);
    }

    pub(super) fn set_refresh(&mut self, next: Refresh) {
        if let Timer::Running { duty: Duty::Ours { refresh, .. }, .. } = &mut self.timer {
            *refresh = next;
        }
    }

    /// RFC 3261 s14.1: after a 491 the owner of the Call-ID waits 2.1 to 4 s, the other 0 to 2 s, in steps of 10 ms.
    fn glare_wait(&self, cx: &mut Context<'_>) -> Duration {
        let (least, steps) = match self.dialog.opened_by() {
            Side::Us => (2_100, 191),
            Side::Them => (0, 201),
        };
        Duration::from_millis(least + 10 * (cx.tokens.next_u64() % steps))
    }
}
