// Theme: runs before the first paint, so that no page flashes. The choice is a cookie, which the
// server reads as well; without one the user's setting decides, then the system.
"use strict";
(() => {
  const root = document.documentElement;
  const kept = document.cookie.match(/(?:^|; )theme=(light|dark)(?:;|$)/);
  if (kept) root.dataset.theme = kept[1];

  const shown = () => root.dataset.theme || (matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light");

  document.addEventListener("click", (event) => {
    if (!event.target.closest("[data-theme-toggle]")) return;
    root.dataset.theme = shown() === "dark" ? "light" : "dark";
    const secure = location.protocol === "https:" ? "; secure" : "";
    document.cookie = `theme=${root.dataset.theme}; path=/; max-age=31536000; samesite=lax${secure}`;
  });
})();
