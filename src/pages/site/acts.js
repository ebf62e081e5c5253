// What an agent can do: each with its key, what is asked of the gateway, and why it cannot be done now. The buttons, the keys
// and the page of shortcuts are all made of this table. Whether it is really done only the gateway says.
//
// A situation is `{screen, audio, number, queue, pad}`: what the gateway shows, this window's audio, the number typed, the queue chosen,
// and what opens the keypad. `own`: done here, without asking the gateway.

const TALKS = ["talking", "held", "consulting", "three_way"];

const talks = ({ screen }) => (TALKS.includes(screen.call?.stage) ? null : "why_no_talk");
const signedIn = ({ screen }) => (screen.state === "logged_out" ? "why_logged_out" : null);
const alone = ({ screen }) => (screen.call?.party ? "why_party" : null);
const party = ({ screen }) => (screen.call?.party ? null : "why_no_party");
const numbered = ({ number }) => (number ? null : "why_no_number");
const byBrowser = ({ screen }) => (screen.audio === "browser" ? null : screen.audio === "phone" ? "why_by_phone" : "why_no_sound");
const hereLive = (s) => (s.audio.state === "live" ? null : byBrowser(s) ?? "why_other_window");
/** The first reason there is; a later one may count on the earlier ones. */
const first = (...reasons) => (situation) => reasons.reduce((found, reason) => found ?? reason(situation), null);

const notReady = (reason) => () => ({ order: "not_ready", reason });
const held = ({ screen }) => screen.call?.stage === "held";
const rings = ({ screen }) => screen.call?.stage === "ringing" || screen.own?.stage === "ringing";
const engaged = ({ screen }) => !!(screen.call || screen.own || screen.listening);

export const ACTS = {
  // What one is
  ready: { key: "F2", words: "ready", kind: "go", why: first(signedIn, ({ screen }) => (screen.state === "ready" ? "why_is_ready" : null)), order: () => ({ order: "ready" }) },
  busy: { key: "F4", words: "busy", why: signedIn, order: notReady("busy") },
  break: { key: "F7", words: "break", why: signedIn, order: notReady("break") },
  training: { key: "Shift+F7", words: "training", why: signedIn, order: notReady("training") },
  extend: { key: "F9", words: "extend", why: ({ screen }) => (screen.state === "wrap_up" ? null : "why_no_wrap_up"), order: () => ({ order: "extend_wrap_up" }) },
  sign_out: { key: "Shift+F2", words: "sign_out", why: signedIn, order: () => ({ order: "sign_out" }) },
  // The call
  answer: {
    key: "F3", words: "answer", kind: "go", order: () => ({ order: "answer" }),
    why: (s) => (!rings(s) ? "why_no_ring" : s.screen.audio === "browser" ? null : "why_pick_up"),
  },
  hang_up: {
    key: "F8", kind: "stop", order: () => ({ order: "hang_up" }),
    words: (s) => (rings(s) ? "decline" : "hang_up"), why: (s) => (engaged(s) ? null : "why_no_call"),
  },
  hold: {
    key: "F6", words: (s) => (held(s) ? "resume" : "hold"), on: held,
    why: first(talks, alone), order: (s) => ({ order: held(s) ? "resume" : "hold" }),
  },
  mute: {
    key: "Alt+M", also: "M", words: ({ audio }) => (audio.muted ? "unmute" : "mute"), on: ({ audio }) => audio.muted,
    why: hereLive, own: ({ audio }) => audio.mute(!audio.muted),
  },
  // Others
  consult: { key: "Alt+C", words: "consult", why: first(talks, alone, numbered), order: ({ number }) => ({ order: "consult", to: number }) },
  transfer: {
    key: "Alt+T", words: (s) => (s.screen.call?.party ? "transfer_now" : "transfer"),
    why: (s) => talks(s) ?? (s.screen.call.party ? null : numbered(s)),
    order: ({ screen, number }) => (screen.call.party ? { order: "transfer" } : { order: "transfer", to: number }),
  },
  three_way: {
    key: "Alt+J", words: "three_way", order: () => ({ order: "three_way" }),
    why: first(talks, party, ({ screen }) => ({ calling: "why_party_rings", three_way: "why_is_three_way" })[screen.call.party.stage] ?? null),
  },
  end_consult: { key: "Alt+B", words: "end_consult", why: first(talks, party), order: () => ({ order: "end_consult" }) },
  to_queue: {
    key: "Alt+Q", words: "to_queue", order: ({ queue }) => ({ order: "to_queue", queue }),
    why: first(talks, ({ queue }) => (queue ? null : "why_no_queue")),
  },
  survey: { key: "Alt+S", words: "survey", why: first(talks, alone), order: () => ({ order: "survey" }) },
  emergency: { key: "Shift+F12", words: "emergency", kind: "stop", why: ({ screen }) => (screen.call?.answered ? null : "why_no_talk"), order: () => ({ order: "emergency" }) },
  help: {
    key: "F1", words: ({ screen }) => (screen.help ? "no_help" : "ask_help"), on: ({ screen }) => !!screen.help, why: talks,
    order: ({ screen }) => ({ order: screen.help ? "no_help" : "ask_help" }),
  },
  dial: {
    key: "Alt+O", words: "dial", order: ({ number }) => ({ order: "dial", to: number }),
    why: first(signedIn, (s) => (engaged(s) ? "why_in_call" : null), byBrowser, numbered),
  },
  keypad: { key: "Alt+K", words: "keypad", why: first(hereLive, (s) => (s.screen.call?.answered || s.screen.own ? null : "why_no_call")), own: ({ pad }) => pad() },
  test_call: {
    key: "Alt+E", words: ({ screen }) => (screen.test_call ? "end_test_call" : "test_call"), on: ({ screen }) => !!screen.test_call,
    why: first(signedIn, byBrowser, (s) => (engaged(s) ? "why_in_call" : null)),
    order: ({ screen }) => ({ order: screen.test_call ? "end_test_call" : "test_call" }),
  },
};

/** The word on its button now. */
export function wordsOf(act, situation) {
  return typeof act.words === "function" ? act.words(situation) : act.words;
}

/** "Shift+F12" of a key press: letters and F-keys by their place on the keyboard, so that an input method changes nothing. */
export function pressed(event) {
  const placed = /^(?:Key([A-Z])|(F\d+))$/.exec(event.code);
  const name = placed?.[1] ?? placed?.[2] ?? event.key;
  // What Shift makes of other keys is in their name already.
  const shift = event.shiftKey && (placed || name.length > 1);
  return [event.ctrlKey && "Ctrl", event.altKey && "Alt", event.metaKey && "Meta", shift && "Shift", name].filter(Boolean).join("+");
}
