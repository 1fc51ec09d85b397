/** Go versions as runtime.Version() prints them: `go1.26.8`, `go1.27rc1 X:nodwarf5`, `devel go1.28-3f2a9 …`. */

export interface GoVersion {
  readonly text: string
  readonly minor: number
  readonly patch: number
  atLeast(minor: number): boolean
}

/** `undefined` for a text that names no Go 1 version. */
export function parseGoVersion(text: string): GoVersion | undefined {
  const match = /\bgo1\.(\d+)(?:\.(\d+))?/.exec(text)
  if (!match) return undefined
  const minor = Number(match[1])
  return { text, minor, patch: Number(match[2] ?? 0), atLeast: wanted => minor >= wanted }
}
