// Fields in their place: a link with data-edit puts a form into its data-cell. Esc and Cancel put the value
// back. A part with data-anew loads itself again once a field is saved; forms that are still open in it
// move over to the new one with what was typed, and the focus goes back to the saved value.
const values = new WeakMap(); // cell -> what it showed before its form
const formIn = (cell) => cell.querySelector("form");
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
  cell.querySelector("[data-edit]")?.focus();
  return true;
}

function moveInto(cell, form) {
  remember(cell);
  cell.replaceChildren(form);
}

document.addEventListener("saved", (event) => {
  saved = event.target.closest("[data-cell]")?.id || "";
});

document.addEventListener("htmx:beforeSwap", (event) => {
  const { target, shouldSwap } = event.detail;
  if (!shouldSwap) return;
  if (target.matches("[data-cell]") && !formIn(target)) remember(target);
  if (!target.matches("[data-anew]")) return;
  const open = [...target.querySelectorAll("[data-cell]")].filter((cell) => formIn(cell) && cell.id !== saved);
  kept = open.map((cell) => ({ id: cell.id, form: formIn(cell), focus: cell.contains(document.activeElement) && document.activeElement }));
  for (const { form } of kept) form.remove();
});

document.addEventListener("htmx:afterSwap", (event) => {
  if (!event.target.matches?.("[data-anew]")) return;
  for (const { id, form, focus } of kept) {
    const cell = document.getElementById(id);
    if (!cell) continue;
    moveInto(cell, form);
    if (focus) focus.focus();
  }
  kept = [];
  const focused = document.activeElement;
  if (saved && (!focused || focused === document.body)) {
    document.getElementById(saved)?.querySelector("[data-edit]")?.focus({ preventScroll: true });
  }
  saved = "";
});

document.addEventListener("htmx:afterSettle", (event) => {
  if (!event.target.closest?.("[data-cell]")) return;
  if (document.activeElement?.matches("[data-cell] input:not([type=date], [type=checkbox])")) document.activeElement.select();
});

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-field-cancel]");
  if (link && cancel(link.closest("[data-cell]"))) event.preventDefault();
});

document.addEventListener("keydown", (event) => {
  const form = event.key === "Escape" && event.target.closest("[data-cell] form");
  if (form && cancel(form.closest("[data-cell]"))) event.preventDefault();
});
