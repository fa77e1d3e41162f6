// Ignores what a clean-up throws. A clean-up runs at the end of a life or after a failure. What it throws can not be
// mended, and must not hide that failure.

/** Runs `action`, and ignores what it throws. */
export const quietly = (action: () => unknown): void => {
  try {
    action();
  } catch {
    // the driver is on its own now
  }
};

/** Destroys something, if there is something. */
export const destroyQuietly = (one: { destroy(): undefined } | null | undefined): void =>
  quietly(() => one?.destroy());
