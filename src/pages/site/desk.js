// The agent's desk: the parts of it, and the one way by which any of them asks the gateway for something. It shows what the
// gateway says and nothing else: no state of its own but what is typed.

import { ACTS } from "/acts.js";
import { Alert } from "/alert.js";
import { Audio } from "/audio.js";
import { CallCard } from "/call.js";
import { Console } from "/console.js";
import { make, setText } from "/dom.js";
import { Earlier } from "/earlier.js";
import { Headset } from "/headset.js";
import { listen, showKeys } from "/keys.js";
import { Line } from "/line.js";
import { Lines } from "/lines.js";
import { OwnDay } from "/own_day.js";
import { Reach } from "/reach.js";
import { Recordings } from "/recordings.js";
import { readable } from "/region.js";
import { StateBar } from "/state.js";
import { Ticket } from "/ticket.js";
import { t, unable } from "/words.js";

/** Whoever presses again by then has read what is lost. */
const WARNED = 10000;

export class Desk {
  #screen = null;
  #alert = new Alert();
  #view = "desk";
  #warnedAt = -Infinity;

  constructor(page, who, { leave, languageChanged, signedOut }) {
    this.who = who;
    const run = (id) => this.#run(id);
    this.bar = new StateBar(who, run, (seat, withHeadset) => this.#signIn(seat, withHeadset));
    this.day = new OwnDay();
    this.call = new CallCard(run, this.day.element);
    this.reach = new Reach(who, run, (digits) => this.#keyed(digits));
    this.reach.changed = () => this.#showAll();
    this.lines = new Lines();
    this.earlier = new Earlier();
    this.form = make("section", { class: "card form", "aria-label": t("ticket") });
    this.ticket = new Ticket(this.form, who.agent, (no) => this.earlier.ofTicket(no));
    this.line = new Line({
      screen: (screen) => this.#show(screen), floor: (floor) => this.console?.show(floor), replaced: () => this.audio.replaced(), state: (state) => this.#connection(state), signedOut,
    });
    this.audio = new Audio(this.line, () => this.#showAll());
    this.headset = new Headset(this.audio, run);
    this.console = who.leader ? new Console(this.line, (order) => this.#order(order), (text) => this.#notice(text)) : null;
    this.recordings = who.leader ? new Recordings() : null;
    this.#more = {
      F10: ["to_number", () => this.reach.number.focus()],
      "Alt+W": ["to_ticket", () => this.form.querySelector("select, input, textarea")?.focus()],
      ...(this.console ? { "Alt+V": ["other_view", () => this.#turn({ desk: "console", console: "recordings", recordings: "desk" }[this.#view])] } : {}),
      "Shift+F1": ["shortcuts", () => this.#keys()], "?": ["shortcuts", () => this.#keys()],
    };
    this.#build(page, leave, languageChanged);
    this.deaf = listen(run, this.#more);
    this.line.open();
    this.timer = setInterval(() => this.#tick(), 250);
    if (Audio.wasOn) this.audio.start();
  }

  #more;

  close() {
    clearInterval(this.timer);
    this.deaf();
    this.#alert.quiet();
    this.ticket.close();
    this.day.close();
    this.audio.close();
    this.console?.close();
    this.line.close();
  }

  #build(page, leave, languageChanged) {
    this.dot = make("span", { class: "dot" });
    this.link = make("span", { class: "link" });
    this.place = make("span", { class: "place" });
    this.notice = make("p", { class: "notice", role: "alert", hidden: true });
    const tab = (view) => make("button", { type: "button", class: "tab", onclick: () => this.#turn(view) }, t(`view_${view}`));
    this.tabs = this.console ? { desk: tab("desk"), console: tab("console"), recordings: tab("recordings") } : {};
    this.views = {
      desk: make("div", { class: "desk" }, make("div", { class: "side" }, this.call.element, this.reach.element, this.lines.element),
        make("div", { class: "side" }, this.earlier.element, this.form)),
      ...(this.console ? { console: this.console.element, recordings: this.recordings.element } : {}),
    };
    page.replaceChildren(
      make("header", { class: "top" },
        make("h1", { class: "brand" }, "热线"),
        make("span", {}, `${t("agent")} ${this.who.agent}`), this.place,
        this.console ? make("nav", { "aria-label": t("views") }, Object.values(this.tabs)) : null,
        make("span", { class: "gap" }), this.headset.element, this.dot, this.link,
        make("button", { type: "button", class: "plain", "aria-keyshortcuts": "?", onclick: () => this.#keys() }, t("shortcuts"), make("kbd", {}, "?")),
        make("button", { type: "button", class: "plain", onclick: languageChanged }, t("language")),
        make("button", { type: "button", class: "plain", onclick: () => this.#leave(leave) }, t("leave"))),
      this.notice, this.headset.alert,
      make("main", {}, this.bar.element, Object.values(this.views)));
    this.#turn("desk");
  }

  /** What is typed goes with whoever leaves: they are told first. */
  async #leave(leave) {
    if (performance.now() - this.#warnedAt < WARNED || (await this.ticket.settled())) return leave();
    this.#warnedAt = performance.now();
    this.#notice(t("leave_unsaved"));
  }

  #turn(view) {
    this.#view = view;
    for (const [name, element] of Object.entries(this.views)) element.hidden = name !== view;
    for (const [name, tab] of Object.entries(this.tabs)) tab.setAttribute("aria-pressed", String(name === view));
    if (view !== "desk") this[view].watch();
  }

  get #situation() {
    return { screen: this.#screen, audio: this.audio, number: this.reach.typed, queue: this.reach.queue.value, pad: () => this.reach.togglePad() };
  }

  async #run(id) {
    if (!this.#screen) return;
    const [act, situation] = [ACTS[id], this.#situation];
    const why = act.why(situation);
    if (why === "why_is_ready") return;
    if (why) return this.#notice(`${t(typeof act.words === "function" ? act.words(situation) : act.words)}: ${t(why)}`);
    if (act.own) return act.own(situation);
    const order = act.order(situation);
    if ((await this.#order(order)) && order.to) this.reach.used(order.to);
  }

  /** Was it done? If not, it is said why. */
  async #order(order) {
    const before = this.notice.textContent;
    const answer = await this.line.order(order);
    // Done: what was said before it is over, not what has been said since.
    if (answer.unable) this.#notice(unable(answer));
    else if (this.notice.textContent === before) this.#notice("");
    return !answer.unable;
  }

  async #signIn(seat, withHeadset) {
    Alert.askPermission();
    if (!(await this.#order({ order: "sign_in", seat }))) return;
    if (withHeadset) this.audio.start();
    else this.audio.stop();
  }

  #keyed(digits) {
    const why = this.audio.keys(digits);
    this.#notice(why ? `${t("keypad")}: ${t(why)}` : "");
  }

  #notice(text) {
    this.notice.hidden = !text;
    setText(this.notice, text);
  }

  #connection(state) {
    this.dot.className = `dot ${state}`;
    setText(this.link, t(state === "lost" ? "connecting" : state));
    if (state === "lost") this.#notice(t("lost"));
    else if (state === "connected" && this.notice.textContent === t("lost")) this.#notice("");
    if (state === "connected" && document.body.classList.contains("stale")) {
      this.audio?.lineIsBack();
      if (this.#view === "console") this.console.watch();
    }
    document.body.classList.toggle("stale", state !== "connected");
  }

  #show(screen) {
    const before = this.#screen;
    this.#screen = screen;
    document.body.dataset.state = screen.state;
    setText(this.place, screen.seat ? `${t("seat")} ${screen.seat}` : "");
    const { call } = screen;
    const rings = call?.stage === "ringing" ? call.caller : screen.own?.stage === "ringing" ? screen.own.to : undefined;
    if (rings !== undefined) this.#alert.ring(readable(rings) || t("withheld"), screen.audio === "browser");
    else this.#alert.quiet();
    if (call?.stage === "ringing" && before?.call?.call !== call.call) this.#turn("desk");
    // A phone rings by itself; what it was muted for is over with the call.
    if (before?.call && !call && this.audio.muted) this.audio.mute(false);
    if (before?.call && !call) this.day.look();
    this.ticket.of(call?.answered ? call.call : screen.serving);
    if (call?.stage === "ringing") this.earlier.ofNumber(call);
    if (screen.state === "logged_out" && this.audio.isOn && before && before.state !== "logged_out") this.audio.stop();
    this.audio.seen(screen.audio);
    this.#showAll();
  }

  #showAll() {
    if (!this.#screen || !this.headset) return;
    const situation = this.#situation;
    for (const part of [this.bar, this.call, this.reach]) part.show(situation);
    this.headset.show(situation, ACTS);
    this.console?.screen(this.#screen);
    this.lines.show(this.#screen.queues, this.line.now());
    this.#tick();
  }

  #keys() {
    if (this.#screen && !document.querySelector("dialog[open]")) showKeys(this.#more, this.#situation);
  }

  /** Every time shown counts by the gateway's clock. */
  #tick() {
    if (!this.#screen) return;
    const [situation, now] = [this.#situation, this.line.now()];
    for (const part of [this.bar, this.call, this.reach]) part.tick(situation, now);
    this.lines.tick(now);
    this.console?.tick(now);
    this.headset.tick();
  }
}
