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
/** What the system does to a ticket by itself: nothing that a form has to be read again for. */
const BY_ITSELF = ["ticket.rated", "ticket.missed", "ticket.supervised"];
/** What is answered so passes: it is tried again. 412: at another version. */
const PASSING = [0, 401, 408, 412, 429];
const passes = ({ status }) => PASSING.includes(status) || status >= 500;

const HIDDEN = /\*\*/;
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
  /** What is shown: `{ticket, typed, clash, saved}` (see `unsaved`); `null`: none. */
  #open = null;
  #timer = null;
  /** After how long the form is saved again, where it could not be. */
  #delay = SOONEST;
  /** What could not be saved when the next call came, oldest first. */
  #unsaved;
  #retries = false;
  /** With whichever ticket is shown: what of earlier ones is still unsaved, or was refused. */
  #behind = make("p", { class: "said bad", role: "status", hidden: true });
  /** What others have changed while it was typed here: the agent chooses. */
  #clashes = make("div", { class: "clashes", role: "alert" });
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
    this.#tellClashes();
    if (this.#unsaved.length) this.#retry(0);
    addEventListener("pagehide", this.#leaving);
    addEventListener("beforeunload", this.#asks);
    tree(true);
  }

  close() {
    this.#closed = true;
    clearTimeout(this.#timer);
    removeEventListener("pagehide", this.#leaving);
    removeEventListener("beforeunload", this.#asks);
    this.#lastTry();
  }

  get #ticket() {
    return this.#open?.ticket ?? null;
  }

  get #typed() {
    return this.#open?.typed ?? new Map();
  }

  /** Is everything saved that was typed, or can be? */
  async settled() {
    await this.#save();
    return this.#typed.size === 0 && this.#unsaved.length === 0;
  }

  /** The page goes: what was typed is sent all the same. */
  #lastTry() {
    this.#save(true);
    for (const one of this.#unsaved) this.#deliver(one, true);
  }

  /** Whose ticket is to be shown; none: the last one stays, for whoever is still writing. */
  async of(call) {
    if (!call || call === this.#call) return;
    // Before anything is waited for: the next screen comes meanwhile, and one look-up is enough.
    this.#call = call;
    await this.#save();
    if (this.#call !== call || this.#closed) return;
    if (this.#typed.size) this.#putBehind(this.#open);
    this.#open = null;
    this.#empty(t("ticket_waits"));
    for (let look = 0; look < LOOKS && this.#call === call && !this.#closed; look++) {
      const [found, sorted] = await Promise.all([ask(`/v1/tickets?agent=${encodeURIComponent(this.#agent)}&limit=5`), tree()]);
      const ticket = found.ok && found.body?.tickets.find((one) => one.call === call);
      if (ticket && this.#call === call && !this.#closed) return this.#show(ticket, sorted);
      await wait(LOOK_AGAIN);
    }
    if (this.#call === call && !this.#ticket) this.#empty(t("ticket_none"));
  }

  #empty(text) {
    this.#place.classList.add("empty");
    this.#place.replaceChildren(make("p", {}, text), this.#behind, this.#clashes);
  }

  /** `sorted`: the tree and the departments; `null`: they are asked for until they come. */
  #show(ticket, sorted) {
    this.#open = this.#unsaved.find((one) => one.ticket.ticket_no === ticket.ticket_no) ?? { ticket, typed: new Map(), clash: new Map(), saved: new Map() };
    this.#open.ticket = { ...ticket, version: this.#open.ticket.version };
    const before = this.#typed.size > 0;
    this.#fields.clear();
    this.#may = "";
    this.said = make("span", { class: "said", role: "status" });
    this.stage = make("span", { class: "tag" });
    this.rated = make("span", { class: "rated" });
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
    const kind = choice("kind", KINDS, true);
    const title = text("title", "title_field", "rest", 100);
    const known = make("datalist", { id: "departments" });
    this.#place.classList.remove("empty");
    this.#place.replaceChildren(
      make("h2", {}, `${t("ticket")} ${ticket.ticket_no}`, this.stage, this.rated, this.said), this.#behind, this.#clashes,
      make("div", { class: "fields" }, kind, title, choice("urgency", URGENCIES, false), this.#field("confidential", t("confidential"), secret, "tick"),
        this.#field("content", t("content"), content, "wide"), TEXTS.map((one) => text(...one))),
      this.acts, known);
    const classify = ({ leaves, departments }) => {
      known.replaceChildren(...departments.map((value) => make("option", { value })));
      if (leaves.length === 0) return;
      kind.after(this.#category(leaves));
      title.className = "half";
      this.#put("category", this.#ticket);
    };
    if (sorted) classify(sorted);
    else this.#later(classify);
    if (before) this.#takeUp(this.#open);
    this.#fill(ticket);
    for (const [field, value] of this.#typed) this.#fields.get(field)?.put(value);
    if (before) this.#save();
    this.#found(ticket.ticket_no);
  }

  async #later(classify) {
    for (const open = this.#open; ;) {
      await wait(SOONEST);
      const sorted = await tree();
      if (this.#closed || this.#open !== open) return;
      if (sorted) return classify(sorted);
    }
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
    const { ticket: { version }, typed } = this.#open;
    // What was typed was typed at the version that was known then; what has come since is looked at when it is sent.
    this.#open.ticket = typed.size ? { ...ticket, version } : ticket;
    setText(this.stage, t(`stage_${ticket.stage}`));
    setText(this.rated, ticket.rating ? `${t("rated")}: ${t(`rated_${ticket.rating}`)}` : "");
    for (const field of this.#fields.keys()) this.#put(field, ticket);
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

  #put(field, ticket) {
    const { typed, saved } = this.#open;
    const { put, disable } = this.#fields.get(field);
    // The gateway masks who the citizen is, from whoever has just written it too.
    if (!typed.has(field)) put(HIDDEN.test(ticket[field]) ? saved.get(field) ?? ticket[field] : ticket[field]);
    disable(!ticket.may.includes("fill_in"));
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
    // Whoever has left takes it along: a save that was on its way then brings nothing back.
    if (this.#closed) return;
    keep(this.#agent, [...this.#unsaved, ...(this.#typed.size ? [this.#open] : [])]);
  }

  /** `leaving`: the page goes; what was typed is sent all the same. */
  #save(leaving = false) {
    clearTimeout(this.#timer);
    // Whatever goes wrong with one, the next is saved.
    this.#turn = this.#turn.then(() => this.#saveNow(leaving)).catch(() => false);
    return this.#turn;
  }

  async #saveNow(leaving) {
    const open = this.#open;
    if (this.#typed.size === 0) return true;
    const { ticket, typed } = open;
    this.#tell(ticket, t("saving"));
    const { done, sent } = await this.#deliver(open, leaving);
    if (!done.ok) {
      if (passes(done) && this.#shows(ticket) && !this.#closed) {
        this.#saveAfter(this.#delay);
        this.#delay = Math.min(this.#delay * 2, LATEST);
      }
      this.#tell(ticket, done.status === 412 ? t("changed_elsewhere") : whyUnsaved(done), true);
      this.#troubled = true;
      return false;
    }
    this.#delay = SOONEST;
    this.#keep();
    this.#troubled = this.#unsaved.length > 0 || open.clash.size > 0;
    // A category brings its urgency along.
    const fresh = sent.has("category") && !leaving ? await read(ticket) : null;
    if (fresh && this.#shows(ticket)) this.#fill(fresh);
    this.#tell(ticket, open.clash.size ? t("changed_elsewhere") : t("saved"), open.clash.size > 0);
    return typed.size === 0 || open.clash.size === 0;
  }

  /** Fills in what was typed, but for what others have filled in meanwhile. `{done, sent}`; what was done is typed no more. */
  async #deliver(open, leaving = false) {
    for (let first = true; ; first = false) {
      const sent = new Map([...open.typed].filter(([field]) => !open.clash.has(field)));
      if (sent.size === 0) return { done: { ok: true }, sent };
      const done = await send(open.ticket, "fill_in", Object.fromEntries(sent), leaving);
      // Saved by a try whose answer was never heard.
      if (done.body?.code === "nothing_changes") done.ok = true;
      if (done.ok) {
        for (const [field, value] of sent) {
          open.saved.set(field, value);
          if (open.typed.get(field) === value) open.typed.delete(field);
        }
        return { done, sent };
      }
      const since = done.status === 412 && first && !leaving ? await meanwhile(open.ticket) : null;
      if (!since) return { done, sent };
      for (const { by, fill } of since.steps.filter(({ by, fill }) => fill && by.name !== this.#agent)) {
        for (const field of Object.keys(fill)) {
          open.saved.delete(field);
          if (open.typed.has(field)) open.clash.set(field, { theirs: fill[field], by: by.name });
        }
      }
      open.ticket.version = since.fresh.version;
      if (open === this.#open) this.#fill(since.fresh);
      this.#keep();
      this.#tellClashes();
    }
  }

  /** Of the ticket it was pressed on, whichever is shown by then. */
  async #act(act, body = {}) {
    const open = this.#open;
    if (!(await this.#save())) return;
    let done = await send(open.ticket, act, body);
    const since = done.status === 412 ? await meanwhile(open.ticket) : null;
    // A rating that has come meanwhile is no reason to be asked again.
    if (since?.steps.every(({ type }) => BY_ITSELF.includes(type))) {
      open.ticket.version = since.fresh.version;
      done = await send(open.ticket, act, body);
    }
    const fresh = done.ok || done.status === 412 ? await read(open.ticket) : null;
    if (fresh && open === this.#open) this.#fill(fresh);
    this.#tell(open.ticket, done.ok ? t("saved") : done.status === 412 ? t("changed_elsewhere") : whyUnsaved(done), !done.ok);
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
    this.#tellBehind("");
  }

  async #retry(soonest) {
    this.#retries = true;
    for (let delay = soonest; this.#unsaved.length > 0; delay = Math.min(Math.max(delay * 2, SOONEST), LATEST)) {
      await wait(delay);
      for (const one of [...this.#unsaved]) {
        if (this.#closed) return;
        if (!this.#unsaved.includes(one)) continue;
        const { done } = await this.#deliver(one);
        if (done.ok ? one.clash.size > 0 : passes(done)) continue;
        this.#unsaved = this.#unsaved.filter((other) => other !== one);
        this.#keep();
        this.#tellBehind(done.ok ? "" : `${one.ticket.ticket_no}: ${whyUnsaved(done)}`);
      }
    }
    this.#retries = false;
    this.#troubled = this.#typed.size > 0;
  }

  #tellClashes() {
    const all = [...this.#unsaved, ...(this.#open ? [this.#open] : [])];
    this.#clashes.replaceChildren(...all.flatMap((open) => [...open.clash].map(([field, { theirs, by }]) => {
      const choose = (text, mine) => make("button", { type: "button", onclick: () => this.#choose(open, field, mine) }, t(text));
      return make("p", { class: "said bad" }, t("clash", { s: `${open.ticket.ticket_no} ${t(field === "title" ? "title_field" : field)}`, by, theirs: shown(field, theirs), mine: shown(field, open.typed.get(field)) }),
        choose("clash_theirs", false), choose("clash_mine", true));
    })));
  }

  async #choose(open, field, mine) {
    open.clash.delete(field);
    if (!mine) open.typed.delete(field);
    this.#keep();
    this.#tellClashes();
    if (open !== this.#open) return;
    const fresh = mine ? null : await read(open.ticket);
    if (fresh && open === this.#open) this.#fill(fresh);
    this.#save();
  }

  /** `lost`: what will never be saved. */
  #tellBehind(lost) {
    const numbers = this.#unsaved.map(({ ticket }) => ticket.ticket_no).join(" ");
    setText(this.#behind, [numbers && t("unsaved_kept", { s: numbers }), lost].filter(Boolean).join(" · "));
    this.#behind.hidden = this.#behind.textContent === "";
  }
}

const whyUnsaved = (done) => t("unsaved") + (done.body?.detail ?? t("unable_no_answer"));

/** A field's value in words. */
const shown = (field, value) => (["kind", "urgency"].includes(field) && value ? t(`${field}_${value}`) : value === true ? "✓" : value || t("none"));

/** The ticket as it is now, and what was done to it since the version that is known of it; `null`: it cannot be had now. */
async function meanwhile(ticket) {
  const fresh = await read(ticket);
  const told = fresh && (await ask(`/v1/tickets/${ticket.ticket_no}/history?after=${ticket.version}`));
  return told?.ok ? { fresh, steps: told.body.history.filter(({ version }) => version <= fresh.version) } : null;
}

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
