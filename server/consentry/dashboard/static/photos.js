// Previews of chosen pictures, each with a button that takes it out again. Nothing is sent by this script.
"use strict";

function chosen(input) {
  const list = document.getElementById(`${input.id}-list`);
  const maximum = Number(input.dataset.max);
  // Each preview keeps its address until its photo is taken out: a revoked one could still be loading.
  const addresses = new Map();
  let files = [];

  function use(all) {
    files = all.slice(0, maximum);
    const transfer = new DataTransfer();
    files.forEach((file) => transfer.items.add(file));
    input.files = transfer.files;
    [...addresses.keys()].filter((file) => !files.includes(file)).forEach(forget);
    list.replaceChildren(...files.map(preview));
  }

  function preview(file, place) {
    const item = document.createElement("li");
    const image = document.createElement("img");
    image.alt = `Number ${place + 1}: ${file.name}`;
    if (!addresses.has(file)) {
      addresses.set(file, URL.createObjectURL(file));
    }
    image.src = addresses.get(file);
    const remove = document.createElement("button");
    remove.type = "button";
    remove.className = "quiet small";
    remove.textContent = "Remove";
    remove.setAttribute("aria-label", `Remove number ${place + 1}`);
    remove.addEventListener("click", () => {
      use(files.filter((_, other) => other !== place));
      (list.querySelector("button") ?? input).focus();
    });
    item.append(image, remove);
    return item;
  }

  function forget(file) {
    URL.revokeObjectURL(addresses.get(file));
    addresses.delete(file);
  }

  input.addEventListener("change", () => use([...files, ...input.files].filter(unlike)));
  input.addEventListener("add-photo", (event) => use([...files, event.detail]));
}

// Choosing again adds to what is there; the same file chosen twice counts once.
function unlike(file, place, all) {
  return (
    all.findIndex((other) => other.name === file.name && other.size === file.size && other.lastModified === file.lastModified) ===
    place
  );
}

document.querySelectorAll("input[type=file][data-max]").forEach(chosen);
