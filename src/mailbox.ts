/** Calls one after another: while one runs, at most one more is remembered, however often it was asked for. */
export interface Mailbox {
  /** Asks for a call, a few milliseconds from now. */
  post(): void;
  /** Asks for a call at once; resolves when a call that began after this has ended. */
  now(): Promise<void>;
  /** Takes no more; resolves when the running call has ended. */
  close(): Promise<void>;
}

/** `work` must not reject: what fails is its own to say. `settleMs` lets a burst of changes settle into one call. */
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
