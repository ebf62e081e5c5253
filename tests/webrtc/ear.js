// Set before a page of the program: what it plays of its connection is measured, its microphone is taken as it is, and it may be
// led over another path. The page itself is the program's own.
(() => {
  const { tones, via } = __HOW__;
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  // A tone that does not end is noise to whatever takes noise out.
  const plain = { echoCancellation: false, noiseSuppression: false, autoGainControl: false };
  navigator.mediaDevices.getUserMedia = ({ audio }) => open({ audio: { ...audio, ...plain } });

  let analyser = null;
  let context = null;
  const listen = (track) => {
    context?.close();
    context = new AudioContext();
    analyser = new AnalyserNode(context, { fftSize: 16384 });
    context.createMediaStreamSource(new MediaStream([track])).connect(analyser);
  };
  const Connection = RTCPeerConnection;
  globalThis.RTCPeerConnection = class extends Connection {
    constructor(...given) {
      super(...given);
      this.addEventListener("track", ({ track }) => listen(track));
    }

    setRemoteDescription({ type, sdp }) {
      return super.setRemoteDescription({ type, sdp: via ? sdp.replace(/(a=candidate:\S+ 1 udp \d+) \S+ \d+/gi, `$1 ${via}`) : sdp });
    }
  };
  const decibels = (power) => 10 * Math.log10(power + 1e-12);
  /** Of the last third of a second: how loud each tone is, and all of it, in dB of full scale. */
  globalThis.heard = () => {
    const samples = new Float32Array(16384);
    analyser?.getFloatTimeDomainData(samples);
    const window = samples.map((sample, n) => sample * (1 - Math.cos((2 * Math.PI * n) / samples.length)));
    const level = (hz) => {
      const c = 2 * Math.cos((2 * Math.PI * hz) / (context?.sampleRate ?? 48000));
      let [a, b] = [0, 0];
      for (const sample of window) [a, b] = [sample + c * a - b, a];
      return decibels((2 * (a * a + b * b - c * a * b)) / samples.length ** 2);
    };
    return [...tones.map(level), decibels(samples.reduce((sum, sample) => sum + sample * sample, 0) / samples.length)];
  };
})();
