/* A page that was opened from a list: the rows before and after it there ({% neighbours %}), and the way back to it. */
const known = () => {
  try {
    return JSON.parse(sessionStorage.getItem("ui.list") ?? "null");
  } catch {
    return null;
  }
};
// A path of our own only.
const own = (url) => (/^\/(?![/\\])/.test(url ?? "") ? url : "");

const lead = (link, url) => {
  link.hidden = !own(url);
  if (!link.hidden) link.href = url;
};

const group = document.querySelector("[data-neighbours]");
const list = known();
const place = list?.links?.indexOf(group?.dataset.neighbours) ?? -1;
if (place >= 0) {
  lead(group.querySelector("[data-previous]"), list.links[place - 1]);
  lead(group.querySelector("[data-next]"), list.links[place + 1]);
  group.querySelector("[data-place]").textContent = `${place + 1} of ${list.links.length}`;
  group.hidden = false;
  for (const link of own(list.url) ? document.querySelectorAll("[data-list-link]") : []) link.href = list.url;
}
