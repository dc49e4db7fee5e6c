/** From a passphrase to the root key (RFC 9106). Server: vault/passphrase.py, vault/rootkey.py. */

import { argon2id } from "hash-wasm";

import type { Bytes } from "../sealed-template.ts";

/** What one guess costs. Stored with what it opens. */
export interface Cost {
  readonly memoryKib: number;
  readonly passes: number;
  readonly lanes: number;
}

/** The server's: RFC 9106 section 4, the second recommended choice. */
export const DEFAULT_COST: Cost = { memoryKib: 64 * 1024, passes: 3, lanes: 4 };
export const SALT_BYTES = 16;
const KEY_BYTES = 32;
const MAX_CHARACTERS = 1024;

/** The passphrase does not open it, or it is damaged or cut short. Which, is not told, on purpose. */
export class WrongPassphrase extends Error {
  override readonly name = "WrongPassphrase";

  constructor() {
    super("the passphrase does not open it, or it is damaged");
  }
}

/** Whoever can write where the cost is stored must not be able to make this machine allocate a terabyte. */
export function isWithinBounds({ memoryKib, passes, lanes }: Cost): boolean {
  return (
    memoryKib >= 8 * 1024 &&
    memoryKib <= 1024 * 1024 &&
    passes >= 1 &&
    passes <= 64 &&
    lanes >= 1 &&
    lanes <= 16 &&
    memoryKib * passes <= 4 * 1024 * 1024
  );
}

/**
 * Derive the 32 secret bytes.
 *
 * @throws {WrongPassphrase} If the text is none that a vault takes: longer than 1,024 characters, or no Unicode.
 */
export async function rootKey(passphrase: string, cost: Cost, salt: Bytes): Promise<Bytes> {
  // "é" typed on two keyboards is one passphrase; nothing is folded, trimmed or cut off.
  const text = passphrase.normalize("NFKC");
  if ([...passphrase].length > MAX_CHARACTERS || !text.isWellFormed() || text === "") {
    throw new WrongPassphrase();
  }
  const key = await argon2id({
    password: new TextEncoder().encode(text),
    salt,
    memorySize: cost.memoryKib,
    iterations: cost.passes,
    parallelism: cost.lanes,
    hashLength: KEY_BYTES,
    outputType: "binary",
  });
  return Uint8Array.from(key);
}
