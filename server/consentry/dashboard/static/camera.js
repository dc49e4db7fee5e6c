// Photos from the camera, with live hints. Frames go to this computer's own Consentry and are forgotten at once.
"use strict";

const POSES = [
  "1 of 3: look straight into the camera.",
  "2 of 3: turn your head a little to the left.",
  "3 of 3: turn your head a little to the right.",
];
const FRAME_WIDTH = 640;
const PAUSE_MS = 500;

const part = (name) => document.getElementById(`camera-${name}`);
const video = part("video");
const photos = document.getElementById("photos");
const token = document.querySelector("input[name=csrf_token]").value;
let stream = null;
let taken = 0;

if (navigator.mediaDevices?.getUserMedia) {
  document.getElementById("camera").hidden = false;
  part("start").addEventListener("click", start);
  part("stop").addEventListener("click", () => stop(""));
  part("shoot").addEventListener("click", shoot);
  addEventListener("pagehide", () => stop(""));
}

async function start() {
  part("failed").textContent = "";
  try {
    stream = await navigator.mediaDevices.getUserMedia({
      audio: false,
      video: { facingMode: "user", width: { ideal: 1280 }, height: { ideal: 720 } },
    });
  } catch (error) {
    part("failed").textContent =
      error.name === "NotAllowedError"
        ? "The browser was not allowed to use the camera. Allow it in the address bar, or choose photos below."
        : "No camera could be used. Choose photos below instead.";
    return;
  }
  taken = 0;
  video.srcObject = stream;
  await video.play();
  part("start").hidden = true;
  part("live").hidden = false;
  part("pose").textContent = POSES[0];
  part("shoot").focus();
  watch(stream);
}

function stop(words) {
  stream?.getTracks().forEach((track) => track.stop());
  stream = null;
  video.srcObject = null;
  part("live").hidden = true;
  part("start").hidden = false;
  part("failed").textContent = words;
}

function grab(width, quality) {
  const canvas = document.createElement("canvas");
  canvas.width = Math.min(width, video.videoWidth);
  canvas.height = Math.round((canvas.width * video.videoHeight) / video.videoWidth);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((done) => canvas.toBlob(done, "image/jpeg", quality));
}

// One frame at a time: the next is taken only when the answer about the last one is there.
async function watch(watched) {
  while (stream === watched) {
    await new Promise((done) => setTimeout(done, PAUSE_MS));
    if (stream === watched && video.videoWidth) {
      await rate().catch(() => say("Hints are not available now. You can take the photo all the same."));
    }
  }
}

async function rate() {
  const body = new FormData();
  body.set("csrf_token", token);
  body.set("frame", await grab(FRAME_WIDTH, 0.8), "frame.jpg");
  const answer = await fetch("/look", { method: "POST", body });
  if (!answer.ok) {
    throw new Error("no rating");
  }
  const rating = await answer.json();
  part("hint").classList.toggle("good", rating.is_good);
  say(rating.hints.join(" "));
}

// Said only when it changes, so that a screen reader does not repeat itself.
function say(words) {
  const hint = part("hint");
  if (hint.textContent !== words) {
    hint.textContent = words;
  }
}

async function shoot() {
  const photo = await grab(Infinity, 0.92);
  taken += 1;
  const file = new File([photo], `camera-${taken}.jpg`, { type: "image/jpeg", lastModified: taken });
  photos.dispatchEvent(new CustomEvent("add-photo", { detail: file }));
  if (taken < POSES.length) {
    part("pose").textContent = POSES[taken];
  } else {
    stop("Three photos taken. Look at them below: you can remove one and take it again.");
    photos.focus();
  }
}
