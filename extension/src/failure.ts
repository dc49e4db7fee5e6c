/** A failure that a handler means: its code crosses to the sender, its message stays here. */

import type { FailureCode } from "./messages.ts";

export class Failure extends Error {
  override readonly name = "Failure";
  readonly code: FailureCode;

  constructor(code: FailureCode, options?: ErrorOptions) {
    super(code, options);
    this.code = code;
  }
}
