// Palette: a link with data-palette opens the dialog of search and commands instead of the search page. The
// server finds records; the commands are the controls in data-commands of this page, which it presses.
const dialog = document.querySelector("#palette");
const query = dialog?.querySelector("input");
const hits = dialog?.querySelector("#palette-hits");
const commands = dialog?.querySelector("#palette-commands");
const wordsOf = (text) => text.normalize("NFKD").replace(/\p{M}/gu, "").toLowerCase().match(/[\p{L}\p{N}]+/gu) || [];
const count = dialog?.querySelector("[data-palette-count]");
const options = () => [...dialog.querySelectorAll("[role=option]")];
const chosen = () => dialog.querySelector("[aria-selected=true]");
let awaited = false; // the records for what was typed are still to come
let follows = null; // what Enter asked for meanwhile: how to open the first of them
let moved = false; // the choice was made by the arrows

function make(name, className, text = "") {
  const element = document.createElement(name);
  element.className = className;
  element.textContent = text;
  return element;
}

// What a control is called and by which keys it is pressed: its text without hints and numbers.
function named(control) {
  const copy = control.cloneNode(true);
  for (const extra of copy.querySelectorAll("kbd, .rail__count, .menu__list")) extra.remove();
  return copy.textContent.trim();
}

function option(control, number) {
  const line = make(control.href ? "a" : "div", "palette__hit");
  if (control.href) line.href = control.href;
  line.tabIndex = -1;
  line.id = `command-${number}`;
  line.setAttribute("role", "option");
  line.setAttribute("aria-selected", "false");
  const icon = control.querySelector("svg, .tile")?.cloneNode(true);
  if (icon) line.append(icon);
  line.append(make("span", "strong", named(control)));
  const keys = control.dataset.key;
  if (keys) {
    const hint = make("span", "push wide-only");
    hint.append(make("kbd", "", keys.toUpperCase()));
    line.append(hint);
  }
  line.addEventListener("click", (event) => {
    if (event.metaKey || event.ctrlKey) return;
    event.preventDefault();
    dialog.close();
    control.click();
  });
  return line;
}

function offerCommands() {
  const words = wordsOf(query.value);
  const groups = new Map();
  let number = 0;
  for (const part of [...document.querySelectorAll("[data-commands]")].reverse()) {
    for (const control of part.querySelectorAll("a[href], button[type=submit]")) {
      const names = wordsOf(`${part.dataset.commands} ${named(control)}`);
      if (!words.every((word) => names.some((name) => name.startsWith(word)))) continue;
      const label = part.dataset.commands;
      if (!groups.has(label)) groups.set(label, []);
      groups.get(label).push(option(control, number));
      number += 1;
    }
  }
  commands.replaceChildren(
    ...[...groups].map(([label, lines]) => {
      const group = make("div", "palette__group");
      group.setAttribute("role", "group");
      group.setAttribute("aria-label", label);
      const head = make("h2", "", label);
      head.setAttribute("role", "presentation");
      group.append(head, ...lines);
      return group;
    }),
  );
  chooseFirst();
}

function choose(line) {
  chosen()?.setAttribute("aria-selected", "false");
  query.removeAttribute("aria-activedescendant");
  if (!line) return;
  line.setAttribute("aria-selected", "true");
  line.scrollIntoView({ block: "nearest" });
  query.setAttribute("aria-activedescendant", line.id);
}

function chooseFirst() {
  if (!moved || !chosen()) choose(options()[0]);
}

function move(step) {
  const all = options();
  moved = true;
  if (all.length) choose(all[(all.indexOf(chosen()) + step + all.length) % all.length]);
}

function follow(line, elsewhere) {
  if (elsewhere && line?.href) window.open(line.href, "_blank", "noopener");
  else line?.click();
}

function ask() {
  awaited = true;
  follows = null;
  moved = false;
  offerCommands();
}

function answered() {
  awaited = false;
  chooseFirst();
  count.textContent = `${count.dataset.paletteCount}: ${options().length}`;
  if (follows) follow(chosen(), follows.elsewhere);
  follows = null;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("[data-palette]");
  if (!link || !dialog || event.metaKey || event.ctrlKey || event.shiftKey) return;
  event.preventDefault();
  if (dialog.open) return;
  query.value = "";
  hits.replaceChildren();
  dialog.showModal();
  query.focus();
  ask();
  window.htmx.trigger(query, "palette");
});

query?.addEventListener("input", ask);

query?.addEventListener("keydown", (event) => {
  const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
  if (step) move(step);
  else if (event.key === "Enter") {
    const elsewhere = event.metaKey || event.ctrlKey;
    if (awaited && !moved) follows = { elsewhere };
    else follow(chosen(), elsewhere);
  } else return;
  event.preventDefault();
});

hits?.addEventListener("htmx:afterSwap", answered);
for (const name of ["htmx:responseError", "htmx:sendError"])
  query?.addEventListener(name, () => {
    awaited = false;
    follows = null;
  });

dialog?.addEventListener("close", () => {
  follows = null;
});

// A click beside the dialog closes it.
dialog?.addEventListener("click", (event) => {
  if (event.target === dialog) dialog.close();
});
