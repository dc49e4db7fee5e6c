/** Names of accounts, as sites and people write them. Pure. */

/** Path segments that stand before a name and are none. */
const BEFORE_NAMES: ReadonlySet<string> = new Set(["profile", "profiles", "user", "users", "u", "channel", "c", "people", "author"]);

/** Write a handle as it is compared: no @, no case, no server of its own. */
export function handleOf(account: string): string {
  return account.normalize("NFKC").trim().replace(/^@+/, "").replace(/[.,:;!?]+$/, "").toLowerCase();
}

/**
 * Whether an account is one of hers. `@sara@mastodon.example` is `sara` on its own server, where pages leave the server
 * out; a handle without a server is hers wherever it stands.
 */
export function isOneOf(account: string | null, handles: readonly string[]): boolean {
  if (account === null) {
    return false;
  }
  const [name = "", server] = handleOf(account).split("@");
  return handles.some((each) => {
    const [own = "", ownServer] = handleOf(each).split("@");
    return own !== "" && own === name && (server === undefined || ownServer === undefined || server === ownServer);
  });
}

/** Whether a text mentions one of her handles. */
export function mentions(text: string, handles: readonly string[]): boolean {
  const folded = text.normalize("NFKC");
  return [...folded.matchAll(/@([\p{L}\p{N}_][\p{L}\p{N}_.-]*(?:@[\p{L}\p{N}.-]+)?)/gu)].some(([, handle]) =>
    isOneOf(handle ?? null, handles),
  );
}

/** The account that an address leads to (`/sara`, `/@sara`, `/profile/sara`, `/user/sara`), or null. */
export function accountAt(address: string, base: string): string | null {
  const url = URL.parse(address, base);
  if (url === null) {
    return null;
  }
  const id = url.searchParams.get("id");
  if (url.pathname.endsWith("profile.php") && id !== null) {
    return id;
  }
  const segments = url.pathname.split("/").filter((segment) => segment !== "");
  const [first, second] = segments;
  const name = first !== undefined && BEFORE_NAMES.has(first.toLowerCase()) ? second : first;
  return name === undefined ? null : handleOf(decoded(name));
}

function decoded(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment; // a stray % is part of the name
  }
}
