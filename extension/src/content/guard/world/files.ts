/** Files that reach a page without an event: pickers, file handles, the clipboard; and inputs that stand outside the document. */

import type { Part } from "../gate.ts";
import type { Verdicts } from "../port.ts";
import { replace } from "./native.ts";

type Realm = Window & typeof globalThis;

interface Handle {
  readonly kind: string;
  getFile(): Promise<File>;
}

export function guardFiles(realm: Realm, isAsked: Verdicts): void {
  guardHandles(realm, isAsked);
  guardClipboard(realm, isAsked);
  guardDetachedInputs(realm);
}

function guardHandles(realm: Realm, isAsked: Verdicts): void {
  const { FileSystemFileHandle: FileHandle } = realm as { FileSystemFileHandle?: { prototype: Handle } };
  const getFile = FileHandle?.prototype.getFile;
  const { DOMException: Failed } = realm;
  const isGiven = async (handles: readonly Handle[]): Promise<boolean> => {
    const files = handles.filter(({ kind }) => kind === "file");
    const parts = files.map(async (handle): Promise<Part> => ({ blob: await Reflect.apply(getFile as () => Promise<File>, handle, []) }));
    return isAsked(await Promise.all(parts), "given");
  };
  replace(FileHandle?.prototype, "getFile", (native) => async (self, args) => {
    const file = (await native(self, args)) as File;
    if (!(await isAsked([{ blob: file }], "given"))) {
      throw new Failed("The file could not be read.", "NotReadableError");
    }
    return file;
  });
  replace(realm, "showOpenFilePicker", (native) => async (self, args) => {
    const handles = (await native(self, args)) as readonly Handle[];
    if (!(await isGiven(handles))) {
      throw new Failed("The user aborted a request.", "AbortError");
    }
    return handles;
  });
  // What we drop again was built by a script, and has no handle: a page then expects `undefined` and reads the file.
  replace(realm.DataTransferItem.prototype, "getAsFileSystemHandle", (native) => async (self, args) =>
    ((await native(self, args)) as Handle | null) ?? undefined,
  );
}

function guardClipboard(realm: Realm, isAsked: Verdicts): void {
  const { DOMException: Failed } = realm;
  const getType = realm.ClipboardItem?.prototype.getType;
  replace(realm.Clipboard?.prototype, "read", (native) => async (self, args) => {
    const items = (await native(self, args)) as readonly ClipboardItem[];
    const parts: Part[] = [];
    for (const item of items) {
      for (const type of item.types.filter((each) => each.startsWith("image/"))) {
        parts.push({ blob: (await Reflect.apply(getType as (type: string) => Promise<Blob>, item, [type])) });
      }
    }
    if (parts.length > 0 && !(await isAsked(parts, "given"))) {
      throw new Failed("Read permission denied.", "NotAllowedError");
    }
    return items;
  });
}

/**
 * An input outside the document tells nobody but itself what was chosen. Before it opens the picker, it is put into a
 * closed shadow root of ours, where the guard hears its events before it does.
 */
function guardDetachedInputs(realm: Realm): void {
  const { document, HTMLElement: Elements, HTMLInputElement: Inputs, EventTarget: Targets } = realm;
  let nest: ShadowRoot | undefined;
  const adopt = (target: unknown): void => {
    if (!(target instanceof Elements) || target.isConnected) {
      return;
    }
    const root = target.getRootNode({ composed: true });
    const holds = target instanceof Inputs ? target.type === "file" : (root as ParentNode).querySelector?.("input[type=file]") !== null;
    if (!holds || !(root instanceof realm.Element)) {
      return;
    }
    if (nest?.host.isConnected !== true) {
      const host = document.createElement("div");
      host.style.setProperty("display", "none", "important");
      nest = host.attachShadow({ mode: "closed" });
      document.documentElement.append(host);
    }
    nest.append(root);
  };
  replace(Elements.prototype, "click", (native) => (self, args) => {
    adopt(self);
    return native(self, args);
  });
  replace(Inputs.prototype, "showPicker", (native) => (self, args) => {
    adopt(self);
    return native(self, args);
  });
  replace(Targets.prototype, "dispatchEvent", (native) => (self, args) => {
    if ((args[0] as Event | undefined)?.type === "click") {
      adopt(self);
    }
    return native(self, args);
  });
}
