// The parser's errors: each says the line, the column and what was expected there.
import { describe, expect, it } from "vitest";
import { constant, param } from "../../src/core/build.ts";
import { PrefcError } from "../../src/core/error.ts";
import { parse } from "../../src/core/parse.ts";

const sentence = (text: string): string => {
  try {
    parse(text);
  } catch (error) {
    expect(error).toBeInstanceOf(PrefcError);
    expect((error as PrefcError).code).toBe("parse-error");
    return (error as PrefcError).message;
  }
  throw new Error("the text was accepted");
};

describe("parse", () => {
  it("skips empty lines and comments, and does not insist on consecutive numbers", () => {
    const text = '\n// a parameter\n  %7: f32 = param "beta" = 0.1\n\nreturn beta = %7';
    expect(parse(text)).toEqual({ beta: param("beta", 0.1) });
  });

  it("gives no roots for an empty text", () => {
    expect(parse("")).toEqual({});
  });

  it("takes a root called __proto__ like any other", () => {
    const roots = parse("%0: f32 = const 1\nreturn __proto__ = %0");
    expect(Object.keys(roots)).toEqual(["__proto__"]);
    expect(Object.entries(roots)[0]![1]).toBe(constant(1));
  });

  it.each([
    ["hello", 'line 1, column 1: expected a binding ("%0: …") or "return", found "hello".'],
    ["%0 = const 1", 'line 1, column 4: expected ":", found "= const 1".'],
    [
      "%0: f16 = const 1",
      'line 1, column 5: expected a type ("f32", "i32" or "bool"), found "f16 = const 1".',
    ],
    ["%0: f32 = const", "line 1, column 16: expected a number, found the end of the line."],
    ["%0: f32 = const NaN", 'line 1, column 17: expected a number, found "NaN".'],
    ["%0: f32 = const 1 2", 'line 1, column 19: expected the end of the line, found "2".'],
    ["%0: f32 = 5", 'line 1, column 11: expected an operation, found "5".'],
    [
      "%0: f32 = twice %0",
      'line 1, column 11: expected an operation (such as "plus", "sum" or "input"), found "twice %0".',
    ],
    [
      "%0: f32 = exp %1",
      'line 1, column 15: expected a value that an earlier line defines, found "%1".',
    ],
    ["%0: f32 = exp x", 'line 1, column 15: expected a value such as "%0", found "x".'],
    [
      "%0: f32 = param beta",
      'line 1, column 17: expected the quoted name of a parameter, found "beta".',
    ],
    ['%0: f32 = param "\\q"', 'line 1, column 17: expected a JSON string, found "\\"\\\\q\\"".'],
    [
      '%0: f32[time] = input "x"',
      'line 1, column 9: expected an axis ("batch", "response.NAME", "other.NAME", "token.NAME" or "vocab"), found "time] = input \\"x\\"".',
    ],
    [
      "%0: f32 = const 1\n%0: f32 = const 2",
      'line 2, column 1: expected a number that no earlier line defines, found "%0: f32 = const 2".',
    ],
    [
      "%0: f32 = const 1\n%1: i32 = exp %0",
      'line 2, column 5: expected the type f32, which the operation gives, found "i32 = exp %0".',
    ],
    [
      '%0: f32[token.w] = input "x"',
      'line 1, column 5: expected the type f32[batch, token.w], which the operation gives, found "f32[token.w] = input".',
    ],
    [
      "%0: f32 = const 1\n%1: f32 = plus %0",
      'line 2, column 18: expected ",", found the end of the line.',
    ],
    [
      "%0: f32 = const 1\nreturn a = %0\nreturn a = %0",
      'line 3, column 8: expected a root that no earlier line returns, found "a = %0".',
    ],
    [
      "%0: f32 = const 1\nreturn = %0",
      'line 2, column 8: expected the name of a root, a word or a quoted string, found "= %0".',
    ],
    [
      "%0: bool = const 1\n%1: f32 = exp %0",
      "line 2, column 17: expected a well-formed operation, but exp: the operand is bool, but exp takes f32.",
    ],
  ])("explains %j", (text, expected) => {
    expect(sentence(text)).toBe(expected);
  });
});
