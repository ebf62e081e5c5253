// The seat's audio for a shift: one connection to the gateway, kept for as long as it is wanted. Calls come and go in it;
// hold, transfer and all the rest happen at the gateway. Not here: devices and what can be wrong with them (`devices.js`), the
// ring (`sound.js`), what of this is shown (`headset.js`).

import { list, microphone, playAt } from "/devices.js";
import { Level } from "/sound.js";
import { wait } from "/time.js";

const WANTED = "rexian-audio";
const SOONEST = 500;
const LATEST = 8000;
/** A path that is not there by then will not come. */
const PATIENCE = 8000;
/** "disconnected" often mends itself. */
const GRACE = 2000;
/** A timer that is late by so much has slept with its computer. */
const NAP = 5000;

/** What passes: it is tried again. */
const PASSING = ["no_answer", "no_session", "audio_overload"];

/** One window has the seat's audio: the last one that asked. */
const windows = new BroadcastChannel("rexian-audio");

export class Audio {
  /** off, starting, live, mending, failed */
  state = "off";
  /** Of failed and mending: what is wrong, as a word. */
  why = null;
  /** The same in the gateway's sentence, where it has one. */
  sentence = null;
  muted = false;
  /** The browser plays only once somebody has pressed something. */
  blocked = false;
  devices = { inputs: [], outputs: [] };

  #line;
  #changed;
  #wanted = false;
  #stream = null;
  #connection = null;
  #player = new globalThis.Audio();
  #own = null;
  #nudge = () => {};
  /** Which loop is the present one. */
  #turn = 0;
  /** Which choice of a microphone is the last one. */
  #choice = 0;
  #liveSince = 0;
  #ends = new AbortController();

  /** `line.order`, `line.check`, `line.isOpen`; `changed()` after whatever can be seen of this. */
  constructor(line, changed) {
    this.#line = line;
    this.#changed = changed;
    const on = (target, event, does) => target.addEventListener(event, does, { signal: this.#ends.signal });
    // Told at once; the connection itself would take seven seconds to see it.
    for (const event of ["online", "offline"]) on(globalThis, event, () => this.#nudge("network"));
    on(globalThis, "pagehide", () => this.#connection?.close());
    on(document, "visibilitychange", () => document.hidden || this.#look());
    if (navigator.mediaDevices) on(navigator.mediaDevices, "devicechange", () => this.#deviceChanged());
    for (const event of ["pointerdown", "keydown"]) on(globalThis, event, () => this.blocked && this.#play());
    on(windows, "message", () => this.#wanted && this.#give("elsewhere"));
    let last = Date.now();
    this.timer = setInterval(() => {
      if (Date.now() - last > NAP) this.#nudge("slept");
      last = Date.now();
    }, 1000);
  }

  /** Was it on when this page was last loaded? Then it comes back by itself. */
  static get wasOn() {
    return sessionStorage.getItem(WANTED) !== null;
  }

  get isOn() {
    return this.#wanted;
  }

  /** From a click or a key press; again after a failure. */
  start() {
    if (this.#wanted) return;
    this.#wanted = true;
    this.#set("starting");
    windows.postMessage("mine");
    sessionStorage.setItem(WANTED, "1");
    this.#keep();
  }

  /** The desk phone is used from here, or nothing. */
  stop() {
    if (this.#wanted) this.#line.order({ order: "audio_close" });
    sessionStorage.removeItem(WANTED);
    this.#give(null);
  }

  close() {
    clearInterval(this.timer);
    this.#ends.abort();
    this.#give(null);
  }

  mute(muted) {
    this.muted = muted;
    for (const track of this.#stream?.getAudioTracks() ?? []) track.enabled = !muted;
    this.#own?.forget();
    this.#changed();
  }

  /** Keys of a telephone, sent into the call as they are on any phone (RFC 4733). `null`, or why not. */
  keys(digits) {
    const dtmf = this.#connection?.getSenders()[0]?.dtmf;
    if (!dtmf?.canInsertDTMF) return "why_no_keys";
    // What is inserted takes the place of what has not been sent yet.
    dtmf.insertDTMF(dtmf.toneBuffer + digits);
    return null;
  }

  /** 0 to 1; and whether the microphone is dead while it should not be. */
  level() {
    const level = this.#own?.read() ?? 0;
    return { level, dead: !this.muted && (this.#own?.silence ?? 0) > 15000 };
  }

  /** Another device was chosen, or the same microphone is to be opened again. One that does not open changes nothing. */
  async chosen(kind = "microphone") {
    await playAt(this.#player, "headset");
    const [connection, choice] = [this.#connection, ++this.#choice];
    if (kind !== "microphone" || !this.#wanted || !connection) return;
    const late = () => connection !== this.#connection || choice !== this.#choice;
    let stream = null;
    let trouble = null;
    try {
      stream = await microphone();
      if (late()) return release(stream);
      const [track] = stream.getAudioTracks();
      track.enabled = !this.muted;
      await connection.getSenders()[0].replaceTrack(track);
    } catch (why) {
      trouble = word(why);
    }
    if (trouble || connection !== this.#connection) release(stream);
    else this.#take(stream);
    if (!late() && (trouble || this.state === "live")) this.#set(this.state, trouble);
  }

  /** What the gateway's screen says of us: if it has lost us, we begin anew. */
  seen(audio) {
    if (this.state === "live" && audio !== "browser" && Date.now() - this.#liveSince > GRACE) this.#nudge("forgotten");
  }

  /** The gateway says that another window has it. */
  replaced() {
    if (this.#wanted) this.#give("elsewhere");
  }

  /** The line to the gateway is there again. */
  lineIsBack() {
    if (this.state !== "live") this.#nudge("line");
  }

  // ---- one loop for as long as audio is wanted

  async #keep() {
    const turn = ++this.#turn;
    const over = () => !this.#wanted || turn !== this.#turn;
    let delay = SOONEST;
    while (!over()) {
      const why = (await this.#round(over)) ?? (this.#ended ? "microphone" : null);
      if (over()) return;
      if (why === null) {
        delay = SOONEST;
        this.#liveSince = Date.now();
        this.#set("live");
        const trouble = await this.#trouble();
        if (over()) return;
        // What has cut the audio may have cut the line too.
        this.#line.check();
        if (trouble === "forgotten" || trouble === "microphone") this.#drop();
        this.#set("mending", trouble);
        continue;
      }
      if (why === "no_session") this.#drop();
      this.#set("mending", why);
      await Promise.race([wait(delay), this.#trouble()]);
      delay = Math.min(delay * 2, LATEST);
    }
  }

  /** One try. `null`, or what is wrong. `over`: is this loop not the present one any more? While something is waited for, the agent
   *  may choose the phone, leave, or begin anew: nothing of that is this loop's to touch. */
  async #round(over) {
    if (!this.#line.isOpen) return "no_line";
    // Unplugged while nobody looked: the connection would carry silence.
    if (this.#ended) this.#drop();
    try {
      return this.#connection ? await this.#restart(over) : await this.#begin(over);
    } catch (error) {
      console.warn("audio:", error);
      if (!over()) this.#drop();
      return "browser_trouble";
    }
  }

  /** From nothing. What only a person can mend ends the loop. */
  async #begin(over) {
    try {
      if (!this.#stream) {
        const stream = await microphone();
        if (over()) return release(stream);
        this.#take(stream);
      }
    } catch (why) {
      if (!over()) this.#give(word(why));
      return word(why);
    }
    const devices = await list();
    if (over()) return "superseded";
    this.devices = devices;
    const connection = new RTCPeerConnection({ bundlePolicy: "max-bundle" });
    this.#connection = connection;
    connection.addTrack(this.#stream.getAudioTracks()[0], this.#stream);
    const known = RTCRtpReceiver.getCapabilities?.("audio")?.codecs ?? [];
    const ours = known.filter((codec) => /\/(pcma|pcmu|telephone-event)$/i.test(codec.mimeType));
    if (ours.length) connection.getTransceivers()[0].setCodecPreferences?.(ours);
    connection.ontrack = ({ track }) => {
      if (connection !== this.#connection) return;
      this.#player.srcObject = new MediaStream([track]);
      this.#play();
    };
    connection.onconnectionstatechange = () => this.#look();
    const why = await this.#negotiate("audio_offer", over);
    if (why) this.#drop(connection);
    return why;
  }

  /** The same session by another path. */
  async #restart(over) {
    this.#connection.restartIce();
    return this.#negotiate("audio_reoffer", over);
  }

  async #negotiate(order, over) {
    const connection = this.#connection;
    await connection.setLocalDescription();
    if (over()) return "superseded";
    const answer = await this.#line.order({ order, sdp: connection.localDescription.sdp });
    if (over()) return "superseded";
    if (answer.unable) {
      if (connection.signalingState === "have-local-offer") await connection.setLocalDescription({ type: "rollback" }).catch(() => null);
      if (!over() && !PASSING.includes(answer.unable)) this.#give(answer.unable, answer.why);
      return answer.unable;
    }
    await connection.setRemoteDescription({ type: "answer", sdp: answer.sdp });
    if (over()) return "superseded";
    return (await this.#connects(connection)) ? null : "no_path";
  }

  async #connects(connection) {
    for (const end = Date.now() + PATIENCE; Date.now() < end && connection === this.#connection; await wait(50)) {
      if (connection.connectionState === "connected") return true;
      if (["failed", "closed"].includes(connection.connectionState)) break;
    }
    return false;
  }

  /** Resolves with what is wrong, when something is. */
  #trouble() {
    return new Promise((resolve) => { this.#nudge = resolve; });
  }

  /** Is the path still there? */
  #look() {
    const connection = this.#connection;
    if (connection?.connectionState === "failed") this.#nudge("path_lost");
    if (connection?.connectionState === "disconnected")
      setTimeout(() => connection.connectionState === "disconnected" && connection === this.#connection && this.#nudge("path_lost"), GRACE);
  }

  async #deviceChanged() {
    this.devices = await list();
    if (this.#wanted && this.#ended) this.#nudge("microphone");
    this.#changed();
  }

  #take(stream) {
    this.#leave();
    this.#stream = stream;
    this.#own = new Level(stream);
    const [track] = stream.getAudioTracks();
    track.enabled = !this.muted;
    track.onended = () => this.#nudge("microphone");
  }

  /** Is the microphone gone? */
  get #ended() {
    return this.#stream?.getAudioTracks()[0].readyState === "ended";
  }

  #leave() {
    this.#own?.close();
    this.#own = null;
    release(this.#stream);
    this.#stream = null;
  }

  async #play() {
    await playAt(this.#player, "headset");
    this.blocked = await this.#player.play().then(() => false, (error) => error.name === "NotAllowedError");
    this.#changed();
  }

  /** A connection; with the present one goes the microphone, if it has ended. */
  #drop(connection = this.#connection) {
    connection?.close();
    if (connection !== this.#connection) return;
    this.#connection = null;
    if (this.#ended) this.#leave();
  }

  /** No more by itself: `why` says what to mend, or nothing is wrong. */
  #give(why, sentence = null) {
    this.#wanted = false;
    this.#drop();
    this.#leave();
    this.#player.srcObject = null;
    this.muted = false;
    this.#nudge("given up");
    this.#set(why ? "failed" : "off", why, sentence);
  }

  #set(state, why = null, sentence = null) {
    Object.assign(this, { state, why, sentence });
    this.#changed();
  }
}

/** Of what `microphone` threw. */
const word = (why) => (typeof why === "string" ? why : "device_trouble");

/** Lets go of a microphone that is not wanted any more. */
function release(stream) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  return "superseded";
}
