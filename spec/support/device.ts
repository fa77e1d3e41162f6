// The device that a spec runs on. Each spec that computes on an adapter takes its device from here, so none can forget to
// give it back or to ask whether an error came that no error scope caught.
import { afterAll, afterEach, beforeAll, expect } from "vitest";
import { openDevice, type Device } from "../../src/index.ts";
import type { DeviceOptions } from "../../src/runtime/device/open.ts";
import { finished } from "../../src/runtime/device/wait.ts";

/** Waits for all work that was submitted, and fails when an error came that neither a scope nor a listener took. */
export async function expectNoErrors(device: Device): Promise<void> {
  if (!device.isLost()) await finished(device, "waiting for the errors of a test");
  const errors = device.takeErrors();
  expect(errors, `no error scope caught: ${errors.join("; ")}`).toEqual([]);
}

/**
 * Opens a device before the tests of the `describe` (or the file) that calls it, and hands it to `use`, which may compile
 * for it. After each test, the errors that no scope caught fail that test. After the last one the device is disposed of.
 */
export function withDevice(use: (device: Device) => unknown, options: DeviceOptions = {}): void {
  let device: Device | undefined;
  beforeAll(async () => {
    device = await openDevice(options);
    await use(device);
  });
  afterEach(async () => {
    if (device !== undefined) await expectNoErrors(device);
  });
  afterAll(async () => {
    if (device === undefined) return;
    try {
      await expectNoErrors(device);
    } finally {
      device.dispose();
    }
  });
}

/** The same for one test: opens a device, hands it to `use`, and gives back what `use` gives. */
export async function usingDevice<T>(
  use: (device: Device) => Promise<T>,
  options: DeviceOptions = {},
): Promise<T> {
  const device = await openDevice(options);
  try {
    const result = await use(device);
    await expectNoErrors(device);
    return result;
  } finally {
    device.dispose();
  }
}
