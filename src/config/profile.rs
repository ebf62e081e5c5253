//! SIP profiles.
use super::settings::*;
use crate::plane::Codec;

/// The profile built into the program.
pub fn generic() -> Profile {
    Profile {
        name: "generic".into(),
        answer: AnswerMode::OnQueue,
        codecs: vec![Codec::Pcma, Codec::Pcmu],
        dtmf_payload_type: 101,
        caller_from: vec![CallerSource::PAssertedIdentity, CallerSource::RemotePartyId, CallerSource::From],
        called_from: CalledSource::RequestUri,
    }
}
