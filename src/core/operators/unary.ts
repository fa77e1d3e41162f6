// Every operator of one operand, by its name. A new file of rows is listed here.

export * from "./exponentials.ts";
export * from "./parts.ts";
