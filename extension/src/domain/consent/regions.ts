/** What the strictest region asks for; generated from server/consentry/consent/jurisdictions/ (generate_engine.py). */

import data from "./regions.json" with { type: "json" };

export const rulesOfUnknownRegion: { readonly asksFor: readonly string[] } = data;
