// The type of a table that provokes every error of a section of the catalogue, each by the smallest honest misuse. Wherever it
// can be done, that is a call of the public interface; else of the part of the compiler that finds the mistake.

/** For each code, an act that throws the error of that code or returns a promise that is rejected with it. */
export type Provocations<Rows> = { readonly [Code in keyof Rows]: () => unknown };

/** A value that the types would refuse. */
export const any = (value: unknown): never => value as never;
