// Sends forms marked data-enhance without leaving the page, so that chosen photos survive a message such as "too dark".
// Without this script the same forms work the usual way.
"use strict";

const parser = new DOMParser();
let objectUrls = [];

for (const form of document.querySelectorAll("form[data-enhance]")) {
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    send(form).catch(() => {
      show(message("Consentry did not answer. Is it still running in the terminal? Nothing was done; try again."));
    });
  });
}

async function send(form) {
  const button = form.querySelector("button:not([type=button])");
  const progress = form.querySelector("[data-progress]");
  const pictures = [...form.querySelectorAll("input[type=file]")].flatMap((input) => [...input.files]);
  button.disabled = true;
  progress.textContent = form.dataset.busy;
  show(null);
  try {
    const answer = await fetch(form.action, { method: "POST", body: new FormData(form) });
    if (answer.redirected) {
      location.assign(answer.url);
      return;
    }
    if (!answer.headers.get("content-type")?.startsWith("text/html")) {
      show(message((await answer.json()).detail));
      return;
    }
    const page = parser.parseFromString(await answer.text(), "text/html");
    const problem = answer.ok ? null : page.querySelector(".problem");
    if (problem) {
      show(problem);
    } else {
      replace(page, pictures);
    }
  } finally {
    button.disabled = false;
    progress.textContent = "";
  }
}

function message(text) {
  const box = document.createElement("div");
  box.className = "problem";
  box.setAttribute("role", "alert");
  box.append(Object.assign(document.createElement("p"), { textContent: text }));
  return box;
}

function show(problem) {
  const slot = document.getElementById("problem");
  slot.replaceChildren(...(problem ? [problem] : []));
  if (problem) {
    document.querySelectorAll(".notice").forEach((notice) => notice.remove());
    slot.tabIndex = -1;
    slot.focus();
    slot.scrollIntoView({ block: "center" });
  }
}

function replace(page, pictures) {
  const main = document.getElementById("main");
  document.title = page.title;
  main.replaceChildren(...page.getElementById("main").childNodes);
  for (const figure of main.querySelectorAll("[data-picture]")) {
    draw(figure, pictures[Number(figure.dataset.picture)]);
  }
  main.querySelector("h1").focus();
  window.scrollTo(0, 0);
}

// The picture comes from this browser's own memory: the server has forgotten it by now.
function draw(figure, file) {
  const frame = figure.querySelector(".frame");
  if (!frame || !file) {
    return;
  }
  const url = URL.createObjectURL(file);
  objectUrls.push(url);
  const image = frame.querySelector("img");
  image.addEventListener("load", () => {
    frame.hidden = false;
  });
  image.src = url;
}

addEventListener("pagehide", () => {
  objectUrls.forEach(URL.revokeObjectURL);
  objectUrls = [];
});
