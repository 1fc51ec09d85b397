/**
 * What test-crash crashes: a small Go program that the product carries (amd64), so that the analysis has something to
 * say; elsewhere, or where it can't be executed, a shell that ends itself by SIGSEGV.
 */
import { accessSync, chmodSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { zstdDecompressSync } from 'node:zlib'

export interface CrashProgram {
  readonly argv: readonly string[]
  readonly what: string
  readonly go: boolean
  [Symbol.dispose](): void
}

/** Raises the core limit as far as it goes, then becomes the program: the process id stays. */
export const withCoreLimit = 'ulimit -S -c unlimited 2>/dev/null || ulimit -S -c "$(ulimit -H -c)"; exec "$@"'

/** `token` ends up in the command line, by which the dump is known again. */
export function openCrashProgram(
  productRoot: string,
  token: string,
  options: { go?: boolean } = {},
): CrashProgram {
  if (options.go !== false && process.arch === 'x64') {
    const folder = mkdtempSync(join(tmpdir(), 'gocore-sink-test-'))
    try {
      const program = join(folder, 'till')
      writeFileSync(
        program,
        zstdDecompressSync(readFileSync(join(productRoot, 'test/fixtures/till/till.zst'))),
      )
      chmodSync(program, 0o755)
      // A directory for temporary files may be mounted noexec.
      accessSync(program, constants.X_OK)
      return {
        argv: [program, token],
        what: 'a small Go program that writes to a nil map',
        go: true,
        [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }),
      }
    } catch {
      rmSync(folder, { recursive: true, force: true })
    }
  }
  return {
    argv: ['/bin/sh', '-c', 'kill -s SEGV $$', token],
    what: 'a shell that sends itself SIGSEGV',
    go: false,
    [Symbol.dispose]: () => {},
  }
}
