//! Every metric's name, unit and help, once. Belongs here: what is exported and what it means. Not here: computing it
//! (`api::metrics`).
//!
//! Conventions: base units, `_total` on counters, percentages left to recording rules, labels only from the
//! configuration or from a fixed list, never anything a caller sent.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

pub const CALLS_OFFERED: &str = "rexian_calls_offered_total";
pub const CALLS_QUEUED: &str = "rexian_calls_queued_total";
pub const CALLS_ANSWERED: &str = "rexian_calls_answered_total";
pub const CALLS_ANSWERED_WITHIN: &str = "rexian_calls_answered_within_total";
pub const CALLS: &str = "rexian_calls_total";
pub const TEST_CALLS: &str = "rexian_test_calls_total";
pub const OFFERS: &str = "rexian_offers_total";
pub const OFFERS_INTERPRETED: &str = "rexian_offers_with_interpreter_total";
pub const OFFERS_ENDED: &str = "rexian_offers_ended_total";
pub const MOVES: &str = "rexian_moves_total";
pub const TRANSFERS: &str = "rexian_transfers_total";
pub const TAKEN_OVER: &str = "rexian_transfers_taken_over_total";
pub const ANNOUNCED: &str = "rexian_announcements_total";
pub const CALLBACKS_OFFERED: &str = "rexian_callbacks_offered_total";
pub const CALLBACKS_MADE: &str = "rexian_callbacks_made_total";
pub const CALLBACKS_REACHED: &str = "rexian_callbacks_reached_total";
pub const CALLBACKS_GONE: &str = "rexian_callbacks_closed_total";
pub const CALLBACKS_PENDING: &str = "rexian_callbacks_pending";
pub const PICKUPS_UNSPOOLED: &str = "rexian_pickups_unspooled_total";
pub const TRUNK_CALLS: &str = "rexian_trunk_calls";
pub const TRUNK_ACCOUNTS: &str = "rexian_trunk_accounts";
pub const QUEUE_WAITING: &str = "rexian_queue_waiting";
pub const QUEUE_LONGEST_WAIT: &str = "rexian_queue_longest_wait_seconds";
pub const WAIT: &str = "rexian_wait_seconds";
pub const LOST_WAIT: &str = "rexian_lost_wait_seconds";
pub const RING: &str = "rexian_ring_seconds";
pub const TALK: &str = "rexian_talk_seconds";
pub const HOLD: &str = "rexian_hold_seconds";
pub const AGENTS: &str = "rexian_agents";
pub const AGENT_STATE: &str = "rexian_agent_state_seconds";

pub const RTP_PACKETS: &str = "rexian_rtp_packets_total";
pub const RTP_LOST: &str = "rexian_rtp_packets_lost_total";
pub const RTP_REFUSED: &str = "rexian_rtp_packets_refused_total";
pub const RTP_RELAYED: &str = "rexian_rtp_packets_relayed_total";
pub const RTP_STRAY: &str = "rexian_rtp_packets_stray_total";
pub const RTP_SEND_FAILED: &str = "rexian_rtp_packets_unsent_total";
pub const RTP_REMOTE_LOST: &str = "rexian_rtp_packets_remote_lost_total";
pub const RTP_LEGS: &str = "rexian_rtp_legs";
pub const PORTS_IN_USE: &str = "rexian_rtp_port_pairs_in_use";
pub const NO_AUDIO: &str = "rexian_legs_without_audio_total";
pub const RTP_JITTER: &str = "rexian_rtp_jitter_seconds";

pub const SIP_RECEIVED: &str = "rexian_sip_messages_received_total";
pub const SIP_MALFORMED: &str = "rexian_sip_messages_malformed_total";
pub const SIP_STRAY: &str = "rexian_sip_messages_stray_total";
pub const SIP_RETRANSMISSIONS: &str = "rexian_sip_retransmissions_total";
pub const BANS: &str = "rexian_bans_total";
pub const BANNED: &str = "rexian_banned_addresses";
pub const SEATS_GUESSED_AT: &str = "rexian_seats_guessed_at";
pub const SIP_REFUSED: &str = "rexian_sip_requests_refused_total";

pub const TLS_CERTIFICATE: &str = "rexian_tls_certificate_expiry_timestamp_seconds";

pub const REFUSALS: &str = "rexian_refusals_total";
pub const DRAINING: &str = "rexian_draining";
pub const MISSED: &str = "rexian_events_missed_total";

pub const SPOOL_DEPTH: &str = "rexian_spool_depth";
pub const SPOOL_KEPT: &str = "rexian_spool_kept_in_memory";
pub const SPOOL_UP: &str = "rexian_spool_up";
pub const TICKETS_OPENED: &str = "rexian_tickets_opened_total";
pub const TICKETS_REPEATED: &str = "rexian_tickets_repeated_total";
pub const TICKETS_REFUSED: &str = "rexian_tickets_refused_total";
pub const TICKETS_SET_ASIDE: &str = "rexian_tickets_set_aside";
pub const TICKETS_LOST: &str = "rexian_tickets_lost_total";
pub const STORE_UP: &str = "rexian_store_up";
pub const STORE_LAG: &str = "rexian_store_lag_seconds";
pub const STORE_FAILED: &str = "rexian_store_failed_attempts_total";

pub const JOURNAL_WRITTEN: &str = "rexian_journal_written_total";
pub const JOURNAL_DROPPED: &str = "rexian_journal_dropped_total";
pub const JOURNAL_UP: &str = "rexian_journal_up";

pub const BUILD_INFO: &str = "rexian_build_info";

/// 10, 15, 20 and 30 s are thresholds in use; 5 s bounds a short abandon.
const WAIT_BUCKETS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0];
const RING_BUCKETS: &[f64] = &[1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0];
const TALK_BUCKETS: &[f64] = &[15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 480.0, 900.0, 1_800.0, 3_600.0];
const STATE_BUCKETS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1_800.0, 7_200.0];
const JITTER_BUCKETS: &[f64] = &[0.001, 0.002, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2];

/// A recorder with our histogram buckets. It serves nothing by itself.
pub fn recorder() -> Result<PrometheusRecorder, BuildError> {
    let mut builder = PrometheusBuilder::new();
    for (name, buckets) in [
        (WAIT, WAIT_BUCKETS),
        (LOST_WAIT, WAIT_BUCKETS),
        (RING, RING_BUCKETS),
        (TALK, TALK_BUCKETS),
        (HOLD, TALK_BUCKETS),
        (AGENT_STATE, STATE_BUCKETS),
        (RTP_JITTER, JITTER_BUCKETS),
    ] {
        builder = builder.set_buckets_for_metric(Matcher::Full(name.into()), buckets)?;
    }
    Ok(builder.build_recorder())
}

/// Tells the current recorder what each metric means.
pub fn describe() {
    for (name, help) in [
        (CALLS_OFFERED, "Calls taken for service, by trunk; test calls left out."),
        (CALLS_QUEUED, "Requests for a human: calls that entered a queue; test calls left out."),
        (
            MOVES,
            "Callers who went on to another queue with their place kept, by reason; they count where they asked first.",
        ),
        (CALLS_ANSWERED, "Calls connected to an agent; test calls left out."),
        (CALLS_ANSWERED_WITHIN, "Calls connected to an agent within the queue's N seconds of the request for a human."),
        (
            CALLS,
            "Calls ended, by the queue asked first (none: never asked for a human) and the one cause of the end; test calls and calls of ours left out. callback_taken is neither answered nor abandoned; deflected and closed never asked.",
        ),
        (TEST_CALLS, "Simulated calls of oversight; they count in no other call figure."),
        (
            OFFERS,
            "Offers to an agent, by the step of the queue's requirement that let the agent in (0: the full one) and whether it was the agent who served this caller last.",
        ),
        (OFFERS_INTERPRETED, "Of the offers: the agent needs an interpreter in a three-way call."),
        (OFFERS_ENDED, "Offers to an agent that ended without a pickup, by reason."),
        (TRANSFERS, "Callers passed on to a queue by the agent who had them; they stay answered."),
        (TAKEN_OVER, "Of the callers passed on: those a further agent picked up."),
        (ANNOUNCED, "Times a waiting caller was told the place or the estimated wait."),
        (CALLBACKS_OFFERED, "Times a waiting caller was offered to be called back; taken ones end as callback_taken."),
        (
            CALLBACKS_MADE,
            "Attempts to call a citizen, by kind: promised, or missed (漏接回拨). In no other call figure.",
        ),
        (CALLBACKS_REACHED, "Of those attempts: the citizen and an agent talked."),
        (
            CALLBACKS_GONE,
            "Citizens no longer to be called, by reason: reached, got_through (called again), given_up (all attempts in vain), expired.",
        ),
        (PICKUPS_UNSPOOLED, "Pickups whose ticket was not durable when the pickup was reported; the ticket follows."),
        (RTP_PACKETS, "RTP packets, by direction as seen from us."),
        (RTP_RELAYED, "RTP packets sent that came from another leg."),
        (RTP_LOST, "Gaps in the RTP sequence numbers received."),
        (RTP_REMOTE_LOST, "RTP packets we sent that the far end reports as lost (RTCP), of closed legs."),
        (RTP_REFUSED, "Packets refused on media ports: wrong source, not RTP, unknown payload type."),
        (RTP_STRAY, "Packets that came to a media port no call uses."),
        (RTP_SEND_FAILED, "RTP packets the kernel did not take: no route, no buffer."),
        (NO_AUDIO, "Legs from which no RTP came in the time set after they were connected: one-way audio."),
        (SIP_RECEIVED, "SIP messages received."),
        (SIP_MALFORMED, "SIP messages that could not be understood; answered 400 or 505, or dropped."),
        (SIP_STRAY, "SIP responses and ACKs that belong to no transaction or dialog."),
        (SIP_RETRANSMISSIONS, "SIP messages repeated, by direction."),
        (SIP_REFUSED, "SIP requests refused with 503 because the limit on transactions was reached."),
        (BANS, "Times an address was banned for wrong passwords; the log says which."),
        (REFUSALS, "Requests and calls turned away before there was a call, by reason."),
        (MISSED, "Events the observer could not take in time; the call figures are too low by so many."),
        (TICKETS_OPENED, "Tickets opened in the case store."),
        (TICKETS_REPEATED, "Tickets sent again that the case store had already; harmless."),
        (TICKETS_REFUSED, "Tickets the case store refused for good; set aside in the spool."),
        (TICKETS_LOST, "Tickets stored nowhere because the disk refused and memory for them was full; must be 0."),
        (JOURNAL_WRITTEN, "Events written to the event log."),
        (
            JOURNAL_DROPPED,
            "Events missing from the event log (queue full or disk failing); a gap row marks each place.",
        ),
        (STORE_FAILED, "Attempts on the case store that failed and are repeated."),
    ] {
        describe_counter!(name, Unit::Count, help);
    }
    for (name, unit, help) in [
        (TRUNK_ACCOUNTS, Unit::Count, "Our accounts at a trunk's carrier, by how their registration stands."),
        (TRUNK_CALLS, Unit::Count, "Calls of citizens up on a trunk now, test calls included: channels in use."),
        (QUEUE_WAITING, Unit::Count, "Callers waiting for an agent now, ringing included."),
        (QUEUE_LONGEST_WAIT, Unit::Seconds, "How long the longest-waiting caller has waited; 0 with nobody waiting."),
        (BANNED, Unit::Count, "Addresses banned now for wrong passwords."),
        (SEATS_GUESSED_AT, Unit::Count, "Seats whose password is being guessed at now, from many addresses."),
        (AGENTS, Unit::Count, "Agents by state."),
        (CALLBACKS_PENDING, Unit::Count, "Citizens still to be called back, by kind: promised, or missed."),
        (RTP_LEGS, Unit::Count, "Legs with open media now."),
        (PORTS_IN_USE, Unit::Count, "RTP/RTCP port pairs in use now."),
        (DRAINING, Unit::Count, "1 while draining (no new calls), else 0."),
        (TLS_CERTIFICATE, Unit::Seconds, "When the TLS certificate in use runs out, since 1970; 0: TLS is not served."),
        (SPOOL_DEPTH, Unit::Count, "Tickets durable on this machine and not yet in the case store."),
        (SPOOL_KEPT, Unit::Count, "Tickets in memory only because the spool's disk refuses them."),
        (SPOOL_UP, Unit::Count, "1 while the spool's disk takes tickets, else 0."),
        (TICKETS_SET_ASIDE, Unit::Count, "Refused tickets lying in the spool for people to look at."),
        (STORE_UP, Unit::Count, "1 while the case store answers, else 0."),
        (JOURNAL_UP, Unit::Count, "1 while the event log takes events, else 0."),
        (STORE_LAG, Unit::Seconds, "How long the oldest ticket in hand has been waiting for the case store."),
        (BUILD_INFO, Unit::Count, "1, labelled with the version running."),
    ] {
        describe_gauge!(name, unit, help);
    }
    for (name, help) in [
        (WAIT, "Request for a human to agent connected, ringing included, of answered calls."),
        (LOST_WAIT, "Request for a human to the end, of calls that were queued and never answered."),
        (RING, "How long the answering agent's seat rang."),
        (TALK, "Agent connected to the end of the call, hold included."),
        (HOLD, "Time on hold of answered calls that were held."),
        (AGENT_STATE, "Time an agent spent in a state, counted on leaving it."),
        (RTP_JITTER, "Interarrival jitter (RFC 3550 s6.4.1) of closed legs."),
    ] {
        describe_histogram!(name, Unit::Seconds, help);
    }
}
