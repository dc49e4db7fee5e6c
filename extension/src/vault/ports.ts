/** What the vault asks of the browser's storage. */

import type { Contents } from "../domain/vault/contents.ts";
import type { Bytes } from "../domain/sealed-template.ts";

/** A passkey that opens the vault: its PRF output, not the passkey itself, is a key. */
export interface StoredPasskey {
  readonly credential: Bytes;
  /** The epoch secrets under a key of the PRF output: number, AES-KW. */
  readonly wrapped: readonly (readonly [number, Bytes])[];
}

export interface VaultRecord extends Contents {
  readonly passkey: StoredPasskey | null;
  /** What is evaluated by the passkey; not secret. */
  readonly passkeySalt: Bytes;
  readonly autoLockMinutes: number;
}

/** On the disk: sealed things only. */
export interface VaultStore {
  read(): Promise<VaultRecord | null>;
  /** Replace the whole record at once; null destroys it. */
  write(record: VaultRecord | null): Promise<void>;
}

/**
 * Keeps the vault open while the background comes and goes, and never beyond the browser's end: what is kept is in two
 * halves, a key on the disk that cannot be exported, and what it opens in memory. Neither says anything alone.
 */
export interface Session {
  /** The epoch secrets; null when the vault is locked. */
  recall(): Promise<ReadonlyMap<number, Bytes> | null>;
  keep(epochs: ReadonlyMap<number, Bytes>): Promise<void>;
  forget(): Promise<void>;
}
