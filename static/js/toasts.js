// Toasts: what was done, with Undo. They stay until closed or the next page. Other modules show one by
//   document.dispatchEvent(new CustomEvent("toast", { detail: "Moved Gateway refresh to Proposal" }))
const box = document.querySelector("[data-toasts]");

document.addEventListener("toast", (event) => {
  const blank = document.querySelector("[data-toast-blank]").content.cloneNode(true);
  blank.querySelector("[data-toast-text]").textContent = event.detail;
  box.replaceChildren(blank);
});

document.addEventListener("click", (event) => {
  event.target.closest("[data-toast-close]")?.closest("[data-toast]").remove();
});

// A live region speaks only what is put into it later, so the toasts of a fresh page are put in again.
if (box?.children.length) {
  const toasts = [...box.children];
  box.replaceChildren();
  setTimeout(() => box.append(...toasts), 100);
}
