// A ring is noticed wherever one looks: in the ears, in the title of a window behind others, on the desktop.

import { Bell } from "/sound.js";
import { t } from "/words.js";

export class Alert {
  #bell = new Bell();
  #notice = null;
  #blinks = null;
  #title = "";

  /** To be called from a click: browsers ask about notifications then only. */
  static askPermission() {
    if ("Notification" in globalThis && Notification.permission === "default") Notification.requestPermission().catch(() => null);
  }

  /** `who`: shown in the title; on the desktop, where others look on, only that it rings. `aloud`: a desk phone rings by itself. */
  ring(who, aloud) {
    if (this.#blinks) return;
    if (aloud) this.#bell.start();
    this.#title = document.title;
    let odd = false;
    this.#blinks = setInterval(() => { document.title = (odd = !odd) ? `☎ ${who}` : this.#title; }, 700);
    if (document.hidden && globalThis.Notification?.permission === "granted") {
      this.#notice = new Notification(t("stage_ringing"), { body: t("ring_notice"), tag: "rexian-ring", requireInteraction: true });
      this.#notice.onclick = () => (globalThis.focus(), this.#notice?.close());
    }
  }

  quiet() {
    if (!this.#blinks) return;
    this.#bell.stop();
    clearInterval(this.#blinks);
    this.#blinks = null;
    document.title = this.#title;
    this.#notice?.close();
    this.#notice = null;
  }
}
