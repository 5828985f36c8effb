// What markup cannot say: theme, confirm, polling that costs nothing, selection. No inline code anywhere.
(() => {
  "use strict";

  // Theme: kept in a cookie so that the server renders it and no page flashes.

  const root = document.documentElement;
  const yearInSeconds = 31536000;

  function showTheme() {
    const current = root.dataset.theme || "auto";
    for (const group of document.querySelectorAll("[data-themes]")) group.hidden = false;
    for (const button of document.querySelectorAll("[data-theme-choice]")) {
      button.setAttribute("aria-pressed", String(button.dataset.themeChoice === current));
    }
  }

  function chooseTheme(choice) {
    if (choice === "auto") delete root.dataset.theme;
    else root.dataset.theme = choice;
    const age = choice === "auto" ? 0 : yearInSeconds;
    document.cookie = `theme=${choice}; path=/; max-age=${age}; samesite=lax`;
    showTheme();
  }

  // Confirm: one dialog for hx-confirm and for plain forms with data-confirm.

  function element(tag, properties, ...children) {
    const made = Object.assign(document.createElement(tag), properties);
    made.append(...children);
    return made;
  }

  function ask(question, verb) {
    const no = element("button", { className: "button quiet", value: "no", textContent: "Keep it as it is" });
    const yes = element("button", { className: "button", value: "yes", textContent: verb || "Yes" });
    const form = element("form", { method: "dialog" }, element("p", { textContent: question, id: "dialog-question" }),
      element("div", { className: "actions" }, no, yes));
    const dialog = element("dialog", { className: "dialog" }, form);
    dialog.setAttribute("aria-labelledby", "dialog-question");
    document.body.append(dialog);
    dialog.showModal();
    return new Promise((resolve) => {
      dialog.addEventListener("close", () => {
        resolve(dialog.returnValue === "yes");
        dialog.remove();
      });
    });
  }

  document.addEventListener("htmx:confirm", async (event) => {
    const { ctx, issueRequest, dropRequest } = event.detail;
    if (!ctx.confirm) return;
    event.preventDefault();
    const verb = ctx.sourceElement.dataset.confirmVerb || ctx.request.submitter?.textContent.trim();
    if (await ask(ctx.confirm, verb)) issueRequest();
    else dropRequest();
  });

  document.addEventListener("submit", async (event) => {
    const question = event.target.dataset.confirm;
    if (!question || event.target.dataset.confirmed) return;
    event.preventDefault();
    if (!(await ask(question, event.submitter?.textContent.trim()))) return;
    event.target.dataset.confirmed = "yes";
    event.target.requestSubmit(event.submitter);
  });

  // Polling: [data-poll] elements ask with the ETag they have, and not at all in a hidden tab.

  const tags = new WeakMap();

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const source = ctx.sourceElement;
    if (!source.matches("[data-poll]") || ctx.request.method !== "GET") return;
    if (document.hidden) {
      event.preventDefault();
      return;
    }
    const known = tags.get(source);
    if (known && known.url === ctx.request.action) ctx.request.headers["If-None-Match"] = known.tag;
  });

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    const tag = ctx.response?.headers.get("ETag");
    if (tag && ctx.response.status === 200 && ctx.sourceElement.matches("[data-poll]")) {
      tags.set(ctx.sourceElement, { tag, url: ctx.sourceElement.getAttribute("hx-get") });
    }
  });

  document.addEventListener("visibilitychange", () => {
    if (document.hidden) return;
    for (const poller of document.querySelectorAll("[data-poll]")) window.htmx.trigger(poller, "refresh", {}, false);
  });

  // Selection: a bar that counts the ticked boxes of its form; it never touches the boxes on a poll.

  function showSelection() {
    for (const form of document.querySelectorAll("[data-selection]")) {
      const boxes = [...form.querySelectorAll("input[name='ids']")];
      const count = boxes.filter((box) => box.checked).length;
      const all = form.querySelector("[data-select-all]");
      if (all) {
        all.checked = count > 0 && count === boxes.length;
        all.indeterminate = count > 0 && count < boxes.length;
      }
      form.classList.toggle("has-selection", count > 0);
      for (const label of form.querySelectorAll("[data-selected]")) label.textContent = String(count);
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of event.target.closest("form").querySelectorAll("input[name='ids']")) box.checked = event.target.checked;
    }
    if (event.target.closest("[data-selection]")) showSelection();
  });

  document.addEventListener("htmx:after:settle", () => { showSelection(); showTheme(); });

  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]");
    if (choice) chooseTheme(choice.dataset.themeChoice);
  });

  showTheme();
  showSelection();
})();
