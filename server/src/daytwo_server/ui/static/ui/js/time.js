/* Keeps times and clocks moving. The server has already written the right words; here they only stay right.
   The wording is that of ui/formats.py, and a test holds the two against each other. */
const MINUTE = 60;
const HOUR = 3600;
const DAY = 86400;
const WEEK = 604800;

/* How far the server's clock is ahead of this one, in seconds: a laptop that is 5 minutes off must not show an
   update as overdue. After Back the page may come from a cache, and then its server time is an old one. */
const page = performance.getEntriesByType("navigation")[0];
const written = Number(document.querySelector('meta[name="server-now"]')?.content);
const arrived = (Date.now() - performance.now() + (page?.responseStart ?? 0)) / 1000;
const ahead = written && page?.type !== "back_forward" ? written - arrived : 0;
const now = () => Date.now() / 1000 + (Math.abs(ahead) > 2 ? ahead : 0);

const oneUnit = (seconds) => {
  if (seconds < HOUR) return `${Math.max(1, Math.floor(seconds / MINUTE))} min`;
  if (seconds < DAY) return `${Math.floor(seconds / HOUR)} h`;
  return `${Math.floor(seconds / DAY)} d`;
};

const relative = (seconds, short) => {
  if (Math.abs(seconds) < 45) return "just now";
  const text = oneUnit(Math.abs(seconds));
  if (seconds < 0) return `in ${text}`;
  return short ? text : `${text} ago`;
};

const face = (seconds) => {
  const rest = Math.floor(Math.abs(seconds));
  const sign = seconds <= -1 ? "−" : "";
  const hours = Math.floor(rest / HOUR);
  const two = (number) => String(number).padStart(2, "0");
  const tail = `${two(Math.floor((rest % HOUR) / MINUTE))}:${two(rest % MINUTE)}`;
  return sign + (hours ? `${hours}:${tail}` : tail);
};

const tickTimes = () => {
  const absolute = document.documentElement.dataset.times === "absolute";
  for (const el of document.querySelectorAll(absolute ? 'time[data-relative="left"]' : "time[data-relative], [data-relative] time")) {
    const seconds = now() - Date.parse(el.dateTime) / 1000;
    // From a week on the server's date is better than anything that can be counted here.
    if (Math.abs(seconds) < WEEK) el.textContent = relative(seconds, el.closest("[data-relative]").dataset.relative !== "");
  }
};

const tickClocks = () => {
  for (const el of document.querySelectorAll("[data-elapsed]")) el.textContent = face(now() - el.dataset.elapsed);
  for (const el of document.querySelectorAll("[data-countdown]")) {
    const left = el.dataset.countdown - now();
    el.textContent = face(left);
    el.classList.toggle("text-major", left < 0);
    el.classList.toggle("text-partial", left >= 0 && left < el.dataset.soon);
  }
};

setInterval(tickTimes, MINUTE * 1000);
setInterval(tickClocks, 1000);
// A tab in the background is throttled to a standstill; it must be right the moment somebody looks.
document.addEventListener("visibilitychange", () => {
  if (!document.hidden) {
    tickTimes();
    tickClocks();
  }
});
tickClocks();
