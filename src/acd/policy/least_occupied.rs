//! The agent who has spent the smallest share of the shift on calls and wrap-up: who came late or had the long calls
//! is not given still more.

use crate::acd::agent::Work;

pub(super) fn merit(work: &Work) -> u32 {
    work.share
}
