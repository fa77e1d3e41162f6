// Writes the sources that are generated from others, before any spec reads them.
export default async (): Promise<void> => {
  await import("../scripts/embed-kernels.ts");
  await import("../scripts/embed-functions.ts");
};
