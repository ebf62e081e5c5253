//! Every metric's name, unit and help, once. Belongs here: what is exported and what it means. Not here: computing it
//! (`api::metrics`).
//!
//! Conventions: base units, `_total` on counters, percentages left to recording rules, labels only from the
//! configuration or from a fixed list, never anything a caller sent.
//!
//! Cardinality is bounded by the configuration alone. With q queues, t trunks (a of them with accounts), n tenants, s
//! skills, w webhooks and the c causes of an end there are `474 + (88 + 2 c) q + (13 + 6 n) t + 5 a + 8 s + 5 w` series, a
//! histogram's buckets, sum and count included; `api::metrics` has the test that counts them.

use metrics::{Unit, describe_counter, describe_gauge, describe_histogram};
use metrics_exporter_prometheus::{BuildError, Matcher, PrometheusBuilder, PrometheusRecorder};

pub const CALLS_OFFERED: &str = "rexian_calls_offered_total";
pub const CALLS_QUEUED: &str = "rexian_calls_queued_total";
pub const CALLS_ANSWERED: &str = "rexian_calls_answered_total";
pub const CALLS_ANSWERED_WITHIN: &str = "rexian_calls_answered_within_total";
pub const CALLS_LOST: &str = "rexian_calls_lost_total";
pub const CALLS_ABANDONED_WITHIN: &str = "rexian_calls_abandoned_within_total";
pub const REQUESTS: &str = "rexian_trunk_requests_total";
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
pub const TRUNK_UP: &str = "rexian_trunk_up";
pub const TRUNK_HOPS: &str = "rexian_trunk_hops";
pub const TRUNK_CHANNELS: &str = "rexian_trunk_channels_in_use";
pub const TRUNK_CHANNEL_LIMIT: &str = "rexian_trunk_channel_limit";
pub const TRUNK_REFUSALS: &str = "rexian_trunk_refusals_total";
pub const TRUNK_ROUND_TRIP: &str = "rexian_trunk_probe_round_trip_seconds";
pub const TRUNK_ACCOUNTS: &str = "rexian_trunk_accounts";
pub const QUEUE_WAITING: &str = "rexian_queue_waiting";
pub const QUEUE_LONGEST_WAIT: &str = "rexian_queue_longest_wait_seconds";
pub const QUEUE_STRANDED: &str = "rexian_queue_waiting_with_idle_agent";
pub const QUEUE_INFO: &str = "rexian_queue_info";
pub const QUEUE_WITHIN: &str = "rexian_queue_within_seconds";
pub const WAIT: &str = "rexian_wait_seconds";
pub const LOST_WAIT: &str = "rexian_lost_wait_seconds";
pub const RING: &str = "rexian_ring_seconds";
pub const TALK: &str = "rexian_talk_seconds";
pub const HOLD: &str = "rexian_hold_seconds";
pub const WRAP_UP: &str = "rexian_wrap_up_seconds";
pub const AGENTS: &str = "rexian_agents";
pub const AGENT_STATE: &str = "rexian_agent_state_seconds";
pub const AGENT_TIME: &str = "rexian_agent_time_seconds_total";
pub const SKILL_AGENTS: &str = "rexian_skill_agents";
pub const SEATS: &str = "rexian_seats";
pub const SEATS_REGISTERED: &str = "rexian_seats_registered";

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
pub const RTP_LOSS: &str = "rexian_rtp_loss_ratio";
pub const RTP_JITTER: &str = "rexian_rtp_jitter_seconds";

pub const RECORDINGS: &str = "rexian_recordings_total";
pub const RECORDINGS_RUNNING: &str = "rexian_recordings_running";
pub const RECORDING_LOST: &str = "rexian_recording_packets_lost_total";
pub const RECORDING_DELETED: &str = "rexian_recordings_deleted_bytes_total";
pub const RECORDING_PANICS: &str = "rexian_recording_panics_total";
pub const RECORDING_STALLED: &str = "rexian_recording_stalled_seconds";
pub const RECORDING_UP: &str = "rexian_recording_up";

pub const BROWSERS: &str = "rexian_browser_seats_connected";
pub const BROWSERS_ENDED: &str = "rexian_browser_sessions_ended_total";
pub const BROWSER_PACKETS: &str = "rexian_browser_packets_total";
pub const BROWSER_LOST: &str = "rexian_browser_packets_lost_total";
pub const BROWSER_JITTER: &str = "rexian_browser_jitter_seconds";
pub const BROWSER_ROUND_TRIP: &str = "rexian_browser_round_trip_seconds";

pub const SIP_CONNECTIONS: &str = "rexian_sip_connections";
pub const SIP_RECEIVED: &str = "rexian_sip_messages_received_total";
pub const SIP_REQUESTS: &str = "rexian_sip_requests_total";
pub const SIP_RESPONSES: &str = "rexian_sip_responses_total";
pub const SIP_MALFORMED: &str = "rexian_sip_messages_malformed_total";
pub const SIP_STRAY: &str = "rexian_sip_messages_stray_total";
pub const SIP_RETRANSMISSIONS: &str = "rexian_sip_retransmissions_total";
pub const BANS: &str = "rexian_bans_total";
pub const BANNED: &str = "rexian_banned_addresses";
pub const SEATS_GUESSED_AT: &str = "rexian_seats_guessed_at";
pub const SIP_REFUSED: &str = "rexian_sip_requests_refused_total";

pub const TLS_CERTIFICATE: &str = "rexian_tls_certificate_expiry_timestamp_seconds";

pub const REFUSALS: &str = "rexian_refusals_total";
pub const CLOCK: &str = "rexian_clock_timestamp_seconds";
pub const SIGNALLING_UP: &str = "rexian_signalling_up";
pub const MEDIA_UP: &str = "rexian_media_up";
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
pub const COPIED: &str = "rexian_journal_copied_total";
pub const COPY_UP: &str = "rexian_journal_copy_up";
pub const COPY_LAG: &str = "rexian_journal_copy_lag_seconds";

pub const WEBHOOK_DELIVERED: &str = "rexian_webhook_events_delivered_total";
pub const WEBHOOK_FAILED: &str = "rexian_webhook_failed_attempts_total";
pub const WEBHOOK_UP: &str = "rexian_webhook_up";
pub const WEBHOOK_LAG: &str = "rexian_webhook_lag_seconds";
pub const WEBHOOK_LETTERS: &str = "rexian_webhook_dead_letters";

pub const BUILD_INFO: &str = "rexian_build_info";

/// 10, 15, 20 and 30 s are thresholds in use; 5 s bounds a short abandon.
const WAIT_BUCKETS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 15.0, 20.0, 30.0, 45.0, 60.0, 120.0, 300.0, 600.0];
const RING_BUCKETS: &[f64] = &[1.0, 2.0, 3.0, 5.0, 8.0, 10.0, 15.0, 20.0, 30.0];
const TALK_BUCKETS: &[f64] = &[15.0, 30.0, 60.0, 120.0, 180.0, 300.0, 480.0, 900.0, 1_800.0, 3_600.0];
const STATE_BUCKETS: &[f64] = &[5.0, 15.0, 30.0, 60.0, 180.0, 600.0, 1_800.0, 7_200.0];
const WRAP_UP_BUCKETS: &[f64] = &[5.0, 10.0, 15.0, 30.0, 45.0, 60.0, 120.0, 300.0];
const LOSS_BUCKETS: &[f64] = &[0.0, 0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3];
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
        (WRAP_UP, WRAP_UP_BUCKETS),
        (AGENT_STATE, STATE_BUCKETS),
        (RTP_LOSS, LOSS_BUCKETS),
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
        (
            CALLS_QUEUED,
            "Requests for a human, by the queue asked first; those turned away at its door too, test calls left out.",
        ),
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
        (
            CALLS_LOST,
            "Requests for a human that ended without an agent, by the queue asked first and cause. R, the requests a percentage is of, is the answered and of these all but callback_taken and faults.",
        ),
        (CALLS_ABANDONED_WITHIN, "Callers who hung up themselves within the queue's N seconds of the request."),
        (
            REQUESTS,
            "Requests for a human decided, by trunk, tenant and outcome; answered counts at the pickup. Connection rate of a trunk: answered / (answered + abandoned + timeout + refused).",
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
        (
            RECORDINGS,
            "Conversations recorded, by outcome: complete, incomplete (the disk was slow or refused, or the process died), failed (nothing is there).",
        ),
        (
            RECORDING_LOST,
            "Packets missing from recordings because the disk was too slow; silence stands in their place.",
        ),
        (
            BROWSERS_ENDED,
            "Audio sessions of seats in browsers that ended, by why: closed, replaced (the page was loaded again), silent (a tab that died, a network gone, a machine asleep), never_connected (a firewall between), broken.",
        ),
        (BROWSER_PACKETS, "RTP packets of seats in browsers, by direction as seen from us."),
        (BROWSER_LOST, "RTP packets that browsers miss of those we sent them (RTCP)."),
        (RECORDING_PANICS, "Panics of recording threads, which cost a recording each: faults of this program."),
        (NO_AUDIO, "Legs from which no RTP came in the time set after they were connected: one-way audio."),
        (SIP_RECEIVED, "SIP messages received."),
        (SIP_REQUESTS, "SIP requests by direction and method, repeats included; methods unknown to us are other."),
        (SIP_RESPONSES, "SIP responses by direction, class and the method they answer, repeats included."),
        (SIP_MALFORMED, "SIP messages that could not be understood; answered 400 or 505, or dropped."),
        (SIP_STRAY, "SIP responses and ACKs that belong to no transaction or dialog."),
        (SIP_RETRANSMISSIONS, "SIP messages repeated, by direction."),
        (SIP_REFUSED, "SIP requests refused with 503 because the limit on transactions was reached."),
        (BANS, "Times an address was banned for wrong passwords; the log says which."),
        (
            TRUNK_REFUSALS,
            "Calls a trunk's own terms turned away, by reason: full (max_calls), rate (calls_per_10s), denied (callers).",
        ),
        (REFUSALS, "Requests and calls turned away before there was a call, by reason."),
        (MISSED, "Events the observer could not take in time; the call figures are too low by so many."),
        (TICKETS_OPENED, "Tickets opened in the case store."),
        (TICKETS_REPEATED, "Tickets sent again that the case store had already; harmless."),
        (TICKETS_REFUSED, "Tickets the case store refused for good; set aside in the spool."),
        (TICKETS_LOST, "Tickets stored nowhere because the disk refused and memory for them was full; must be 0."),
        (JOURNAL_WRITTEN, "Events written to the event log."),
        (WEBHOOK_DELIVERED, "Events that a webhook's far end has taken."),
        (WEBHOOK_FAILED, "Attempts that ended without the far end having taken what it was told; they are repeated."),
        (COPIED, "Events written to the event log's copy in PostgreSQL."),
        (
            JOURNAL_DROPPED,
            "Events missing from the event log (queue full or disk failing); a gap row marks each place.",
        ),
        (STORE_FAILED, "Attempts on the case store that failed and are repeated."),
    ] {
        describe_counter!(name, Unit::Count, help);
    }
    describe_counter!(RECORDING_DELETED, Unit::Bytes, "Recordings deleted because their days were over.");
    describe_counter!(
        AGENT_TIME,
        Unit::Seconds,
        "Time all agents together have spent in a state, up to now. Occupancy: talking, hold and wrap_up of these and ready."
    );
    for (name, unit, help) in [
        (TRUNK_ACCOUNTS, Unit::Count, "Our accounts at a trunk's carrier, by how their registration stands."),
        (TRUNK_CALLS, Unit::Count, "Calls of citizens up on a trunk now, test calls included."),
        (TRUNK_CHANNELS, Unit::Count, "Channels of a trunk in use now, by calls of either direction."),
        (
            TRUNK_CHANNEL_LIMIT,
            Unit::Count,
            "Channels of a trunk at most: its max_calls, or the gateway's if that is less.",
        ),
        (TRUNK_UP, Unit::Count, "0 while all hops of a trunk are down (calls are taken all the same), else 1."),
        (TRUNK_HOPS, Unit::Count, "Addresses of a trunk that calls of ours can take, by state."),
        (TRUNK_ROUND_TRIP, Unit::Seconds, "Last answered OPTIONS, of the slowest hop; 0 if none was answered."),
        (QUEUE_WAITING, Unit::Count, "Callers waiting for an agent now, ringing included."),
        (QUEUE_LONGEST_WAIT, Unit::Seconds, "How long the longest-waiting caller has waited; 0 with nobody waiting."),
        (
            QUEUE_STRANDED,
            Unit::Count,
            "Callers waiting over a second while an agent idle over a second could serve them, found beside the distributor's own way; must be 0.",
        ),
        (QUEUE_INFO, Unit::Count, "1, labelled with a queue's leading skill and its language."),
        (QUEUE_WITHIN, Unit::Seconds, "N: what `within` means for this queue."),
        (BANNED, Unit::Count, "Addresses banned now for wrong passwords."),
        (SEATS_GUESSED_AT, Unit::Count, "Seats whose password is being guessed at now, from many addresses."),
        (AGENTS, Unit::Count, "Agents by state."),
        (SKILL_AGENTS, Unit::Count, "Agents who have a skill, at whatever level, by state."),
        (SEATS, Unit::Count, "Seats configured."),
        (SEATS_REGISTERED, Unit::Count, "Seats with a phone registered now."),
        (CALLBACKS_PENDING, Unit::Count, "Citizens still to be called back, by kind: promised, or missed."),
        (BROWSERS, Unit::Count, "Seats whose browser's audio is up now: they can be rung there."),
        (
            BROWSER_JITTER,
            Unit::Seconds,
            "Jitter of what we send, as the worst browser connected measures it; told every few seconds.",
        ),
        (BROWSER_ROUND_TRIP, Unit::Seconds, "Round trip to the slowest browser connected (RTCP)."),
        (
            SIP_CONNECTIONS,
            Unit::Count,
            "Connections of SIP up now, by transport: tcp, tls, ws, wss (phones in browsers).",
        ),
        (RECORDINGS_RUNNING, Unit::Count, "Conversations being recorded now."),
        (RECORDING_STALLED, Unit::Seconds, "For how long the disk of recordings has not answered; 0 below 3 s."),
        (RECORDING_UP, Unit::Count, "1 while the disk takes recordings, or none are made, else 0."),
        (RTP_LEGS, Unit::Count, "Legs with open media now."),
        (PORTS_IN_USE, Unit::Count, "RTP/RTCP port pairs in use now."),
        (
            CLOCK,
            Unit::Seconds,
            "The gateway's own time, since 1970, told once a second; behind the true time: its clock is wrong or it is stuck.",
        ),
        (SIGNALLING_UP, Unit::Count, "0 when the signalling loop has not turned for seconds, else 1."),
        (MEDIA_UP, Unit::Count, "1 while every media thread runs, else 0."),
        (DRAINING, Unit::Count, "1 while draining (no new calls), else 0."),
        (TLS_CERTIFICATE, Unit::Seconds, "When the TLS certificate in use runs out, since 1970; 0: TLS is not served."),
        (SPOOL_DEPTH, Unit::Count, "Tickets durable on this machine and not yet in the case store."),
        (SPOOL_KEPT, Unit::Count, "Tickets in memory only because the spool's disk refuses them."),
        (SPOOL_UP, Unit::Count, "1 while the spool's disk takes tickets, else 0."),
        (TICKETS_SET_ASIDE, Unit::Count, "Refused tickets lying in the spool for people to look at."),
        (STORE_UP, Unit::Count, "1 while the case store answers, else 0."),
        (COPY_UP, Unit::Count, "1 while the database takes the event log's copy, or none is configured, else 0."),
        (COPY_LAG, Unit::Seconds, "How long the oldest event that the event log's copy has not got has waited."),
        (JOURNAL_UP, Unit::Count, "1 while the event log takes events, else 0."),
        (WEBHOOK_UP, Unit::Count, "1 while a webhook's far end takes what it is told, else 0."),
        (
            WEBHOOK_LAG,
            Unit::Seconds,
            "Age of the oldest event that a webhook's far end still has to be told; 0: it knows all.",
        ),
        (WEBHOOK_LETTERS, Unit::Count, "Events that a webhook's far end refused for good, for people to look at."),
        (STORE_LAG, Unit::Seconds, "How long the oldest ticket in hand has been waiting for the case store."),
        (BUILD_INFO, Unit::Count, "1, labelled with the version running."),
    ] {
        describe_gauge!(name, unit, help);
    }
    for (name, help) in [
        (WAIT, "Request for a human to agent connected, ringing included, of answered calls."),
        (LOST_WAIT, "Request for a human to the end, of calls that were queued and never answered."),
        (RING, "How long the answering agent's seat rang."),
        (
            TALK,
            "An agent's talk with a caller, hold included, by the queue it was held for; after a transfer each counts.",
        ),
        (HOLD, "Time on hold of talks that were held."),
        (WRAP_UP, "An agent's wrap-up after such a talk."),
        (AGENT_STATE, "Time an agent spent in a state, counted on leaving it."),
        (RTP_JITTER, "Interarrival jitter (RFC 3550 s6.4.1) of closed legs."),
    ] {
        describe_histogram!(name, Unit::Seconds, help);
    }
    describe_histogram!(RTP_LOSS, Unit::Count, "Share of the RTP packets sent to us that were lost, of closed legs.");
}
