/**
 * The browser's own engine, as the background sees it: started when first needed, asked one picture at a time, uploads
 * before what only informs.
 */

import type { EngineAnswer, EngineAsk, Seen } from "../engine/protocol.ts";
import type { Assessment, EngineState } from "../messages.ts";
import { Failure } from "../failure.ts";

/**
 * Longer than the largest picture takes on a slow machine, a long animation at a door included; then the engine is taken
 * for dead and started anew.
 */
const TIMEOUT_MS = 60_000;
const THOROUGH_TIMEOUT_MS = 240_000;
/** How long the engine's page may take to be there. */
const OPENING_MS = 10_000;
const LOOK_MS = 100;

/** Where the engine's worker lives: one a browser. */
export interface EngineHost {
  /** Hand an ask and the port for its answer to the worker, starting it if it is not there. */
  post(ask: EngineAsk, port: MessagePort): Promise<void>;
  /** End the worker; the next `post` starts another. */
  stop(): Promise<void>;
}

interface Waiting {
  readonly run: () => Promise<void>;
  readonly urgent: boolean;
}

export class Engine {
  readonly #host: EngineHost;
  readonly #waiting: Waiting[] = [];
  #isBusy = false;
  #state: EngineState["state"] = "idle";

  constructor(host: EngineHost) {
    this.#host = host;
  }

  get state(): EngineState["state"] {
    return this.#state;
  }

  /** Load the networks, so that the first picture does not wait for them. Whether it went well, `state` says. */
  async load(): Promise<void> {
    try {
      await this.#ask({ op: "load" }, { urgent: true });
    } catch (error) {
      if (!(error instanceof Failure)) {
        throw error;
      }
    }
  }

  /**
   * Find and describe the faces of a file.
   *
   * @throws {Failure} `engine_unavailable`, `picture_too_large` or `picture_unreadable`.
   */
  async look(
    file: ArrayBuffer,
    { thorough, urgent }: { readonly thorough: boolean; readonly urgent: boolean },
  ): Promise<Extract<Seen, { ok: true }>["views"]> {
    const answer = await this.#ask({ op: "look", file, thorough }, { urgent });
    if (!("views" in answer)) {
      throw new Failure("engine_unavailable");
    }
    return answer.views;
  }

  /**
   * Say what a text asks for. It does not queue behind pictures: it takes a millisecond, and needs no network.
   *
   * @throws {Failure} `engine_unavailable`.
   */
  async assess(text: string, turns: readonly string[]): Promise<Assessment> {
    const answer = await this.#carry({ op: "assess", text, turns });
    if (!answer.ok || !("assessment" in answer)) {
      throw new Failure("engine_unavailable");
    }
    return answer.assessment;
  }

  #ask(ask: EngineAsk, { urgent }: { readonly urgent: boolean }): Promise<Extract<EngineAnswer, { ok: true }>> {
    return new Promise((resolve, reject) => {
      const entry: Waiting = { urgent, run: () => this.#exchange(ask).then(resolve, reject) };
      const place = urgent ? this.#waiting.findIndex((other) => !other.urgent) : -1;
      this.#waiting.splice(place < 0 ? this.#waiting.length : place, 0, entry);
      void this.#next();
    });
  }

  async #next(): Promise<void> {
    if (this.#isBusy) {
      return;
    }
    this.#isBusy = true;
    for (let entry = this.#waiting.shift(); entry !== undefined; entry = this.#waiting.shift()) {
      await entry.run();
    }
    this.#isBusy = false;
  }

  async #exchange(ask: EngineAsk): Promise<Extract<EngineAnswer, { ok: true }>> {
    if (this.#state !== "ready") {
      this.#state = "loading";
    }
    let answer: EngineAnswer;
    try {
      answer = await this.#carry(ask);
    } catch (error) {
      this.#state = "unavailable";
      throw error;
    }
    if (!answer.ok) {
      this.#state = answer.why === "engine_unavailable" ? "unavailable" : "ready";
      throw new Failure(answer.why);
    }
    this.#state = "ready";
    return answer;
  }

  /** Carry one ask to the worker and its answer back; a worker that says nothing is ended. */
  async #carry(ask: EngineAsk): Promise<EngineAnswer> {
    const channel = new MessageChannel();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let answer: EngineAnswer | null;
    try {
      await this.#host.post(ask, channel.port2);
      answer = await new Promise<EngineAnswer | null>((resolve) => {
        const isThorough = ask.op === "look" && ask.thorough;
        timer = setTimeout(() => resolve(null), isThorough ? THOROUGH_TIMEOUT_MS : TIMEOUT_MS);
        channel.port1.onmessage = (event: MessageEvent<EngineAnswer>) => resolve(event.data);
      });
    } catch (error) {
      throw new Failure("engine_unavailable", { cause: error });
    } finally {
      clearTimeout(timer);
      channel.port1.close();
    }
    if (answer === null) {
      await this.#host.stop();
      throw new Failure("engine_unavailable");
    }
    return answer;
  }
}

/** Chromium: the worker lives in the offscreen document, which outlives this service worker. */
export class OffscreenHost implements EngineHost {
  static readonly #PAGE = "engine/offscreen.html";
  #opening: Promise<void> | undefined;

  async post(ask: EngineAsk, port: MessagePort): Promise<void> {
    let failure: unknown;
    for (let waited = 0; waited <= OPENING_MS; waited += LOOK_MS) {
      try {
        await this.#open();
      } catch (error) {
        // A background that was ended while it made the document leaves one that is there for nobody yet.
        failure = error;
      }
      const page = await this.#client();
      if (page !== undefined) {
        page.postMessage(ask, [port]);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    }
    throw new Error("the offscreen document is not there", { cause: failure });
  }

  async stop(): Promise<void> {
    if ((await this.#client()) !== undefined) {
      await chrome.offscreen.closeDocument();
    }
  }

  async #open(): Promise<void> {
    if ((await this.#client()) !== undefined) {
      return;
    }
    // Two checks that begin at once would make two documents, and the second throws.
    this.#opening ??= chrome.offscreen
      .createDocument({
        url: OffscreenHost.#PAGE,
        reasons: [chrome.offscreen.Reason.WORKERS],
        justification: "Faces are found and compared in a worker on this machine.",
      })
      .finally(() => {
        this.#opening = undefined;
      });
    await this.#opening;
  }

  async #client(): Promise<Client | undefined> {
    const url = chrome.runtime.getURL(OffscreenHost.#PAGE);
    const pages = await serviceWorker.clients.matchAll({ includeUncontrolled: true, type: "window" });
    return pages.find((page) => page.url === url);
  }
}

/** Firefox: the background is a page, which may have a worker of its own. */
export class WorkerHost implements EngineHost {
  #worker: Worker | undefined;

  async post(ask: EngineAsk, port: MessagePort): Promise<void> {
    if (this.#worker === undefined) {
      this.#worker = new Worker(chrome.runtime.getURL("engine/engine.js"), { type: "module" });
    }
    this.#worker.postMessage(ask, [port]);
  }

  async stop(): Promise<void> {
    this.#worker?.terminate();
    this.#worker = undefined;
  }
}

interface Client {
  readonly url: string;
  postMessage(message: unknown, transfer: Transferable[]): void;
}

/** The part of ServiceWorkerGlobalScope that is used; the types of a page and of a worker exclude each other. */
const serviceWorker = globalThis as unknown as {
  readonly clients: {
    matchAll(options: { includeUncontrolled: boolean; type: "window" }): Promise<readonly Client[]>;
  };
};
