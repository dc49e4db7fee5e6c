/** All that a vault keeps, sealed, and its form as a backup that the companion reads (enrolment/backups.py). */

import { fromBase64, toBase64 } from "../base64.ts";
import type { Bytes } from "../sealed-template.ts";

export type SubjectPolicy = "every_edit" | "intimate_and_impersonating";

export interface StoredSubject {
  readonly subject: string;
  readonly wrappedKey: Bytes;
  readonly sealedName: Bytes;
  readonly policy: SubjectPolicy;
  /** ISO 8601. */
  readonly enrolledAt: string;
  /** What a companion keeps of her besides; carried along untouched, so that a move there and back loses nothing. */
  readonly carried: Readonly<Record<string, unknown>>;
}

export interface StoredTemplate {
  readonly subject: string;
  readonly template: string;
  readonly model: string;
  readonly sealed: Bytes;
}

export interface Contents {
  readonly header: Bytes;
  readonly subjects: readonly StoredSubject[];
  readonly templates: readonly StoredTemplate[];
  /** Protected names and contests of a companion; sealed, carried along untouched. */
  readonly carried: Readonly<Record<string, unknown>>;
}

const FORMAT = "consentry.backup/3";
const READS = new Set(["consentry.backup/1", "consentry.backup/2", FORMAT]);

/** The backup opened, but its contents are not of a form that is known here. */
export class UnknownContents extends Error {
  override readonly name = "UnknownContents";
}

export function toPayload({ header, subjects, templates, carried }: Contents): Bytes {
  const payload = {
    aliases: [],
    contests: [],
    ...carried,
    format: FORMAT,
    header: toBase64(header),
    subjects: subjects.map((each) => ({
      ...each.carried,
      subject: each.subject,
      wrapped_key: toBase64(each.wrappedKey),
      sealed_name: toBase64(each.sealedName),
      policy: each.policy,
      enrolled_at: each.enrolledAt,
    })),
    templates: templates.map(({ subject, template, model, sealed }) => ({
      subject,
      template,
      model,
      sealed: toBase64(sealed),
    })),
  };
  return Uint8Array.from(new TextEncoder().encode(JSON.stringify(payload)));
}

/** @throws {UnknownContents} */
export function fromPayload(bytes: Bytes): Contents {
  try {
    const { format, header, subjects, templates, ...carried } = record(JSON.parse(new TextDecoder().decode(bytes)));
    if (!READS.has(text(format))) {
      throw new UnknownContents();
    }
    return {
      header: fromBase64(text(header)),
      subjects: list(subjects).map(subjectOf),
      templates: list(templates).map((each) => {
        const { subject, template, model, sealed } = record(each);
        return { subject: text(subject), template: text(template), model: text(model), sealed: fromBase64(text(sealed)) };
      }),
      carried,
    };
  } catch (error) {
    // The seal held, so this was written by a program of ours that differs from this one.
    throw error instanceof UnknownContents ? error : new UnknownContents("", { cause: error });
  }
}

function subjectOf(each: unknown): StoredSubject {
  const { subject, wrapped_key, sealed_name, policy, enrolled_at, ...carried } = record(each);
  const chosen = text(policy);
  if (chosen !== "every_edit" && chosen !== "intimate_and_impersonating") {
    throw new UnknownContents();
  }
  return {
    subject: text(subject),
    wrappedKey: fromBase64(text(wrapped_key)),
    sealedName: fromBase64(text(sealed_name)),
    policy: chosen,
    enrolledAt: text(enrolled_at),
    carried,
  };
}

function record(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new UnknownContents();
  }
  return value as Record<string, unknown>;
}

function list(value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) {
    throw new UnknownContents();
  }
  return value;
}

function text(value: unknown): string {
  if (typeof value !== "string") {
    throw new UnknownContents();
  }
  return value;
}

export type Carried = Readonly<Record<string, unknown>>;

const rowsOf = (carried: Carried, kind: string): readonly object[] => {
  const rows = carried[kind];
  return Array.isArray(rows) ? (rows as object[]) : [];
};

const isAbout = (row: object, subjects: ReadonlySet<unknown>): boolean =>
  Object.values(row).some((value) => subjects.has(value));

/** Without what a companion kept of her besides. */
export function withoutSubject(carried: Carried, subject: string): Carried {
  const gone = new Set([subject]);
  const kinds = Object.keys(carried);
  return Object.fromEntries(kinds.map((kind) => [kind, rowsOf(carried, kind).filter((row) => !isAbout(row, gone))]));
}

/** What is here, and what comes with those who are new. */
export function merged(here: Carried, found: Carried, fresh: ReadonlySet<string>): Carried {
  const kinds = new Set([...Object.keys(here), ...Object.keys(found)]);
  return Object.fromEntries(
    [...kinds].map((kind) => [
      kind,
      [...rowsOf(here, kind), ...rowsOf(found, kind).filter((row) => isAbout(row, fresh))],
    ]),
  );
}
