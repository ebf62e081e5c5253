// The ticket of the call in hand: found by its call, saved as it is typed, acted on by what the gateway says one may. What the
// form shows is the gateway's; only a field that is being typed in is ours until it is saved.

import { ask, key } from "/ask.js";
import { make, setText } from "/dom.js";
import { wait } from "/time.js";
import { t } from "/words.js";

const SAVE_AFTER = 800;
const LOOK_AGAIN = 700;
/** A ticket is in the store a moment after the pickup; where the store is away it comes later. */
const LOOKS = 60;

const KINDS = ["question", "help", "complaint", "report", "suggestion", "praise", "other"];
const URGENCIES = ["normal", "urgent", "critical"];
const TEXTS = [
  ["title", "title_field", "wide", 100], ["name", "name", "", 50], ["callback_no", "callback_no", "", 32], ["district", "district", "", 50],
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
  #inputs = new Map();
  /** One change after the other, each to the version that the one before made. */
  #turn = Promise.resolve(true);
  #leaving = () => this.#save(true);
  #closed = false;

  /** `found(ticket_no)`: there is a ticket now. */
  constructor(place, agent, found) {
    this.#place = place;
    this.#agent = agent;
    this.#found = found;
    this.#empty(t("ticket_here"));
    addEventListener("pagehide", this.#leaving);
  }

  close() {
    this.#closed = true;
    removeEventListener("pagehide", this.#leaving);
    this.#save();
  }

  /** Whose ticket is to be shown; none: the last one stays, for whoever is still writing. */
  async of(call) {
    if (!call || call === this.#call) return;
    await this.#save();
    this.#call = call;
    this.#ticket = null;
    this.#typed.clear();
    this.#empty(t("ticket_waits"));
    for (let look = 0; look < LOOKS && this.#call === call && !this.#closed; look++) {
      const found = await ask(`/v1/tickets?agent=${encodeURIComponent(this.#agent)}&limit=5`);
      const ticket = found.ok && found.body.tickets.find((one) => one.call === call);
      if (ticket && this.#call === call) return this.#show(ticket);
      await wait(LOOK_AGAIN);
    }
    if (this.#call === call && !this.#ticket) this.#empty(t("ticket_none"));
  }

  #empty(text) {
    this.#place.classList.add("empty");
    this.#place.replaceChildren(make("p", {}, text));
  }

  #show(ticket) {
    this.#ticket = ticket;
    this.#inputs.clear();
    this.said = make("span", { class: "said", role: "status" });
    this.stage = make("span", { class: "tag" });
    this.acts = make("div", { class: "buttons" });
    const choice = (field, words, none) => {
      const options = words.map((word) => make("option", { value: word }, t(`${field}_${word}`)));
      const select = make("select", { onchange: () => this.#type(field, select.value || undefined) }, none ? make("option", { value: "" }, t("none")) : null, options);
      return this.#field(field, t(field), select);
    };
    const text = ([field, label, width, most]) => {
      const input = make("input", { maxlength: most, oninput: () => this.#type(field, input.value), onblur: () => this.#save() });
      return this.#field(field, t(label), input, width);
    };
    const content = make("textarea", { maxlength: 8000, oninput: () => this.#type("content", content.value), onblur: () => this.#save() });
    const secret = make("input", { type: "checkbox", onchange: () => this.#type("confidential", secret.checked) });
    this.#place.classList.remove("empty");
    this.#place.replaceChildren(
      make("h2", {}, `${t("ticket")} ${ticket.ticket_no}`, this.stage, this.said),
      make("div", { class: "fields" }, choice("kind", KINDS, true), choice("urgency", URGENCIES, false),
        this.#field("confidential", t("confidential"), secret, "tick"), TEXTS.slice(0, 1).map(text),
        this.#field("content", t("content"), content, "wide"), TEXTS.slice(1).map(text)),
      this.acts);
    this.#fill(ticket);
    this.#found(ticket.ticket_no);
  }

  #field(field, label, input, width = "") {
    this.#inputs.set(field, input);
    return make("label", { class: width }, width === "tick" ? [input, label] : [label, input]);
  }

  /** The gateway's values, but for what is being typed. */
  #fill(ticket) {
    this.#ticket = ticket;
    setText(this.stage, t(`stage_${ticket.stage}`));
    for (const [field, input] of this.#inputs) {
      if (this.#typed.has(field)) continue;
      if (input.type === "checkbox") input.checked = ticket[field];
      else input.value = ticket[field] ?? "";
      input.disabled = !ticket.may.includes("fill_in");
    }
    const ask = make("input", { "aria-label": t("answer_text"), placeholder: t("answer_text") });
    const lead = make("input", { "aria-label": t("department"), placeholder: t("department") });
    const may = (act, ...children) => (ticket.may.includes(act) ? make("span", { class: "entry" }, ...children) : null);
    const button = (act, body, kind = "") => make("button", { class: kind, onclick: () => this.#act(act, body?.()) }, t(act));
    this.acts.replaceChildren(...[
      may("accept", button("accept", null, "go")),
      may("answer_now", ask, button("answer_now", () => ({ answer: ask.value }))),
      may("pass", lead, button("pass", () => (lead.value ? { lead: lead.value } : {}))),
      may("hand_to_110", button("hand_to_110", () => ({ note: this.#ticket.title || this.#ticket.content || t("hand_to_110") }), "stop")),
    ].filter(Boolean));
  }

  #type(field, value) {
    this.#typed.set(field, value);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#save(), SAVE_AFTER);
  }

  /** `leaving`: the page goes; what was typed is sent all the same. */
  #save(leaving = false) {
    clearTimeout(this.#timer);
    this.#turn = this.#turn.then(() => this.#saveNow(leaving));
    return this.#turn;
  }

  async #saveNow(leaving) {
    if (!this.#ticket || this.#typed.size === 0) return true;
    const sent = new Map(this.#typed);
    this.#tell(t("saving"));
    const done = await this.#send("fill_in", Object.fromEntries(sent), leaving);
    if (!done) return false;
    for (const [field, value] of sent) if (this.#typed.get(field) === value) this.#typed.delete(field);
    this.#tell(t("saved"));
    return true;
  }

  async #act(act, body = {}) {
    if (!(await this.#save())) return;
    if (await this.#send(act, body)) {
      const fresh = await ask(`/v1/tickets/${this.#ticket.ticket_no}`);
      if (fresh.ok) this.#fill(fresh.body);
      this.#tell(t("saved"));
    }
  }

  /** Done to the ticket as it is shown here, or not at all. */
  async #send(act, body, keepalive = false) {
    const { ticket_no: no, version } = this.#ticket;
    const headers = { "if-match": `"${version}"`, "idempotency-key": key() };
    const done = await ask(`/v1/tickets/${no}/${act.replaceAll("_", "-")}`, { method: "POST", headers, keepalive, body: JSON.stringify(body) });
    if (done.ok) {
      if (this.#ticket.ticket_no === no) this.#ticket.version = done.body.version;
      return true;
    }
    if (done.status === 412) {
      const fresh = await ask(`/v1/tickets/${no}`);
      if (fresh.ok) this.#fill(fresh.body);
      this.#tell(t("changed_elsewhere"), true);
    } else {
      this.#tell(t("unsaved") + (done.body?.detail ?? t("unable_no_answer")), true);
    }
    return false;
  }

  #tell(text, bad = false) {
    this.said.className = bad ? "said bad" : "said";
    setText(this.said, text);
  }
}
