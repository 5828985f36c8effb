// What markup cannot say: theme, confirm, polling that costs nothing, selection. No inline code anywhere.
(() => {
  "use strict";

  // Theme: kept in a cookie so that the server renders it and no page flashes.

  const root = document.documentElement;
  root.classList.add("js");
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

  function ask(question, verb, isDanger) {
    const no = element("button", { className: "button quiet", value: "no", textContent: "Keep it as it is" });
    const yes = element("button", { className: isDanger ? "button danger" : "button", value: "yes", textContent: verb || "Yes" });
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
    const isDanger = ctx.sourceElement.classList.contains("danger");
    if (await ask(ctx.confirm, verb, isDanger)) issueRequest();
    else dropRequest();
  });

  document.addEventListener("submit", async (event) => {
    const question = event.target.dataset.confirm;
    if (!question || event.target.dataset.confirmed) return;
    event.preventDefault();
    const button = event.submitter;
    if (!(await ask(question, button?.textContent.trim(), button?.classList.contains("danger")))) return;
    event.target.dataset.confirmed = "yes";
    event.target.requestSubmit(button);
  });

  // Requests: an empty field of a filter is no filter; polls ask with the tag of what they have.

  let tags = new WeakMap();

  function dropEmpty(request) {
    for (const [name, value] of [...request.body]) if (value === "") request.body.delete(name);
  }

  document.addEventListener("htmx:config:request", (event) => {
    const { ctx } = event.detail;
    const source = ctx.sourceElement;
    if (ctx.request.method !== "GET") return;
    if (source.matches("form")) dropEmpty(ctx.request);
    if (!source.matches("[data-poll]")) return;
    if (document.hidden) {
      event.preventDefault();
      return;
    }
    const known = tags.get(source);
    if (known && known.url === ctx.request.action) ctx.request.headers["If-None-Match"] = known.tag;
  });

  function remember(ctx) {
    const tag = ctx.response.headers.get("ETag");
    const url = ctx.sourceElement.getAttribute("hx-get");
    if (tag && ctx.response.status === 200) tags.set(ctx.sourceElement, { tag, url });
  }

  // What is on the page was changed by somebody else than its poll: the poll knows it no longer.
  document.addEventListener("htmx:after:swap", (event) => {
    if (!event.detail.ctx.sourceElement?.matches("[data-poll]")) tags = new WeakMap();
  });

  // Answers that are no fragments: a page for signing in, an error. They must not end up inside of a list.

  function notify(kind, text) {
    const box = document.getElementById("notices");
    box?.replaceChildren(element("div", { className: `notice is-${kind}` }, element("strong", { textContent: text })));
  }

  let isBroken = false;

  function mended() {
    if (isBroken) document.getElementById("notices")?.replaceChildren();
    isBroken = false;
  }

  function broken(reason) {
    if (!isBroken) notify("error", `Live updates have stopped: ${reason}. Trying again.`);
    isBroken = true;
  }

  document.addEventListener("htmx:after:request", (event) => {
    const { ctx } = event.detail;
    // To be sent elsewhere, such as to sign in again, is htmx's own business.
    if (ctx.response.headers.has("HX-Redirect")) return;
    const isPage = /^\s*<!doctype/i.test(ctx.text ?? "");
    const isPoll = ctx.sourceElement.matches("[data-poll]");
    if (isPage && ctx.response.raw.redirected) window.location.reload();
    else if (isPoll && ctx.response.status >= 400) broken(`the server answered ${ctx.response.status}`);
    else if (isPage) notify("error", `The server answered ${ctx.response.status}: nothing was changed.`);
    else {
      if (isPoll) {
        mended();
        remember(ctx);
      }
      return;
    }
    event.preventDefault();
  });

  document.addEventListener("htmx:error", (event) => {
    if (event.detail.ctx?.sourceElement.matches("[data-poll]")) broken("the server cannot be reached");
    else if (event.detail.ctx) notify("error", "The server cannot be reached: nothing was changed.");
  });

  // A hidden tab asks nothing; a tab that is shown again asks at once.

  function refresh() {
    for (const poller of document.querySelectorAll("[data-poll]")) window.htmx.trigger(poller, "refresh", {}, false);
  }

  document.addEventListener("visibilitychange", () => {
    if (!document.hidden) refresh();
  });

  // Selection: a bar that counts the ticked boxes of its list; it never touches the boxes on a poll.

  function showSelection() {
    for (const list of document.querySelectorAll("[data-selection]")) {
      const boxes = [...list.querySelectorAll("input[name='ids']")];
      const count = boxes.filter((box) => box.checked).length;
      const all = list.querySelector("[data-select-all]");
      if (all) {
        all.hidden = false;
        all.checked = count > 0 && count === boxes.length;
        all.indeterminate = count > 0 && count < boxes.length;
      }
      list.classList.toggle("has-selection", count > 0);
      for (const label of list.querySelectorAll("[data-selected]")) label.textContent = String(count);
    }
  }

  document.addEventListener("change", (event) => {
    if (event.target.matches("[data-select-all]")) {
      for (const box of event.target.closest("[data-selection]").querySelectorAll("input[name='ids']")) box.checked = event.target.checked;
    }
    if (event.target.closest("[data-selection]")) showSelection();
  });

  // The server says so when more was changed than what it answers with.
  document.addEventListener("runner:changed", () => {
    for (const box of document.querySelectorAll("input[name='ids']:checked")) box.checked = false;
    showSelection();
    // Once the request that brought this event has let go of the list.
    setTimeout(refresh);
  });

  // After a swap: what a morph keeps because a person touched it, but the server meant.

  function followFilters() {
    for (const option of document.querySelectorAll(".filters option")) {
      if (!option.closest("select").matches(":focus")) option.selected = option.defaultSelected;
    }
  }

  function followLogs(logs) {
    for (const log of logs) log.scrollTop = log.scrollHeight;
  }

  const noticeMilliseconds = 6000;
  let atEnd = [];

  document.addEventListener("htmx:before:swap", () => {
    const logs = [...document.querySelectorAll("[data-follow]")];
    atEnd = logs.filter((log) => log.scrollHeight - log.scrollTop - log.clientHeight < 24);
  });

  document.addEventListener("htmx:after:settle", (event) => {
    showSelection();
    showTheme();
    followFilters();
    followLogs(atEnd);
    if (event.target.id === "notices") {
      const notice = event.target.querySelector(".is-success");
      if (notice) setTimeout(() => notice.remove(), noticeMilliseconds);
    }
  });

  document.addEventListener("click", (event) => {
    const choice = event.target.closest("[data-theme-choice]");
    if (choice) chooseTheme(choice.dataset.themeChoice);
  });

  showTheme();
  showSelection();
  followLogs(document.querySelectorAll("[data-follow]"));
})();
