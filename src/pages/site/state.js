// The state bar: what one is, since when, what comes next, and how to be something else. And signing in at a seat.

import { Buttons } from "/buttons.js";
import { make, say, setText } from "/dom.js";
import { span } from "/time.js";
import { t } from "/words.js";

const SEAT = "rexian-seat";

export class StateBar {
  #said = "";

  /** `signIn(seat, withHeadset)`. */
  constructor(who, run, signIn) {
    this.name = make("strong", { id: "state" });
    this.clock = make("time", { class: "clock" });
    this.detail = make("span", { class: "detail" });
    this.acts = new Buttons(t("my_state"), ["ready", "busy", "break", "training", "extend", "sign_out"], run);
    this.seat = make("select", { id: "seat" },
      who.seats.map((seat) => make("option", { value: seat, selected: seat === localStorage.getItem(SEAT) }, seat)));
    const enter = (withHeadset) => {
      localStorage.setItem(SEAT, this.seat.value);
      signIn(this.seat.value, withHeadset);
    };
    this.entry = make("form", { class: "entry", onsubmit: (event) => (event.preventDefault(), enter(event.submitter?.value !== "phone")) },
      make("label", { for: "seat" }, t("choose_seat")), this.seat,
      make("button", { class: "go", value: "headset" }, t("with_headset")),
      make("button", { value: "phone" }, t("with_phone")));
    this.element = make("section", { class: "card bar", "aria-label": t("my_state") },
      make("div", { class: "state" }, this.name, this.clock, this.detail), this.entry, this.acts.element);
  }

  show(situation) {
    const { screen } = situation;
    const name = screen.reason ? t(`reason_${screen.reason}`) : t(`state_${screen.state}`);
    setText(this.name, name);
    if (this.#said !== name) say((this.#said = name));
    const signedIn = screen.state !== "logged_out";
    if (!this.entry.hidden && signedIn && this.entry.contains(document.activeElement)) document.activeElement.blur();
    this.entry.hidden = signedIn;
    this.acts.element.hidden = !signedIn;
    this.acts.show(situation);
  }

  tick({ screen }, now) {
    setText(this.clock, screen.state === "logged_out" ? "" : span(now - screen.since));
    const ends = screen.until ? t("ends_in", { s: span(Math.max(0, screen.until - now)) }) : "";
    this.detail.classList.toggle("soon", !!screen.until && screen.until - now < 10e6);
    const then = screen.then ? t("then", { s: t(`state_${screen.then}`) }) : "";
    setText(this.detail, [ends, then].filter(Boolean).join(" · "));
  }
}
