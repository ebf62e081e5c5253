import { Inviter, Registerer, RegistererState, SessionState, UserAgent, Web } from '/npm/SIPJS/lib/index.js';
// The library stops what it is given when its call is over.
const stream = speak(), calls = [];
const uri = (user) => UserAgent.makeURI(`sip:${user}@${account.domain}`);
const follow = (session, originator) => {
  calls.push(session);
  session.stateChange.addListener((state) => {
    if (state === SessionState.Establishing) listen(session.sessionDescriptionHandler?.peerConnection);
    if (state === SessionState.Established) {
      listen(session.sessionDescriptionHandler.peerConnection);
      told('confirmed', { originator });
    }
    if (state === SessionState.Terminated) {
      calls.splice(calls.indexOf(session), 1);
      told('ended', { originator });
    }
  });
};
const phone = new UserAgent({
  uri: uri(account.user), transportOptions: { server: account.server }, authorizationUsername: account.user,
  authorizationPassword: account.password, logLevel: 'warn',
  sessionDescriptionHandlerFactory: Web.defaultSessionDescriptionHandlerFactory(async () => stream.clone()),
  delegate: {
    onInvite: (session) => {
      told('call', { originator: 'remote', from: session.remoteIdentity.uri.user });
      session.delegate = { onSessionDescriptionHandler: (handler) => listen(handler.peerConnection) };
      follow(session, 'remote');
      session.accept();
    },
  },
});
const registration = new Registerer(phone, { expires: 120 });
registration.stateChange.addListener((state) => {
  if (state === RegistererState.Registered) told('registered', {});
});
await phone.start();
await registration.register();
const reinvite = (hold) => calls.at(-1).invite({ sessionDescriptionHandlerOptions: { hold } });
obey({
  dial: (number) => {
    const session = new Inviter(phone, uri(number));
    session.delegate = { onSessionDescriptionHandler: (handler) => listen(handler.peerConnection) };
    follow(session, 'local');
    return session.invite();
  },
  hangup: () => calls.at(-1).bye(),
  hold: () => reinvite(true),
  unhold: () => reinvite(false),
  rfc4733: (keys) => calls.at(-1).sessionDescriptionHandler.sendDtmf(keys),
  stop: async () => { await registration.unregister(); await phone.stop(); },
});
