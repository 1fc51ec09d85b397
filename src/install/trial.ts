/**
 * A crash of nobody's, in a place of its own: whether a version's handler records, and whether its command line lists what
 * it recorded. That is Node, the addons for LZ4 and SQLite, and what the machine forbids to either.
 */
import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { reasonOf, SystemError } from '../base/errors.ts'
import { requireRootOwned } from './files.ts'
import { handlerWords, nodeOptions } from './launcher.ts'

/** Throws SystemError where it does not. `program` is a version's directory. */
export function tryProgram(program: string): void {
  const isRoot = process.geteuid?.() === 0
  // Where others may write root obeys no configuration, and the handler would fall back to the machine's own archive.
  const folder = mkdtempSync(join(isRoot ? '/run' : tmpdir(), 'gocore-sink-trial-'))
  try {
    const config = join(folder, 'conf')
    const places = ['Archive', 'State', 'Runtime'].map(name => `${name}Directory=${join(folder, name)}\n`)
    writeFileSync(config, places.join(''))
    if (isRoot) requireRootOwned(config)
    run('the handler', [...handlerWords(program), '--told', '--config', config, '--', ...crash], emptyCore())
    const commandLine = [`${program}/bin/node`, nodeOptions, `${program}/dist/cli.cjs`]
    // Fails where it lists nothing.
    run('the command line', [...commandLine, 'ls', '--quiet', '--config', config])
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

/** The kernel's fields; it has no process 0. */
const crash = ['0', '0', '0', '6', '1700000000', '18446744073709551615', 'gocore-trial']

/** An ELF header, and one segment that holds nothing but that: of a core that is cut the kernel log would be told. */
function emptyCore(): Buffer {
  const core = Buffer.alloc(64 + 56)
  core.write('\x7fELF\x02\x01\x01', 'latin1')
  core.writeUInt16LE(4, 16) // e_type: ET_CORE
  core.writeBigUInt64LE(64n, 32) // e_phoff
  core.writeUInt16LE(56, 54) // e_phentsize
  core.writeUInt16LE(1, 56) // e_phnum
  core.writeUInt32LE(1, 64) // p_type: PT_LOAD
  core.writeBigUInt64LE(BigInt(core.length), 64 + 32) // p_filesz
  return core
}

/** With an empty environment, as the kernel does it. */
function run(who: string, [program, ...args]: readonly string[], input: string | Buffer = ''): void {
  try {
    execFileSync(program!, args, {
      ...{ input, env: {}, stdio: ['pipe', 'ignore', 'pipe'], encoding: 'utf8' },
      ...{ timeout: 60_000, killSignal: 'SIGKILL' },
    })
  } catch (error) {
    const { stderr = '' } = error as { stderr?: string }
    const lines = stderr.split('\n').filter(line => line.trim() !== '')
    throw new SystemError(
      `${who}: ${lines.find(line => /^\w*Error\b/.test(line)) ?? lines[0] ?? reasonOf(error)}`,
    )
  }
}
