// How a value that is not what was asked for is called in a sentence.

import { cite } from "./quote.ts";

/** A value as a noun phrase: `the string "beta"`, `an array`, `undefined`, … */
export function describe(value: unknown, object = "an object"): string {
  if (value === undefined || value === null) return String(value);
  if (Array.isArray(value)) return "an array";
  switch (typeof value) {
    case "string":
      return value.length > 40 ? "a long string" : `the string ${cite(value)}`;
    case "number":
      return `the number ${value}`;
    case "bigint":
      return `the bigint ${value}`;
    case "boolean":
      return `the boolean ${value}`;
    case "function":
      return "a function";
    case "object":
      if (value instanceof Promise) return "a promise";
      return ArrayBuffer.isView(value) ? `a ${value.constructor.name}` : object;
    default:
      return `a ${typeof value}`;
  }
}
