// Whoever else is to come into the call: a number or a queue, and what to do with it; the party that is being asked; keys that
// are sent into the call.

import { ACTS } from "/acts.js";
import { ask } from "/ask.js";
import { Buttons } from "/buttons.js";
import { make, setText } from "/dom.js";
import { readable } from "/region.js";
import { span } from "/time.js";
import { t } from "/words.js";

const KEPT = "rexian-reached";
/** Services' short numbers and seats are worth remembering; a citizen's number is nobody's to keep on a desk. */
const SHORT = /^\d{3,6}$/;
const MOST = 8;
/** Why somebody could not be had, by the SIP status. */
const UNREACHED = {
  403: "unreached_barred", 404: "unreached_unknown", 408: "unreached_no_answer", 480: "unreached_no_answer", 484: "unreached_unknown",
  486: "unreached_busy", 487: "unreached_no_answer", 503: "unreached_no_line", 600: "unreached_busy", 603: "unreached_declined",
};

export class Reach {
  #queues = "";

  constructor(who, run, digits) {
    this.who = who;
    this.number = make("input", { id: "to", type: "tel", inputmode: "tel", maxlength: 32, list: "reached", autocomplete: "off", placeholder: t("number_or_seat"), "aria-label": t("number_or_seat"), oninput: () => this.changed?.() });
    this.known = make("datalist", { id: "reached" });
    this.queue = make("select", { id: "to-queue", "aria-label": t("queue"), onchange: () => this.changed?.() });
    this.party = make("p", { class: "party", role: "status", hidden: true });
    this.failed = make("p", { class: "party failed", role: "status", hidden: true });
    const keys = [..."123456789*0#"].map((digit) => make("button", { type: "button", onclick: () => digits(digit) }, digit));
    this.pad = make("div", { class: "pad", role: "group", "aria-label": t("keypad"), hidden: true }, keys);
    this.others = new Buttons(t("others"), ["consult", "transfer", "three_way", "end_consult"], run);
    this.toQueue = new Buttons(t("to_queue"), ["to_queue", "dial"], run);
    this.element = make("section", { class: "card reach", "aria-label": t("others") },
      this.field = make("div", { class: "with" }, make("label", { for: "to" }, t("number_or_seat"), make("kbd", {}, "F10")), this.number, this.known),
      this.party, this.failed, this.others.element,
      make("div", { class: "with" }, make("label", { for: "to-queue" }, t("queue")), this.queue, this.toQueue.element), this.pad);
    this.#list();
    this.#ask();
  }

  /** Every queue there is: a caller is passed on to a language that this agent does not speak. */
  async #ask() {
    const found = await ask("/v1/queues");
    if (found.ok) this.all = found.body.queues.map((queue) => queue.name);
  }

  /** What was typed, as a number that can be dialled. */
  get typed() {
    return this.number.value.replace(/[\s()\-.]/g, "").replace(/[^\d+*#]/g, "");
  }

  togglePad() {
    this.pad.hidden = !this.pad.hidden;
    if (!this.pad.hidden) this.pad.firstChild.focus();
  }

  /** A number that was reached is remembered, and the field is free for the next. */
  used(number) {
    this.number.value = "";
    if (!SHORT.test(number)) return;
    const kept = [number, ...kept_().filter((one) => one !== number)].slice(0, MOST);
    localStorage.setItem(KEPT, JSON.stringify(kept));
    this.#list();
  }

  show(situation) {
    const { screen } = situation;
    const names = (this.all ?? screen.queues.map((queue) => queue.name)).filter((name) => name !== screen.call?.queue);
    if (this.#queues !== names.join()) {
      this.#queues = names.join();
      const before = this.queue.value;
      this.queue.replaceChildren(...names.map((name) => make("option", {}, name)));
      if (names.includes(before)) this.queue.value = before;
    }
    const party = screen.call?.party ?? screen.own;
    // One at a time: whom one reaches stands where one would write whom to.
    this.party.hidden = !party;
    this.field.hidden = !!party;
    this.party.className = `party ${party?.stage ?? ""}`;
    this.others.show(situation);
    this.toQueue.show(situation);
    if (ACTS.keypad.why(situation)) this.pad.hidden = true;
  }

  tick({ screen }, now) {
    const party = screen.call?.party ?? screen.own;
    const unreached = screen.call ? screen.call.unreached : screen.dialled_in_vain;
    if (party) setText(this.party, `${t(`party_${party.stage}`)} ${readable(party.to) || t("withheld")} · ${span(now - party.since)}`);
    const failed = unreached && !party ? t("unreached", { s: unreached.to, why: t(UNREACHED[unreached.status] ?? "unreached_other", { n: unreached.status }) }) : "";
    setText(this.failed, failed);
    this.failed.hidden = !failed;
  }

  #list() {
    const all = [...new Set([...kept_(), ...this.who.seats])];
    this.known.replaceChildren(...all.map((value) => make("option", { value })));
  }
}

function kept_() {
  try {
    const kept = JSON.parse(localStorage.getItem(KEPT) ?? "[]");
    return Array.isArray(kept) ? kept.filter((one) => SHORT.test(one)) : [];
  } catch {
    return [];
  }
}
