// Microphone and loudspeakers: which there are, which were chosen on this computer, and what can be wrong with them. Not here:
// the connection that carries what they hear (`audio.js`).

const KEPT = { microphone: "rexian-microphone", headset: "rexian-headset", bell: "rexian-bell" };
/** A headset on a desk among sixty: the browser takes out echo and noise. */
const PLAIN = { echoCancellation: true, noiseSuppression: true, autoGainControl: true, channelCount: 1 };

/** Can the loudspeaker be chosen? Otherwise it is the computer's own choice. */
export const canChooseSpeaker = "setSinkId" in HTMLMediaElement.prototype;

/** The id last chosen as `microphone`, `headset` or (for the ring tone) `bell`; "": the computer's own. */
export function chosen(kind) {
  return localStorage.getItem(KEPT[kind]) ?? "";
}

export function choose(kind, id) {
  localStorage.setItem(KEPT[kind], id);
}

/** `{inputs, outputs}`, each `[{id, label}]`. Names are there only once the microphone was allowed. */
export async function list() {
  const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
  const of = (kind) => all.filter((device) => device.kind === kind && device.deviceId && device.deviceId !== "default")
    .map(({ deviceId, label }) => ({ id: deviceId, label }));
  return { inputs: of("audioinput"), outputs: of("audiooutput") };
}

/** The microphone's stream. Throws a word for what is wrong. */
export async function microphone() {
  if (!isSecureContext || !navigator.mediaDevices?.getUserMedia) throw "insecure";
  const id = chosen("microphone");
  const wanted = id ? { ...PLAIN, deviceId: { exact: id } } : PLAIN;
  try {
    return await navigator.mediaDevices.getUserMedia({ audio: wanted });
  } catch (error) {
    // The one that was chosen is unplugged today: any other is better than none.
    if (id && ["OverconstrainedError", "NotFoundError"].includes(error.name)) {
      return navigator.mediaDevices.getUserMedia({ audio: PLAIN }).catch((error) => { throw word(error); });
    }
    throw word(error);
  }
}

function word(error) {
  switch (error.name) {
    case "NotAllowedError": return /system/i.test(error.message) ? "denied_by_system" : "denied";
    case "NotFoundError": return "no_device";
    case "NotReadableError": case "AbortError": return "device_busy";
    case "SecurityError": return "insecure";
    default: return "device_trouble";
  }
}

/** Where `player` (an audio element or context) is heard; a device that is gone leaves it where it was. */
export async function playAt(player, kind) {
  await player.setSinkId?.(chosen(kind)).catch(() => null);
}
