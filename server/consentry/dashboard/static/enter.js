// Trades the secret behind the # for a cookie. It is taken out of the address bar first, so that it stays in no history.
"use strict";

async function enter() {
  const secret = location.hash.slice(1);
  history.replaceState(null, "", "/enter");
  const answer = secret
    ? await fetch("/enter", { method: "POST", body: new URLSearchParams({ secret }) })
    : null;
  if (answer?.ok) {
    location.replace("/");
    return;
  }
  fail();
}

function fail() {
  document.getElementById("progress").textContent = "These pages could not be opened.";
  document.getElementById("failed").hidden = false;
}

enter().catch(fail);
