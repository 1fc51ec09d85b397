/**
 * Names as they are looked for. Go writes whole package paths (`net/http.(*Client).Do`), people what is behind the last
 * slash (`http.(*Client).Do`): both must find it, so the index keeps a hash of the short form alone.
 */

const [slash, star, percent] = [0x2f, 0x2a, 0x25]

/** What ends the path: type arguments, receivers, literals may have slashes of their own. */
function endsPath(byte: number): boolean {
  return byte === 0x5b || byte === 0x28 || byte === 0x7b || byte === 0x20 || byte === 0x3c
}

/** FNV-1a of the short form of the NUL-terminated name at `at`; `%2e` of a path counts as the dot that it stands for. */
export function hashName(bytes: Uint8Array, at: number): number {
  let start = at
  while (bytes[start] === star) start++
  for (let i = start; ; i++) {
    const byte = bytes[i] ?? 0
    if (byte === 0 || endsPath(byte)) break
    if (byte === slash) start = i + 1
  }
  let hash = 0x811c9dc5
  for (let i = start; ; i++) {
    let byte = bytes[i] ?? 0
    if (byte === 0) return hash >>> 0
    if (byte === percent) {
      byte = Number.parseInt(String.fromCharCode(bytes[i + 1] ?? 0, bytes[i + 2] ?? 0), 16) || byte
      i += 2
    }
    hash = Math.imul(hash ^ byte, 0x01000193)
  }
}

const encoder = new TextEncoder()

/** The same of a text. */
export function hashText(name: string): number {
  return hashName(encoder.encode(`${name}\0`), 0)
}

/** Whether `wanted` means `name`: all of it, or what is behind the last slash of its path. */
export function matches(name: string, wanted: string): boolean {
  if (name === wanted) return true
  const plain = name.includes('%') ? plainPath(name) : name
  return plain === wanted || shortName(plain) === wanted
}

/** `*net/http.Client` as `*http.Client`. */
export function shortName(name: string): string {
  const path = /^(\**)([^[({ <]*\/)/.exec(name)
  return path ? path[1] + name.slice(path[0].length) : name
}

/** `gopkg.in/yaml%2ev3.Node` as `gopkg.in/yaml.v3.Node` (cmd/internal/objabi.PathToPrefix undone). */
export function plainPath(name: string): string {
  return name.replace(/%([0-9a-f]{2})/g, (_, digits: string) =>
    String.fromCharCode(Number.parseInt(digits, 16)),
  )
}
