const JsSIP = require('jssip', '/');
const phone = new JsSIP.UA({
  sockets: [new JsSIP.WebSocketInterface(account.server)], uri: `sip:${account.user}@${account.domain}`,
  password: account.password, register_expires: 120, connection_recovery_min_interval: 1, connection_recovery_max_interval: 1,
});
for (const what of ['connected', 'disconnected', 'registered', 'registrationFailed'])
  phone.on(what, (e) => told(what, { cause: e.cause ?? null, code: e.response?.status_code ?? null }));
const calls = [], stream = speak();
phone.on('newRTCSession', ({ originator, session }) => {
  told('call', { originator, from: session.remote_identity.uri.user });
  calls.push(session);
  for (const what of ['accepted', 'confirmed', 'hold', 'unhold'])
    session.on(what, () => told(what, { originator }));
  for (const what of ['ended', 'failed'])
    session.on(what, (e) => {
      calls.splice(calls.indexOf(session), 1);
      told(what, { originator, cause: e.cause ?? null, code: e.message?.status_code ?? null });
    });
  session.on('peerconnection', ({ peerconnection }) => listen(peerconnection));
  listen(session.connection);
  if (originator === 'remote') session.answer({ mediaStream: stream });
});
phone.start();
obey({
  dial: (number) => phone.call(`sip:${number}@${account.domain}`, { mediaStream: stream }),
  hangup: () => calls.at(-1)?.terminate(),
  hold: () => calls.at(-1).hold(),
  unhold: () => calls.at(-1).unhold(),
  restart: () => calls.at(-1).renegotiate({ rtcOfferConstraints: { iceRestart: true } }),
  keys: (keys) => calls.at(-1).sendDTMF(keys),
  rfc4733: (keys) => calls.at(-1).sendDTMF(keys, { transportType: 'RFC2833' }),
  refer: (number) => calls.at(-1).refer(`sip:${number}@${account.domain}`),
  drop: () => phone.transport.socket._ws.close(),
  stop: () => phone.stop(),
});
