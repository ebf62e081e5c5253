// What the page itself sounds: the ring, and how loud a stream is. One AudioContext, which runs only after somebody has
// pressed something.

import { playAt } from "/devices.js";

let context = null;

/** To be called from a key press or a click, once is enough. */
export async function wakeSound() {
  context ??= new AudioContext();
  if (context.state === "suspended") await Promise.race([context.resume(), new Promise((done) => setTimeout(done, 300))]).catch(() => null);
  await playAt(context, "bell");
  return context.state === "running";
}

/** Two soft notes every three seconds until `stop()`: heard beside a conversation, no fright without one. */
export class Bell {
  #timer = null;

  get rings() {
    return this.#timer !== null;
  }

  start() {
    if (this.rings) return;
    this.#strike();
    this.#timer = setInterval(() => this.#strike(), 3000);
  }

  stop() {
    clearInterval(this.#timer);
    this.#timer = null;
  }

  #strike() {
    if (context?.state !== "running") return;
    note(context.currentTime, 660, 0.35);
    note(context.currentTime + 0.4, 550, 0.6);
  }
}

function note(at, hertz, length) {
  const tone = new OscillatorNode(context, { frequency: hertz });
  const loud = new GainNode(context, { gain: 0 });
  loud.gain.setValueAtTime(0, at);
  loud.gain.linearRampToValueAtTime(0.25, at + 0.02);
  loud.gain.setTargetAtTime(0, at + length * 0.5, length / 6);
  tone.connect(loud).connect(context.destination);
  tone.start(at);
  tone.stop(at + length + 0.3);
}

/** How loud a stream is, 0 to 1, and since when it has been dead silent. */
export class Level {
  #source;
  #analyser;
  #samples = new Float32Array(1024);
  #heard = Date.now();

  constructor(stream) {
    context ??= new AudioContext();
    this.#analyser = new AnalyserNode(context, { fftSize: 1024 });
    this.#source = context.createMediaStreamSource(stream);
    this.#source.connect(this.#analyser);
  }

  read() {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const decibels = 10 * Math.log10(power + 1e-12);
    // A live microphone always hisses; with the cable out, or the headset's own switch off, there is nothing at all.
    if (decibels > -100 || context.state !== "running") this.#heard = Date.now();
    return Math.min(1, Math.max(0, (decibels + 60) / 55));
  }

  /** Milliseconds of dead silence. */
  get silence() {
    return Date.now() - this.#heard;
  }

  /** Silence is counted from here. */
  forget() {
    this.#heard = Date.now();
  }

  close() {
    this.#source.disconnect();
  }
}
