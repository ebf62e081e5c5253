// The shift leader's console: the floor, whoever is chosen on it and what can be done, the queues and the calls in line. What it
// shows is the gateway's, whole each time; acts go by the same line as the leader's own.

import { AGENT_ACTS, CALL_ACTS, LEADING, LISTENING_ACTS } from "/leading.js";
import { make, setText } from "/dom.js";
import { Floor } from "/floor.js";
import { span, wait } from "/time.js";
import { Waiting } from "/waiting.js";
import { askWhy } from "/why.js";
import { t, unable } from "/words.js";

/** The floor is asked for again after so long. */
const AGAIN = 5000;

export class Console {
  #line;
  #order;
  #floor = null;
  #screen = null;
  #buttons = [];
  #deaf;
  /** Which asking for the floor is the last one. */
  #watch = 0;
  /** Was the leader in the floor when it went? */
  #wasIn = false;

  /** `order(order)`: asks, and says why not. */
  constructor(line, order, tell) {
    this.#line = line;
    this.#order = order;
    this.tell = tell;
    this.floor = new Floor(() => this.#acts());
    this.waiting = new Waiting(() => this.#acts());
    this.who = make("h2", { class: "chosen" });
    this.heard = make("p", { class: "party", role: "status" });
    this.listening = make("section", { class: "card listening", "aria-label": t("listening"), hidden: true }, this.heard, this.#group(LISTENING_ACTS, "listening"));
    this.chosen = make("section", { class: "card", "aria-label": t("chosen_agent") }, this.who, this.#group(AGENT_ACTS, "chosen_agent"));
    this.waiting.callsElement.append(this.#group(CALL_ACTS, "in_line"));
    this.stale = make("p", { class: "quiet", role: "status" }, t("floor_waits"));
    this.element = make("div", { class: "console" },
      make("div", { class: "side" }, this.floor.element),
      make("div", { class: "side" }, this.stale, this.listening, this.chosen, this.waiting.queuesElement, this.waiting.callsElement));
    this.#acts();
    const heard = (event) => this.#key(event);
    addEventListener("keydown", heard);
    this.#deaf = () => removeEventListener("keydown", heard);
  }

  close() {
    this.#watch++;
    this.#deaf();
  }

  /** The gateway tells the floor to whoever asks, until the line breaks or it says that it does no longer. */
  async watch(after = 0) {
    const watch = ++this.#watch;
    const over = () => watch !== this.#watch || this.element.hidden;
    if (after) await wait(after);
    for (; !over(); await wait(AGAIN)) {
      const answer = await this.#line.order({ order: "watch_floor" });
      if (over() || !answer.unable) return;
      if (answer.unable !== "no_answer") return this.#blank(unable(answer));
      this.#notLive(t("floor_lost"));
    }
  }

  /** `null`: the gateway tells it no longer. */
  show(floor) {
    if (!floor) {
      this.#blank(t("floor_lost"));
      return this.watch(AGAIN);
    }
    this.#floor = floor;
    this.stale.hidden = true;
    const now = this.#line.now();
    this.floor.show(floor.agents, now);
    this.waiting.show(floor, now);
    this.#acts();
    if (this.#wasIn && document.activeElement === document.body) this.floor.focus();
    this.#wasIn = false;
  }

  #notLive(why) {
    setText(this.stale, why);
    this.stale.hidden = false;
  }

  /** What is not known any more is not shown. */
  #blank(why) {
    this.#notLive(why);
    this.#wasIn ||= this.floor.body.contains(document.activeElement);
    this.#floor = null;
    this.floor.blank();
    this.waiting.blank();
    this.#acts();
  }

  screen(screen) {
    this.#screen = screen;
    this.#acts();
    this.tick(this.#line.now());
  }

  tick(now) {
    if (!this.#floor || this.element.hidden) return;
    this.floor.tick(now);
    this.waiting.tick(now);
    const heard = this.#screen?.listening;
    if (heard) setText(this.heard, `${t(`mode_${heard.mode}`, { s: heard.agent })} · ${span(now - heard.since)}`);
  }

  get #situation() {
    return { screen: this.#screen ?? {}, agent: this.floor.agent, call: this.waiting.call };
  }

  #group(acts, label) {
    const buttons = Object.entries(acts).map(([id, act]) => {
      const why = make("span", { class: "why" });
      const button = make("button", { type: "button", class: act.kind ?? "", "data-act": id, "aria-keyshortcuts": act.key, onclick: () => this.#run(id) },
        make("span", { class: "word" }, t(act.words)), make("small", {}, make("kbd", {}, act.key), why));
      this.#buttons.push({ act, button, why });
      return button;
    });
    return make("div", { class: "acts", role: "group", "aria-label": t(label) }, buttons);
  }

  #acts() {
    const situation = this.#situation;
    const { agent, screen } = situation;
    setText(this.who, agent ? [agent.agent, agent.team, agent.seat && `${t("seat")} ${agent.seat}`, t(`state_${agent.state}`)].filter(Boolean).join(" · ") : t("why_choose_agent"));
    this.listening.hidden = !screen.listening;
    for (const { act, button, why } of this.#buttons) {
      const reason = act.can(situation);
      setText(why, reason ? t(reason) : "");
      const focused = document.activeElement === button;
      button.disabled = !!reason && !focused;
      if (reason && focused) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
    }
  }

  async #run(id) {
    const [act, situation] = [LEADING[id], this.#situation];
    const no = act.can(situation);
    if (no) return this.tell(`${t(act.words)}: ${t(no)}`);
    if (!act.why) return (await this.#order(act.order(situation))) && act.comes && this.#comes(situation);
    const about = `${t(act.words)} · ${act.order(situation).agent ?? situation.call.caller ?? t("withheld")}`;
    const given = await askWhy(about, {
      queues: act.queue ? this.#floor.queues.map((queue) => queue.name).filter((name) => name !== situation.call.queue) : null,
      skills: act.skills ? this.#skills(situation.agent) : null,
    });
    if (given) await this.#order({ ...act.order(situation, given.queue ?? given.skills), why: given.why });
    this.floor.focus();
  }

  /** The seat that was asked for is rung: this window answers at once; a phone has to be lifted. */
  async #comes({ screen }) {
    if (screen.audio !== "browser") return this.tell(t("pick_up_to_listen"));
    for (let tries = 0; tries < 10; tries++) {
      if (this.#screen.listening || this.#screen.call) return;
      if (!(await this.#line.order({ order: "answer" })).unable) return;
      await wait(100);
    }
  }

  /** All there are, each at the agent's level; 0: not theirs. */
  #skills({ skills = [] }) {
    const all = new Set([...this.#floor.queues.map((queue) => queue.skill), ...this.#floor.agents.flatMap((agent) => (agent.skills ?? []).map(({ skill }) => skill))]);
    return [...all].filter(Boolean).sort().map((skill) => ({ skill, level: skills.find((one) => one.skill === skill)?.level ?? 0 }));
  }

  /** Single keys, where nobody types. */
  #key(event) {
    const typing = document.activeElement?.matches?.("input:not([type=checkbox]), textarea, select");
    if (this.element.hidden || typing || document.querySelector("dialog[open]") || event.ctrlKey || event.altKey || event.metaKey || event.shiftKey) return;
    const key = /^(?:Key([A-Z])|Digit(\d))$/.exec(event.code);
    const [id] = Object.entries(LEADING).find(([, act]) => act.key === (key?.[1] ?? key?.[2])) ?? [];
    if (!id) return;
    event.preventDefault();
    if (!event.repeat) this.#run(id);
  }
}
