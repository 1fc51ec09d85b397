/** Long work over many files or bytes, as a generator that pauses after each piece of it, for who has other things to do. */

/** Work that pauses, and its result. */
export type Steps<T> = Generator<unknown, T>

/** Runs it to its end in one go. */
export function runThrough<T>(steps: Steps<T>): T {
  for (;;) {
    const step = steps.next()
    if (step.done) return step.value
  }
}
