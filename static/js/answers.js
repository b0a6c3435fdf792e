// What htmx does with answers that are no plain success: refused forms are swapped in (see the page's
// htmx-config), everything else becomes a toast, and the focus is never lost.
const say = (text) => document.dispatchEvent(new CustomEvent("toast", { detail: text }));
const failed = () => document.querySelector("[data-toast-blank]").dataset.toastFailed;

document.addEventListener("htmx:responseError", (event) => {
  const page = new DOMParser().parseFromString(event.detail.xhr.responseText, "text/html");
  say(page.querySelector("h1")?.textContent.trim() || failed());
});

document.addEventListener("htmx:sendError", () => say(failed()));

document.addEventListener("htmx:afterSettle", (event) => {
  if (document.activeElement && document.activeElement !== document.body) return;
  const part = event.detail.elt;
  if (part.closest("[data-follows]")) return; // it came by itself, after the page
  const next = part.querySelector("[autofocus], [aria-invalid=true]") || part.querySelector("h1, h2, h3") || part;
  if (!next.matches("a, button, input, select, textarea, [tabindex]")) next.tabIndex = -1;
  next.focus({ preventScroll: true });
});
