/**
 * The offscreen document of Chromium: it holds the engine's worker, because a service worker may not make one.
 *
 *     service worker --client.postMessage(ask, [port])--> this page --> the engine's worker --> port
 */

const engine = new Worker(new URL("engine.js", location.href), { type: "module" });

navigator.serviceWorker.addEventListener("message", (event: MessageEvent) => {
  const [port] = event.ports;
  if (port !== undefined) {
    engine.postMessage(event.data, [port]);
  }
});
navigator.serviceWorker.startMessages();
