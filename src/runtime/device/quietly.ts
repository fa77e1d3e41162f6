// Taking things down when something has failed already, or at the end of a life: a second failure leaves nothing that
// could be done about it, and must not hide the first failure.

/** Does it, whatever it throws. */
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
