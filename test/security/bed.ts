/** What the attack tests share: a handler's bed that ordinary users can reach, and programs that run as them. */
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, lstatSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { namesIn } from '../../src/archive/files.ts'
import { HandlerBed } from '../support/handler-bed.ts'
import { commandLine } from '../support/programs.ts'

/** Uids of nobody's: the tests become them, and no account is made. */
export const [alice, bob] = [61_234, 61_235] as const

/** The victim and its attacker live in `open/`, the archive beside it is the machine's. */
export function attackBed(settings: Record<string, string> = {}): HandlerBed {
  // On a busy machine storage may take its time, and a dump in the spool is not looked for.
  const bed = new HandlerBed({ StorageDeadline: '1min', ...settings })
  chmodSync(bed.directory, 0o711)
  execFileSync('mkdir', ['-m', '1777', bed.path('open')])
  return bed
}

/** A C program below `open/`, for everyone to run. */
export function compile(bed: HandlerBed, name: string, source: string): string {
  const path = bed.path(`open/${name}`)
  writeFileSync(`${path}.c`, source)
  execFileSync('gcc', ['-O0', '-w', '-o', path, `${path}.c`])
  return path
}

/** The shell's prefix that becomes a user with nothing else. */
export const become = (uid: number): string =>
  `setpriv --reuid ${uid} --regid ${uid} --clear-groups --inh-caps=-all`

/** Runs the command line as this user. */
export function cliAs(uid: number, bed: HandlerBed, args: readonly string[]) {
  const command = [
    ...become(uid).split(' '),
    process.execPath,
    '--disable-warning=ExperimentalWarning',
    commandLine,
  ]
  const run = spawnSync(command[0]!, [...command.slice(1), ...args, '--config', bed.config], {
    cwd: '/',
    env: { PATH: process.env.PATH!, HOME: '/nonexistent', TZ: 'UTC' },
    encoding: 'utf8',
    maxBuffer: 64 << 20,
  })
  return { status: run.status, stdout: run.stdout, stderr: run.stderr }
}

/** Runs a shell's text as this user. */
export const shellAs = (uid: number, script: string) =>
  spawnSync(become(uid).split(' ')[0]!, [...become(uid).split(' ').slice(1), 'sh', '-c', script], {
    encoding: 'utf8',
    cwd: '/',
  })

/** Calls `work` while the kernel holds the crashed process of this script, whose core goes nowhere. */
export async function whileDumped(
  bed: HandlerBed,
  script: string,
  work: (pid: number) => unknown,
): Promise<void> {
  const [begun, done] = [bed.path('begun'), bed.path('done')]
  writeFileSync(
    bed.path('holder'),
    `#!/bin/sh\necho $1 >${begun}\nuntil [ -e ${done} ]; do sleep 0.05; done\nexec cat >/dev/null\n`,
    { mode: 0o755 },
  )
  await bed.crash(script, {
    pattern: `|${bed.path('holder')} %P`,
    async during() {
      try {
        await work(Number(await until(() => textOf(begun))))
      } finally {
        writeFileSync(done, '')
      }
    },
  })
}

/** Looks again and again until there is something. */
export async function until<T>(look: () => T | undefined): Promise<T> {
  for (;;) {
    const found = look()
    if (found !== undefined) return found
    await new Promise(done => setTimeout(done, 20))
  }
}

function textOf(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1').trim() || undefined
  } catch {
    return undefined
  }
}

export interface Kept {
  readonly path: string
  readonly mode: number
  readonly uid: number
  readonly gid: number
}

/** Every file and directory below, links unfollowed; daemons and handlers write, and what was there may be gone. */
export function everything(directory: string): Kept[] {
  return namesIn(directory).flatMap(name => {
    const path = join(directory, name)
    const stat = lstatSync(path, { throwIfNoEntry: false })
    if (stat === undefined) return []
    const { mode, uid, gid } = stat
    return [{ path, mode, uid, gid }, ...(stat.isDirectory() ? everything(path) : [])]
  })
}

/** The paths of regular files below that hold these bytes. */
export function filesWith(directory: string, text: string): string[] {
  return everything(directory)
    .filter(({ mode }) => (mode & 0o170000) === 0o100000)
    .map(({ path }) => path)
    .filter(path => readFileSync(path).includes(text))
}

/** Text that could drive a terminal or forge a line; line ends and this program's own colours aside. */
export const dangerous =
  /[\u0000-\u0009\u000b-\u001a\u001c-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]|\u001b(?!\[[0-9;]*m)/u
