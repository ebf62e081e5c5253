// The ticket of the call in hand: found by its call, saved as it is typed, acted on by what the gateway says one may. What the
// form shows is the gateway's; only a field that is being typed in is ours until it is saved.

import { ask, key } from "/ask.js";
import { Category, tree } from "/category.js";
import { make, setText } from "/dom.js";
import { wait } from "/time.js";
import { keep, kept } from "/unsaved.js";
import { t } from "/words.js";

const SAVE_AFTER = 800;
const LOOK_AGAIN = 700;
/** A ticket is in the store a moment after the pickup; where the store is away it comes later. */
const LOOKS = 60;
const SOONEST = 3000;
const LATEST = 60000;
/** So many tickets with something unsaved are kept; each is a call's. */
const MOST_UNSAVED = 10;
/** What is answered so passes: it is tried again. 412: at another version. */
const PASSING = [0, 401, 408, 412, 429];
const passes = ({ status }) => PASSING.includes(status) || status >= 500;

const KINDS = ["question", "help", "complaint", "report", "suggestion", "praise", "other"];
const URGENCIES = ["normal", "urgent", "critical"];
const TEXTS = [
  ["name", "name", "", 50], ["callback_no", "callback_no", "", 32], ["district", "district", "", 50],
  ["street", "street", "", 50], ["community", "community", "", 50], ["address", "address", "", 200],
];

export class Ticket {
  #place;
  #agent;
  #found;
  #call = null;
  #ticket = null;
  #typed = new Map();
  #timer = null;
  /** After how long the form is saved again, where it could not be. */
  #delay = SOONEST;
  /** What could not be saved when the next call came, `{ticket, typed}`, oldest first. */
  #unsaved;
  #retries = false;
  /** With whichever ticket is shown: what of earlier ones is still unsaved, or was refused. */
  #behind = make("p", { class: "said bad", role: "status", hidden: true });
  /** Field -> `{put(value), disable(is)}`. */
  #fields = new Map();
  #may = "";
  /** One change after the other, each to the version that the one before made. */
  #turn = Promise.resolve(true);
  #leaving = () => this.#lastTry();
  #asks = (event) => this.#troubled && event.preventDefault();
  #troubled = false;
  #closed = false;

  /** `found(ticket_no)`: there is a ticket now. */
  constructor(place, agent, found) {
    this.#place = place;
    this.#agent = agent;
    this.#found = found;
    this.#unsaved = kept(agent);
    this.#empty(t("ticket_here"));
    this.#tellBehind("");
    if (this.#unsaved.length) this.#retry(0);
    addEventListener("pagehide", this.#leaving);
    addEventListener("beforeunload", this.#asks);
    tree();
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    removeEventListener("pagehide", this.#leaving);
    removeEventListener("beforeunload", this.#asks);
    this.#lastTry();
  }

  /** Is everything saved that was typed, or can be? */
  async settled() {
    await this.#save();
    return this.#typed.size === 0 && this.#unsaved.length === 0;
  }

  /** The page goes: what was typed is sent all the same. */
  #lastTry() {
    this.#save(true);
    for (const { ticket, typed } of this.#unsaved) send(ticket, "fill_in", Object.fromEntries(typed), true);
  }

  /** Whose ticket is to be shown; none: the last one stays, for whoever is still writing. */
  async of(call) {
    if (!call || call === this.#call) return;
    // Before anything is waited for: the next screen comes meanwhile, and one look-up is enough.
    this.#call = call;
    await this.#save();
    if (this.#call !== call || this.#closed) return;
    if (this.#ticket && this.#typed.size) this.#putBehind({ ticket: this.#ticket, typed: this.#typed });
    this.#ticket = null;
    this.#typed = new Map();
    this.#empty(t("ticket_waits"));
    for (let look = 0; look < LOOKS && this.#call === call && !this.#closed; look++) {
      const [found, sorted] = await Promise.all([ask(`/v1/tickets?agent=${encodeURIComponent(this.#agent)}&limit=5`), tree()]);
      const ticket = found.ok && found.body?.tickets.find((one) => one.call === call);
      if (ticket && this.#call === call && !this.#closed) return this.#show(ticket, sorted ?? { leaves: [], departments: [] });
      await wait(LOOK_AGAIN);
    }
    if (this.#call === call && !this.#ticket) this.#empty(t("ticket_none"));
  }

  #empty(text) {
    this.#place.classList.add("empty");
    this.#place.replaceChildren(make("p", {}, text), this.#behind);
  }

  #show(ticket, { leaves, departments }) {
    this.#ticket = ticket;
    this.#fields.clear();
    this.#may = "";
    this.said = make("span", { class: "said", role: "status" });
    this.stage = make("span", { class: "tag" });
    this.rated = make("span", { class: "said" });
    this.acts = make("div", { class: "buttons" });
    this.reply = make("input", { "aria-label": t("answer_text"), placeholder: t("answer_text"), maxlength: 8000 });
    this.lead = make("input", { "aria-label": t("department"), placeholder: t("department"), list: "departments", maxlength: 50 });
    const choice = (field, words, none) => {
      const options = words.map((word) => make("option", { value: word }, t(`${field}_${word}`)));
      const select = make("select", { onchange: () => this.#type(field, select.value || undefined) }, none ? make("option", { value: "" }, t("none")) : null, options);
      return this.#field(field, t(field), select);
    };
    const text = (field, label, width, most) => {
      const input = make("input", { maxlength: most, oninput: () => this.#type(field, input.value), onblur: () => this.#save() });
      return this.#field(field, t(label), input, width);
    };
    const content = make("textarea", { maxlength: 8000, oninput: () => this.#type("content", content.value), onblur: () => this.#save() });
    const secret = make("input", { type: "checkbox", onchange: () => this.#type("confidential", secret.checked) });
    this.#place.classList.remove("empty");
    this.#place.replaceChildren(
      make("h2", {}, `${t("ticket")} ${ticket.ticket_no}`, this.stage, this.rated, this.said), this.#behind,
      make("div", { class: "fields" }, choice("kind", KINDS, true), leaves.length ? this.#category(leaves) : null,
        text("title", "title_field", leaves.length ? "half" : "rest", 100), choice("urgency", URGENCIES, false), this.#field("confidential", t("confidential"), secret, "tick"),
        this.#field("content", t("content"), content, "wide"), TEXTS.map((one) => text(...one))),
      this.acts, make("datalist", { id: "departments" }, departments.map((value) => make("option", { value }))));
    const before = this.#unsaved.find((one) => one.ticket.ticket_no === ticket.ticket_no);
    if (before) this.#takeUp(before);
    this.#fill(ticket);
    for (const [field, value] of this.#typed) this.#fields.get(field)?.put(value);
    if (before) this.#save();
    this.#found(ticket.ticket_no);
  }

  #field(field, label, input, width = "") {
    const put = (value) => (input.type === "checkbox" ? (input.checked = value) : (input.value = value ?? ""));
    this.#fields.set(field, { put, disable: (is) => (input.disabled = is) });
    input.name = field;
    return make("label", { class: width }, width === "tick" ? [input, label] : [label, input]);
  }

  #category(leaves) {
    const category = new Category(leaves, (code) => (this.#type("category", code), this.#save()));
    const put = (value) => (typeof value === "string" ? category.showCode(value) : category.show(value));
    this.#fields.set("category", { put, disable: (is) => (category.disabled = is) });
    return category.element;
  }

  /** The gateway's values, but for what is being typed. */
  #fill(ticket) {
    this.#ticket = ticket;
    setText(this.stage, t(`stage_${ticket.stage}`));
    setText(this.rated, ticket.rating ? `${t("rated")}: ${t(`rated_${ticket.rating}`)}` : "");
    for (const [field, { put, disable }] of this.#fields) {
      if (!this.#typed.has(field)) put(ticket[field]);
      disable(!ticket.may.includes("fill_in"));
    }
    if (this.#may === ticket.may.join()) return;
    this.#may = ticket.may.join();
    const may = (act, ...children) => (ticket.may.includes(act) ? make("span", { class: "entry" }, ...children) : null);
    const button = (act, body, kind = "") => make("button", { class: kind, onclick: () => this.#act(act, body?.()) }, t(act));
    this.acts.replaceChildren(...[
      may("accept", button("accept", null, "go")),
      may("answer_now", this.reply, button("answer_now", () => ({ answer: this.reply.value }))),
      may("pass", this.lead, button("pass", () => (this.lead.value ? { lead: this.lead.value } : {}))),
      may("hand_to_110", button("hand_to_110", () => ({ note: this.#ticket.title || this.#ticket.content || t("hand_to_110") }), "stop")),
    ].filter(Boolean));
  }

  #type(field, value) {
    this.#typed.set(field, value);
    this.#keep();
    this.#saveAfter(SAVE_AFTER);
  }

  #saveAfter(delay) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), delay);
  }

  /** In this window too, until it is saved. */
  #keep() {
    keep(this.#agent, [...this.#unsaved, ...(this.#ticket && this.#typed.size ? [{ ticket: this.#ticket, typed: this.#typed }] : [])]);
  }

  /** `leaving`: the page goes; what was typed is sent all the same. */
  #save(leaving = false) {
    clearTimeout(this.#timer);
    // Whatever goes wrong with one, the next is saved.
    this.#turn = this.#turn.then(() => this.#saveNow(leaving)).catch(() => false);
    return this.#turn;
  }

  async #saveNow(leaving) {
    const [ticket, typed] = [this.#ticket, this.#typed];
    if (!ticket || typed.size === 0) return true;
    const sent = new Map(typed);
    this.#tell(ticket, t("saving"));
    const done = await this.#send(ticket, "fill_in", Object.fromEntries(sent), leaving);
    if (!done.ok) {
      // What was typed here is what the agent wants, whatever else was changed meanwhile.
      if (passes(done) && this.#shows(ticket) && !this.#closed) {
        this.#saveAfter(this.#delay);
        this.#delay = Math.min(this.#delay * 2, LATEST);
      }
      this.#troubled = true;
      return false;
    }
    this.#delay = SOONEST;
    for (const [field, value] of sent) if (typed.get(field) === value) typed.delete(field);
    this.#keep();
    this.#troubled = this.#unsaved.length > 0;
    // A category brings its urgency along.
    const fresh = sent.has("category") && !leaving ? await read(ticket) : null;
    if (fresh && this.#shows(ticket)) this.#fill(fresh);
    this.#tell(ticket, t("saved"));
    return true;
  }

  /** Of the ticket it was pressed on, whichever is shown by then. */
  async #act(act, body = {}) {
    const pressed = this.#ticket;
    if (!(await this.#save())) return;
    const ticket = this.#shows(pressed) ? this.#ticket : pressed;
    if (!(await this.#send(ticket, act, body)).ok) return;
    const fresh = await read(ticket);
    if (fresh && this.#shows(ticket)) this.#fill(fresh);
    this.#tell(ticket, t("saved"));
  }

  /** If it was not done, it is said why. */
  async #send(ticket, act, body, keepalive) {
    const done = await send(ticket, act, body, keepalive);
    if (done.ok) return done;
    const fresh = done.status === 412 ? await read(ticket) : null;
    if (fresh && this.#shows(ticket)) this.#fill(fresh);
    this.#tell(ticket, done.status === 412 ? t("changed_elsewhere") : whyUnsaved(done), true);
    return done;
  }

  #shows(ticket) {
    return this.#ticket?.ticket_no === ticket.ticket_no;
  }

  #tell(ticket, text, bad = false) {
    if (!this.#shows(ticket)) return bad ? this.#tellBehind(`${ticket.ticket_no}: ${text}`) : undefined;
    this.said.className = bad ? "said bad" : "said";
    setText(this.said, text);
  }

  // ---- what is behind: unsaved, of tickets that are not shown any more

  #putBehind(unsaved) {
    this.#unsaved.push(unsaved);
    const lost = this.#unsaved.length > MOST_UNSAVED ? this.#unsaved.shift() : null;
    this.#tellBehind(lost ? `${lost.ticket.ticket_no}: ${t("unsaved")}${t("unable_no_answer")}` : "");
    if (!this.#retries) this.#retry(SOONEST);
  }

  /** Its ticket is shown again. */
  #takeUp(unsaved) {
    this.#unsaved = this.#unsaved.filter((one) => one !== unsaved);
    this.#typed = unsaved.typed;
    this.#tellBehind("");
  }

  async #retry(soonest) {
    this.#retries = true;
    for (let delay = soonest; this.#unsaved.length > 0; delay = Math.min(Math.max(delay * 2, SOONEST), LATEST)) {
      await wait(delay);
      for (const one of [...this.#unsaved]) {
        if (this.#closed) return;
        if (!this.#unsaved.includes(one)) continue;
        const done = await send(one.ticket, "fill_in", Object.fromEntries(one.typed));
        if (passes(done)) {
          if (done.status === 412) one.ticket.version = (await read(one.ticket))?.version ?? one.ticket.version;
          continue;
        }
        this.#unsaved = this.#unsaved.filter((other) => other !== one);
        this.#keep();
        this.#tellBehind(done.ok ? "" : `${one.ticket.ticket_no}: ${whyUnsaved(done)}`);
      }
    }
    this.#retries = false;
    this.#troubled = this.#typed.size > 0;
  }

  /** `lost`: what will never be saved. */
  #tellBehind(lost) {
    const numbers = this.#unsaved.map(({ ticket }) => ticket.ticket_no).join(" ");
    setText(this.#behind, [numbers && t("unsaved_kept", { s: numbers }), lost].filter(Boolean).join(" · "));
    this.#behind.hidden = this.#behind.textContent === "";
  }
}

const whyUnsaved = (done) => t("unsaved") + (done.body?.detail ?? t("unable_no_answer"));

/** The ticket as it is now, or `null`. */
async function read({ ticket_no: no }) {
  const fresh = await ask(`/v1/tickets/${no}`);
  return fresh.ok ? fresh.body : null;
}

/** Done to the ticket at the version that is known of it, or not at all. */
async function send(ticket, act, body, keepalive = false) {
  const headers = { "if-match": `"${ticket.version}"`, "idempotency-key": key() };
  const done = await ask(`/v1/tickets/${ticket.ticket_no}/${act.replaceAll("_", "-")}`, { method: "POST", headers, keepalive, body: JSON.stringify(body) });
  // An answer that was cut short has no version: the ticket has it.
  if (done.ok) ticket.version = done.body?.version ?? (await read(ticket))?.version ?? ticket.version;
  return done;
}
