/** The program's version, as package.json has it (a test holds the two together). */
export const toolVersion = '0.1.0'

/** Negative where `a` is the older of two `1.2.3`. Texts that are no version count as the oldest. */
export function compareVersions(a: string, b: string): number {
  const [left, right] = [numbersOf(a), numbersOf(b)]
  for (let i = 0; i < 3; i++) if (left[i] !== right[i]) return left[i]! - right[i]!
  return 0
}

const numbersOf = (version: string): number[] =>
  /^(\d+)\.(\d+)\.(\d+)/.exec(version)?.slice(1).map(Number) ?? [-1, -1, -1]
