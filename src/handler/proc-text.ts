/**
 * Parsers for the texts of /proc/PID. The process chooses parts of them – its name stands in `stat` and `status`, its
 * files' names in `maps` – so each is read by the rule that can't be talked out of: `stat` after the last `)`
 * (CVE-2021-25683), `status` by the first line of a key (CVE-2021-25682), `maps` by position.
 */

export interface Stat {
  ppid: number
  threads: number
  /** Clock ticks since boot. */
  startTicks: number
  /** Where the arguments and the environment lie; 0 where that is not told. */
  arguments: AddressRange
  environment: AddressRange
}

/** proc(5), /proc/PID/stat: the fields behind the name, which is in parentheses and may hold any byte. */
export function parseStat(text: string): Stat | undefined {
  const rest = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [ppid, threads, startTicks] = [Number(rest[1]), Number(rest[17]), Number(rest[19])]
  if (![ppid, threads, startTicks].every(value => Number.isSafeInteger(value) && value >= 0)) return undefined
  const range = (first: number): AddressRange => ({
    start: Number(rest[first] ?? 0),
    end: Number(rest[first + 1] ?? 0),
  })
  // Fields 48 to 51; `rest` begins with the third.
  return { ppid, threads, startTicks, arguments: range(45), environment: range(47) }
}

/** The value of a key of /proc/PID/status. The kernel escapes newlines in `Name:`, the only line the process chooses. */
export function statusValue(text: string, key: string): string | undefined {
  const line = text.split('\n').find(entry => entry.startsWith(`${key}:`))
  return line?.slice(key.length + 1).trim()
}

export interface Mapping {
  /** `start-end` in hex, the name of the entry in map_files. */
  range: string
  permissions: string
  /** `major:minor` and inode: two mappings of one file have the same. */
  device: string
  inode: string
  path: string
}

const mappingPattern =
  /^([0-9a-f]+-[0-9a-f]+) ([rwxsp-]{4}) [0-9a-f]+ ([0-9a-f]+:[0-9a-f]+) ([0-9]+)\s+(\/.*)$/

/** The lines of /proc/PID/maps that name files. The kernel escapes newlines in names as `\012`. */
export function parseMaps(text: string): Mapping[] {
  const mappings: Mapping[] = []
  for (const line of text.split('\n')) {
    const match = mappingPattern.exec(line)
    if (match !== null)
      mappings.push({
        // map_files knows the addresses without the zeros that maps pads them with.
        range: match[1]!.replace(/(^|-)0+(?=[0-9a-f])/g, '$1'),
        permissions: match[2]!,
        device: match[3]!,
        inode: match[4]!,
        path: match[5]!,
      })
  }
  return mappings
}

/** Addresses [start, end). */
export interface AddressRange {
  readonly start: number
  readonly end: number
}

/** Where a file is mapped, and the device that it lies on, `major:minor` in hex. */
export interface FileRange extends AddressRange {
  readonly device: string
}

/** Every mapping of a file, whatever it is called. */
export function parseFileRanges(text: string): FileRange[] {
  const ranges: FileRange[] = []
  for (const line of text.split('\n')) {
    const match = /^([0-9a-f]{1,13})-([0-9a-f]{1,13}) \S+ \S+ ([0-9a-f]+:[0-9a-f]+) ([0-9]+)/.exec(line)
    if (match === null || (match[3] === '00:00' && match[4] === '0')) continue
    const [start, end] = [match[1]!, match[2]!].map(address => Number.parseInt(address, 16)) as [
      number,
      number,
    ]
    ranges.push({ start, end, device: match[3]! })
  }
  return ranges
}

const anonymousPattern =
  /^([0-9a-f]{1,13})-([0-9a-f]{1,13}) ...p [0-9a-f]+ 00:00 0(?: *$| +\[(?:heap|stack|anon:))/

/** Private mappings without a file, in order: what was never touched there is zeros. */
export function parseAnonymous(text: string): AddressRange[] {
  const ranges: AddressRange[] = []
  for (const line of text.split('\n')) {
    const match = anonymousPattern.exec(line)
    if (match !== null)
      ranges.push({ start: Number.parseInt(match[1]!, 16), end: Number.parseInt(match[2]!, 16) })
  }
  return ranges
}

export interface Container {
  id?: string
  pod_uid?: string
  runtime?: string
}

const runtimes: readonly (readonly [string, RegExp])[] = [
  ['docker', /(?:docker[-/])/],
  ['containerd', /(?:cri-containerd[-:])/],
  ['cri-o', /(?:crio-)/],
  ['podman', /(?:libpod-)/],
  ['lxc', /(?:lxc[./])/],
]

/**
 * Container and pod out of a cgroup path. An id counts only as 64 hex digits that end a part of the path
 * (CVE-2025-12744: the text is the process's to choose where it may make cgroups).
 */
export function parseCgroup(text: string): { path?: string; container?: Container } {
  const lines = text.split('\n').filter(line => line !== '')
  // cgroup 2 has one line, `0::PATH`; of version 1 the memory controller's is the one that container runtimes set.
  const line =
    lines.find(entry => entry.startsWith('0::')) ?? lines.find(entry => /:memory:/.test(entry)) ?? lines[0]
  if (line === undefined) return {}
  const path = line.replace(/^[^:]*:[^:]*:/, '')
  const container: Container = {}
  const id = /(?:^|[/:-])([0-9a-f]{64})(?:\.scope)?(?:\/|$)/.exec(path)?.[1]
  if (id !== undefined) container.id = id
  const pod =
    /pod([0-9a-f]{8}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{4}[-_][0-9a-f]{12}|[0-9a-f]{32})/.exec(
      path,
    )?.[1]
  if (pod !== undefined) container.pod_uid = pod.replaceAll('_', '-')
  const runtime = id === undefined ? undefined : runtimes.find(([, pattern]) => pattern.test(path))?.[0]
  if (runtime !== undefined) container.runtime = runtime
  return Object.keys(container).length > 0 ? { path, container } : { path }
}

/** The variables that the configuration allows: names, or `PREFIX*`. All others stay out of the manifest. */
export function allowedEnvironment(environ: Buffer, allowed: readonly string[]): [string, Buffer][] {
  const result: [string, Buffer][] = []
  for (let at = 0; at < environ.length && result.length < 256; ) {
    const next = environ.indexOf(0, at)
    const end = next < 0 ? environ.length : next
    const entry = environ.subarray(at, end)
    at = end + 1
    const equals = entry.indexOf(0x3d)
    const name = entry.toString('latin1', 0, Math.max(0, equals))
    if (!/^[A-Za-z_][A-Za-z0-9_]{0,127}$/.test(name)) continue
    if (allowed.some(rule => (rule.endsWith('*') ? name.startsWith(rule.slice(0, -1)) : name === rule)))
      result.push([name, entry.subarray(equals + 1)])
  }
  return result
}
