/** What the pages ask of the vault. */

import { fromBase64, toBase64 } from "../domain/base64.ts";
import type { VaultState } from "../messages.ts";
import type { Vault } from "../vault/vault.ts";
import type { Inbox } from "./inbox.ts";
import type { Handlers } from "./router.ts";

/** The handlers of `vault.*` and `subject.*`. */
export function vaultHandlers(vault: Vault, inbox: Inbox): Handlers {
  return {
    "vault.state": () => vault.state(),
    "vault.create": ({ passphrase }) => vault.create(passphrase),
    "vault.unlock": ({ secret }) => vault.unlock(secret),
    "vault.lock": () => vault.lock(),
    "vault.settings": async ({ autoLockMinutes }) => {
      const state = await vault.setAutoLock(autoLockMinutes);
      follow(state);
      return state;
    },
    "vault.passphrase": ({ secret, passphrase }) => vault.setPassphrase(secret, passphrase),
    "vault.passkey": () => vault.passkey(),
    "vault.passkey.add": ({ secret, credential, prf }) => vault.addPasskey(secret, credential, prf),
    "vault.passkey.remove": () => vault.removePasskey(),
    "vault.export": async ({ secret, passphrase }) => {
      const { file, subjects } = await vault.export(secret, passphrase);
      return { file: toBase64(file), subjects };
    },
    "vault.import": ({ file, passphrase }) => vault.import(fromBase64(file), passphrase),
    "vault.destroy": async () => {
      const state = await vault.destroy();
      await inbox.clear();
      return state;
    },
    "subject.delete": async ({ subject, secret }) => {
      await vault.remove(subject, secret);
      await inbox.forget(subject);
      return {};
    },
    "subject.policy": async ({ subject, policy, secret }) => {
      await vault.setPolicy(subject, policy, secret);
      return {};
    },
  };
}

/** Lock when nobody has touched the computer for as long as she chose, and when its screen is locked. */
export function lockWhenIdle(vault: Vault): void {
  chrome.idle.onStateChanged.addListener((state) => {
    if (state !== "active") {
      void vault.lock();
    }
  });
  void vault.state().then(follow);
}

function follow({ autoLockMinutes }: VaultState): void {
  chrome.idle.setDetectionInterval(autoLockMinutes * 60);
}
