//! The two requests a client transaction makes from its INVITE: the ACK for 300-699 (RFC 3261 s17.1.1.3) and the
//! CANCEL (s9.1). Both carry the INVITE's topmost Via (so its branch), Request-URI, From, Call-ID, CSeq number and
//! Route set; credentials too, since a proxy may check them and may not challenge either (s22.1).

use crate::sip::message::{Builder, Framing, Message, Method, Name};

/// The ACK: the To comes from the response, with its tag.
pub fn ack(invite: &[u8], response: &Message<'_>) -> Vec<u8> {
    derive(invite, Method::Ack, response.header(Name::To))
}

/// The CANCEL: the To is the INVITE's own.
pub fn cancel(invite: &[u8]) -> Vec<u8> {
    derive(invite, Method::Cancel, None)
}

fn derive(invite: &[u8], method: Method<'_>, to: Option<&[u8]>) -> Vec<u8> {
    // Our own request: it parses. If the user handed over something else there is nothing sensible to send.
    let Ok(invite) = Message::parse(invite, Framing::Datagram) else { return Vec::new() };
    let (Some(uri), Some(via)) = (invite.request_uri(), invite.values(Name::Via).next()) else { return Vec::new() };
    let request = Builder::request(method, uri)
        .header(Name::Via, via)
        .copy(&invite, Name::Route)
        .header_fmt(Name::MaxForwards, format_args!("70"))
        .header(Name::From, invite.header(Name::From).unwrap_or_default())
        .header(Name::To, to.or(invite.header(Name::To)).unwrap_or_default())
        .header(Name::CallId, invite.call_id());
    let seq = invite.cseq().seq;
    let request = match method {
        Method::Ack => request.header_fmt(Name::CSeq, format_args!("{seq} ACK")),
        _ => request.header_fmt(Name::CSeq, format_args!("{seq} CANCEL")),
    };
    request.copy(&invite, Name::Authorization).copy(&invite, Name::ProxyAuthorization).finish()
}
