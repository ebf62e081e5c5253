// Buttons of acts: none comes and goes, and one that cannot be pressed now says why.

import { ACTS, wordsOf } from "/acts.js";
import { make, setText } from "/dom.js";
import { t } from "/words.js";

export class Buttons {
  #buttons = [];

  /** `run(id)` when one is pressed. `label`: what the group is called; `more`: what else stands in it. */
  constructor(label, ids, run, ...more) {
    this.#buttons = ids.map((id) => {
      const act = ACTS[id];
      const [word, why] = [make("span", { class: "word" }), make("span", { class: "why" })];
      const button = make("button", { type: "button", class: act.kind ?? "", "data-act": id, "aria-keyshortcuts": [act.key, act.also].filter(Boolean).join(" "), onclick: () => run(id) },
        word, make("small", {}, make("kbd", {}, act.key.replace("Shift+", "⇧")), why));
      return { act, button, word, why };
    });
    this.element = make("div", { class: "acts", role: "group", "aria-label": label }, this.#buttons.map(({ button }) => button), more);
  }

  show(situation) {
    for (const { act, button, word, why } of this.#buttons) {
      const reason = act.why(situation);
      setText(word, t(wordsOf(act, situation)));
      setText(why, reason ? t(reason) : "");
      // One that has the focus keeps it, or the keyboard would lose its place.
      const focused = document.activeElement === button;
      button.disabled = !!reason && !focused;
      if (reason && focused) button.setAttribute("aria-disabled", "true");
      else button.removeAttribute("aria-disabled");
      if (act.on) button.setAttribute("aria-pressed", String(!!act.on(situation)));
    }
  }
}
