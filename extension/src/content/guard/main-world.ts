/**
 * The guard's half in the page's own world: what a page's script can only be stopped from there.
 *
 *     fetch, XMLHttpRequest, sendBeacon, form.submit, WebSocket, data channels, workers, file handles, the clipboard
 *
 * It runs before the page's scripts, takes what it needs of the browser at once, and decides nothing: it hands over what
 * would go out, over a port that no script of the page ever holds, and waits. It knows no secret.
 */

import { type AtOnce, openAtOnce } from "./at-once.ts";
import { type Verdicts, openPort } from "./port.ts";
import { guardBodies } from "./world/bodies.ts";
import { guardChannels } from "./world/channels.ts";
import { guardFiles } from "./world/files.ts";
import { guardForms } from "./world/forms.ts";
import { guardFrames } from "./world/frames.ts";

const verdicts = openPort();
const atOnce = openAtOnce();

/** Guard one realm: this window, or an empty frame that the page made and can use before any script runs in it. */
function guard(realm: Window & typeof globalThis, isAsked: Verdicts, isPlain: AtOnce): void {
  guardBodies(realm, isAsked, isPlain);
  guardChannels(realm, isAsked);
  guardFiles(realm, isAsked);
  guardForms(realm, isAsked);
  guardFrames(realm, (inner) => guard(inner, isAsked, isPlain));
}

guard(window, verdicts, atOnce);
