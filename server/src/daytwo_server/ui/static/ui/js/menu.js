/* Panels that open from a button (`details.menu`). They work without this; with it they close as people expect. */
const open = () => document.querySelectorAll("details.menu[open]");

document.addEventListener("click", (event) => {
  for (const menu of open()) if (!menu.contains(event.target)) menu.open = false;
});

/* Before everything else that Escape may mean on the page. */
document.addEventListener(
  "keydown",
  (event) => {
    if (event.key !== "Escape") return;
    for (const menu of open()) {
      event.preventDefault();
      menu.open = false;
      menu.querySelector("summary").focus();
    }
  },
  true,
);
