//! How other threads speak to the signalling loop: a bounded queue and an eventfd that wakes its epoll.

use super::screens::{FloorScreen, Screen};
use crate::event::RememberedCaller;
use crate::gateway::{AgentOrder, Unable};
use crate::ids::{AgentNo, SeatNo, TrunkName};
use crate::net::connection::Writer;
use crate::plane::MediaEvent;
use crate::sip::flow::Flow;
use crate::store::SpoolOutcome;
use crate::trunk::hops::Target;
use rustix::event::{EventfdFlags, eventfd};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

/// Deep enough for a second of everything at full load; a sender beyond that waits.
const DEPTH: usize = 65_536;

#[derive(Debug)]
pub enum Message {
    Media(MediaEvent),
    Spool(Vec<SpoolOutcome>),
    /// A stream is up; what is sent on `flow` goes to `writer`.
    StreamOpened {
        flow: Flow,
        writer: Writer,
    },
    Stream {
        flow: Flow,
        bytes: Vec<u8>,
        /// Given back when it is served.
        place: OwnedSemaphorePermit,
    },
    StreamClosed {
        flow: Flow,
    },
    /// What DNS says of the name of a hop.
    Resolved {
        trunk: TrunkName,
        hop: usize,
        targets: Vec<Target>,
    },
    /// What this agent sees, from now on.
    Watch {
        agent: AgentNo,
        screen: Screen,
    },
    /// What a shift leader sees, from now on.
    WatchFloor {
        agent: AgentNo,
        floor: FloorScreen,
        answer: oneshot::Sender<Result<(), Unable>>,
    },
    /// At which seat is this agent signed in?
    SeatOf {
        agent: AgentNo,
        answer: oneshot::Sender<Option<SeatNo>>,
    },
    Order {
        agent: AgentNo,
        order: AgentOrder,
        answer: oneshot::Sender<Result<(), Unable>>,
    },
    /// What the case store remembers of callers.
    Remembered(Vec<RememberedCaller>),
    Drain,
    EndCalls,
    Stop,
}

#[derive(Clone, Debug)]
pub struct Inbox {
    queue: SyncSender<Message>,
    wake: Arc<Wake>,
}

#[derive(Debug)]
struct Wake {
    eventfd: OwnedFd,
    /// A wake-up is on its way: no need for another system call.
    pending: AtomicBool,
}

pub struct Outbox {
    queue: Receiver<Message>,
    wake: Arc<Wake>,
}

pub fn channel() -> std::io::Result<(Inbox, Outbox)> {
    let (sender, receiver) = sync_channel(DEPTH);
    let eventfd = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let wake = Arc::new(Wake { eventfd, pending: AtomicBool::new(false) });
    Ok((Inbox { queue: sender, wake: wake.clone() }, Outbox { queue: receiver, wake }))
}

impl Inbox {
    /// For the media threads, which must not wait for the loop while the loop may be waiting for them, and for pages:
    /// what does not fit is lost. Nothing depends on one of these coming but a statistic, a watchdog that fires again, or
    /// a page that is told so.
    pub fn offer(&self, message: Message) {
        match self.queue.try_send(message) {
            Ok(()) => self.wake(),
            Err(_) => tracing::warn!("the signalling loop is far behind: a message to it is lost"),
        }
    }

    /// Waits while the queue is full; the loop being gone is no one's problem any more.
    pub fn send(&self, message: Message) {
        if self.queue.send(message).is_ok() {
            self.wake();
        }
    }

    fn wake(&self) {
        if !self.wake.pending.swap(true, Ordering::SeqCst) {
            let _ = rustix::io::write(&self.wake.eventfd, &1u64.to_ne_bytes());
        }
    }
}

impl Outbox {
    pub fn as_fd(&self) -> BorrowedFd<'_> {
        self.wake.eventfd.as_fd()
    }

    /// Call once per wake-up, before taking messages: what is sent from now on wakes again.
    pub fn woken(&self) {
        let _ = rustix::io::read(&self.wake.eventfd, &mut [0u8; 8]);
        self.wake.pending.store(false, Ordering::SeqCst);
    }

    /// There was more than one turn takes: wakes the loop again.
    pub fn rewake(&self) {
        self.wake.pending.store(true, Ordering::SeqCst);
        let _ = rustix::io::write(&self.wake.eventfd, &1u64.to_ne_bytes());
    }

    pub fn take(&self) -> Option<Message> {
        self.queue.try_recv().ok()
    }
}
