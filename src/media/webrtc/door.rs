//! The way in for offers, from any thread. Belongs here: reading the offer and answering it where no packet waits for that.
//! Not here: the sessions once they live (`browsers`).

use super::offer::{Offer, Refusal};
use super::session::{Common, Session};
use crate::ids::SeatNo;
use crate::media::shard::Order;
use crate::plane::webrtc::End;
use std::fmt;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::mpsc::{SyncSender, TrySendError};
use std::time::Instant;

/// Gets the answer, or why there is none: called on the caller's or the media thread, so it must not block.
pub type Reply = Box<dyn FnOnce(Result<String, Refusal>) + Send>;

/// What the thread of the browsers is told.
pub enum BrowserOrder {
    Begin { seat: SeatNo, session: Box<Session>, answer: String, reply: Reply },
    Renew { seat: SeatNo, offer: Offer, reply: Reply },
    Close { seat: SeatNo },
}

/// See the header of [`super`].
#[derive(Clone)]
pub struct BrowserDoor {
    orders: SyncSender<Order>,
    wake: Arc<OwnedFd>,
    common: Arc<Common>,
}

impl BrowserDoor {
    pub fn new(orders: SyncSender<Order>, wake: Arc<OwnedFd>, common: Arc<Common>) -> BrowserDoor {
        BrowserDoor { orders, wake, common }
    }

    /// What descriptions of ours for third-party phones say.
    pub fn end(&self) -> End {
        self.common.end()
    }

    /// A new page of the seat offers audio.
    pub fn accept(&self, seat: SeatNo, offer: &str, reply: impl FnOnce(Result<String, Refusal>) + Send + 'static) {
        let begun = Offer::read(offer).and_then(|offer| Session::accept(&self.common, Instant::now(), &offer));
        match begun {
            Ok((session, answer)) => {
                let (session, reply) = (Box::new(session), Box::new(reply));
                self.order(BrowserOrder::Begin { seat, session, answer, reply });
            }
            Err(refusal) => reply(Err(refusal)),
        }
    }

    /// The page offers again, to change the network.
    pub fn reoffer(&self, seat: SeatNo, offer: &str, reply: impl FnOnce(Result<String, Refusal>) + Send + 'static) {
        match Offer::read(offer) {
            Ok(offer) => self.order(BrowserOrder::Renew { seat, offer, reply: Box::new(reply) }),
            Err(refusal) => reply(Err(refusal)),
        }
    }

    /// The seat's audio is no longer wanted.
    pub fn close(&self, seat: SeatNo) {
        self.order(BrowserOrder::Close { seat });
    }

    fn order(&self, order: BrowserOrder) {
        match self.orders.try_send(Order::Browser(order)) {
            Ok(()) => crate::media::ring(&self.wake),
            Err(TrySendError::Full(Order::Browser(order)) | TrySendError::Disconnected(Order::Browser(order))) => {
                order.refuse();
            }
            Err(_) => {}
        }
    }
}

impl BrowserOrder {
    fn refuse(self) {
        match self {
            BrowserOrder::Begin { reply, .. } | BrowserOrder::Renew { reply, .. } => reply(Err(Refusal::Busy)),
            // Its browser will fall silent.
            BrowserOrder::Close { .. } => {}
        }
    }
}

impl fmt::Debug for BrowserOrder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (what, seat) = match self {
            BrowserOrder::Begin { seat, .. } => ("Begin", seat),
            BrowserOrder::Renew { seat, .. } => ("Renew", seat),
            BrowserOrder::Close { seat } => ("Close", seat),
        };
        write!(f, "{what} {seat}")
    }
}

impl fmt::Debug for BrowserDoor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BrowserDoor")
    }
}
