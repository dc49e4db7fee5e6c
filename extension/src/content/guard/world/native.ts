/** Put something in the place of a function of the browser, so that it still looks and behaves like it where nothing is held. */

const { apply } = Reflect;

export type Call = (self: unknown, args: readonly unknown[]) => unknown;

/**
 * Replace a method.
 *
 * A proxy of the native function keeps its name, its length and its text ("[native code]"), which some sites look at.
 *
 * @param make Gets the native function and returns what is called instead.
 */
export function replace(owner: object | undefined, name: string, make: (native: Call) => Call): void {
  const property = owner === undefined ? undefined : Object.getOwnPropertyDescriptor(owner, name);
  if (owner === undefined || property === undefined || typeof property.value !== "function") {
    return;
  }
  Object.defineProperty(owner, name, { ...property, value: wrapped(property.value, make) });
}

/** Replace what reading a property gives. */
export function replaceGetter(owner: object | undefined, name: string, make: (native: Call) => Call): void {
  const property = owner === undefined ? undefined : Object.getOwnPropertyDescriptor(owner, name);
  if (owner === undefined || property?.get === undefined) {
    return;
  }
  Object.defineProperty(owner, name, { ...property, get: wrapped(property.get, make) as () => unknown });
}

function wrapped(native: (...args: never[]) => unknown, make: (native: Call) => Call): object {
  const call = make((self, args) => apply(native, self, args as never[]));
  return new Proxy(native, { apply: (_target, self, args: unknown[]) => call(self, args) });
}
