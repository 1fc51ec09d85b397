/**
 * Reads `gocore-sink.conf`: lines of `Key=value`, comments after `#` or `;` at the start of a line, as systemd's files.
 * The handler runs as root on behalf of anyone who crashes, so as root only a file is obeyed that nobody else can write
 * (apport and ABRT both had holes here: CVE-2019-7307, CVE-2019-11481).
 */
import { closeSync, constants, fstatSync, openSync, readFileSync } from 'node:fs'
import { ownerOfFiles } from '../base/capabilities.ts'
import { ConfigError, reasonOf } from '../base/errors.ts'
import { whoElseMayWrite } from '../base/root-owned.ts'
import { keys } from './keys.ts'
import { type Config, defaultConfig, defaultConfigPath } from './schema.ts'

const mostBytes = 1024 * 1024

/**
 * The configuration of `path`. Without a path it is that of /etc/gocore-sink.conf, or the defaults where there is no
 * such file. Throws one ConfigError that names each faulty line.
 */
export function loadConfig(path?: string): Config {
  const text = readTrusted(path ?? defaultConfigPath, path === undefined)
  if (text === undefined) return defaultConfig()
  const { config, problems } = parseConfig(text, path ?? defaultConfigPath)
  if (problems.length > 0) throw new ConfigError(problems.join('\n'))
  return config
}

/**
 * For the handler, which must go on: lines that can't be used, and such words of a list, are left out, a file that can't be trusted or read
 * leaves the defaults, and `warnings` says so in sentences for the log.
 */
export function loadConfigOrDefaults(path?: string): { config: Config; warnings: string[] } {
  const file = path ?? defaultConfigPath
  try {
    const text = readTrusted(file, path === undefined)
    if (text === undefined) return { config: defaultConfig(), warnings: [] }
    const { config, faults } = readLines(text, file)
    return { config, warnings: faults.map(({ problem, part }) => `${problem}, ignoring ${part}`) }
  } catch (error) {
    return { config: defaultConfig(), warnings: [`${reasonOf(error)}; using the defaults`] }
  }
}

/** The text's configuration over the defaults, and a `file:line: …` sentence for each line that has what was left out. */
export function parseConfig(text: string, file: string): { config: Config; problems: string[] } {
  const { config, faults } = readLines(text, file)
  return { config, problems: faults.map(({ problem }) => problem) }
}

interface Fault {
  readonly problem: string
  readonly part: 'the line' | 'what is wrong'
}

function readLines(text: string, file: string): { config: Config; faults: Fault[] } {
  const config = defaultConfig()
  const faults: Fault[] = []
  const lines = text.replace(/^\uFEFF/, '').split(/\r?\n/)
  for (const [index, raw] of lines.entries()) {
    const line = raw.trim()
    if (line === '' || line.startsWith('#') || line.startsWith(';')) continue
    const fail = (problem: string, part: Fault['part'] = 'the line'): void =>
      void faults.push({ problem: `${file}:${index + 1}: ${problem}`, part })
    const equals = line.indexOf('=')
    const name = line.slice(0, Math.max(0, equals)).trim()
    const key = keys.find(known => known.name === name)
    if (equals < 1) fail(`${JSON.stringify(line.slice(0, 80))} is not Key=value`)
    else if (!key) fail(`unknown key ${JSON.stringify(name.slice(0, 80))}${hintFor(name)}`)
    else
      try {
        key.read(config, line.slice(equals + 1).trim())
      } catch (error) {
        fail(`${name}: ${(error as Error).message}`, key.list ? 'what is wrong' : 'the line')
      }
  }
  return { config, faults }
}

function hintFor(name: string): string {
  const near = keys.find(key => key.name.toLowerCase() === name.toLowerCase())
  return near ? `, keys are written as ${near.name}` : ''
}

function readTrusted(path: string, mayBeAbsent: boolean): string | undefined {
  let fd: number
  try {
    // O_NONBLOCK: a FIFO in its place must not hang the handler (CVE-2021-25684).
    fd = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK | constants.O_NOCTTY)
  } catch (error) {
    if (mayBeAbsent && (error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw new ConfigError(`Cannot read the configuration ${path}: ${reasonOf(error)}`, { cause: error })
  }
  try {
    const stat = fstatSync(fd)
    const refuse = (why: string): never => {
      throw new ConfigError(`Refused the configuration ${path}: ${why}`)
    }
    if (!stat.isFile()) refuse('it is not a regular file')
    if (stat.size > mostBytes) refuse(`it is larger than ${mostBytes} bytes`)
    // The receiver's handlers are not root, but write what is root's.
    if (process.geteuid?.() === 0 || ownerOfFiles() === 0) {
      if (stat.uid !== 0) refuse(`it belongs to user ${stat.uid}, and root obeys only a file of root's`)
      if ((stat.mode & 0o022) !== 0)
        refuse(
          `others than its owner may write it (mode ${(stat.mode & 0o777).toString(8)}); chmod 644 cures that`,
        )
      const other = whoElseMayWrite(path)
      if (other !== undefined)
        refuse(`${other.why}, and could put another in its place; ${other.cure} cures that`)
    }
    return readFileSync(fd, 'utf8')
  } finally {
    closeSync(fd)
  }
}
