/** The camera with live guidance. Frames go to this browser's own engine and are forgotten at once. */

import { ask } from "../../ask.ts";
import { toBase64 } from "../../domain/base64.ts";
import type { Answer, QualityIssue } from "../../messages.ts";
import { make, part, say } from "../dom.ts";
import { type Key, word } from "../text.ts";

const FRAME_WIDTH = 640;
const PHOTO_WIDTH = 1280;
const PAUSE_MS = 450;
/** Share of the picture's height that a face should have, and how far from the middle its centre may be. */
const SMALLEST = 0.28;
const LARGEST = 0.85;
const OFF_CENTRE = 0.16;

type Look = Answer<"enrol.look">;

export class Camera {
  readonly #video = part<HTMLVideoElement>("video");
  readonly #taken: (photo: Blob) => Promise<boolean>;
  #stream: MediaStream | null = null;
  #pose = 0;

  /** @param taken Is given each photo, and says whether it could be used; if so the next pose is asked for. */
  constructor(taken: (photo: Blob) => Promise<boolean>) {
    this.#taken = taken;
    part("camera-start").addEventListener("click", () => void this.#start());
    part("camera-stop").addEventListener("click", () => this.stop());
    part("shoot").addEventListener("click", () => void this.#shoot());
    addEventListener("pagehide", () => this.stop());
  }

  stop(): void {
    for (const track of this.#stream?.getTracks() ?? []) {
      track.stop();
    }
    this.#stream = null;
    this.#video.srcObject = null;
    part("camera").hidden = true;
    part("camera-closed").hidden = false;
  }

  async #start(): Promise<void> {
    const status = part("camera-status");
    say(status, word("camera_asking"));
    try {
      this.#stream = await navigator.mediaDevices.getUserMedia({
        audio: false,
        video: { facingMode: "user", width: { ideal: PHOTO_WIDTH }, aspectRatio: { ideal: 4 / 3 } },
      });
    } catch (error) {
      const isDenied = error instanceof DOMException && error.name === "NotAllowedError";
      say(status, word(isDenied ? "camera_denied" : "camera_none"), "bad");
      return;
    }
    say(status, "");
    this.#video.srcObject = this.#stream;
    await this.#video.play();
    this.#show(0);
    part("camera-closed").hidden = true;
    part("camera").hidden = false;
    part("shoot").focus();
    void this.#watch(this.#stream);
  }

  #show(pose: number): void {
    this.#pose = pose;
    [...part("poses").children].forEach((item, place) => {
      item.classList.toggle("good", place < pose);
      item.classList.toggle("you", place === pose);
      item.toggleAttribute("aria-current", place === pose);
    });
  }

  /** One frame at a time: the next is taken only when the answer about the last one is there. */
  async #watch(watched: MediaStream): Promise<void> {
    while (this.#stream === watched) {
      const frame = this.#video.videoWidth > 0 ? await this.#grab(FRAME_WIDTH, 0.8) : null;
      if (frame !== null && this.#stream === watched) {
        await this.#guide(frame);
      }
      await new Promise((later) => setTimeout(later, PAUSE_MS));
    }
  }

  async #guide(frame: Blob): Promise<void> {
    const words = part("guidance");
    let look: Look;
    try {
      look = await ask("enrol.look", { photo: toBase64(new Uint8Array(await frame.arrayBuffer())) });
    } catch {
      // Guidance is a help: a photo can be taken all the same, and is rated for itself.
      say(words, word("guide_none"));
      return;
    }
    const key = guidance(look, this.#pose > 0);
    part("viewfinder").classList.toggle("fits", key === "guide_good");
    say(words, word(key));
  }

  async #shoot(): Promise<void> {
    const button = part<HTMLButtonElement>("shoot");
    const photo = await this.#grab(PHOTO_WIDTH, 0.92);
    if (photo === null) {
      return;
    }
    button.disabled = true;
    const isUsed = await this.#taken(photo);
    button.disabled = false;
    const poses = part("poses").children.length;
    if (isUsed && this.#pose + 1 === poses) {
      this.stop();
      part("shots-status").focus();
    } else {
      this.#show(isUsed ? this.#pose + 1 : this.#pose);
      button.focus();
    }
  }

  async #grab(width: number, quality: number): Promise<Blob | null> {
    const { videoWidth, videoHeight } = this.#video;
    const canvas = make("canvas", { width: Math.min(width, videoWidth) });
    canvas.height = Math.round((canvas.width * videoHeight) / videoWidth);
    canvas.getContext("2d")?.drawImage(this.#video, 0, 0, canvas.width, canvas.height);
    return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
  }
}

/** The one thing to mend first. What she sees is mirrored, so left and right are her own. */
export function guidance(look: Look, isTurned: boolean): Key {
  if (look.faces > 1) {
    return "guide_several";
  }
  if (look.faces === 0 || look.place === null) {
    return "guide_no_face";
  }
  const { x, y, w, h } = look.place;
  if (h < SMALLEST) {
    return "guide_closer";
  }
  if (h > LARGEST) {
    return "guide_further";
  }
  const aside = x + w / 2 - 0.5;
  if (Math.abs(aside) > OFF_CENTRE) {
    return aside < 0 ? "guide_left" : "guide_right";
  }
  if (Math.abs(y + h / 2 - 0.5) > OFF_CENTRE + 0.06) {
    return y + h / 2 < 0.5 ? "guide_down" : "guide_up";
  }
  const mended: QualityIssue | undefined = look.issues.find((issue) => !(isTurned && issue === "turned_away"));
  return mended === undefined ? "guide_good" : `quality_${mended}`;
}
