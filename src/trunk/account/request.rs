//! The REGISTER of an account (RFC 3261 s10.2; RFC 3327, 5626; 3GPP TS 24.229 s5.1.1.2). Not here: when it is sent.

use super::Registration;
use crate::sip::dialog::{contact_of, via};
use crate::sip::flow::Flow;
use crate::sip::message::{Builder, Method, Name};
use crate::sip::session::{ALLOW, SERVER};
use std::time::Duration;

impl Registration {
    /// The Request-URI is the domain alone (s10.2); what carries it to a proxy is the flow and, where wanted, a Route.
    pub(super) fn request(&mut self, flow: &Flow, branch: &str, expires: Duration) -> Vec<u8> {
        self.seq += 1;
        let account = &self.account;
        let uri = format!("sip:{}", account.domain);
        let address = format!("<{}>", account.address_of_record());
        let mut b = Builder::request(Method::Register, uri.as_bytes())
            .header(Name::Via, via(flow, branch).as_bytes())
            .header(Name::MaxForwards, b"70");
        if self.quirks.proxy_route {
            b = b.header(Name::Route, proxy_route(flow).as_bytes());
        }
        let contact = contact_of(&account.user, flow);
        b = b
            .header_fmt(Name::From, format_args!("{address};tag={}", self.tag))
            .header(Name::To, address.as_bytes())
            .header(Name::CallId, self.call_id.as_bytes())
            .header_fmt(Name::CSeq, format_args!("{} REGISTER", self.seq));
        b = match &account.instance {
            Some(urn) => {
                let b = b.header_fmt(Name::Contact, format_args!("{contact};+sip.instance=\"<{urn}>\";reg-id=1"));
                b.header(Name::Supported, b"path, outbound")
            }
            None => b.header(Name::Contact, contact.as_bytes()).header(Name::Supported, b"path"),
        };
        b = b
            .header_fmt(Name::Expires, format_args!("{}", expires.as_secs()))
            .header(Name::Allow, ALLOW)
            .header(Name::UserAgent, SERVER);
        let mut proofs = self.login.answers(b"REGISTER", uri.as_bytes());
        if self.quirks.introduced && proofs.is_empty() {
            proofs.push(self.login.introduction(&account.domain, uri.as_bytes()));
        }
        proofs.iter().fold(b, |b, (name, value)| b.header(*name, value)).finish()
    }
}

/// The proxy at the far end of a flow, as a route.
pub(super) fn proxy_route(flow: &Flow) -> String {
    format!("<sip:{}{};lr>", flow.remote, flow.transport.uri_parameter())
}
