/**
 * Delivers items in the order they were put in, never nested: what `deliver` itself puts in comes after all that is there.
 * Delivery starts in the next microtask, so whoever puts an item in is done first. What `deliver` throws goes to `onFailure`, and
 * the rest is delivered.
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
