/**
 * The fields that the kernel passes, in the order of core_pattern: append-only, so that an old pattern in
 * /proc/sys/kernel and a new handler always understand each other. Each field is an argument of its own (Linux ≥ 5.3
 * splits the pattern before it expands it, fs/coredump.c format_corename), so they are taken by position alone;
 * `%e` is any 15 bytes, may be empty or begin with `-`, and never is an option.
 */

export interface Field {
  readonly specifier: string
  readonly name: keyof CrashArguments
  readonly required: boolean
  /** The kernel that brought the specifier; older ones pass an empty argument in its place. */
  readonly since?: readonly [number, number]
  readonly meaning: string
}

/** One row for each argument. `install` writes the longest prefix that the kernel supports. */
export const fields: readonly Field[] = [
  { specifier: '%P', name: 'pid', required: true, meaning: 'PID in the initial PID namespace' },
  { specifier: '%u', name: 'uid', required: true, meaning: 'real user id in the initial user namespace' },
  { specifier: '%g', name: 'gid', required: true, meaning: 'real group id in the initial user namespace' },
  { specifier: '%s', name: 'signal', required: true, meaning: 'number of the signal' },
  { specifier: '%t', name: 'time', required: true, meaning: 'seconds since the epoch' },
  { specifier: '%c', name: 'rlimit', required: true, meaning: 'soft RLIMIT_CORE in bytes' },
  { specifier: '%e', name: 'comm', required: true, meaning: 'name of the crashing thread' },
  {
    specifier: '%h',
    name: 'hostname',
    required: false,
    since: [2, 6],
    meaning: "host name in the process's UTS namespace",
  },
  {
    specifier: '%I',
    name: 'tid',
    required: false,
    since: [3, 16],
    meaning: 'TID of the crashing thread, initial namespace',
  },
  {
    specifier: '%d',
    name: 'dumpable',
    required: false,
    since: [3, 7],
    meaning: 'dump mode: 1, or 2 for a set-user-id process',
  },
  {
    specifier: '-F%F',
    name: 'pidfd',
    required: false,
    since: [6, 16],
    meaning: 'number of a pidfd for the process',
  },
]

export interface CrashArguments {
  /** 0 where it can't be read. */
  pid: number
  uid: number
  gid: number
  signal: number
  /** Seconds; undefined where it can't be read. */
  time?: number
  /** `undefined` where it can't be read: then the dump is stored. */
  rlimit?: bigint
  comm: Buffer
  hostname?: Buffer
  tid?: number
  dumpable?: number
  pidfd?: number
  /** What was missing or made no sense, one sentence each. */
  problems: string[]
}

/** RLIM_INFINITY as the kernel prints it. */
export const unlimited = 0xffff_ffff_ffff_ffffn

/** Reads the arguments, whatever they hold: a crash is recorded even when they are wrong. */
export function parseArguments(argv: readonly Buffer[]): CrashArguments {
  const problems: string[] = []
  const text = (index: number): string => argv[index]?.toString('latin1') ?? ''
  const at = (name: keyof CrashArguments): number => fields.findIndex(field => field.name === name)
  const number = (name: keyof CrashArguments, most: number): number | undefined => {
    const field = fields[at(name)]!
    const value = text(at(name)).replace(field.specifier === '-F%F' ? /^-F/ : /^/, '')
    if (/^[0-9]{1,15}$/.test(value) && Number(value) <= most) return Number(value)
    if (value !== '' || field.required)
      problems.push(
        `Argument ${at(name) + 1} (${field.specifier}) is ${JSON.stringify(value.slice(0, 40))}, not a number`,
      )
    return undefined
  }
  const required = fields.filter(field => field.required).length
  if (argv.length < required)
    problems.push(`Only ${argv.length} of ${required} arguments came: core_pattern is not ours`)
  const limit = text(at('rlimit'))
  if (!/^[0-9]{1,20}$/.test(limit)) problems.push(`Argument ${at('rlimit') + 1} (%c) is not a number`)
  const result: CrashArguments = {
    pid: number('pid', 0x7fffffff) ?? 0,
    uid: number('uid', 0xffffffff) ?? 0xffffffff,
    gid: number('gid', 0xffffffff) ?? 0xffffffff,
    signal: number('signal', 1024) ?? 0,
    comm: argv[at('comm')]?.subarray(0, 64) ?? Buffer.alloc(0),
    problems,
  }
  const optional = {
    time: number('time', 0xff_ffff_ffff),
    rlimit: /^[0-9]{1,20}$/.test(limit) ? BigInt(limit) : undefined,
    hostname: text(at('hostname')) === '' ? undefined : argv[at('hostname')]!.subarray(0, 256),
    tid: number('tid', 0x7fffffff),
    dumpable: number('dumpable', 2),
    pidfd: number('pidfd', 1024),
  }
  for (const [name, value] of Object.entries(optional))
    if (value !== undefined) Object.assign(result, { [name]: value })
  return result
}

/**
 * The last `count` arguments of this process as bytes. Node decodes `process.argv` as UTF-8 and loses what isn't.
 */
export function rawArguments(cmdline: Buffer, decoded: readonly string[]): Buffer[] {
  const parts: Buffer[] = []
  for (let at = 0; at < cmdline.length; ) {
    const end = cmdline.indexOf(0, at)
    parts.push(cmdline.subarray(at, end < 0 ? cmdline.length : end))
    at = end < 0 ? cmdline.length : end + 1
  }
  const raw = parts.slice(parts.length - decoded.length)
  const same = raw.length === decoded.length && raw.every((part, i) => part.toString('utf8') === decoded[i])
  return same ? raw : decoded.map(part => Buffer.from(part))
}
