/** Cores of a given size as the handler stores them: the kernel pipes them in, they end up compressed in an archive. */
import { execFileSync, spawn } from 'node:child_process'
import { chmodSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { CorePattern } from '../../test/support/core-pattern.ts'

/** Holds so many megabytes, of which it writes noise to one page in sixteen. */
const victim = `package main

import (
	"math/rand"
	"os"
	"strconv"
)

func main() {
	mb, _ := strconv.Atoi(os.Args[1])
	heap := make([]byte, mb<<20)
	noise := rand.New(rand.NewSource(1))
	for at := 0; at < len(heap); at += 16 * 4096 {
		noise.Read(heap[at : at+4096])
	}
	var counts map[string]int
	counts["crash"] = len(heap)
}
`

export interface StoredCore {
  mb: number
  core: string
  executable: string
}

export async function storeCores(
  pattern: CorePattern,
  dir: string,
  sizes: readonly number[],
): Promise<StoredCore[]> {
  const repository = join(import.meta.dirname, '../..')
  const source = join(dir, 'victim')
  mkdirSync(source, { recursive: true })
  writeFileSync(join(source, 'go.mod'), 'module victim\n\ngo 1.19\n')
  writeFileSync(join(source, 'main.go'), victim)
  const executable = join(source, 'victim')
  execFileSync('go', ['build', '-buildvcs=false', '-o', executable, '.'], { cwd: source, stdio: 'inherit' })
  const stored: StoredCore[] = []
  for (const mb of sizes) {
    const archive = join(dir, `archive-${mb}`)
    const conf = join(dir, `conf-${mb}`)
    writeFileSync(conf, `ArchiveDirectory=${archive}\n`)
    const launcher = join(dir, `sink-${mb}`)
    const handler = join(repository, 'dist/handler.cjs')
    const node = `${process.execPath} --disable-warning=ExperimentalWarning`
    writeFileSync(launcher, `#!/bin/sh\nexec ${node} ${handler} --config ${conf} -- "$@"\n`)
    chmodSync(launcher, 0o755)
    pattern.set(`|${launcher} %P %u %g %s %t %c %e`, { pipeLimit: 4 })
    await new Promise<void>(resolve => {
      const script = 'ulimit -c unlimited; exec "$0" "$1"'
      spawn('/bin/sh', ['-c', script, executable, String(mb)], {
        env: { GOTRACEBACK: 'crash' },
        stdio: 'ignore',
      }).once('exit', () => resolve())
    })
    const core = await appears(`${archive}/dumps/*/*/*/*/manifest.json`)
    stored.push({ mb, core: core.replace('manifest.json', 'core.lz4'), executable })
  }
  return stored
}

/** The handler goes on for a while after the kernel has let the process go. */
async function appears(glob: string): Promise<string> {
  for (let tries = 0; tries < 1200; tries++) {
    const [found] = globSync(glob)
    if (found !== undefined) return found
    await new Promise(resolve => setTimeout(resolve, 100))
  }
  throw new Error(`nothing came to ${glob}`)
}
