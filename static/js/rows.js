// Rows: in a table with data-rows, J and K go down and up, X ticks, Shift X ticks up to here; the box in
// the head ticks all of the page, Escape none. Enter follows the row's link, which has the focus. The number of ticked
// rows is told in data-rows-count; the bar around it and the tint of the rows are CSS.
const table = () => document.querySelector("[data-rows]");
const rows = () => [...(table()?.tBodies[0]?.rows || [])];
const tick = (row) => row?.querySelector("input[type=checkbox]");
let last = -1;

function go(step) {
  const all = rows();
  const at = all.findIndex((row) => "at" in row.dataset);
  const next = all[Math.min(Math.max(at + step, 0), all.length - 1)];
  if (!next) return;
  for (const row of all) row.toggleAttribute("data-at", row === next);
  next.querySelector("a")?.focus();
}

function toggle(upToHere) {
  const all = rows();
  const at = all.findIndex((row) => "at" in row.dataset);
  if (!tick(all[at])) return;
  const from = upToHere && last >= 0 ? Math.min(last, at) : at;
  const until = upToHere && last >= 0 ? Math.max(last, at) : at;
  const ticked = !tick(all[at]).checked;
  for (const row of all.slice(from, until + 1)) tick(row).checked = ticked;
  last = at;
  count();
}

function count() {
  const ticked = rows().filter((row) => tick(row)?.checked).length;
  const all = table().tHead?.querySelector("input[type=checkbox]");
  if (all) {
    all.checked = ticked > 0 && ticked === rows().length;
    all.indeterminate = ticked > 0 && !all.checked;
  }
  for (const number of document.querySelectorAll("[data-rows-count]")) number.textContent = ticked;
}

function clear() {
  for (const row of rows()) if (tick(row)) tick(row).checked = false;
  count();
}

document.addEventListener("change", (event) => {
  if (!event.target.matches("[data-rows] input[type=checkbox]")) return;
  if (event.target.closest("thead")) for (const row of rows()) if (tick(row)) tick(row).checked = event.target.checked;
  count();
});

document.addEventListener("keydown", (event) => {
  if (document.body.dataset.keys === "off" || !table() || event.metaKey || event.ctrlKey || event.altKey) return;
  if (event.target.matches("textarea, select, input:not([type=checkbox])")) return;
  if (event.key === "Escape" && !document.querySelector("details[open], dialog[open]")) clear();
  const act = { j: () => go(1), k: () => go(-1), x: () => toggle(false), X: () => toggle(true) }[event.key];
  act?.();
});
