//! The data plane: RTP relay, prompts, DTMF, watchdogs; own threads.
