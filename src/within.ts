/** The result of a promise, or a default after some milliseconds. Keeps the process alive meanwhile. */
export async function within<T>(ms: number, promise: Promise<T>, otherwise: () => T | Promise<T>): Promise<T> {
  const late = Promise.withResolvers<null>();
  const timer = setTimeout(late.resolve, ms, null);
  try {
    const first = await Promise.race([promise.then((value) => ({ value })), late.promise]);
    return first === null ? await otherwise() : first.value;
  } finally {
    clearTimeout(timer);
  }
}
