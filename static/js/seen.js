// Seen: a record's page tells at data-seen that it was looked at. It goes on when the page is left and says
// nothing if it fails, for nobody asked for it.
const page = document.querySelector("[data-seen]");

if (page) {
  const headers = JSON.parse(document.body.getAttribute("hx-headers"));
  fetch(page.dataset.seen, { method: "POST", keepalive: true, headers }).catch(() => {});
}
