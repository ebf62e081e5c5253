// The line to the gateway: one WebSocket, opened again for as long as the page is there. Every order is answered; one that
// is on its way when the line breaks is answered "no_answer", and never sent twice.

import { wait } from "/time.js";

const SOONEST = 500;
const LATEST = 8000;
/** The gateway says something at least every 10 s: a path that is silent for so long has died, whatever the socket believes. */
const SILENT = 30000;
const LOOK = 3000;
/** It answers within 5 s, if only that it cannot. */
const PATIENCE = 10000;
const SESSION_PATIENCE = 5000;
/** A ping is answered at once, whatever else is being done for this page. */
const PROMPT = 2500;
/** A timer that is late by so much has slept with its computer. */
const NAP = 5000;

export class Line {
  #socket = null;
  #waiting = new Map();
  #next = 1;
  #delay = SOONEST;
  #closed = false;
  #timer = null;
  /** By a clock that nobody sets. */
  #heardAt = 0;
  /** Microseconds by which the gateway's clock is ahead of ours. */
  #ahead = 0;
  #lookedAt = performance.now();
  #hurry = () => {};
  #ends = new AbortController();

  /** `hears.screen(screen)`, `hears.floor(floor)` (`null`: no more of it is coming), `hears.replaced()`: another window has the audio;
   *  `hears.state("connecting" | "connected" | "lost")`, `hears.signedOut()`. */
  constructor(hears) {
    this.hears = hears;
  }

  open() {
    this.#timer = setInterval(() => this.#look(), LOOK);
    for (const event of ["online", "offline"]) addEventListener(event, () => this.check(), { signal: this.#ends.signal });
    this.#open("connecting");
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** The gateway's time in microseconds. */
  now() {
    return Date.now() * 1000 + this.#ahead;
  }

  /** Resolves to the answer: `unable` is `null`, or why it was not done. */
  order(order) {
    const id = this.#next++;
    return new Promise((resolve) => {
      if (!this.isOpen) return resolve({ unable: "no_answer" });
      this.#waiting.set(id, resolve);
      setTimeout(() => this.#answered({ answer: id, unable: "no_answer" }), PATIENCE);
      this.#socket.send(JSON.stringify({ id, ...order }));
    });
  }

  /** Something has happened to the network: is the line still there? A socket whose address is gone would not say so for long. */
  check() {
    this.#hurry();
    if (!this.isOpen) return;
    const [socket, asked] = [this.#socket, performance.now()];
    socket.send(JSON.stringify({ id: this.#next++, order: "ping" }));
    setTimeout(() => socket === this.#socket && this.#heardAt < asked && this.#giveUp(), PROMPT);
  }

  close() {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#ends.abort();
    this.#socket?.close();
  }

  #open(state) {
    this.hears.state(state);
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/live`);
    this.#socket = socket;
    this.#heardAt = performance.now();
    socket.onmessage = ({ data }) => this.#heard(JSON.parse(data));
    socket.onclose = () => this.#broke();
  }

  #look() {
    const late = performance.now() - this.#lookedAt - LOOK;
    this.#lookedAt = performance.now();
    if (late > NAP) this.check();
    else if (this.#socket && performance.now() - this.#heardAt >= SILENT) this.#giveUp();
  }

  #giveUp() {
    // Its own close event would wait for the other end.
    this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    this.#broke();
  }

  /** One with nothing but `now` says that the gateway is there. */
  #heard(message) {
    this.#heardAt = performance.now();
    if (message.now) this.#ahead = message.now - Date.now() * 1000;
    if (message.screen) {
      this.#delay = SOONEST;
      this.hears.state("connected");
      this.hears.screen(message.screen);
    } else if ("floor" in message) {
      this.hears.floor(message.floor);
    } else if (message.audio === "replaced") {
      this.hears.replaced();
    } else if (message.answer) {
      this.#answered(message);
    }
  }

  #answered(message) {
    this.#waiting.get(message.answer)?.(message);
    this.#waiting.delete(message.answer);
  }

  async #broke() {
    this.#socket = null;
    for (const resolve of this.#waiting.values()) resolve({ unable: "no_answer" });
    this.#waiting.clear();
    if (this.#closed) return;
    this.hears.state("lost");
    // A little apart from the other seats', or all of them knock at once when the gateway is back.
    await Promise.race([wait(this.#delay * (0.75 + Math.random() / 2)), new Promise((resolve) => { this.#hurry = resolve; })]);
    this.#delay = Math.min(this.#delay * 2, LATEST);
    if (this.#closed) return;
    const who = await fetch("/session", { signal: AbortSignal.timeout(SESSION_PATIENCE) }).catch(() => null);
    if (this.#closed) return;
    if (who?.status === 401) return this.hears.signedOut();
    this.#open("lost");
  }
}
