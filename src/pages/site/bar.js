// The agent's desk: the state bar, the call in hand, the lines. It shows what the gateway says and nothing else: no state of
// its own but which seat was used last.

import { make, say, setText } from "/dom.js";
import { Line } from "/line.js";
import { Ticket } from "/ticket.js";
import { t } from "/words.js";

const SEAT = "rexian-seat";

/** Orders by key, in every state; the gateway says which of them can be. */
const KEYS = {
  F2: { order: "ready" },
  F4: { order: "not_ready", reason: "busy" },
  F7: { order: "not_ready", reason: "break" },
  F8: { order: "hang_up" },
  F9: { order: "extend_wrap_up" },
};

export class Bar {
  #line;
  #screen = null;
  #timer;
  #keys;
  #said = "";

  constructor(page, who, { leave, languageChanged, signedOut }) {
    this.who = who;
    this.#build(page, leave, languageChanged);
    this.ticket = new Ticket(this.form, who.agent);
    this.#line = new Line({
      screen: (screen) => this.#show(screen),
      state: (state) => this.#connection(state),
      signedOut,
    });
    this.#timer = setInterval(() => this.#tick(), 250);
    this.#keys = (event) => {
      const order = !event.ctrlKey && !event.altKey && !event.metaKey && !event.shiftKey && KEYS[event.key];
      if (!order) return;
      event.preventDefault();
      if (!event.repeat) this.#order(order);
    };
    addEventListener("keydown", this.#keys);
  }

  close() {
    clearInterval(this.#timer);
    removeEventListener("keydown", this.#keys);
    this.ticket.close();
    this.#line.close();
  }

  #build(page, leave, languageChanged) {
    const button = (words, order, key, kind = "") =>
      make("button", { class: kind, "aria-keyshortcuts": key, onclick: () => this.#order(order) },
        t(words), key ? make("kbd", {}, key) : null);
    this.dot = make("span", { class: "dot" });
    this.link = make("span", { class: "link" });
    this.notice = make("p", { class: "notice", role: "alert", hidden: true });
    this.state = make("strong", { id: "state" });
    this.clock = make("time", { class: "clock" });
    this.detail = make("span", { class: "detail" });
    this.ready = button("ready", KEYS.F2, "F2", "go");
    this.busy = button("busy", KEYS.F4, "F4");
    this.pause = button("break", KEYS.F7, "F7");
    this.training = button("training", { order: "not_ready", reason: "training" });
    this.extend = button("extend", KEYS.F9, "F9");
    this.out = button("sign_out", { order: "sign_out" });
    this.seat = make("select", { id: "seat", "aria-label": t("choose_seat") },
      this.who.seats.map((seat) => make("option", { value: seat, selected: seat === localStorage.getItem(SEAT) }, seat)));
    this.enter = make("button", { class: "go", onclick: () => this.#signIn() }, t("sign_in"));
    this.place = make("span", { class: "place" });
    this.call = make("section", { class: "card call", "aria-label": t("caller") });
    this.form = make("section", { class: "card form", "aria-label": t("ticket") });
    this.lines = make("tbody");
    page.replaceChildren(
      make("header", { class: "top" },
        make("h1", { class: "brand" }, "热线"),
        make("span", {}, `${t("agent")} ${this.who.agent}`),
        this.who.leader ? make("span", { class: "tag" }, t("leader")) : null,
        this.place, make("span", { class: "gap" }), this.dot, this.link,
        make("button", { class: "plain", onclick: languageChanged }, t("language")),
        make("button", { class: "plain", onclick: leave }, t("leave"))),
      this.notice,
      make("main", { class: "desk" },
        make("section", { class: "card bar", "aria-label": t("title") },
          make("div", { class: "state" }, this.state, this.clock, this.detail),
          make("div", { class: "buttons", role: "toolbar" },
            make("span", { class: "entry" }, make("label", { for: "seat" }, t("seat")), this.seat, this.enter),
            this.ready, this.busy, this.pause, this.training, this.extend, this.out)),
        make("div", { class: "side" }, this.call,
          make("section", { class: "card lines" },
            make("h2", {}, t("queues")),
            make("table", {},
              make("thead", {}, make("tr", {}, ["queue", "waiting", "longest", "callbacks"].map((head) => make("th", { scope: "col" }, t(head))))),
              this.lines))),
        this.form),
    );
    this.#callPart(null);
  }

  async #order(order) {
    const unable = await this.#line.order(order);
    this.#notice(unable ? t(`unable_${unable}`) : "");
  }

  async #signIn() {
    const seat = this.seat.value;
    localStorage.setItem(SEAT, seat);
    await this.#order({ order: "sign_in", seat });
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
    document.body.classList.toggle("stale", state !== "connected");
  }

  #show(screen) {
    const before = this.#screen;
    this.#screen = screen;
    const name = screen.reason ? t(`reason_${screen.reason}`) : t(`state_${screen.state}`);
    document.body.dataset.state = screen.state;
    setText(this.state, name);
    if (this.#said !== name) say((this.#said = name));
    setText(this.place, screen.seat ? `${t("seat")} ${screen.seat}` : "");
    const signedIn = screen.state !== "logged_out";
    this.enter.parentElement.hidden = signedIn;
    for (const button of [this.ready, this.busy, this.pause, this.training, this.out]) button.hidden = !signedIn;
    this.extend.hidden = screen.state !== "wrap_up";
    this.ready.disabled = screen.state === "ready";
    if (JSON.stringify(before?.call) !== JSON.stringify(screen.call) || before?.serving !== screen.serving || !before) this.#callPart(screen);
    this.#linePart(screen.queues);
    this.ticket.of(screen.call?.answered ? screen.call.call : screen.serving);
    if (signedIn && !screen.reachable) this.#notice(t("unreachable"));
    else if (this.notice.textContent === t("unreachable")) this.#notice("");
    this.#tick();
  }

  #callPart(screen) {
    const call = screen?.call;
    this.call.className = `card call ${call?.stage ?? ""}`;
    this.waited = this.talked = null;
    if (!call) {
      const serving = screen?.serving ? `${t("serving")} ${screen.serving}` : t("no_call");
      return this.call.replaceChildren(make("p", { class: "quiet" }, serving));
    }
    const row = (label, ...value) => [make("dt", {}, t(label)), make("dd", {}, ...value)];
    this.waited = make("time");
    this.talked = call.answered ? make("time") : null;
    const rings = call.stage === "ringing";
    const others = this.#screen.queues.filter((queue) => queue.name !== call.queue);
    const target = make("select", { "aria-label": t("to_queue") }, others.map((queue) => make("option", {}, queue.name)));
    this.call.replaceChildren(...[
      make("h2", {}, t(`stage_${call.stage}`), call.test ? make("span", { class: "tag" }, t("test")) : null,
        call.purpose === "inbound" ? null : make("span", { class: "tag" }, t(`purpose_${call.purpose}`))),
      make("p", { class: "number" }, call.withheld ? t("withheld") : call.caller ?? "—"),
      rings ? make("p", { class: "hint" }, t("answer_on_phone")) : null,
      make("dl", {},
        row("queue", call.queue), row("skill", call.skill),
        row("called", call.line ? `${call.line} (${call.dnis})` : call.dnis),
        row("waited", this.waited), this.talked ? row("talked", this.talked) : [], row("path", call.path)),
      make("div", { class: "buttons" },
        make("button", { class: "stop", "aria-keyshortcuts": "F8", onclick: () => this.#order(KEYS.F8) },
          t(rings ? "decline" : "hang_up"), make("kbd", {}, "F8")),
        call.answered && others.length ? make("span", { class: "entry" }, target,
          make("button", { onclick: () => this.#order({ order: "to_queue", queue: target.value }) }, t("to_queue"))) : null),
    ].filter(Boolean));
    if (rings) say(`${t("stage_ringing")} ${call.withheld ? t("withheld") : call.caller ?? ""}`);
  }

  #linePart(queues) {
    const rows = queues.map((queue) => make("tr", { class: queue.waiting ? "some" : "" },
      make("th", { scope: "row" }, queue.name), make("td", {}, String(queue.waiting)),
      make("td", {}, queue.oldest ? span(this.#line.now() - queue.oldest) : "—"), make("td", {}, String(queue.callbacks))));
    this.lines.replaceChildren(...rows);
  }

  /** Every time shown counts by the gateway's clock. */
  #tick() {
    const screen = this.#screen;
    if (!screen) return;
    const now = this.#line.now();
    setText(this.clock, screen.state === "logged_out" ? "" : span(now - screen.since));
    const ends = screen.until ? `${t("ends_in")} ${span(Math.max(0, screen.until - now))}` : "";
    const then = screen.then ? `${t("then")} ${t(`state_${screen.then}`)}` : "";
    const own = screen.state === "engaged" ? t("own_call") : "";
    setText(this.detail, [ends, then, own].filter(Boolean).join(" · "));
    const call = screen.call;
    if (this.waited) setText(this.waited, span((call.answered ?? now) - call.asked));
    if (this.talked) setText(this.talked, span(now - call.answered));
  }
}

/** Microseconds as 1:05 or 1:02:05. */
function span(micros) {
  const seconds = Math.max(0, Math.floor(micros / 1e6));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}
