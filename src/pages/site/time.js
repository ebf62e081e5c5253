// Times as people read them. The gateway's are microseconds.

/** Microseconds as 1:05 or 1:02:05. */
export function span(micros) {
  const seconds = Math.max(0, Math.floor(micros / 1e6));
  const two = (n) => String(n).padStart(2, "0");
  const [h, m, s] = [Math.floor(seconds / 3600), Math.floor(seconds / 60) % 60, seconds % 60];
  return h ? `${h}:${two(m)}:${two(s)}` : `${m}:${two(s)}`;
}

/** The hotline's own time of day: everybody here is in China, whatever the computer believes. */
export function clock(micros) {
  return CLOCK.format(new Date(micros / 1000));
}

const CLOCK = new Intl.DateTimeFormat("zh-CN", {
  timeZone: "Asia/Shanghai", hour: "2-digit", minute: "2-digit", second: "2-digit", hourCycle: "h23",
});

export const wait = (ms) => new Promise((done) => setTimeout(done, ms));
