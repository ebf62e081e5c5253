// What a shift leader can do to an agent or to a waiting call: each with its key, what is asked of the gateway, and why it cannot be
// done now. `why`: a reason is asked for, and kept with the act. `comes`: the leader's own
// seat is rung for it.
//
// A situation is `{screen, agent, call, queues}`: the leader's own screen, the agent chosen, the waiting call chosen.

const someone = ({ agent }) => (agent ? null : "why_nobody");
const here = ({ agent }) => (agent.state === "logged_out" ? "why_agent_out" : null);
const other = ({ agent, screen }) => (agent.agent === screen.agent ? "why_yourself" : null);
const inCall = ({ agent }) => (agent.call ? null : "why_agent_no_call");
const listening = ({ screen }) => (screen.listening ? null : "why_not_listening");
const mode = (one) => ({ screen }) => (screen.listening?.mode === one ? "why_mode" : null);
const waiting = ({ call }) => (call ? null : "why_nobody");
/** The call is named too: by the time the order is read, the agent may have another one, which was not meant. */
const theirCall = (order) => ({ agent }) => ({ order, agent: agent.agent, call: agent.call.call });
const first = (...reasons) => (situation) => reasons.reduce((found, reason) => found ?? reason(situation), null);
const force = (to) => ({ agent }) => ({ order: "force", agent: agent.agent, to });

export const AGENT_ACTS = {
  listen: { key: "L", words: "listen", comes: true, can: first(someone, other, inCall, ({ agent, screen }) => (screen.listening?.agent === agent.agent ? "why_mode" : null)), order: theirCall("listen") },
  take_over: { key: "T", words: "take_over", comes: true, can: first(someone, other, inCall), order: theirCall("take_over") },
  disconnect: { key: "X", words: "disconnect", kind: "stop", why: true, can: first(someone, inCall), order: theirCall("disconnect") },
  skills: { key: "S", words: "set_skills", why: true, skills: true, can: someone, order: ({ agent }, skills) => ({ order: "set_skills", agent: agent.agent, skills }) },
  force_ready: { key: "R", words: "force_ready", why: true, can: first(someone, here, ({ agent }) => (agent.state === "ready" ? "why_agent_ready" : null)), order: force("ready") },
  force_not_ready: { key: "N", words: "force_not_ready", why: true, can: first(someone, here), order: force("not_ready") },
  force_out: { key: "O", words: "force_out", why: true, can: first(someone, here), order: force("logged_out") },
};

export const LISTENING_ACTS = {
  listen_only: { key: "1", words: "listen", can: first(listening, mode("listen")), order: () => ({ order: "listen_only" }) },
  whisper: { key: "2", words: "whisper", can: first(listening, mode("whisper")), order: () => ({ order: "whisper" }) },
  barge: { key: "3", words: "barge", can: first(listening, mode("barge")), order: () => ({ order: "barge" }) },
  end_listening: { key: "E", words: "end_listening", can: listening, order: () => ({ order: "end_listening" }) },
};

export const CALL_ACTS = {
  move_up: { key: "U", words: "move_up", why: true, can: waiting, order: ({ call }) => ({ order: "move_up", call: call.call }) },
  move_call: { key: "Q", words: "move_call", why: true, queue: true, can: waiting, order: ({ call }, queue) => ({ order: "move_call", call: call.call, queue }) },
};

export const LEADING = { ...AGENT_ACTS, ...LISTENING_ACTS, ...CALL_ACTS };
