// Theme, tips, and every chart when it comes into sight.
const CHARTS = { equity: equityChart, sharpe: sharpeChart, trades: tradesChart };

function begin() {
  const data = JSON.parse(document.getElementById("series").textContent);
  const watch = new IntersectionObserver(
    (entries) => {
      for (const { isIntersecting, target } of entries) {
        if (!isIntersecting) continue;
        watch.unobserve(target);
        CHARTS[target.dataset.chart](target, data, data.owners[Number(target.dataset.owner)]);
        target.dataset.drawn = "";
      }
    },
    { rootMargin: "400px" },
  );
  for (const root of document.querySelectorAll("[data-chart]")) watch.observe(root);
}

/** Keep a choice where the browser lets us; a file may have no storage. */
function kept(name, value) {
  try {
    if (value !== undefined) localStorage.setItem(`plimsoll-${name}`, value);
    return localStorage.getItem(`plimsoll-${name}`);
  } catch {
    return null;
  }
}

function choose(name) {
  const select = document.getElementById(name);
  const set = (value) => {
    document.documentElement.dataset[name] = value;
    select.value = value;
  };
  const before = kept(name);
  if ([...select.options].some((option) => option.value === before)) set(before);
  select.addEventListener("change", () => {
    set(select.value);
    kept(name, select.value);
  });
}

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") document.body.classList.add("hush");
  else document.body.classList.remove("hush");
});
document.addEventListener("pointermove", () => document.body.classList.remove("hush"));
choose("theme");
choose("pair");
begin();
