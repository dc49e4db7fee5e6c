/** Written in by build.mjs. */
declare const BROWSER: "chromium" | "firefox";
