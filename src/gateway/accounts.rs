//! Our registrations at carriers: REGISTERs of ours and what comes of them, and as whom we call. Not here: when one goes
//! out and what its answer means (`trunk::account`).

use super::Gateway;
use super::owner::Owner;
use super::timers::Alarm;
use crate::config::settings::{CoreSettings, TrunkSettings};
use crate::ids::TrunkName;
use crate::sip::digest::client::Login;
use crate::sip::endpoint::ClientTx;
use crate::sip::flow::{Flow, Transport};
use crate::sip::message::Message;
use crate::sip::message::uri::{Uri, unescape};
use crate::sip::session::Subscriber;
use crate::sip::tokens::Tokens;
use crate::time::Instant;
use crate::trunk::account::{Context, Registration, Status};
use std::net::SocketAddr;
use std::time::Duration;

/// Between the first REGISTERs of our accounts.
const APART: Duration = Duration::from_millis(50);

/// A registered account, for a call of ours.
pub(super) struct Line {
    /// The way to the proxy that has us.
    pub flow: Flow,
    /// URI.
    pub identity: String,
    pub domain: String,
    pub subscriber: Subscriber,
}

pub(super) fn registrations(settings: &CoreSettings, tokens: &mut Tokens) -> Vec<Registration> {
    let of_trunk = |trunk: &TrunkSettings| {
        let (name, quirks) = (trunk.name.clone(), trunk.profile.register);
        trunk.accounts.iter().map(move |account| (name.clone(), account.clone(), quirks)).collect::<Vec<_>>()
    };
    let accounts = settings.trunks.iter().flat_map(of_trunk);
    accounts.map(|(trunk, account, quirks)| Registration::new(trunk, account, quirks, tokens)).collect()
}

impl Gateway {
    /// We know where we are reached.
    pub(super) fn register_accounts(&mut self, now: Instant) {
        for account in 0..self.registrations.len() as u32 {
            self.timers.set(Alarm::Account(account), Some(now + APART * account));
        }
    }

    pub(super) fn account_due(&mut self, now: Instant, account: u32) {
        self.with_registration(now, account, |registration, cx| registration.due(cx));
    }

    pub(super) fn account_answered(&mut self, now: Instant, account: u32, tx: ClientTx, answer: &Message<'_>) {
        self.with_registration(now, account, |registration, cx| registration.answered(cx, tx, answer));
    }

    pub(super) fn account_failed(&mut self, now: Instant, account: u32, tx: ClientTx) {
        self.with_registration(now, account, |registration, cx| registration.failed(cx, tx));
    }

    /// The carriers are to send their calls elsewhere.
    pub(super) fn unregister_accounts(&mut self, now: Instant) {
        for account in 0..self.registrations.len() as u32 {
            self.with_registration(now, account, |registration, cx| registration.leave(cx));
        }
    }

    /// A carrier's calls come by the connection we registered on.
    pub(super) fn account_flow_failed(&mut self, now: Instant, flow: Flow) {
        for account in 0..self.registrations.len() as u32 {
            if self.registrations[account as usize].is_on(flow) {
                self.with_registration(now, account, |registration, cx| registration.lost(cx));
            }
        }
    }

    /// A hop is down: who is registered there would get no calls.
    pub(super) fn leave_proxy(&mut self, now: Instant, transport: Transport, remote: SocketAddr) {
        for account in 0..self.registrations.len() as u32 {
            self.with_registration(now, account, |registration, cx| registration.leave_proxy(cx, transport, remote));
        }
    }

    fn with_registration(&mut self, now: Instant, account: u32, act: impl FnOnce(&mut Registration, &mut Context<'_>)) {
        let Some(trunk) = self.registrations.get(account as usize).map(|r| r.trunk.clone()) else { return };
        let (paths, patience) = (self.trunk_paths(now, &trunk), self.hop_patience_of(&trunk));
        let registration = &mut self.registrations[account as usize];
        let before = condition(registration, now);
        let (endpoint, tokens) = (&mut self.endpoint, &mut self.tokens);
        let owner = Owner::Account(account).pack();
        act(registration, &mut Context { now, endpoint, tokens, owner, paths: &paths, patience });
        self.timers.set(Alarm::Account(account), registration.next_timeout());
        if condition(registration, now) != before {
            log(registration, now);
        }
        self.call_out_or_not(now);
    }

    /// The ways to a trunk's proxies, best first: those that are known to live, in the order of the configuration.
    fn trunk_paths(&self, now: Instant, trunk: &TrunkName) -> Vec<Flow> {
        let Some(trunk) = self.trunks.iter().find(|t| t.settings.name == *trunk) else { return vec![] };
        let mut nodes: Vec<_> = trunk.nodes().collect();
        nodes.sort_by_key(|node| (node.health.standing(now), node.priority));
        nodes.into_iter().filter_map(|node| self.flow_to(node)).collect()
    }

    /// The registered account for calls shown as `number`, else the first.
    pub(super) fn registered_line(&self, now: Instant, trunk: &TrunkSettings, number: &str) -> Option<Line> {
        let mut registered = self.registrations.iter().filter(|r| r.trunk == trunk.name && r.binding(now).is_some());
        let same = registered.clone().find(|r| r.account.user == number);
        let registration = same.or_else(|| registered.next())?;
        let (account, binding) = (&registration.account, registration.binding(now)?);
        let subscriber = Subscriber {
            login: Login::new(&account.auth_user, account.password.clone()),
            user: account.user.clone(),
            route: binding.route(trunk.profile.register),
        };
        let identity = binding.identity(account);
        Some(Line { flow: binding.flow, identity, domain: account.domain.clone(), subscriber })
    }

    /// As which of its subscribers a carrier calls us: the one its Request-URI names, else the first.
    pub(super) fn called_line(&self, trunk: &TrunkName, msg: &Message<'_>) -> Option<Subscriber> {
        let user = msg.request_uri().and_then(|uri| Uri::parse(uri).ok()?.user.map(unescape)).unwrap_or_default();
        let mut ours = self.registrations.iter().filter(|r| r.trunk == *trunk);
        let named = ours.clone().find(|r| r.account.user.as_bytes() == user);
        let account = &named.or_else(|| ours.next())?.account;
        let login = Login::new(&account.auth_user, account.password.clone());
        Some(Subscriber { login, user: account.user.clone(), route: vec![] })
    }
}

fn condition(registration: &Registration, now: Instant) -> (&'static str, Option<String>) {
    (registration.status(now).as_str(), registration.trouble().map(ToString::to_string))
}

fn log(registration: &Registration, now: Instant) {
    let (trunk, account) = (&registration.trunk, registration.account.address_of_record());
    match (registration.status(now), registration.trouble()) {
        (Status::Registered(binding), None) => {
            let seconds = (binding.until - now).as_secs();
            tracing::info!(%trunk, account, proxy = %binding.flow.remote, seconds, "registered at the carrier");
        }
        (Status::Registered(binding), Some(why)) => {
            let seconds = (binding.until - now).as_secs();
            tracing::warn!(%trunk, account, %why, seconds, "the registration is not renewed, and runs out");
        }
        (Status::Refused(why), _) => {
            tracing::warn!(%trunk, account, %why, "not registered: calls by it do not come in")
        }
        (Status::Unregistered, _) => tracing::info!(%trunk, account, "unregistered"),
        (Status::Trying | Status::Leaving, _) => {}
    }
}
