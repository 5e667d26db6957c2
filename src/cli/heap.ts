import { setFlagsFromString } from 'node:v8';

// Imported before all else, while the heap is small. V8 lets the space for new objects grow to 64 MB on a machine with much
// memory, and never gives it back: a daemon with 1,000 Envoys needs 200 MB then, and 150 MB without, at the same speed
// (docs/performance.md). `node --max-semi-space-size` does the same, but an executable can't say so on every system.
setFlagsFromString('--semi-space-growth-factor=1');
