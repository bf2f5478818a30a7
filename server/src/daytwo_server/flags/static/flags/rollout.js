/* The rollout of a flag: says what a percentage means in customers and organizations before it is saved.
   The form works without: a preset saves itself, and any number can be typed. */
const number = new Intl.NumberFormat("en");

const parse = (text) => Number(text.replace(",", ".").replace("%", ""));

/* How many are in at a percentage: the curve has whole percents, and a line between them. */
const at = (curve, percent) => {
  const low = Math.min(100, Math.max(0, Math.floor(percent)));
  const high = Math.min(100, low + 1);
  return Math.round(curve[low] + (curve[high] - curve[low]) * (percent - low));
};

const words = (form, percent) => {
  if (!form.dataset.curves) return null;
  const curves = JSON.parse(form.dataset.curves);
  const totals = form.dataset.totals.split(",").map(Number);
  const saved = Number(form.dataset.rollout);
  const nouns = ["customers", "organizations"];
  const told = nouns.flatMap((noun, i) => {
    if (!totals[i]) return [];
    const change = at(curves[i], percent) - at(curves[i], saved);
    if (percent === saved) return [`${number.format(at(curves[i], percent))} of ${number.format(totals[i])} ${noun}`];
    return [`${number.format(Math.abs(change))} ${Math.abs(change) === 1 ? noun.slice(0, -1) : noun}`];
  });
  const verb = percent === saved ? "" : percent > saved ? "adds " : "removes ";
  return verb + told.join(", ");
};

const draw = (form) => {
  const percent = parse(form.querySelector("[data-rollout-value]").value);
  const fits = percent >= 0 && percent <= 100;
  const slider = form.querySelector("[data-rollout-slider]");
  if (fits) slider.value = percent;
  slider.style.setProperty("--fill", `${slider.value}%`);
  for (const preset of form.querySelectorAll("[data-rollout-preset]")) {
    preset.setAttribute("aria-pressed", String(Number(preset.value) === percent));
  }
  const told = fits ? words(form, percent) : "A number from 0 to 100";
  if (told !== null) form.querySelector("[data-rollout-effect]").textContent = told;
  form.querySelector("[data-rollout-save]").disabled = !fits || percent === Number(form.dataset.rollout);
};

const formOf = (target) => target.closest?.("[data-rollout]");

document.addEventListener("input", ({ target }) => {
  const form = formOf(target);
  if (!form) return;
  if (target.matches("[data-rollout-slider]")) form.querySelector("[data-rollout-value]").value = target.value;
  draw(form);
});

document.addEventListener("click", (event) => {
  const preset = event.target.closest?.("[data-rollout-preset]");
  if (!preset) return;
  event.preventDefault();
  const form = formOf(preset);
  form.querySelector("[data-rollout-value]").value = preset.value;
  draw(form);
});

const drawAll = () => document.querySelectorAll("form[data-rollout]").forEach(draw);
document.addEventListener("htmx:after:swap", drawAll);
drawAll();
