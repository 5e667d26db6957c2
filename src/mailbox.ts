/** Runs calls one at a time. While one runs, any number of requests become one more call. */
export interface Mailbox {
  /** Requests a call, a few milliseconds from now. */
  post(): void;
  /** Requests a call at once; resolves when a call that began after this has ended. */
  now(): Promise<void>;
  /** Accepts no more requests; resolves when the running call has ended. */
  close(): Promise<void>;
}

/** `work` must not reject: it handles its own errors. `settleMs`: posts within this time become one call. */
export function createMailbox(work: () => Promise<void>, settleMs = 10): Mailbox {
  let running: Promise<void> | null = null;
  let next: Promise<void> | null = null;
  let timer: NodeJS.Timeout | null = null;
  let closed = false;

  const start = (): Promise<void> => {
    running = (closed ? Promise.resolve() : work()).finally(() => (running = null));
    return running;
  };
  const now = (): Promise<void> => {
    if (timer !== null) clearTimeout(timer);
    timer = null;
    if (running === null) return start();
    next ??= running.then(() => {
      next = null;
      return start();
    });
    return next;
  };
  return {
    post: () => {
      if (!closed) timer ??= setTimeout(() => void now(), settleMs);
    },
    now,
    close: async () => {
      closed = true;
      if (timer !== null) clearTimeout(timer);
      await (next ?? running);
    },
  };
}
