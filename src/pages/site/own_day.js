// One's own figures of the day: how many conversations, how long, how long on average.

import { ask } from "/ask.js";
import { make, setText } from "/dom.js";
import { span } from "/time.js";
import { t } from "/words.js";

const EVERY = 30000;

export class OwnDay {
  constructor() {
    this.element = make("p", { class: "own-day", hidden: true });
    this.timer = setInterval(() => this.look(), EVERY);
    this.look();
  }

  close() {
    clearInterval(this.timer);
  }

  /** Where no facts are kept there are none, and nothing is shown. */
  async look() {
    const found = await ask("/v1/agents/today");
    if (!found.ok) return;
    const { conversations, talk_s: talk, mean_talk_s: mean } = found.body;
    setText(this.element, t("own_day", { n: conversations, talk: span(talk * 1e6), mean: mean === null ? "—" : span(mean * 1e6) }));
    this.element.hidden = false;
  }
}
