/* Tooltips that a keyboard reaches too. The markup has a plain `title`; the first visit turns it into ours, because
   browsers show a title to the mouse alone. A row that gets the focus shows the exact time of the row. */
const tip = document.createElement("div");
tip.className = "tooltip";
tip.id = "tooltip";
tip.popover = "manual";
tip.setAttribute("role", "tooltip");
document.body.append(tip);

let shown = null;

/* As ui/formats.py says it, for lists of fifty that would say it twice in each row. */
const exact = (moment) => {
  const { zone } = document.documentElement.dataset;
  const style = { timeZone: zone, day: "numeric", month: "long", year: "numeric", hour: "2-digit", minute: "2-digit", second: "2-digit", timeZoneName: "short" };
  return new Intl.DateTimeFormat("en-GB", style).format(new Date(moment)).replace(" at ", ", ");
};

/* Above its element, or below where there is no room. In a row it stands beside, so as not to cover the row's title. */
const place = (el) => {
  const box = el.getBoundingClientRect();
  const size = tip.getBoundingClientRect();
  const beside = el !== document.activeElement && el.closest(".row, tr")?.contains(document.activeElement);
  const left = beside ? box.right + 8 : box.left + box.width / 2 - size.width / 2;
  const above = box.top - size.height - 6;
  const top = beside ? box.top + box.height / 2 - size.height / 2 : above > 4 ? above : box.bottom + 6;
  tip.style.left = `${Math.min(Math.max(4, left), innerWidth - size.width - 4)}px`;
  tip.style.top = `${top}px`;
};

const hide = () => {
  if (!shown) return;
  if (shown.getAttribute("aria-describedby") === tip.id) shown.removeAttribute("aria-describedby");
  shown = null;
  tip.hidePopover();
};

const show = (el) => {
  if (el === shown) return;
  hide();
  if (el.title) {
    el.dataset.tip = el.title;
    // What has no other name keeps this one.
    if (el.role === "img" && !el.ariaLabel) el.ariaLabel = el.title;
    el.removeAttribute("title");
  }
  tip.textContent = el.dataset.tip ?? exact(el.dateTime);
  // Whoever wrote their own description knows better.
  if (!el.hasAttribute("aria-describedby")) el.setAttribute("aria-describedby", tip.id);
  tip.showPopover();
  place(el);
  shown = el;
};

const SOURCE = "[title], [data-tip], time";
const own = (target) => (target instanceof Element ? target.closest(SOURCE) : null);
const inside = (target) => (target.closest(".row, tr") ?? target).querySelector("time");

document.addEventListener("pointerover", (event) => {
  if (event.pointerType === "touch") return;
  const el = own(event.target);
  if (el) show(el);
  else hide();
});
document.addEventListener("focusin", (event) => {
  // A tap on a time counts as well: fingers have no other way to see the exact moment.
  if (!event.target.matches(":focus-visible, time")) return;
  const el = own(event.target) ?? inside(event.target);
  if (el) show(el);
  else hide();
});
document.addEventListener("focusout", hide);
// j and k scroll the row they reach into view, so a tip moves along instead of vanishing.
document.addEventListener("scroll", () => shown && place(shown), { capture: true, passive: true });
document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") hide();
});
