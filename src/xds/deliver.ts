/**
 * Delivers items in order and never nested: an item that `deliver` itself adds comes last. Delivery starts in the next microtask, when
 * the caller is done. If `deliver` throws, `onFailure` gets the error and the other items are still delivered.
 */
export function createDelivery<T>(
  deliver: (item: T) => void,
  onFailure: (error: unknown, item: T) => void,
): (item: T) => void {
  let items: T[] = [];
  const flush = (): void => {
    const taken = items;
    items = [];
    for (const item of taken) {
      try {
        deliver(item);
      } catch (error) {
        onFailure(error, item);
      }
    }
  };
  return (item) => {
    if (items.push(item) === 1) queueMicrotask(flush);
  };
}
