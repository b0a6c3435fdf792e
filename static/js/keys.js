// Keys: a control with data-key="e" (or "n l" for one after the other) is pressed by these letters.
// "mod k" is K with Ctrl or Command, which works everywhere; the plain ones not while somebody types.
const typing = (element) => element.closest("textarea, select, [contenteditable], input:not([type=checkbox], [type=radio])");
let before = "";

function press(keys) {
  const control = document.querySelector(`[data-key="${CSS.escape(keys)}"]`);
  if (!control || control.matches(":disabled, [aria-disabled=true]")) return false;
  if (control.matches("input, textarea")) control.focus();
  else control.click();
  return true;
}

document.addEventListener("keydown", (event) => {
  const command = event.metaKey || event.ctrlKey;
  if (command && event.key === "Enter") {
    event.target.form?.requestSubmit();
    return;
  }
  if (command) {
    if (press(`mod ${event.key.toLowerCase()}`)) event.preventDefault();
    return;
  }
  if (event.altKey || typing(event.target) || document.body.dataset.keys === "off") return;
  if (document.querySelector("dialog[open]")) return;
  const key = event.key.toLowerCase();
  const pressed = (before && press(`${before} ${key}`)) || press(key);
  before = pressed ? "" : key;
  if (pressed) event.preventDefault();
});
