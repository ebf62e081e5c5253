// What the page itself sounds: the ring, and how loud a stream is. The ring is played like any file, which browsers allow a page that
// has the microphone even before anything is pressed.

import { playAt } from "/devices.js";

const RATE = 8000;

/** Two soft notes every three seconds until `stop()`: heard beside a conversation, no fright without one. */
export class Bell {
  #player = null;

  get rings() {
    return this.#player !== null;
  }

  async start() {
    if (this.rings) return;
    const player = new Audio(URL.createObjectURL(tune()));
    this.#player = player;
    player.loop = true;
    await playAt(player, "bell");
    if (this.#player === player) await player.play().catch(() => null);
  }

  stop() {
    if (!this.rings) return;
    this.#player.pause();
    URL.revokeObjectURL(this.#player.src);
    this.#player = null;
  }
}

/** Three seconds as a WAV file. */
function tune() {
  const samples = new Int16Array(3 * RATE);
  for (const [at, hertz, length] of [[0, 660, 0.4], [0.45, 550, 0.9]]) {
    for (let n = 0; n < length * RATE; n++) {
      const time = n / RATE;
      const loud = Math.min(1, time / 0.02) * Math.exp(-time * 4) * 0.35;
      samples[Math.floor(at * RATE) + n] += Math.sin(2 * Math.PI * hertz * time) * loud * 32767;
    }
  }
  const head = new DataView(new ArrayBuffer(44));
  const text = (at, word) => [...word].forEach((letter, n) => head.setUint8(at + n, letter.charCodeAt(0)));
  text(0, "RIFF"), head.setUint32(4, 36 + samples.byteLength, true), text(8, "WAVEfmt "), head.setUint32(16, 16, true);
  head.setUint16(20, 1, true), head.setUint16(22, 1, true), head.setUint32(24, RATE, true), head.setUint32(28, 2 * RATE, true);
  head.setUint16(32, 2, true), head.setUint16(34, 16, true), text(36, "data"), head.setUint32(40, samples.byteLength, true);
  return new Blob([head, samples], { type: "audio/wav" });
}

/** How loud a stream is, 0 to 1, and since when it has been dead silent. Known once something was pressed on the page. */
export class Level {
  #stream;
  #context = null;
  #analyser = null;
  #samples = new Float32Array(1024);
  #heard = Date.now();

  constructor(stream) {
    this.#stream = stream;
  }

  read() {
    if (!this.#context) {
      if (navigator.userActivation && !navigator.userActivation.hasBeenActive) return 0;
      this.#context = new AudioContext();
      this.#analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
      this.#context.createMediaStreamSource(this.#stream).connect(this.#analyser);
    }
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const decibels = 10 * Math.log10(power + 1e-12);
    // A live microphone always hisses; with the cable out, or the headset's own switch off, there is nothing at all.
    if (decibels > -100 || this.#context.state !== "running") this.#heard = Date.now();
    return Math.min(1, Math.max(0, (decibels + 60) / 55));
  }

  /** Milliseconds of dead silence. */
  get silence() {
    return this.#context ? Date.now() - this.#heard : 0;
  }

  /** Silence is counted from here. */
  forget() {
    this.#heard = Date.now();
  }

  close() {
    this.#context?.close();
  }
}
