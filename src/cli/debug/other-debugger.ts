/** `debug --with dlv|gdb`: the core and its executable, unpacked where they are packed, in another debugger. */
import { spawn } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, readSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { NotFoundError, SystemError } from '../../base/errors.ts'
import { exportBinary, exportCore } from '../export.ts'
import type { Target } from '../target.ts'

/** The other debugger's exit status. What was unpacked is removed when it ends. Throws SystemError where there is none. */
export async function startOther(target: Target, name: 'dlv' | 'gdb'): Promise<number> {
  const dir = mkdtempSync(join(process.env.TMPDIR || tmpdir(), 'gocore-sink-debug-'))
  const clear = (): void => rmSync(dir, { recursive: true, force: true })
  // It is in the terminal's foreground, and what the user interrupts is its own.
  const ignore = (): void => {}
  process.on('SIGINT', ignore)
  // A core that was encrypted is not to lie there when the terminal is closed.
  const end = (signal: NodeJS.Signals): void => {
    clear()
    for (const one of endings) process.off(one, end)
    process.kill(process.pid, signal)
  }
  for (const one of endings) process.on(one, end)
  try {
    const core = await plainFile(target.corePath, join(dir, 'core'), output =>
      exportCore(target, { output, force: false }),
    )
    const executable = await plainFile(await target.executablePath(), join(dir, 'program'), output =>
      exportBinary(target, { output, force: false }),
    )
    return await run(name, name === 'dlv' ? ['core', executable, core] : ['--core', core, executable])
  } finally {
    process.off('SIGINT', ignore)
    for (const one of endings) process.off(one, end)
    clear()
  }
}

const endings = ['SIGHUP', 'SIGTERM'] as const

/** The file itself where it is an ELF file already. */
async function plainFile(
  path: string | undefined,
  output: string,
  unpack: (output: string) => Promise<string | undefined>,
): Promise<string> {
  if (path !== undefined && isElf(path)) return path
  await unpack(output)
  return output
}

function isElf(path: string): boolean {
  const fd = openSync(path, 'r')
  try {
    const magic = Buffer.alloc(4)
    return readSync(fd, magic, 0, 4, 0) === 4 && magic.equals(Buffer.from('\x7fELF', 'latin1'))
  } finally {
    closeSync(fd)
  }
}

function run(command: string, args: readonly string[]): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { stdio: 'inherit' })
    child.once('error', (error: NodeJS.ErrnoException) => {
      const missing = error.code === 'ENOENT'
      reject(
        missing ? new NotFoundError(`${command} is not installed here.`) : new SystemError(error.message),
      )
    })
    child.once('close', (code, signal) => resolve(signal === null ? (code ?? 1) : 1))
  })
}
