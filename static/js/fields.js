// Fields in their place: a link with data-edit puts a form into its data-cell; in a list, which has hundreds of
// such links, it is the link without a text whose address names a field, and the cell is its td. Esc and Cancel
// put the value back. A part with data-anew loads itself again once a field is saved; open forms in it move over to the new one with what was typed, and the focus goes back to the saved value.
const values = new WeakMap(); // cell -> what it showed before its form
const LINK = '[data-edit], td > a:empty[href*="?field="]';
const formIn = (cell) => cell.querySelector("form");
const rowOf = (cell) => cell.closest("tr").querySelector("a").pathname;
const nameOf = (cell) => cell.id || `${rowOf(cell)} ${cell.cellIndex}`;
const cellOf = (name) => [...document.querySelectorAll("[data-cell], tbody[data-cells] td")].find((cell) => nameOf(cell) === name);
let kept = [];
let saved = "";

function remember(cell) {
  const copy = cell.cloneNode(true);
  for (const link of copy.querySelectorAll(".htmx-request")) link.classList.remove("htmx-request");
  values.set(cell, [...copy.childNodes]);
}

function cancel(cell) {
  if (!values.has(cell)) return false;
  cell.replaceChildren(...values.get(cell));
  values.delete(cell);
  window.htmx.process(cell);
  cell.querySelector(LINK)?.focus();
  return true;
}

function moveInto(cell, form) {
  remember(cell);
  cell.dataset.cell = "";
  cell.replaceChildren(form);
}

document.addEventListener("saved", (event) => {
  const cell = event.target.closest("[data-cell]");
  saved = cell ? nameOf(cell) : "";
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap } = event.detail;
  if (!shouldSwap) return;
  if (target.matches("[data-cell]") && !formIn(target)) remember(target);
  if (!target.matches("[data-anew]")) return;
  const open = [...target.querySelectorAll("[data-cell]")].filter((cell) => formIn(cell) && nameOf(cell) !== saved);
  kept = open.map((cell) => ({ name: nameOf(cell), form: formIn(cell), focus: cell.contains(document.activeElement) && document.activeElement }));
  for (const { form } of kept) form.remove();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (!event.target.matches?.("[data-anew]")) return;
  for (const { name, form, focus } of kept) {
    const cell = cellOf(name);
    if (!cell) continue;
    moveInto(cell, form);
    if (focus) focus.focus();
  }
  kept = [];
  const focused = document.activeElement;
  if (saved && (!focused || focused === document.body)) {
    cellOf(saved)?.querySelector(LINK)?.focus({ preventScroll: true });
  }
  saved = "";
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.target.closest?.("[data-cell]")) return;
  if (document.activeElement?.matches("[data-cell] input:not([type=date], [type=checkbox])")) document.activeElement.select();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest(LINK);
  if (!link || link.matches("[data-edit]") || event.button || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  const cell = link.parentElement;
  cell.dataset.cell = "";
  window.htmx.ajax("GET", link.href, { source: link, target: cell, swap: "innerHTML settle:0ms" });
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-field-cancel]");
  if (link && cancel(link.closest("[data-cell]"))) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest("[data-cell] form");
  if (form && cancel(form.closest("[data-cell]"))) event.preventDefault();
});
